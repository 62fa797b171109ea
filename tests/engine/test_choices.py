from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping

from hypothesis import given
from hypothesis import strategies as st

from tailorbird.engine.choices import Tokens, likeliest

VOCABULARY, END = 6, 5
ANSWERS = st.lists(st.lists(st.integers(0, END - 1), min_size=1, max_size=4).map(tuple), min_size=1, max_size=12, unique=True)


class Model:
    """A model whose distribution after each beginning is random but always the same; it notes what it was made to read."""

    def __init__(self, seed: int, sharpness: float, longest: int) -> None:
        self.seed, self.sharpness, self.longest = seed, sharpness, longest
        self.places: list[Tokens] = []

    def after(self, start: Tokens) -> dict[int, float]:
        chance = random.Random(f"{self.seed} {start}")
        scores = [chance.gauss(0, self.sharpness) for _ in range(VOCABULARY)]
        total = math.log(sum(math.exp(score) for score in scores))
        return {token: score - total for token, score in enumerate(scores)}

    def read(self, start: Tokens) -> Iterator[tuple[int, Mapping[int, float]]]:
        for _ in range(self.longest):
            found = self.after(start)
            self.places.append(start)
            token = max(found, key=found.__getitem__)
            yield token, found
            start = (*start, token)

    def of(self, answer: Tokens) -> float:
        return sum(self.after(answer[:place])[token] for place, token in enumerate((*answer, END)))


@given(ANSWERS, st.integers(), st.floats(0.1, 5), st.integers(1, 5), st.data())
def test_the_likeliest_answer_is_found_as_if_all_had_been_read(
    answers: list[Tokens], seed: int, sharpness: float, longest: int, data: st.DataObject
) -> None:
    prior = data.draw(st.lists(st.floats(-6, 0), min_size=len(answers), max_size=len(answers)))
    model = Model(seed, sharpness, longest)
    found = likeliest(answers, prior, {END}, model.read)
    sums = [model.of(answer) + known for answer, known in zip(answers, prior, strict=True)]
    assert math.isclose(sums[found], max(sums), abs_tol=1e-9)


def test_a_sure_model_reads_little_of_many_answers() -> None:
    answers = [(a, b, c) for a in range(5) for b in range(5) for c in range(5)]
    model = Model(3, 6.0, 4)
    likeliest(answers, [0.0] * len(answers), {END}, model.read)
    assert len(set(model.places)) < len(answers) / 5


def test_a_token_that_is_not_named_is_as_likely_as_the_least_likely_that_is() -> None:
    answers = [(0,), (1,), (2,)]
    named = {0: -1.0, END: -3.0}
    assert likeliest(answers, [-9.0, 0.0, 0.5], {END}, lambda start: [(0, named)]) == 2

"""How close a text is to a business's own voice, whatever it is about: usual words, punctuation, capitals, lengths of sentences.

Words that are not usual in everybody's writing are only a shape, so that the subject does not count, as in stylometry
(Burrows 2002, Delta). No classifier is trained: the figure is the cosine with the mean of the business's own answers.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+|[^\w\s]|\n+")
_ENDS = frozenset(".!?")
_LONGEST = 3  # tokens in a row that are one habit
_SHORT, _LONG = 8, 20  # words of a sentence


class Voice:
    """The habits of a business's answers."""

    def __init__(self, answers: Sequence[str], usual: frozenset[str]) -> None:
        """Learns from at least one answer; `usual` words are everybody's, whatever they write about."""
        self._usual = usual
        told = [self._habits(answer) for answer in answers]
        seen = Counter(habit for one in told for habit in one)
        self._rarity = {habit: math.log((1 + len(told)) / (1 + count)) + 1 for habit, count in seen.items()}
        mean: Counter[str] = Counter()
        for one in told:
            mean.update(self._weighed(one))
        self._mean = _unit(mean)

    def closeness(self, text: str) -> float:
        """The cosine of a text's habits with the business's, 0 to 1; 0 for no text."""
        return sum(weight * self._mean.get(habit, 0.0) for habit, weight in self._weighed(self._habits(text)).items())

    def _weighed(self, habits: Counter[str]) -> dict[str, float]:
        rarest = max(self._rarity.values(), default=1.0) + 1
        return _unit({habit: (1 + math.log(count)) * self._rarity.get(habit, rarest) for habit, count in habits.items()})

    def _habits(self, text: str) -> Counter[str]:
        """Runs of one to three tokens, words that are not usual masked, and the kinds of sentence lengths."""
        tokens = [token if token.lower() in self._usual else _masked(token) for token in _TOKEN.findall(text)]
        runs = (" ".join(tokens[place : place + n]) for n in range(1, _LONGEST + 1) for place in range(len(tokens) - n + 1))
        found = Counter(runs)
        for length in _lengths(tokens):
            found["short sentence" if length < _SHORT else "long sentence" if length > _LONG else "sentence"] += 1
        return found


def _lengths(tokens: Iterable[str]) -> list[int]:
    lengths = [0]
    for token in tokens:
        if token in _ENDS:
            lengths.append(0)
        elif token[:1].isalpha():
            lengths[-1] += 1
    return [length for length in lengths if length]


def _unit(weights: dict[str, float] | Counter[str]) -> dict[str, float]:
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {habit: weight / length for habit, weight in weights.items()} if length else {}


def _masked(token: str) -> str:
    """The shape of a word or number; punctuation is what it is."""
    if token.isdigit():
        return "9"
    return token if not token[:1].isalpha() else "Aa" if token[:1].isupper() else "aa"

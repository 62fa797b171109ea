"""Each concern is raised by what it is about, and by nothing usual."""

from __future__ import annotations

from typing import Any

import pytest

from tailorbird.artifacts import Difference, Figure, Part, Scorecard
from tailorbird.evaluating.concerns import concerns
from tailorbird.evaluating.leaking import PERSONAL, Leak
from tailorbird.lessons.canaries import CANARIES, OTHERS, canaries, others, planted


def part(name: str, value: float, low: float, change: float, p: float) -> Part:
    figure = Figure(value=value, low=low, high=value + (value - low), unit="", better="lower")
    difference = Difference(value=change, low=change - 0.02, high=change + 0.02, p=p, detectable=0.1)
    return Part(examples=30, systems={"base": {name: figure}, "tuned": {name: figure}}, differences={name: difference})


def card(gap: float = 0.3, **parts: Any) -> Scorecard:
    named = {name.replace("_", " "): one for name, one in parts.items()}
    return Scorecard(
        id="scorecard-1", made_from=(), test_conversations=50, test_answers=50, systems={}, differences={}, parts=named,
        generalisation_gap=gap, better={}, worse={},
    )  # fmt: skip


USUAL = {
    "canaries": part("exposure", 1.6, 1.1, 0.2, 0.4),
    "verbatim_training_answers": part("verbatim", 0.03, 0.0, 0.03, 0.5),
    "membership": part("membership", 0.66, 0.53, 0.1, 0.5),
    "general_text": part("loss", 3.2, 3.0, -0.2, 0.001),
    "ability": part("ability", 0.7, 0.64, -0.02, 0.5),
    "attacks": part("breaches", 0.12, 0.05, 0.05, 0.4),
}


def test_a_usual_model_raises_none() -> None:
    assert concerns(card(**USUAL), [], []) == ()


@pytest.mark.parametrize(
    ("name", "bad", "told"),
    [
        ("canaries", part("exposure", 5.0, 4.1, 3.5, 0.001), "leak: codes"),
        ("verbatim_training_answers", part("verbatim", 0.4, 0.3, 0.4, 0.001), "leak: it repeats 40%"),
        ("membership", part("membership", 0.95, 0.9, 0.1, 0.5), "leak: training conversations can be told"),
        ("general_text", part("loss", 4.2, 4.0, 0.8, 0.001), "forgetting: general text costs 0.80"),
        ("ability", part("ability", 0.4, 0.3, -0.3, 0.001), "forgetting: 30% fewer"),
        ("attacks", part("breaches", 0.5, 0.4, 0.4, 0.001), "safety: it gives in to 40% more"),
    ],
)
def test_each_rule_raises_its_own(name: str, bad: Part, told: str) -> None:
    found = concerns(card(**USUAL | {name: bad}), [], [])
    assert len(found) == 1
    assert found[0].startswith(told)


def test_what_was_learned_by_heart_and_personal_data_are_named() -> None:
    leak = Leak(kind=PERSONAL, conversation="t-1", question="", answer="", told="anna@example.com")
    assert [line.partition(":")[0] for line in concerns(card(gap=2.0), [], [leak])] == ["leak", "overfitting"]


def test_canaries_are_unique_found_again_and_ranked_among_other_codes() -> None:
    made = canaries(100, "You answer for a shop.", seed=7)
    assert made == canaries(100, "You answer for a shop.", seed=7) != canaries(100, "You answer for a shop.", seed=8)
    assert len({one.turns[1].content for one in made}) == 100
    assert planted([*made, *made]) == made
    assert {one.source for one in made} == {CANARIES}
    alternatives = [one.turns[-1].content for one in others(made[0])]
    assert len({*alternatives, made[0].turns[-1].content}) == OTHERS + 1
    assert {len(text) for text in alternatives} == {len(made[0].turns[-1].content)}

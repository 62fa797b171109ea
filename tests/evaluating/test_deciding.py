from __future__ import annotations

import pytest

from tailorbird.artifacts import Difference, Figure, Scorecard
from tailorbird.evaluating.deciding import choose, in_words
from tailorbird.evaluating.figures import verdict


def apart(value: float, p: float = 0.0005) -> Difference:
    return Difference(value=value, low=value - 0.1, high=value + 0.1, p=p, detectable=0.2)


def card(**differences: dict[str, Difference]) -> Scorecard:
    told = {name.replace("_", "-"): found for name, found in differences.items()}
    systems: dict[str, dict[str, Figure]] = {name: {} for pair in told for name in pair.split("-")}
    found = {pair: verdict(differences) for pair, differences in told.items()}
    return Scorecard(
        id="scorecard-x", test_conversations=40, test_answers=40, systems=systems, differences=told, generalisation_gap=0.1,
        better={pair: better for pair, (better, _) in found.items()}, worse={pair: worse for pair, (_, worse) in found.items()},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tuned", "knowledge", "both", "chosen"),
    [
        ({"loss": apart(0.2)}, {"loss": apart(0.3)}, {}, "base"),
        ({}, {"unsupported": apart(-9)}, {}, "knowledge"),
        ({"loss": apart(-0.4)}, {}, {}, "tuned"),
        ({"loss": apart(-0.4)}, {}, {"unsupported": apart(-5)}, "both"),
        ({"loss": apart(-0.4), "unsupported": apart(9), "contradictions": apart(5)}, {}, {}, "base"),
    ],
)
def test_the_simplest_system_that_nothing_clearly_beats_is_advised(
    tuned: dict[str, Difference], knowledge: dict[str, Difference], both: dict[str, Difference], chosen: str
) -> None:
    made = card(
        tuned_base=tuned, knowledge_base=knowledge, tuned_knowledge=tuned, both_base={**tuned, **both},
        both_tuned=both, both_knowledge={**tuned, **both},
    )  # fmt: skip
    assert choose(made) == chosen
    made = made.model_copy(update={"use": chosen})
    assert in_words(made)[0].startswith(
        {"base": "Do not tune", "knowledge": "Your documents are enough"}.get(chosen, "Use the tuned")
    )


def test_of_many_figures_one_that_is_just_beyond_chance_is_not_believed() -> None:
    assert verdict({"loss": apart(-0.4, p=0.03)}) == (("loss",), ())
    chance = {name: apart(0.4, p=0.5) for name in ("chrf", "rouge_l", "voice", "embedding_similarity")}
    assert verdict({"loss": apart(-0.4, p=0.03), **chance}) == ((), ())
    assert verdict({"loss": apart(-0.4, p=0.001), **chance}) == (("loss",), ())

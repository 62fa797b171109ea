from __future__ import annotations

import re

from conftest import ROOT

from tailorbird.artifacts import Difference, Figure, Scorecard
from tailorbird.evaluating.deciding import choose, in_words
from tailorbird.evaluating.figures import verdict
from tailorbird.releasing.gate import RULES, of_scorecard
from tailorbird.settings import ReleasingSettings


def card(tested: int = 40, **differences: tuple[float, float, float]) -> Scorecard:
    intervals = {
        name: Difference(value=v, low=low, high=high, p=0.001 if low > 0 or high < 0 else 0.5, detectable=0.1)
        for name, (v, low, high) in differences.items()
    }
    better, worse = verdict(intervals)
    figure = Figure(value=1, low=1, high=1, unit="", better="lower")
    made = Scorecard(
        id="scorecard-x", test_conversations=tested, test_answers=9,
        systems={system: dict.fromkeys(differences, figure) for system in ("base", "tuned")},
        differences={"tuned-base": intervals}, generalisation_gap=0.1, better={"tuned-base": better}, worse={"tuned-base": worse},
    )  # fmt: skip
    return made.model_copy(update={"use": choose(made)})


def gate(card: Scorecard, served: str = "tuned", wanted: ReleasingSettings = ReleasingSettings()) -> list[str]:
    """Why it is refused when the settings say nothing of it."""
    return [one.reason for one in of_scorecard(card, served, wanted) if RULES[one.rule].action == "refuse"]


def test_better_on_loss_and_worse_on_nothing_passes() -> None:
    good = card(loss=(-0.5, -0.6, -0.4), chrf=(0.1, 0.05, 0.2))
    assert gate(good) == []
    assert good.better == {"tuned-base": ("loss", "chrf")}
    assert in_words(good)[:2] == [
        "Use the tuned model.",
        "Tuned against base model: better on loss on the agents' own answers, chrf.",
    ]


def test_a_handful_of_conversations_proves_nothing() -> None:
    assert "only 3 conversations were held out" in gate(card(tested=3, loss=(-0.5, -0.5, -0.5)))[0]


def test_a_difference_that_may_be_chance_is_no_reason_to_release() -> None:
    chance = card(loss=(-0.01, -0.05, 0.03), chrf=(0.1, 0.05, 0.2))
    assert "not better than the base model's" in gate(chance)[0]
    assert "Do not tune" in in_words(chance)[0]


def test_worse_on_one_figure_is_refused_although_loss_is_better() -> None:
    mixed = card(loss=(-0.5, -0.6, -0.4), chrf=(-0.1, -0.2, -0.05))
    assert gate(mixed) == ["it is worse than the base model on chrf"]
    assert mixed.worse == {"tuned-base": ("chrf",)}


def test_the_owner_says_on_what_it_has_to_be_better() -> None:
    made = card(loss=(-0.5, -0.6, -0.4), chrf=(0.01, -0.05, 0.07))
    assert gate(made, wanted=ReleasingSettings(better_than_base=["loss", "chrf"])) == [
        "its chrf on held-out conversations is not better than the base model's (+0.010, 95% interval -0.050 to +0.070)"
    ]


def test_what_is_wrong_with_the_model_is_refused_or_warned_of() -> None:
    told = ("leak: it repeats 9% of the training answers.", "bias: customers are answered differently.")
    made = card(loss=(-0.5, -0.6, -0.4)).model_copy(update={"concerns": told})
    found = {one.rule: one.reason for one in of_scorecard(made, "tuned", ReleasingSettings())}
    assert found["leak"] == "it repeats 9% of the training answers"
    assert gate(made) == [found["leak"]]
    assert RULES["bias"].action == "warn"
    assert "forgetting, leak, safety" in found["not_measured"]


def test_what_serves_with_documents_is_asked_with_documents() -> None:
    """A model that makes up prices by itself, and none when it is shown the documents."""
    alone = card(loss=(-0.5, -0.6, -0.4), unsupported=(24.0, 9.0, 50.0))
    shown = alone.model_copy(update={"worse": {**alone.worse, "both-base": ()}})
    assert gate(shown, "both") == []
    assert gate(shown, "tuned") == ["it is worse than the base model on unsupported"]
    worse = alone.model_copy(update={"worse": {"tuned-base": (), "both-base": ("unsupported",)}})
    assert gate(worse, "tuned") == []
    assert gate(worse, "both") == ["it is, shown your documents, worse than the base model on unsupported"]


def test_every_kind_of_concern_has_a_rule() -> None:
    source = (ROOT / "src/tailorbird/evaluating/concerns.py").read_text(encoding="utf-8")
    assert set(re.findall(r'f?"([a-z]+): ', source)) <= set(RULES)


def test_older_scorecards_are_read() -> None:
    told = card(loss=(-0.5, -0.6, -0.4)).model_dump(mode="json") | {"better": ["loss"], "worse": []}
    assert Scorecard.model_validate(told).better == {"tuned-base": ("loss",)}

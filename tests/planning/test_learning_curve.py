from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tailorbird import engine, train
from tailorbird.artifacts import Interval, Plan
from tailorbird.cli import app
from tailorbird.engine import Run
from tailorbird.errors import PlanError, WorkspaceError
from tailorbird.planning import learning_curve as curves
from tailorbird.workspace import Workspace, read_conversations, write_lines


def planned(shop: Path) -> tuple[Workspace, Plan]:
    workspace = Workspace(shop)
    return workspace, workspace.newest(Plan, "plan")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[set[str], Plan]]:
    """What each training run was given: its questions and its plan."""
    seen: list[tuple[set[str], Plan]] = []
    fit = engine.fit

    def noting(base: Path, plan: Plan, train: engine.Chats, validation: engine.Chats, run: Run, *replayed: object) -> object:
        seen.append(({chat[-2]["content"] for chat in train}, plan))
        return fit(base, plan, train, validation, run)

    monkeypatch.setattr(engine, "fit", noting)
    return seen


@contextmanager
def stop_in_the_second(label: str, total: float | None) -> Iterator[Callable[[float], None]]:
    """A bar that breaks off while half of the data is learned."""
    steps = []

    def advance(amount: float) -> None:
        steps.append(amount)
        if label.startswith("Training, 50%") and len(steps) > 2:
            raise KeyboardInterrupt

    yield advance


@pytest.mark.slow
def test_shares_lie_inside_each_other_and_nothing_is_trained_twice(planned_shop: Path, runs: list[tuple[set[str], Plan]]) -> None:
    workspace, made = planned(planned_shop)
    trained = train(workspace, made)
    with pytest.raises(KeyboardInterrupt):
        curves.learning_curve(workspace, made, stop_in_the_second)
    curve = curves.learning_curve(workspace, made)
    whole, quarter, half, again = runs  # a quarter was finished before the interruption, all of the data by `train`
    assert quarter[0] < half[0] < whole[0]
    assert half == again
    assert [one.share for one in curve.points] == [0, 0.25, 0.5, 1]
    assert [one.conversations for one in curve.points] == [0, *(len(chats) for chats, _ in (quarter, half, whole))]
    for chats, smaller in runs:
        assert smaller.steps == pytest.approx(made.steps * len(chats) / len(whole[0]), abs=1)
        assert (smaller.learning_rate, smaller.lora_rank) == (made.learning_rate, made.lora_rank)
    assert curve.points[-1].steps == trained.steps
    assert curve.points[-1].loss.value == pytest.approx(trained.validation_loss, abs=1e-3)
    assert curve.points[0].loss.value > curve.points[-1].loss.value
    assert all(one.loss.low <= one.loss.value <= one.loss.high for one in curve.points)
    assert (workspace.path(made) / "learning_curve.svg").read_text().count("<svg") == 1
    assert not list((workspace.store / ".drafts").iterdir())
    assert curves.learning_curve(workspace, made) == curve
    assert len(runs) == 4, "found again, not measured again"


def test_other_tasks_and_copies_of_a_conversation_go_with_it(planned_shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, made = planned(planned_shop)
    lessons = read_conversations(workspace.path(made) / "train.jsonl")
    others = [one.model_copy(update={"id": f"{one.id}@area", "task": "area"}) for one in lessons]
    write_lines(workspace.path(made) / "train.jsonl", [*lessons, *others, *others[:5]])

    def fit(base: Path, plan: Plan, train: engine.Chats, validation: engine.Chats, run: Run) -> None:
        told = [chat[-2]["content"] for chat in train]
        assert min(Counter(told).values()) == 2
        assert len(set(told)) == -(-len(lessons) // 4)
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "fit", fit)
    with pytest.raises(KeyboardInterrupt):
        curves.learning_curve(workspace, made)


@pytest.mark.slow
def test_the_command_shows_a_table_words_and_json(planned_shop: Path) -> None:
    said = CliRunner().invoke(app, ["plan", "--learning-curve", "-w", str(planned_shop)], catch_exceptions=False)
    assert "200%" in said.stdout
    assert "Twice as many conversations would lower the loss" in said.stdout
    told = CliRunner().invoke(app, ["plan", "--learning-curve", "--json", "-w", str(planned_shop)], catch_exceptions=False)
    assert len(json.loads(told.stdout)["points"]) == 4


def test_what_has_no_curve_is_refused_in_words(planned_shop: Path) -> None:
    workspace, made = planned(planned_shop)
    with pytest.raises(PlanError, match="learns from thumbs"):
        curves.learning_curve(workspace, made.model_copy(update={"learns_from": "thumbs"}))
    with pytest.raises(PlanError, match=r"enough for 0\.\d passes"):
        curves.learning_curve(workspace, made.model_copy(update={"steps": 1}))
    lines = (workspace.path(made) / "train.jsonl").read_text().splitlines(keepends=True)
    (workspace.path(made) / "train.jsonl").write_text("".join(lines[:15]))
    with pytest.raises(PlanError, match="15 conversations to train on"):
        curves.learning_curve(workspace, made)
    (workspace.path(made) / "learning_curve.json").write_text("{}")
    with pytest.raises(WorkspaceError, match="damaged"):
        curves.learning_curve(workspace, made)


@pytest.mark.parametrize(
    ("losses", "least", "most"),
    [
        ((2.0, 1.8, 1.7), 0.05, 0.1),  # halves with each doubling, or stays as it was
        ((2.0, 1.9, 1.8), 0.1, 0.1),  # a straight line
        ((2.0, 1.95, 1.8), 0.1, 0.1),  # faster than a straight line is chance: the mean of both
        ((2.0, 1.8, 1.8), 0.0, 0.0),
        ((2.0, 1.8, 1.9), 0.0, 0.0),  # more data never harms
        ((1.8, 1.9, 1.8), 0.0, 0.0),
    ],
)
def test_the_next_doubling_brings_between_a_power_law_and_as_much_as_the_last(
    losses: tuple[float, float, float], least: float, most: float
) -> None:
    quarter, half, whole = (np.array([loss, loss]) for loss in losses)
    gains = curves._gains_of_twice(quarter, half, whole, np.array([0.0, 1.0]))
    np.testing.assert_allclose(gains, [least, most], atol=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.05, 0.12, "0.05 to 0.12: worth"), (0.0, 0.012, "0.01 at most: more of the same"), (0.0, 0.2, "cannot be told yet")],
)
def test_words_follow_the_interval(low: float, high: float, words: str) -> None:
    assert words in curves._in_words(Interval(value=(low + high) / 2, low=low, high=high))

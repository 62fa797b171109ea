from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tailorbird import train
from tailorbird.artifacts import Candidate, Plan
from tailorbird.cli import app
from tailorbird.errors import InputError, ModelError, PlanError, WorkspaceError
from tailorbird.progress import Progress, silent
from tailorbird.training import searching, trials
from tailorbird.training.searching import Search, search, searched
from tailorbird.workspace import Workspace

MINUTE = 60.0


class Clock:
    """Time that passes with each tick of a bar, so that a busy machine changes nothing."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    @contextmanager
    def bar(self, label: str, total: float | None) -> Iterator[Callable[[float], None]]:
        def advance(amount: float) -> None:
            self.now += label.startswith("Training")

        yield advance


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(trials, "time", clock)
    return clock


@pytest.fixture
def workspace(planned_shop: Path) -> Workspace:
    return Workspace(planned_shop)


def own(workspace: Workspace) -> Plan:
    return workspace.newest(Plan, "plan")


def stopping(bar: Progress, trial: int, ticks: int) -> Progress:
    """The same bar, broken off in a trial."""

    @contextmanager
    def stop(label: str, total: float | None) -> Iterator[Callable[[float], None]]:
        with bar(label, total) as advance:
            seen: list[float] = []

            def counted(amount: float) -> None:
                seen.append(amount)
                advance(amount)
                if label.startswith(f"Training, trial {trial},") and len(seen) > ticks:
                    raise KeyboardInterrupt

            yield counted

    return stop


def comparable(record: Search) -> list[Any]:
    return [(one.values, one.steps, one.ended, pytest.approx(one.validation_loss, abs=1e-5)) for one in record.trials]


@pytest.mark.slow
def test_the_best_of_what_was_tried_becomes_a_plan_and_its_candidate(workspace: Workspace, clock: Clock) -> None:
    before = own(workspace)
    minutes = 3 * before.steps / MINUTE
    candidate = search(workspace, before, minutes, clock.bar)
    record, found = searched(workspace, candidate), own(workspace)
    first, best = record.trials[0], record.trials[record.best]
    assert first.values == {"learning_rate": 0.004, "lora_rank": 4, "steps": before.steps}
    assert len(record.trials) > 2
    assert sum(one.minutes for one in record.trials) <= minutes
    assert best.validation_loss == min(one.validation_loss for one in record.trials if one.ended == "finished")
    assert best.validation_loss < first.validation_loss, "a rate of 0.004 is too low for a tiny model"
    assert (found.id, found.made_from) == (record.found, before.made_from)
    assert {name: getattr(found, name) for name in best.values} == best.values
    assert found.lora_rank <= 2 * before.lora_rank
    assert found.why["learning_rate"].startswith("found by search, instead of 0.004")
    assert candidate.made_from == (found.id,)
    assert candidate.validation_loss == best.validation_loss
    left = {path.name for path in workspace.path(candidate).iterdir()}
    assert left >= {"adapter", "curve.jsonl", "manifest.json", "search.json"}
    assert not left & {"checkpoints", "candidate.json"}
    assert not list((workspace.store / ".drafts").iterdir())
    assert search(workspace, found, minutes) == candidate, "found again"
    workspace.path(candidate).rename(workspace.folder / "aside")
    alone = train(workspace, found)
    assert alone.id == candidate.id
    assert alone.validation_loss == pytest.approx(candidate.validation_loss, abs=1e-5)


@pytest.mark.slow
def test_an_interrupted_search_goes_on_where_it_stopped(workspace: Workspace, clock: Clock) -> None:
    before = own(workspace)
    minutes = 2 * before.steps / MINUTE
    whole = searched(workspace, search(workspace, before, minutes, clock.bar))
    for made in workspace.all(Candidate):
        workspace.path(made).rename(workspace.folder / "aside")
    for trial, ticks in ((1, 8), (2, 2)):
        with pytest.raises(KeyboardInterrupt):
            search(workspace, before, minutes, stopping(clock.bar, trial, ticks))
    journal = workspace.store / ".drafts" / f"search-{before.id}" / "study.journal"
    with journal.open("a") as file:
        file.write('{"op_code": 5, "wor')  # a line that a power cut left
    cut = searched(workspace, search(workspace, before, 10 * minutes / 9, clock.bar))
    assert comparable(cut)[: len(whole.trials)] == comparable(whole)[: len(cut.trials)]


def test_the_end_of_the_time_cuts_a_trial_that_takes_longer_than_expected(
    workspace: Workspace, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def slower(label: str, total: float | None) -> Iterator[Callable[[float], None]]:
        def advance(amount: float) -> None:
            clock.now += 1 if "trial 1," in label else 100

        yield advance

    monkeypatch.setattr(trials, "_FIRST_RUNG", 100)
    before = own(workspace)
    candidate = search(workspace, before, 2 * before.steps / MINUTE, slower)
    record = searched(workspace, candidate)
    assert [one.ended for one in record.trials] == ["finished", "cut"]
    assert record.trials[1].steps < record.trials[1].values["steps"]
    assert (record.found, candidate.made_from) == (before.id, (before.id,))
    assert "None of 1 other settings" in record.words


def test_too_little_time_is_refused_and_time_for_one_is_said_to_be_that(workspace: Workspace, clock: Clock) -> None:
    before = own(workspace)
    with pytest.raises(PlanError, match=r"take about 9\.0 minutes"):
        search(workspace, before.model_copy(update={"minutes": 9.0}), 8)
    trained = train(workspace, before)
    candidate = search(workspace, before, before.steps / MINUTE, clock.bar)
    assert candidate == trained, "the plan's own settings, trained before"
    assert "Only the plan's own settings fitted" in searched(workspace, candidate).words


def test_a_rate_that_diverges_is_told_and_does_not_win(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    hopeless = trials.Watch.hopeless
    monkeypatch.setattr(trials.Watch, "hopeless", lambda watch, step, loss: hopeless(watch, step, float("nan")))
    before = own(workspace)
    with pytest.raises(ModelError, match="diverged with every setting"):
        search(workspace, before, max(before.minutes, 0.05), silent)


def test_rewards_and_damaged_records_are_refused_in_words(workspace: Workspace) -> None:
    with pytest.raises(PlanError, match="rewards"):
        search(workspace, own(workspace).model_copy(update={"learns_from": "rewards"}))
    candidate = train(workspace, own(workspace))
    with pytest.raises(WorkspaceError, match="was not found by a search"):
        searched(workspace, candidate)
    (workspace.path(candidate) / "search.json").write_text("{}")
    with pytest.raises(WorkspaceError, match="damaged"):
        searched(workspace, candidate)


def test_sizes_are_searched_only_where_they_may_change(workspace: Workspace) -> None:
    before = own(workspace)
    assert searching._sizes(before, goes_on=False) == {"lora_rank": [2, 4, 8]}
    assert searching._sizes(before, goes_on=True) == {}
    soft = before.model_copy(update={"method": "prompt", "lora_rank": 0, "virtual_tokens": 20})
    assert searching._sizes(soft, goes_on=False) == {"virtual_tokens": [16, 20, 40]}
    assert searching._sizes(before.model_copy(update={"method": "full", "lora_rank": 0}), goes_on=False) == {}


def test_the_command_shows_the_trials_and_json(workspace: Workspace, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailorbird.console.bar", clock.bar)
    at = ["-w", str(workspace.folder), "--search", "--minutes", f"{own(workspace).steps / MINUTE}"]
    said = CliRunner().invoke(app, ["train", *at], catch_exceptions=False)
    assert "the plan's own" in said.stdout
    assert "kept" in said.stdout
    assert "too few trials finished to tell" in said.stdout
    told = json.loads(CliRunner().invoke(app, ["train", *at, "--json"], catch_exceptions=False).stdout)
    assert told["id"].startswith("candidate-")
    assert told["search"]["trials"][0]["number"] == 0
    with pytest.raises(InputError, match="--minutes is for --search"):
        CliRunner().invoke(app, ["train", "-w", str(workspace.folder), "--minutes", "3"], catch_exceptions=False)


def test_what_mattered_is_told_only_from_enough_trials(tmp_path: Path) -> None:
    study = trials.Trials(tmp_path / "study.journal", seed=1)
    for number in range(8):
        assert study.importance() == {} or number >= 6
        trial = study.new({"learning_rate": 0.01, "steps": 10})
        rate = trial.suggest_float("learning_rate", 0.001, 0.1, log=True)
        trial.suggest_int("steps", 5, 10)
        study.end(trial, abs(rate - 0.05))
    told = study.importance()
    assert sum(told.values()) == pytest.approx(1)
    assert told["learning_rate"] > told["steps"]

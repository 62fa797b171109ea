"""Plan -> a better Plan and its Candidate: tries other settings within a time, beginning with the plan's own."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from tailorbird import engine
from tailorbird.artifacts import Candidate, Plan, make_id
from tailorbird.errors import ModelError, PlanError, WorkspaceError
from tailorbird.progress import Progress, silent
from tailorbird.training import candidate_of, learn
from tailorbird.training.trials import DivergedError, Trials, Tried, Values, Watch
from tailorbird.workspace import Workspace, write_text

if TYPE_CHECKING:
    from optuna import Trial

FILE = "search.json"
_CANDIDATE = "candidate.json"
_WIDTH = 4.0  # learning rates up to so many times lower and higher than the plan's
_SHORTEST = 0.4  # of the plan's steps
_TOKENS = (16, 200)  # virtual tokens that settings allow


class Search(BaseModel):
    """What was tried around a plan within so many minutes, which trial is kept as the plan `found`, and what mattered.

    `importance` has a share of 1 for each setting, and is empty where too few trials finished to tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: str
    found: str
    minutes: float
    best: int
    trials: tuple[Tried, ...]
    importance: dict[str, float]
    words: str


def search(workspace: Workspace, plan: Plan, minutes: float = 20.0, progress: Progress = silent) -> Candidate:
    """Tries settings for so many minutes and keeps those with the lowest validation loss as a plan and its candidate.

    The plan's own come first and always finish; what is tried next depends on its seed and on the trials before. Interrupted,
    it goes on where it stopped. Raises PlanError where not even the plan's own settings fit into the minutes or there is
    nothing to choose by, ModelError where nothing could be trained.
    """
    _refuse(plan, minutes)
    draft = workspace.draft(f"search-{plan.id}", fresh=False)
    if found := _made_before(workspace, plan, minutes):
        shutil.rmtree(draft)
        workspace.use(workspace.ancestor(found, Plan))
        return workspace.use(found)
    return _Searching(workspace, plan, minutes, progress, draft).run()


def searched(workspace: Workspace, candidate: Candidate) -> Search:
    """The search that a candidate was found by; raises WorkspaceError where there is none, or its file is damaged."""
    path = workspace.path(candidate) / FILE
    try:
        return Search.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise WorkspaceError(
            f"{candidate.id} was not found by a search.", fix="Run `tailorbird train --search` for one that is."
        ) from problem
    except (ValidationError, UnicodeDecodeError) as problem:
        raise WorkspaceError(
            "This record of a search is damaged or from another version.",
            fix="Delete the file; the candidate beside it is not touched by that.",
            where=str(path),
        ) from problem


def _refuse(plan: Plan, minutes: float) -> None:
    if plan.learns_from == "rewards":
        raise PlanError(
            "Settings cannot be searched for rewards: there is no validation loss to choose by.",
            fix="Run `tailorbird train` without --search.",
        )
    if minutes < plan.minutes:
        raise PlanError(
            f"The plan's own settings take about {plan.minutes:.1f} minutes, and the whole search may take {minutes:g}.",
            fix=f"Give --minutes {math.ceil(4 * plan.minutes)} or more, or run `tailorbird train` without --search.",
        )


def _made_before(workspace: Workspace, plan: Plan, minutes: float) -> Candidate | None:
    """What the same search came to; also when it is asked for again with the plan that it found."""
    for candidate in workspace.all(Candidate):
        if (workspace.path(candidate) / FILE).is_file() and candidate.id not in workspace.retraining:
            made = searched(workspace, candidate)
            if plan.id in (made.plan, made.found) and made.minutes == minutes:
                return candidate
    return None


class _Searching:
    """One search in a draft: its trials, and a folder for each of them, of which only the best one's stays."""

    def __init__(self, workspace: Workspace, plan: Plan, minutes: float, progress: Progress, draft: Path) -> None:
        self.workspace, self.plan, self.seconds, self.progress, self.draft = workspace, plan, 60 * minutes, progress, draft
        self.sizes = _sizes(plan, goes_on=any(isinstance(one, Candidate) for one in workspace.lineage(plan)))
        self.own: Values = {name: getattr(plan, name) for name in ("learning_rate", *self.sizes, "steps")}
        self.trials = Trials(draft / "study.journal", plan.seed)

    def run(self) -> Candidate:
        """Trial after trial until the time is over."""
        while (trial := self._next()) is not None:
            self._try(trial)
            best = self.trials.best
            for folder in (self.draft / "trials").iterdir():
                if best is None or folder.name != str(best.number):
                    shutil.rmtree(folder)
        return self._finish()

    def _next(self) -> Trial | None:
        """The trial that was interrupted, or a new one if it fits into the time."""
        if trial := self.trials.interrupted():
            return trial
        trial = self.trials.new(self.own)
        if self.trials.spent + self._suggested(trial)["steps"] * self.trials.step_seconds <= self.seconds or not trial.number:
            return trial
        self.trials.refuse(trial)
        return None

    def _suggested(self, trial: Trial) -> Values:
        """The trial's values; asked again, the same."""
        rate, steps = self.plan.learning_rate, self.plan.steps
        return {
            "learning_rate": trial.suggest_float("learning_rate", rate / _WIDTH, rate * _WIDTH, log=True),
            **{name: trial.suggest_categorical(name, sizes) for name, sizes in self.sizes.items()},
            "steps": trial.suggest_int("steps", max(1, round(_SHORTEST * steps)), steps),
        }

    def _try(self, trial: Trial) -> None:
        """Trains with a trial's values, unless that was done before an interruption, and writes down how it ended."""
        values = self._suggested(trial)
        changed = _changed(self.plan, values)
        folder = self.draft / "trials" / str(trial.number)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / _CANDIDATE).exists() and "ended" not in trial.user_attrs:
            left = self.seconds - self.trials.spent
            watch = Watch(trial, changed.steps, changed.check_every, left if trial.number else math.inf)
            told = _telling(self.progress, f"trial {trial.number + 1}, {max(left, 0) / 60:.0f} minutes left")
            try:
                fitted = learn(self.workspace, changed, engine.Run(folder, told, hopeless=watch.hopeless))
            except DivergedError:
                pass  # the watch has noted it
            else:
                watch.note(fitted.steps)
                write_text(folder / _CANDIDATE, candidate_of(self._found(values), fitted, folder).model_dump_json())
        self.trials.end(trial, None if "ended" in trial.user_attrs else _candidate_in(folder).validation_loss)

    def _found(self, values: Values) -> Plan:
        """The plan with these values; the plan itself where they are its own."""
        if values == self.own:
            return self.plan
        return _changed(self.plan, values).model_copy(update={"id": make_id(Plan, plan=self.plan.id, search=values)})

    def _finish(self) -> Candidate:
        """Saves the best trial as a plan and its candidate, with the record of the search, and deletes the rest."""
        best = self.trials.best
        if best is None:
            raise ModelError(
                "Training diverged with every setting that was tried.",
                fix="Lower training.learning_rate in tailorbird.yaml, run `tailorbird plan`, and search again.",
            )
        folder = self.draft / "trials" / str(best.number)
        candidate, plan, tried = _candidate_in(folder), self._found(best.params), self.trials.tried()
        record = Search(
            plan=self.plan.id,
            found=plan.id,
            minutes=self.seconds / 60,
            best=best.number,
            trials=tried,
            importance=self.trials.importance(),
            words=_in_words(tried, best.number, self.trials.noise()),
        ).model_dump_json(indent=1)
        self._save_plan(plan, candidate, tried[0])
        if existing := self.workspace.find(Candidate, candidate.id):  # the plan as it stands, trained before
            write_text(self.workspace.path(existing) / FILE, record)
            made = self.workspace.use(existing)
        else:
            write_text(folder / FILE, record)
            (folder / _CANDIDATE).unlink()
            made = self.workspace.save(candidate, folder)
        shutil.rmtree(self.draft)
        return made

    def _save_plan(self, plan: Plan, candidate: Candidate, own: Tried) -> None:
        """The same lessons under the plan that was found."""
        if self.workspace.find(Plan, plan.id):
            self.workspace.use(plan)
            return
        before = "the plan's own diverged" if own.ended == "diverged" else f"{own.validation_loss:.3f} with the plan's own"
        reached = f"validation loss {candidate.validation_loss:.3f}, {before}."
        why = {name: f"found by search, instead of {value:g}: {reached}" for name, value in self.own.items()}
        why |= dict.fromkeys(("minutes", "memory_gb"), "measured in the search.")
        measured = {"minutes": round(candidate.minutes, 2), "memory_gb": round(candidate.peak_memory_gb, 2)}
        with self.workspace.drafting(plan.id) as draft:
            for name in self.plan.parts:
                shutil.copy(self.workspace.path(self.plan) / f"{name}.jsonl", draft)
            self.workspace.save(plan.model_copy(update={**measured, "why": {**plan.why, **why}}), draft)


def _sizes(plan: Plan, goes_on: bool) -> dict[str, list[int]]:
    """The sizes to choose from: at most twice the plan's, so that they fit the memory; an adapter gone on from keeps its own."""
    if plan.virtual_tokens:
        (fewest, most), size = _TOKENS, plan.virtual_tokens
        return {"virtual_tokens": sorted({max(fewest, size // 2), size, min(most, 2 * size)})}
    if plan.lora_rank and not goes_on:
        return {"lora_rank": sorted({max(1, plan.lora_rank // 2), plan.lora_rank, 2 * plan.lora_rank})}
    return {}


def _changed(plan: Plan, values: Values) -> Plan:
    """The plan with these values, as many checks as before, and no more epochs laid out than its steps need."""
    share = values["steps"] / plan.steps
    lengths = {"epochs": math.ceil(plan.epochs * share), "check_every": math.ceil(plan.check_every * share)}
    return plan.model_copy(update={**values, **lengths})


def _telling(progress: Progress, label: str) -> Progress:
    """Bars that say which trial they belong to and how much time is left."""
    return lambda what, total: progress(f"{what}, {label}", total)


def _candidate_in(folder: Path) -> Candidate:
    return Candidate.model_validate_json((folder / _CANDIDATE).read_text(encoding="utf-8"))


def _in_words(trials: tuple[Tried, ...], best: int, noise: float) -> str:
    own, kept = trials[0], next(one for one in trials if one.number == best)
    if len(trials) == 1:
        return "Only the plan's own settings fitted into the time, so nothing was compared: give more minutes."
    if best == own.number:
        return f"None of {len(trials) - 1} other settings did better than the plan's own, which are kept."
    if own.ended == "diverged" or own.validation_loss is None or kept.validation_loss is None:
        return f"Training diverged with the plan's own settings; trial {best + 1} did best."
    gain = own.validation_loss - kept.validation_loss
    told = f"Trial {best + 1} lowers the validation loss by {gain:.3f} against the plan's own settings"
    if gain <= noise:
        return f"{told}. One check differs from the next by {noise:.3f}, so that may be chance: the plan was as good."
    return f"{told}; one check differs from the next by {noise:.3f}."

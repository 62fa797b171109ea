"""The trials of a search: Optuna's study in a journal file, and what it says of them afterwards."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.trial import FrozenTrial

Values = dict[str, float]
_STUDY = "search"
_CHANCE = 3  # trials before the sampler uses what it has seen, the plan's own among them
_FIRST_RUNG, _ONE_OF = 2, 2  # checks before the first comparison; of how many trials one goes on
_FEWEST_TOLD = 6  # finished trials, before anything can be said of what mattered
_LOCK_SECONDS = 5  # a lock older than that was left by a process that was killed


class Tried(BaseModel):
    """One trial: its values, how far it came, and how it ended; the loss is the best of its checks.

    It finished, was stopped for being worse than others at the same point, was cut by the end of the time, or diverged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    values: Values
    steps: int
    minutes: float
    validation_loss: float | None
    ended: Literal["finished", "stopped", "cut", "diverged"]


class DivergedError(Exception):
    """The loss is no number any more."""


class Trials:
    """All trials of one search. The next is chosen by TPE (Bergstra et al. 2011), by the seed and the trials before it.

    They are stopped by successive halving (arXiv 1810.05934), compared at the same part of their steps.
    """

    def __init__(self, journal: Path, seed: int) -> None:
        """Opens the study as it stands in the journal; a line that was not written to its end is dropped."""
        import optuna
        from optuna.pruners import SuccessiveHalvingPruner
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        if journal.exists():
            lines = journal.read_bytes()
            journal.write_bytes(lines[: lines.rfind(b"\n") + 1])
        lock = JournalFileOpenLock(str(journal), grace_period=_LOCK_SECONDS)
        pruner = SuccessiveHalvingPruner(min_resource=_FIRST_RUNG, reduction_factor=_ONE_OF)
        self.seed = seed
        self.storage = JournalStorage(JournalFileBackend(str(journal), lock))
        self.study = optuna.create_study(storage=self.storage, study_name=_STUDY, pruner=pruner, load_if_exists=True)

    @property
    def spent(self) -> float:
        """Seconds of all trials, those before an interruption included."""
        return float(sum(one.user_attrs.get("seconds", 0.0) for one in self.study.get_trials(deepcopy=False)))

    @property
    def step_seconds(self) -> float:
        """How long a step of the first trial took; 0 before there is one."""
        known = (one.user_attrs for one in self.study.get_trials(deepcopy=False) if one.user_attrs.get("steps"))
        return next((attrs["seconds"] / attrs["steps"] for attrs in known), 0.0)

    @property
    def best(self) -> FrozenTrial | None:
        """The finished trial with the lowest validation loss."""
        return min(self._finished(), key=lambda one: (one.value or 0.0, one.number), default=None)

    def interrupted(self) -> Trial | None:
        """The trial that was running when the search was interrupted."""
        from optuna.trial import Trial, TrialState

        running = self.study.get_trials(states=(TrialState.RUNNING,))
        if not running:
            return None
        study = self.storage.get_study_id_from_name(_STUDY)
        return Trial(self.study, self.storage.get_trial_id_from_study_id_trial_number(study, running[0].number))

    def new(self, first: Mapping[str, Any]) -> Trial:
        """The next trial; the first one has these values."""
        from optuna.samplers import TPESampler

        count = len(self.study.get_trials(deepcopy=False))
        if not count:
            self.study.enqueue_trial(dict(first))
        # A sampler of its own for each trial, so that an interruption changes nothing of what comes next.
        self.study.sampler = TPESampler(seed=self.seed + count, n_startup_trials=_CHANCE)
        return self.study.ask()

    def refuse(self, trial: Trial) -> None:
        """Takes a trial back that does not fit into the time."""
        from optuna.trial import TrialState

        self.study.tell(trial, state=TrialState.FAIL)

    def end(self, trial: Trial, loss: float | None) -> None:
        """Writes down how a trial ended: with its validation loss, or as its watch has noted."""
        from optuna.trial import TrialState

        if loss is not None:
            trial.set_user_attr("ended", "finished")
            self.study.tell(trial, loss)
        else:
            diverged = trial.user_attrs["ended"] == "diverged"
            self.study.tell(trial, state=TrialState.FAIL if diverged else TrialState.PRUNED)

    def tried(self) -> tuple[Tried, ...]:
        """All trials that ended, in order."""
        return tuple(_tried(one) for one in self.study.get_trials() if "ended" in one.user_attrs)

    def noise(self) -> float:
        """By how much one check of the first trial differs from the next, on average over the second half of them."""
        checks = [loss for _, loss in sorted(self.study.get_trials()[0].intermediate_values.items())]
        late = checks[len(checks) // 2 :] if len(checks) > 3 else checks
        return mean(abs(one - other) for one, other in pairwise(late)) if len(late) > 1 else 0.0

    def importance(self) -> dict[str, float]:
        """How much each setting mattered for being among the better half (PED-ANOVA, arXiv 2304.10255), as shares of 1.

        Empty where too few trials finished to tell.
        """
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        if len(self._finished()) < _FEWEST_TOLD:
            return {}
        return get_param_importances(self.study, evaluator=PedAnovaImportanceEvaluator(target_quantile=0.5))

    def _finished(self) -> list[FrozenTrial]:
        from optuna.trial import TrialState

        return self.study.get_trials(states=(TrialState.COMPLETE,))


class Watch:
    """Tells the study of each check of a trial, and the trial when it is over; `seconds` is what is left for it."""

    def __init__(self, trial: Trial, steps: int, check_every: int, seconds: float) -> None:
        self.trial, self.steps, self.check_every, self.seconds = trial, steps, check_every, seconds
        self.before = trial.user_attrs.get("seconds", 0.0)
        self.reported = set(trial.study.get_trials()[trial.number].intermediate_values)  # before an interruption
        self.started = time.monotonic()

    def note(self, step: int) -> None:
        """Keeps how far the trial is and how long it took."""
        self.trial.set_user_attr("seconds", self.before + time.monotonic() - self.started)
        self.trial.set_user_attr("steps", step)

    def hopeless(self, step: int, loss: float) -> bool:
        """Whether the time is over or others were better at this point; the last check ends a trial anyway.

        Raises DivergedError where the loss is no number.
        """
        self.note(step)
        if not math.isfinite(loss):
            self.trial.set_user_attr("ended", "diverged")
            raise DivergedError
        if (check := math.ceil(step / self.check_every)) not in self.reported:
            self.trial.report(loss, check)
        if step >= self.steps:
            return False
        late = time.monotonic() - self.started > self.seconds
        ended = "cut" if late else "stopped" if self.trial.should_prune() else None
        if ended:
            self.trial.set_user_attr("ended", ended)
        return ended is not None


def _tried(trial: FrozenTrial) -> Tried:
    return Tried(
        number=trial.number,
        values=trial.params,
        steps=trial.user_attrs.get("steps", 0),
        minutes=trial.user_attrs.get("seconds", 0.0) / 60,
        validation_loss=trial.value if trial.value is not None else min(trial.intermediate_values.values(), default=None),
        ended=trial.user_attrs["ended"],
    )

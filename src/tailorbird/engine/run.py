"""What the engine is told of a training run, of its rewards, and of a model to export. No heavy imports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tailorbird.progress import Progress, silent
from tailorbird.replier import Message


class Run(NamedTuple):
    """A run in `folder`, resumed if it was interrupted there; `start` is an adapter to go on from.

    `hopeless` is told the step and the validation loss of each check, and ends the run by returning True.
    """

    folder: Path
    progress: Progress = silent
    report_to: tuple[str, ...] = ()
    start: Path | None = None
    hopeless: Callable[[int, float], bool] = lambda step, loss: False


class Rewards(NamedTuple):
    """What answers are rewarded for: rules (messages, answer) -> 0..1 by name, and a reward model in a folder.

    `weights` has the weight of each by name, the reward model's under "model"; what it does not name weighs 1. The
    reward model counts as the chance, 0..1, that its answer would be preferred to a usual one.
    """

    rules: Mapping[str, Callable[[list[Message], str], float]] = {}
    model: Path | None = None
    weights: Mapping[str, float] = {}

    def weight(self, name: str) -> float:
        """How much a source counts."""
        return self.weights.get(name, 1.0)


class Exported(NamedTuple):
    """What is exported: the base model by name and folder, the adapter or whole model on it, and what that is called."""

    model: str
    base: Path
    tuned: Path
    name: str
    system_prompt: str

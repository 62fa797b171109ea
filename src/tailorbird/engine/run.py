"""What the engine is told of a training run, its rewards and a model to export, and how an export compares. No heavy imports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, computed_field

from tailorbird.progress import Progress, silent
from tailorbird.replier import Message


class Run(NamedTuple):
    """A run in `folder`, resumed if it was interrupted there; `start` is an adapter to go on from.

    `hopeless` is told the step and the validation loss of each check, and ends the run by returning True. `begun` is when the
    work began of which training is the last part (`time.monotonic`).
    """

    folder: Path
    progress: Progress = silent
    report_to: tuple[str, ...] = ()
    start: Path | None = None
    hopeless: Callable[[int, float], bool] = lambda step, loss: False
    begun: float | None = None


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


class Tolerance(NamedTuple):
    """How far log-probabilities (nats a token) may be off, on average and in the worst place."""

    mean: float
    worst: float


class Parity(BaseModel):
    """How an exported form compares with the model as it was trained, on the same prompts.

    `same_tokens` and `same_answers` count prompts. Where an answer differs, `closest` is how much likelier than the exported
    model's choice the trained model finds its own, in nats: near 0 the two were as good as tied.
    """

    form: str
    prompts: int
    same_tokens: int
    same_answers: int
    mean_difference: float
    worst_difference: float
    closest: float
    tolerance: Tolerance

    @property
    def holds(self) -> bool:
        """Whether the form may be called the same model."""
        near = self.mean_difference <= self.tolerance.mean and self.worst_difference <= self.tolerance.worst
        return self.same_tokens == self.prompts and near and self.closest <= self.tolerance.worst

    @computed_field  # type: ignore[prop-decorator]
    @property
    def words(self) -> str:
        """The comparison in a line."""
        return (
            f"{self.form}: the same tokens for {self.same_tokens} of {self.prompts} chats, the same greedy answer to "
            f"{self.same_answers}; log-probabilities differ by {self.mean_difference:.4f} nats a token on average and "
            f"{self.worst_difference:.3f} at the most (allowed: {self.tolerance.mean:g} and {self.tolerance.worst:g})"
        )

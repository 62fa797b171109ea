"""Tasks whose answers are labels: accuracy and macro-F1, with answers that can be nothing but a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from tailorbird.artifacts import Conversation, Figure, Interval, Part
from tailorbird.evaluating.answering import answered, questions
from tailorbird.evaluating.figures import METRICS, SEED
from tailorbird.progress import Progress
from tailorbird.replier import ReplyOptions

_RESAMPLES = 1000
_LONGEST_LABEL = 64  # tokens
Tables = dict[str, np.ndarray]


class Labelled(BaseModel):
    """A held-out question of a task with its label, and what both models said."""

    conversation: str
    task: str
    question: str
    label: str
    base: str
    tuned: str


def labelled(
    base: Path, systems: Mapping[str, Path | None], test: Sequence[Conversation], labels: Mapping[str, tuple[str, ...]],
    most: int, kept: Path, progress: Progress,
) -> list[Labelled]:  # fmt: skip
    """What base and tuned say to the examples of label tasks, at most so many of each; `labels` are by task."""
    asked = [question for name in labels for question in questions([one for one in test if one.task == name], most)]
    if not asked:
        return []
    options = {name: ReplyOptions(max_tokens=_LONGEST_LABEL, choices=known) for name, known in labels.items()}
    said = answered(base, systems, asked, options, kept, progress)
    return [
        Labelled(
            conversation=question.conversation.id, task=question.conversation.task, question=question.history[-1]["content"],
            label=question.agent, base=said["base"][place], tuned=said["tuned"][place],
        )
        for place, question in enumerate(asked)
    ]  # fmt: skip


def part_of(rows: Sequence[Labelled]) -> Part:
    """Accuracy and macro-F1 of both systems on one task, and their differences, by bootstrap over examples."""
    names = sorted({name for row in rows for name in (row.label, row.base, row.tuned)})
    place = {name: number for number, name in enumerate(names)}
    truth = np.array([place[row.label] for row in rows])
    said = {system: np.array([place[getattr(row, system)] for row in rows]) for system in ("base", "tuned")}
    drawn = np.random.default_rng(SEED).integers(0, len(rows), (_RESAMPLES, len(rows)))
    systems: dict[str, dict[str, Figure]] = {system: {} for system in said}
    differences: dict[str, Interval] = {}
    for name, score in (("accuracy", _accuracy), ("macro_f1", _macro_f1)):
        values = {system: score(truth, answers, len(names)) for system, answers in said.items()}
        resampled = {
            system: np.array([score(truth[chosen], answers[chosen], len(names)) for chosen in drawn])
            for system, answers in said.items()
        }
        metric = METRICS[name]
        for system in said:
            interval = _interval(values[system], resampled[system])
            systems[system][name] = Figure(**interval.model_dump(), unit=metric.unit, better=metric.better)
        differences[name] = _interval(values["tuned"] - values["base"], resampled["tuned"] - resampled["base"])
    return Part(examples=len(rows), systems=systems, differences=differences)


def _accuracy(truth: np.ndarray, said: np.ndarray, count: int) -> float:
    return float((truth == said).mean())


def _macro_f1(truth: np.ndarray, said: np.ndarray, count: int) -> float:
    """The mean F1 of the labels that occur in the truth or the answers."""
    right = np.bincount(truth[truth == said], minlength=count)
    both = np.bincount(truth, minlength=count) + np.bincount(said, minlength=count)
    return float((2 * right[both > 0] / both[both > 0]).mean())


def _interval(value: float, resampled: np.ndarray) -> Interval:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(value=value, low=float(low), high=float(high))

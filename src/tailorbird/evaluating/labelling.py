"""Tasks whose answers are labels: accuracy and macro-F1, with answers that can be nothing but a label."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import Conversation, Difference, Figure, Part
from tailorbird.evaluating import intervals
from tailorbird.evaluating.answering import Ask, Question, answered, questions
from tailorbird.evaluating.figures import METRICS, SEED
from tailorbird.language.label_classifier import LabelClassifier
from tailorbird.lessons import Tasks, once
from tailorbird.progress import Progress
from tailorbird.replier import ReplyOptions

_RESAMPLES = 1000
_LONGEST_LABEL = 64  # tokens
Score = Callable[[np.ndarray, np.ndarray, int], float]


class Labelled(BaseModel):
    """A held-out question of a task with its label, and what both models said."""

    conversation: str
    task: str
    question: str
    label: str
    base: str
    tuned: str
    classifier: str = ""


class Readers(NamedTuple):
    """By task: how it is asked, the labels, and the second reader of the tuned model's messages."""

    tasks: Tasks
    labels: Mapping[str, tuple[str, ...]]
    classifiers: Mapping[str, LabelClassifier]


def labelled(
    base: Path, systems: Mapping[str, Path | None], test: Sequence[Conversation], readers: Readers,
    most: int, kept: Path, progress: Progress,
) -> list[Labelled]:  # fmt: skip
    """What base and tuned say to the examples of label tasks, at most so many of each.

    The tuned model decides together with its second reader, whose own word is noted beside.
    """
    asked = [question for name in readers.labels for question in questions([one for one in test if one.task == name], most)]
    if not asked:
        return []
    priors = _priors(asked, readers)

    def thought(question: Question) -> tuple[float, ...]:
        return priors.get((question.conversation.task, _message(question)), ())

    def ask(system: str, question: Question) -> Ask:
        labels, prior = readers.labels[question.conversation.task], thought(question) if system == "tuned" else ()
        return Ask(question.history, ReplyOptions(max_tokens=_LONGEST_LABEL, choices=labels, prior=prior))

    said = answered(base, systems, asked, ask, kept, progress, "Naming held-out labels")
    return [
        Labelled(
            conversation=question.conversation.id, task=question.conversation.task, question=_message(question),
            label=question.agent, base=said["base"][place], tuned=said["tuned"][place],
            classifier=_likeliest(readers.labels[question.conversation.task], thought(question)),
        )
        for place, question in enumerate(asked)
    ]  # fmt: skip


def _priors(asked: Sequence[Question], readers: Readers) -> dict[tuple[str, str], tuple[float, ...]]:
    """What the second reader thinks of each label, by task and message."""
    found: dict[tuple[str, str], tuple[float, ...]] = {}
    for task, classifier in readers.classifiers.items():
        messages = [_message(one) for one in asked if one.conversation.task == task]
        if messages and task in readers.labels:
            texts = [once(message, readers.tasks[task].read_twice) for message in messages]
            rows = classifier.log_probabilities(texts, readers.labels[task], engine.embed).round(4).tolist()
            found |= {(task, message): tuple(row) for message, row in zip(messages, rows, strict=True)}
    return found


def _message(question: Question) -> str:
    return question.history[-1]["content"]


def _likeliest(labels: Sequence[str], prior: Sequence[float]) -> str:
    return labels[int(np.argmax(prior))] if prior else ""


def part_of(rows: Sequence[Labelled]) -> Part:
    """Accuracy and macro-F1 of all systems on one task, and tuned against base, by bootstrap and permutation of examples."""
    names_of_systems = ("base", "tuned", "classifier") if all(row.classifier for row in rows) else ("base", "tuned")
    names = sorted({name for row in rows for name in (row.label, row.base, row.tuned, row.classifier)})
    place = {name: number for number, name in enumerate(names)}
    truth = np.array([place[row.label] for row in rows])
    said = {system: np.array([place[getattr(row, system)] for row in rows]) for system in names_of_systems}
    drawn = np.random.default_rng(SEED).integers(0, len(rows), (_RESAMPLES, len(rows)))
    systems: dict[str, dict[str, Figure]] = {system: {} for system in said}
    differences: dict[str, Difference] = {}
    for name, score in (("accuracy", _accuracy), ("macro_f1", _macro_f1)):

        def scored(truth: np.ndarray, answers: np.ndarray, score: Score = score) -> float:
            return score(truth, answers, len(names))

        resampled = {
            system: np.array([scored(truth[chosen], answers[chosen]) for chosen in drawn]) for system, answers in said.items()
        }
        metric = METRICS[name]
        for system, answers in said.items():
            interval = intervals.around(scored(truth, answers), resampled[system])
            systems[system][name] = Figure(**interval.model_dump(), unit=metric.unit, better=metric.better)
        permuted = _permuted(said["tuned"], said["base"], lambda answers: scored(truth, answers))
        apart = systems["tuned"][name].value - systems["base"][name].value
        differences[name] = intervals.between(apart, resampled["tuned"] - resampled["base"], permuted)
    return Part(examples=len(rows), systems=systems, differences=differences)


def _permuted(one: np.ndarray, other: np.ndarray, score: Callable[[np.ndarray], float]) -> np.ndarray:
    """Differences of scores when each example's two answers change places at random."""
    swapped = np.random.default_rng(SEED).random((_RESAMPLES, len(one))) < 0.5
    return np.array([score(np.where(row, other, one)) - score(np.where(row, one, other)) for row in swapped])


def _accuracy(truth: np.ndarray, said: np.ndarray, count: int) -> float:
    return float((truth == said).mean())


def _macro_f1(truth: np.ndarray, said: np.ndarray, count: int) -> float:
    """The mean F1 of the labels that occur in the truth or the answers."""
    right = np.bincount(truth[truth == said], minlength=count)
    both = np.bincount(truth, minlength=count) + np.bincount(said, minlength=count)
    return float((2 * right[both > 0] / both[both > 0]).mean())

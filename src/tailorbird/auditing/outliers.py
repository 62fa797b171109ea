"""Finds answers unlike those to similar questions, and unlike any other answer of the business."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tailorbird.auditing.examples import Example
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.neighbours import Neighbours, words_of

_LEAST = 2.6


def _strangeness_of_words(examples: Sequence[Example]) -> NDArray[np.float32]:
    """How rare an answer's words are in all other answers and questions, on average; words of the own question count as known."""
    seen: Counter[str] = Counter()
    texts: set[str] = set()  # an odd answer that is repeated does not make its words usual
    for example in examples:
        texts.update((example.answer, example.question))
    for text in texts:
        seen.update(words_of(text))
    unknown = np.log(len(examples) + 1)
    rare = np.zeros(len(examples), dtype=np.float32)
    for row, example in enumerate(examples):
        words = words_of(example.answer)
        asked = words_of(example.question)
        costs = [0.0 if word in asked else unknown - np.log(seen[word]) for word in words if not word.isdigit()]
        rare[row] = sum(costs) / (len(costs) + 2)
    return rare


def oddness(examples: Sequence[Example], near: Neighbours) -> NDArray[np.float32]:
    """How far below usual the likeness of each answer is, in robust standard deviations; the measures are averaged."""
    parts = []
    for values in (*near.likeness, -_strangeness_of_words(examples)):
        middle = np.median(values)
        spread = max(1.4826 * float(np.median(np.abs(values - middle))), 0.1)
        parts.append((middle - values) / spread)
    return np.asarray(sum(parts) / np.sqrt(len(parts)), dtype=np.float32)


def _threshold(scores: NDArray[np.float32], labels: bool) -> float:
    """From where an answer stands alone: beyond the usual tail of this business's own answers.

    Measured so that about 1% of clean answers are beyond it at most: none of the boutique's, 1.6% of the tickets.
    """
    middle, tail, end = np.quantile(scores, [0.5, 0.9, 0.99])
    # Where answers are labels, a wrong one is as far off as a label can be: then only the farthest are told.
    return float(max(_LEAST, middle + 2.0 * (tail - middle), end if labels else 0.0))


def outlying(examples: Sequence[Example], scores: NDArray[np.float32]) -> Iterator[tuple[str, Finding]]:
    """Answers that stand alone by their oddness."""
    threshold = _threshold(scores, 2 * len({example.answer for example in examples}) < len(examples))
    for example, score in zip(examples, scores, strict=True):
        if score > threshold:
            yield example.id, Finding(
                rule="outlier", turn=example.turn, score=round(float(score), 2), threshold=round(threshold, 2),
                detail="The answer is unlike the answers to similar questions, and unlike the other answers of the business.",
            )  # fmt: skip

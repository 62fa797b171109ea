"""Finds answers unlike those to similar questions, and unlike any other answer of the business."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tailorbird.auditing.examples import Example
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.neighbours import Neighbours, words_of

_FEWEST = 40
"""Below so many examples nobody knows what answers are usual."""
_LEAST = 2.6
_SAME = 0.97
_POOL = 4000
_BLOCK = 1024


def likeness(near: Neighbours, seed: int = 7) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """For each answer its likeness to answers of similar questions, to the nearest answers anywhere, and to its question."""
    count = len(near.answers)
    local = np.zeros(count, dtype=np.float32)
    anywhere = np.zeros(count, dtype=np.float32)
    pool = np.arange(count)
    if count > _POOL:
        pool = np.sort(np.random.default_rng(seed).choice(count, _POOL, replace=False))
    for start in range(0, count, _BLOCK):
        rows = slice(start, min(start + _BLOCK, count))
        places = near.nearest[rows, :15]
        likes = np.einsum("nkd,nd->nk", near.answers[places], near.answers[rows])
        local[rows] = np.sort(np.where(places >= 0, likes, -1.0), axis=1)[:, -3:].mean(axis=1)
        every = near.answers[rows] @ near.answers[pool].T
        every[near.conversations[rows][:, None] == near.conversations[pool][None]] = -1.0
        every[every > _SAME] = -1.0
        anywhere[rows] = np.partition(every, -5, axis=1)[:, -5:].mean(axis=1)
    return local, anywhere, (near.questions * near.answers).sum(axis=1)


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
    for values in (*likeness(near), -_strangeness_of_words(examples)):
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


def outlying(examples: Sequence[Example], near: Neighbours) -> Iterator[tuple[str, Finding]]:
    """Answers that stand alone."""
    if len(examples) < _FEWEST:
        return
    scores = oddness(examples, near)
    threshold = _threshold(scores, 2 * len({example.answer for example in examples}) < len(examples))
    for example, score in zip(examples, scores, strict=True):
        if score > threshold:
            yield example.id, Finding(
                rule="outlier", turn=example.turn, score=round(float(score), 2), threshold=round(threshold, 2),
                detail="The answer is unlike the answers to similar questions, and unlike the other answers of the business.",
            )  # fmt: skip

"""For each question the most similar questions of other conversations, in blocks, so that memory stays bounded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailorbird.auditing.examples import Example

_NEIGHBOURS = 30
_REFERENCES = 12_000
"""Beyond so many examples, neighbours are looked for in a sample of them: enough to know what is usual."""
_BLOCK = 1024
_POOL = 4000
"""Answers that others are held against; one that is nearly the same word for word is no witness."""
_SAME = 0.97
_DIMENSIONS = 128
_WORD = re.compile(r"\w+")


class Neighbours:
    """Centred embeddings of all examples, and the nearest questions of each."""

    def __init__(self, examples: Sequence[Example], seed: int = 7) -> None:
        self.questions = _centred(example.question_embedding for example in examples)
        self.answers = _centred(example.answer_embedding for example in examples)
        names = {identity: number for number, identity in enumerate(dict.fromkeys(example.id for example in examples))}
        self.conversations = np.array([names[example.id] for example in examples], dtype=np.int64)
        self._seed = seed
        self.nearest, self.closeness = self._search()

    def _search(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Places and cosines of the nearest questions, best first; -1 where there are too few."""
        count = len(self.questions)
        references = np.arange(count)
        vectors = self.questions
        if count > _REFERENCES:
            rng = np.random.default_rng(self._seed)
            references = np.sort(rng.choice(count, _REFERENCES, replace=False))
            _, _, axes = np.linalg.svd(vectors[references[:3000]], full_matrices=False)
            vectors = unit(vectors @ axes[:_DIMENSIONS].T)
        wanted = min(_NEIGHBOURS, len(references) - 1)
        places = np.full((count, wanted), -1, dtype=np.int64)
        cosines = np.full((count, wanted), -1.0, dtype=np.float32)
        pool = vectors[references].T.copy()
        for start in range(0, count, _BLOCK):
            near = vectors[start : start + _BLOCK] @ pool
            near[self.conversations[start : start + _BLOCK, None] == self.conversations[references][None]] = -2.0
            best = np.argpartition(-near, wanted - 1, axis=1)[:, :wanted]
            values = np.take_along_axis(near, best, axis=1)
            order = np.argsort(-values, axis=1)
            values = np.take_along_axis(values, order, axis=1)
            chosen = references[np.take_along_axis(best, order, axis=1)]
            places[start : start + _BLOCK] = np.where(values > -1.5, chosen, -1)
            cosines[start : start + _BLOCK] = values
        return places, cosines

    @cached_property
    def likeness(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """For each answer its likeness to answers of similar questions, to the nearest answers anywhere, and to its question."""
        count = len(self.answers)
        local = np.zeros(count, dtype=np.float32)
        anywhere = np.zeros(count, dtype=np.float32)
        pool = np.arange(count)
        if count > _POOL:
            pool = np.sort(np.random.default_rng(self._seed).choice(count, _POOL, replace=False))
        for start in range(0, count, _BLOCK):
            rows = slice(start, min(start + _BLOCK, count))
            places = self.nearest[rows, :15]
            likes = np.einsum("nkd,nd->nk", self.answers[places], self.answers[rows])
            local[rows] = np.sort(np.where(places >= 0, likes, -1.0), axis=1)[:, -3:].mean(axis=1)
            every = self.answers[rows] @ self.answers[pool].T
            every[self.conversations[rows][:, None] == self.conversations[pool][None]] = -1.0
            every[every > _SAME] = -1.0
            anywhere[rows] = np.partition(every, -5, axis=1)[:, -5:].mean(axis=1)
        return local, anywhere, (self.questions * self.answers).sum(axis=1)


def words_of(text: str) -> set[str]:
    """The words of a text in lower case."""
    return set(_WORD.findall(text.lower()))


def _centred(vectors: Iterable[Any]) -> NDArray[np.float32]:
    """Unit vectors without what all have in common, so that the cosine of two unrelated texts is near 0."""
    stacked = np.asarray(list(vectors), dtype=np.float32)
    return unit(stacked - stacked.mean(axis=0))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row scaled to length 1."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def alike(vectors: NDArray[np.float32]) -> float:
    """Mean cosine of each pair of unit vectors."""
    total, count = vectors.sum(axis=0), len(vectors)
    return float((total @ total - count) / (count * (count - 1)))

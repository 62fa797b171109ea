"""A second reader of messages for tasks with labels: a linear classifier of their meaning and their letters.

A language model that writes labels and a classifier that weighs features err on different messages, so their product is right
more often than either (products of experts: Hinton 2002); on Banking77, benchmarks/banking77.py. Knows nothing about models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FILE = "labels.npz"
Encode = Callable[[list[str]], np.ndarray]
"""Texts -> unit vectors of meaning [N, width]."""
_LETTERS = 2**14  # features: hashed runs of two to five letters within words
_INVERSE_PENALTY = 30.0
_ROUNDS = 100
_MISTAKEN = 0.01  # the share that any label keeps, one that was never seen included


@dataclass(frozen=True)
class LabelClassifier:
    """Logistic regression on a message's vector of meaning and its hashed letters: [labels, width + letters] and [labels]."""

    labels: tuple[str, ...]
    rarity: np.ndarray
    weights: np.ndarray
    offsets: np.ndarray

    def log_probabilities(self, texts: list[str], labels: Sequence[str], encode: Encode) -> np.ndarray:
        """How likely each of `labels` is for each text [texts, labels]; rows are log-probabilities."""
        scores = _features(texts, encode, self.rarity) @ self.weights.T.astype(np.float32) + self.offsets
        likely = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
        place = {label: number for number, label in enumerate(self.labels)}
        known = np.stack([likely[:, place[one]] if one in place else np.zeros(len(texts)) for one in labels], axis=1)
        return np.asarray(np.log((1 - _MISTAKEN) * known + _MISTAKEN / len(labels)))


def fit(texts: list[str], labels: Sequence[str], encode: Encode) -> LabelClassifier | None:
    """Learns which label goes with which text; None where there are fewer than two labels."""
    from sklearn.linear_model import LogisticRegression

    names = sorted(set(labels))
    if len(names) < 2:
        return None
    seen = np.asarray((_counts(texts) > 0).sum(axis=0)).ravel()
    rarity = (np.log((1 + len(texts)) / (1 + seen)) + 1).astype(np.float32)
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=_ROUNDS, tol=1e-3)
    model.fit(_features(texts, encode, rarity), np.array([names.index(label) for label in labels]))
    weights, offsets = model.coef_, model.intercept_
    if len(names) == 2:  # scikit-learn keeps the second label's alone
        weights, offsets = np.concatenate([-weights, weights]) / 2, np.concatenate([-offsets, offsets]) / 2
    return LabelClassifier(tuple(names), rarity, weights.astype(np.float16), offsets.astype(np.float32))


def save(path: Path, classifiers: Mapping[str, LabelClassifier]) -> None:
    """Writes the classifiers of some tasks into one file of arrays."""
    arrays = {
        f"{task}/{name}": np.array(getattr(one, name))
        for task, one in classifiers.items()
        for name in ("labels", "rarity", "weights", "offsets")
    }
    np.savez_compressed(path, allow_pickle=False, **arrays)


def load(path: Path) -> dict[str, LabelClassifier]:
    """The classifiers by task; none where there is no such file."""
    if not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as arrays:
        tasks = dict.fromkeys(name.rpartition("/")[0] for name in arrays.files)
        return {
            task: LabelClassifier(
                tuple(arrays[f"{task}/labels"].tolist()),
                *(arrays[f"{task}/{name}"] for name in ("rarity", "weights", "offsets")),
            )
            for task in tasks
        }


def _features(texts: list[str], encode: Encode, rarity: np.ndarray) -> Any:
    """Meaning and letters of each text side by side, both of length one [texts, width + letters], sparse."""
    from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped]
    from sklearn.preprocessing import normalize

    counts = _counts(texts)
    counts.data = 1 + np.log(counts.data)
    letters = normalize(counts.multiply(rarity).tocsr())
    return hstack([csr_matrix(encode(texts)), letters]).tocsr()


def _counts(texts: list[str]) -> Any:
    return _hashing().transform(texts).astype(np.float32)


@cache
def _hashing() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=_LETTERS, alternate_sign=False, norm=None)

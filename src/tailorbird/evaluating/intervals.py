"""95% percentile bootstrap intervals (Efron 1979) over conversations, which are independent; their turns are not."""

from __future__ import annotations

import numpy as np

from tailorbird.artifacts import Interval

_RESAMPLES = 4000
Sums = list[tuple[float, float]]
"""For each conversation the sum of a score and its weight (answers or tokens)."""


def by_group(values: list[float], groups: list[str]) -> Sums:
    """Sum and count of the values of each group."""
    sums: dict[str, tuple[float, float]] = {}
    for value, group in zip(values, groups, strict=True):
        total, count = sums.get(group, (0.0, 0.0))
        sums[group] = total + value, count + 1
    return list(sums.values())


def mean(sums: Sums, seed: int) -> Interval:
    """The weighted mean of a score."""
    pairs = np.array(sums, dtype=float)
    return _interval(pairs[:, 0].sum() / pairs[:, 1].sum(), _resampled(pairs, seed))


def difference(one: Sums, other: Sums, seed: int) -> Interval:
    """The paired difference of two systems' means on the same conversations."""
    first, second = np.array(one, dtype=float), np.array(other, dtype=float)
    value = first[:, 0].sum() / first[:, 1].sum() - second[:, 0].sum() / second[:, 1].sum()
    return _interval(value, _resampled(first, seed) - _resampled(second, seed))


def _resampled(pairs: np.ndarray, seed: int) -> np.ndarray:
    """Means of resamples; the same seed draws the same conversations, which is what pairs two systems."""
    drawn = np.random.default_rng(seed).integers(0, len(pairs), (_RESAMPLES, len(pairs)))
    chosen = pairs[drawn].sum(axis=1)
    return np.asarray(chosen[:, 0] / chosen[:, 1])


def _interval(value: float, resampled: np.ndarray) -> Interval:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(value=float(value), low=float(low), high=float(high))

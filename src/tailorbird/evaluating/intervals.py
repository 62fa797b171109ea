"""95% percentile bootstrap intervals (Efron 1979) and permutation tests over conversations, which are independent; their turns
are not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tailorbird.artifacts import Difference, Interval

_RESAMPLES = 4000
_POWER = 2.8  # standard errors that a test at 5% finds with a chance of 80%
Sums = list[tuple[float, float]]
"""For each conversation the sum of a score and its weight (answers or tokens)."""


def by_group(values: Sequence[float | None], groups: Sequence[str]) -> Sums:
    """Sum and count of the values of each group; None counts nowhere."""
    sums: dict[str, tuple[float, float]] = {}
    for value, group in zip(values, groups, strict=True):
        total, count = sums.get(group, (0.0, 0.0))
        sums[group] = (total, count) if value is None else (total + value, count + 1)
    return list(sums.values())


def mean(sums: Sums, seed: int) -> Interval:
    """The weighted mean of a score."""
    pairs = np.array(sums, dtype=float)
    return around(float(_ratio(pairs.sum(axis=0))), _resampled(pairs, seed))


def difference(one: Sums, other: Sums, seed: int) -> Difference:
    """The paired difference of two systems' means on the same conversations."""
    first, second = np.array(one, dtype=float), np.array(other, dtype=float)
    value = float(_ratio(first.sum(axis=0)) - _ratio(second.sum(axis=0)))
    return between(value, _resampled(first, seed) - _resampled(second, seed), _permuted(first, second, seed))


def around(value: float, resampled: np.ndarray) -> Interval:
    """A value with the middle 95% of its resamples; those in which nothing counts are nan."""
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Interval(value=value, low=float(low), high=float(high))


def between(value: float, resampled: np.ndarray, permuted: np.ndarray) -> Difference:
    """A difference with its resamples, and with differences that come up when the two systems change places at random."""
    as_large = np.nansum(np.abs(permuted) >= abs(value) - 1e-12)
    return Difference(
        **around(value, resampled).model_dump(),
        p=float((1 + as_large) / (1 + len(permuted))),
        detectable=_POWER * float(np.nanstd(resampled)),
    )


def _permuted(first: np.ndarray, second: np.ndarray, seed: int) -> np.ndarray:
    """Differences of the means when each conversation's two results change places at random."""
    swapped = np.random.default_rng(seed).random((_RESAMPLES, len(first))) < 0.5
    change = swapped.astype(float) @ (second - first)
    return np.asarray(_ratio(first.sum(axis=0) + change) - _ratio(second.sum(axis=0) - change))


def _resampled(pairs: np.ndarray, seed: int) -> np.ndarray:
    """Means of resamples; the same seed draws the same conversations, which is what pairs two systems."""
    drawn = np.random.default_rng(seed).integers(0, len(pairs), (_RESAMPLES, len(pairs)))
    return _ratio(pairs[drawn].sum(axis=1))


def _ratio(sums: np.ndarray) -> np.ndarray:
    """Sums of scores by their weights; nan where nothing counts."""
    return np.asarray(sums[..., 0] / np.where(sums[..., 1] > 0, sums[..., 1], np.nan))

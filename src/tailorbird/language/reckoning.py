"""Which figures of an answer follow from others by one calculation each: sums, differences, products, shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations

_MOST = 24  # numbers that are combined: texts with more are tables, in which anything follows from something
_USUAL = (0.5, 1.5, 2.0)  # half price, half as much again, twice
_EXACT = 0.011


def follows(values: Iterable[float], given: Iterable[float]) -> set[float]:
    """Those of `values` that one calculation with two of the `given` makes, or with two of which one was made so before."""
    known = list(dict.fromkeys(given))[:_MOST]
    open_values = set(values)
    found: set[float] = set()
    while open_values:
        made = {value for value in open_values if any(abs(value - one) < _EXACT for one in _results(known))}
        if not made:
            break
        found |= made
        open_values -= made
        known += made
    return found


def _results(known: list[float]) -> Iterator[float]:
    for one in known:
        yield from (one * usual for usual in _USUAL)
    for one, other in permutations(known, 2):
        yield from (one + other, one - other, one * other)
        if 0 < other < 100:
            yield from (one / other, one * other / 100, one * (1 + other / 100), one * (1 - other / 100))

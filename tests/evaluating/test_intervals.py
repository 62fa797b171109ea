from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailorbird.evaluating import intervals


def test_the_interval_covers_the_truth_about_95_times_in_100() -> None:
    chance = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        found = intervals.mean([(value, 1.0) for value in chance.normal(3.0, 1.0, 60)], seed=trial)
        hits += found.low <= 3.0 <= found.high
    assert 176 <= hits <= 199


def test_paired_differences_are_much_sharper_than_the_systems_themselves() -> None:
    chance = np.random.default_rng(1)
    hard = chance.normal(3.0, 1.0, 80)
    one = [(v + 0.1 + e, 1.0) for v, e in zip(hard, chance.normal(0, 0.05, 80), strict=True)]
    other = [(v, 1.0) for v in hard]
    alone, paired = intervals.mean(one, 0), intervals.difference(one, other, 0)
    assert paired.low > 0
    assert paired.high - paired.low < (alone.high - alone.low) / 5


def test_turns_of_one_conversation_are_resampled_together() -> None:
    values, groups = [0.0] * 50 + [1.0] * 50, ["a"] * 50 + ["b"] * 50
    clustered = intervals.mean(intervals.by_group(values, groups), 0)
    assert (clustered.low, clustered.high) == (0.0, 1.0), "two conversations say very little"


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(1, 9)), min_size=2, max_size=30))
def test_value_is_the_weighted_mean_inside_its_interval(pairs: list[tuple[float, int]]) -> None:
    sums = [(value * weight, float(weight)) for value, weight in pairs]
    found = intervals.mean(sums, 0)
    assert found.value == pytest.approx(sum(s for s, _ in sums) / sum(w for _, w in sums), abs=1e-9)
    assert found.low <= found.high
    assert intervals.difference(sums, sums, 0).high == pytest.approx(0.0)

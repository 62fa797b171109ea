from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailorbird.engine.packing import pack
from tailorbird.errors import PlanError
from tailorbird.planning import cost
from tailorbird.planning.methods import Method
from tailorbird.settings import TrainingSettings

LORA = Method("lora", 16, 0, 1e-3, {})
SIZE = cost.Size(512, 1024, 1, 2.0, 20.0, "", "")
FACTS = {"width": 576, "inner": 1536, "layers": 30, "heads": 9, "vocabulary": 49152, "context": 8192, "parameters": 134_515_008}


def test_less_memory_means_smaller_steps_and_then_a_refusal_in_words() -> None:
    sizes = [cost.fit_memory(FACTS, [300], 0, LORA, True, TrainingSettings(), free) for free in (24, 2.5, 2.1)]
    assert sizes[0].tokens_per_pass > sizes[1].tokens_per_pass > sizes[2].tokens_per_pass >= 300
    assert {size.tokens_per_pass * size.accumulation for size in sizes[:2]} == {1024}  # memory changes speed, not what is learnt
    assert all(size.memory_gb <= free for size, free in zip(sizes, (24, 2.5, 2.1), strict=True))
    with pytest.raises(PlanError, match="smaller model"):
        cost.fit_memory(FACTS, [300], 0, LORA, True, TrainingSettings(), 1.0)


def test_what_all_conversations_share_comes_on_top_of_a_step() -> None:
    size = cost.fit_memory(FACTS, [500], 350, LORA, True, TrainingSettings(), 24)
    assert size.tokens_per_pass == 1024 + 350
    assert "350" in size.why_tokens
    less = cost.fit_memory(FACTS, [500], 350, LORA, True, TrainingSettings(), 2.8)
    assert less.accumulation == 2
    assert less.tokens_per_pass == 512 + 350


def test_long_conversations_are_cut_and_the_plan_says_so() -> None:
    size = cost.fit_memory(FACTS, [100, 5000], 0, LORA, True, TrainingSettings(), 24)
    assert size.sequence_length == 1536
    assert "1 longer than 1536" in size.why_length


@given(st.lists(st.integers(60, 500), min_size=5, max_size=400), st.floats(20, 5000), st.floats(0.5, 60))
def test_planned_time_keeps_to_the_minutes(lengths: list[int], speed: float, minutes: float) -> None:
    wanted = TrainingSettings(minutes=minutes)
    try:
        work = cost.fit_time(lengths, 0, 50, SIZE, cost.Speed(speed, 3 * speed, 0), wanted)
    except PlanError:
        assert speed * minutes * 60 < 1100
        return
    assert work.minutes <= minutes + 1e-6
    assert work.steps >= 1
    assert 1 <= work.epochs <= 6


@given(st.integers(20, 400), st.integers(0, 100_000), st.floats(1, 20))
def test_no_run_is_checked_more_often_than_its_time_was_planned_with(count: int, check_tokens: int, minutes: float) -> None:
    work = cost.fit_time([200] * count, check_tokens, 0, SIZE, cost.Speed(500, 1500, 0), TrainingSettings(minutes=minutes))
    checked = {*range(work.check_every, work.steps + 1, work.check_every), work.steps}
    assert len(checked) <= work.checks


def test_asked_for_epochs_are_taken_if_they_fit() -> None:
    assert cost.fit_time([200] * 50, 0, 0, SIZE, cost.Speed(1000, 3000, 0), TrainingSettings(minutes=60, epochs=7)).epochs == 7
    short = cost.fit_time([200] * 50, 0, 0, SIZE, cost.Speed(100, 300, 0), TrainingSettings(minutes=1, epochs=7))
    assert short.steps < 7 * 10
    assert "1 minutes" in short.why


@given(st.lists(st.integers(20, 500), min_size=1, max_size=300), st.integers(0, 200))
def test_an_update_takes_the_steps_that_a_changed_fact_needs_and_no_more_than_the_time(new: list[int], prefix: int) -> None:
    speed = cost.Speed(1000.0, 3000.0, 0.5)
    wanted = TrainingSettings(minutes=2)
    work = cost.fit_update([n + prefix for n in new], [200] * 80, 3000, prefix, SIZE, speed, wanted)
    assert work.minutes <= 2
    assert work.steps >= 40
    assert work.epochs * len(pack(new, (SIZE.tokens_per_pass - prefix) // 2)) >= work.steps
    with pytest.raises(PlanError, match="Not one training step"):
        cost.fit_update(new, [200] * 80, 3000, 0, SIZE, cost.Speed(1.0, 3000.0, 0.5), wanted)

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tailorbird.engine.chat import Encoded
from tailorbird.engine.packing import lay_out, pack, plan_steps, shared_prefix

lengths = st.lists(st.integers(3, 60), min_size=1, max_size=40)


def items_of(sizes: list[int], common: int = 2) -> list[Encoded]:
    """Conversations of the given sizes that start alike and end in one target."""
    return [Encoded((7,) * common + (n,) * (size - common), (False,) * (size - 1) + (True,)) for n, size in enumerate(sizes, 100)]


@given(lengths, st.integers(10, 200))
def test_packing_keeps_every_item_once_and_respects_the_budget(sizes: list[int], budget: int) -> None:
    items = items_of(sizes)
    bins = pack(items, budget)
    assert sorted(len(i.ids) for b in bins for i in b) == sorted(sizes)
    for chosen in bins:
        assert len(chosen) == 1 or len(lay_out(chosen).ids) <= budget


@given(lengths)
def test_packing_wastes_little_when_items_are_small(sizes: list[int]) -> None:
    items = items_of(sizes, common=0)
    bins = pack(items, 120)
    assert len(bins) <= sum(sizes) / (120 / 2) + 1  # no two bins are both under half full


@given(lengths)
def test_layout_counts_every_target_once_at_its_own_predictor(sizes: list[int]) -> None:
    items = items_of(sizes)
    packed = lay_out(items)
    assert list(packed.targets) == [item.ids[-1] for item in items]
    assert len(packed.ids) == packed.prefix + sum(size - packed.prefix for size in sizes)
    for (start, end), item, place in zip(packed.bounds, items, packed.predictors, strict=True):
        assert packed.ids[start:end] == item.ids[packed.prefix :]
        assert packed.positions[start:end] == tuple(range(packed.prefix, len(item.ids)))
        assert start <= place < end


def test_prefix_stops_before_the_place_that_predicts_the_first_answer() -> None:
    same = Encoded((1, 2, 3, 4), (False, False, True, True))
    assert shared_prefix([same, same]) == 1
    assert shared_prefix([same]) == 0


def test_steps_are_the_same_for_a_seed_and_differ_between_epochs() -> None:
    items = items_of(list(range(5, 45)))
    one, two = plan_steps(items, 100, 2, seed=1), plan_steps(items, 100, 2, seed=1)
    assert one == two
    assert one != plan_steps(items, 100, 2, seed=2)
    half = len(one) // 2
    assert one[:half] != one[half:]
    assert sorted(t for s in one[:half] for t in s.targets) == sorted(i.ids[-1] for i in items)

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tailorbird.engine.chat import Encoded
from tailorbird.engine.packing import (
    LONGEST_SEGMENT,
    Pack,
    lay_out,
    measure,
    pack,
    plan_bins,
    plan_replay,
    plan_steps,
    shared_prefix,
)

sizes_of_items = st.lists(st.integers(3, 60), min_size=1, max_size=40)
# Few kinds of tokens, so that conversations agree by chance; runs of one token, so that they agree for long.
runs = st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, 2, 15, 16, 40, 300])), min_size=1, max_size=4)


@st.composite
def conversations(draw: st.DrawFn) -> list[Encoded]:
    """Conversations that agree in all sorts of ways, with targets anywhere but at the start."""
    items = []
    for _ in range(draw(st.integers(1, 6))):
        ids = [token for token, length in draw(runs) for _ in range(length)] + [draw(st.integers(0, 2)), 3]
        trained = [False] * len(ids)
        for place in draw(st.lists(st.integers(1, len(ids) - 1), min_size=1, max_size=4)):
            trained[place] = True
        items.append(Encoded(tuple(ids), tuple(trained)))
    return items


def items_of(sizes: list[int], common: int = 2) -> list[Encoded]:
    """Conversations of the given sizes that start alike and end in one target."""
    return [Encoded((7,) * common + (n,) * (size - common), (False,) * (size - 1) + (True,)) for n, size in enumerate(sizes, 100)]


def path(packed: Pack, place: int) -> tuple[int, ...]:
    """The tokens that the token at `place` sees, itself included, in order."""
    index = next(n for n, segment in enumerate(packed.segments) if segment.start <= place < segment.end)
    seen: tuple[int, ...] = packed.ids[packed.segments[index].start : place + 1]
    while (index := packed.segments[index].parent) >= 0:
        seen = packed.ids[packed.segments[index].start : packed.segments[index].end] + seen
    return seen


@given(conversations())
def test_every_target_is_predicted_from_exactly_what_comes_before_it(items: list[Encoded]) -> None:
    packed = lay_out(items)
    expected = [(item.ids[:i], item.ids[i]) for item in items for i in range(1, len(item.ids)) if item.trained[i]]
    found = [(path(packed, place), target) for place, target in zip(packed.predictors, packed.targets, strict=True)]
    assert found == expected
    assert list(packed.counts) == [item.targets for item in items]
    assert packed.tokens == sum(len(item.ids) for item in items)


@given(conversations())
def test_segments_tile_the_pack_in_an_order_that_attention_can_use(items: list[Encoded]) -> None:
    packed = lay_out(items)
    end = 0
    for number, segment in enumerate(packed.segments):
        assert segment.start == end
        assert 0 < segment.end - segment.start <= LONGEST_SEGMENT
        assert segment.parent < number
        assert packed.positions[segment.start : segment.end] == tuple(
            range(segment.depth, segment.depth + segment.end - segment.start)
        )
        end = segment.end
    assert end == len(packed.ids)
    parents = [segment.parent for segment in packed.segments]
    assert parents == sorted(parents)  # siblings lie side by side


def test_what_conversations_share_is_there_once_however_they_share_it() -> None:
    system, topic = tuple(range(100)), tuple(range(200, 230))
    ends = [system + topic + (1, 2), system + topic + (3, 4), (*system, 5, 6)]
    packed = lay_out([Encoded(ids, (False,) * (len(ids) - 1) + (True,)) for ids in ends])
    assert len(packed.ids) == 100 + 30 + 3 * 1  # the last token of each predicts nothing
    assert sorted(segment.end - segment.start for segment in packed.segments) == [1, 1, 1, 30, 100]


@given(sizes_of_items, st.integers(10, 200))
def test_bins_keep_every_item_once_and_respect_the_budget(sizes: list[int], budget: int) -> None:
    groups = [(item,) for item in items_of(sizes)]
    prefix, needs = measure(groups)
    bins = pack(needs, budget - prefix)
    assert sorted(n for chosen in bins for n in chosen) == list(range(len(sizes)))
    for chosen in bins:
        assert len(chosen) == 1 or len(lay_out([groups[n][0] for n in chosen]).ids) <= budget


@given(sizes_of_items, sizes_of_items, st.integers(130, 300), st.integers(1, 3))
def test_an_update_sees_all_that_is_new_among_what_is_old(new: list[int], old: list[int], budget: int, epochs: int) -> None:
    groups = [(item,) for item in items_of([*new, *old])]
    bins = plan_replay(groups[: len(new)], groups[len(new) :], budget, epochs, seed=0)
    learned = [n for chosen in bins for n in chosen if n < len(new)]
    assert sorted(learned) == sorted(list(range(len(new))) * epochs)
    for chosen in bins:
        assert chosen == sorted(chosen, key=lambda n: n >= len(new)), "old ones stand last"
        assert any(n < len(new) for n in chosen)
        assert any(n >= len(new) for n in chosen), "something holds every step in place"
        assert len(lay_out([groups[n][0] for n in chosen]).ids) <= budget
    times = Counter(n for chosen in bins for n in chosen if n >= len(new))
    assert max(times.values()) - min(times[n] for n in range(len(new), len(groups))) <= 2, "all in turn"


@given(sizes_of_items)
def test_bins_waste_little_when_items_are_small(sizes: list[int]) -> None:
    assert len(pack(sizes, 120)) <= sum(sizes) / (120 / 2) + 1  # no two bins are both under half full


def test_the_shared_prefix_stops_where_conversations_part_and_counts_only_if_it_is_long() -> None:
    same = [Encoded((*range(30), 90 + n, 1), (False,) * 31 + (True,)) for n in range(2)]
    assert shared_prefix(same) == 30
    assert shared_prefix(same[:1]) == 0
    assert shared_prefix([Encoded((1, 2, 3, n), (False,) * 3 + (True,)) for n in range(2)]) == 0


def test_a_pair_stays_together_and_shares_its_prompt() -> None:
    pairs = [
        tuple(Encoded((*range(50), n, answer, 1), (False,) * 51 + (True,) * 2) for answer in (8, 9)) for n in range(100, 120)
    ]
    prefix, needs = measure(pairs)
    assert prefix == 50
    assert set(needs) == {4}  # each answer's first token, and the prompt's last one twice: too little to share
    for packed in plan_steps(pairs, 80, 1, seed=0):
        assert len(packed.counts) % 2 == 0
        assert len(packed.ids) <= 80


def test_steps_are_the_same_for_a_seed_and_differ_between_epochs() -> None:
    groups = [(item,) for item in items_of(list(range(5, 45)))]
    one = plan_bins(groups, 100, 2, seed=1)
    assert one == plan_bins(groups, 100, 2, seed=1)
    assert one != plan_bins(groups, 100, 2, seed=2)
    half = len(one) // 2
    assert one[:half] != one[half:]
    assert sorted(n for chosen in one[:half] for n in chosen) == list(range(40))

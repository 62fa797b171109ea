"""Packs conversations of unlike length into steps of a fixed token budget, computing once what they have in common.

Pure Python on token ids: no torch, no tokenizer.
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tailorbird.engine.chat import Encoded

Group = tuple[Encoded, ...]
"""Conversations that stay in one step: one for SFT, the chosen and the rejected one for a preference."""

# Sharing fewer tokens than this saves less than another segment costs in attention.
_LEAST_SHARED = 16
# Longer runs of tokens become chains of segments: plain causal attention would compute twice what it needs.
LONGEST_SEGMENT = 256


class Segment(NamedTuple):
    """A run of tokens in a pack, `ids[start:end]`; it sees itself causally and its ancestors wholly.

    `parent` is the index of an earlier segment, or -1; `depth` is the position of its first token in its conversations.
    """

    start: int
    end: int
    parent: int
    depth: int


@dataclass(frozen=True)
class Pack:
    """The conversations of one step as a tree of segments, children of one parent side by side.

    `predictors[i]` is the place in `ids` whose output predicts `targets[i]`; the targets of the n-th conversation are
    the next `counts[n]` ones. `tokens` counts the conversations' tokens as if each had its own copy of what is shared.
    """

    segments: tuple[Segment, ...]
    ids: tuple[int, ...]
    positions: tuple[int, ...]
    predictors: tuple[int, ...]
    targets: tuple[int, ...]
    counts: tuple[int, ...]
    tokens: int


@dataclass
class _Node:
    """A segment while the tree is built: the tokens that `items` share from `depth` on."""

    ids: tuple[int, ...]
    depth: int
    children: list[_Node] = field(default_factory=list)
    items: list[int] = field(default_factory=list)


def shared_prefix(items: Sequence[Encoded]) -> int:
    """Length of the token prefix that a step with all these items computes once."""
    if len(items) < 2:
        return 0
    needed = [_needed(item) for item in items]
    length = _common(min(needed), max(needed), 0)  # extremes differ first
    return length if length >= _LEAST_SHARED else 0


def lay_out(items: Sequence[Encoded]) -> Pack:
    """One pack from the given conversations.

    A target is predicted from the place of the token before it, shared or not, so sharing changes no loss term.
    Tokens after a conversation's last target predict nothing and are left out.
    """
    needed = [_needed(item) for item in items]
    root = _Node((), 0)
    _grow(root, sorted(range(len(items)), key=lambda n: needed[n]), needed)
    segments, ids, places = _flatten(root, needed)
    predictors, targets, counts = [], [], []
    for item, place in zip(items, places, strict=True):
        wanted = [i for i in range(1, len(item.ids)) if item.trained[i]]
        predictors += [place[i - 1] for i in wanted]
        targets += [item.ids[i] for i in wanted]
        counts.append(len(wanted))
    positions = [segment.depth + offset for segment in segments for offset in range(segment.end - segment.start)]
    return Pack(
        tuple(segments), tuple(ids), tuple(positions), tuple(predictors), tuple(targets), tuple(counts),
        sum(len(item.ids) for item in items),
    )  # fmt: skip


def _needed(item: Encoded) -> tuple[int, ...]:
    """The tokens that some target is predicted from."""
    last = max((i for i, trained in enumerate(item.trained) if trained), default=1)
    return item.ids[: max(last, 1)]


def _common(one: tuple[int, ...], other: tuple[int, ...], start: int) -> int:
    """How far two sequences agree that agree up to `start`."""
    length, limit = start, min(len(one), len(other))
    while length < limit and one[length] == other[length]:
        length += 1
    return length


def _grow(parent: _Node, order: list[int], needed: list[tuple[int, ...]]) -> None:
    """Hangs under `parent` the items of `order`, which is sorted and whose items agree up to the parent's end."""
    depth = parent.depth + len(parent.ids)
    clusters = [[order[0]]]
    for before, item in pairwise(order):
        if _common(needed[before], needed[item], depth) - depth >= _LEAST_SHARED:
            clusters[-1].append(item)
        else:
            clusters.append([item])
    for cluster in clusters:
        end = _common(needed[cluster[0]], needed[cluster[-1]], depth)
        leaf = parent
        for start in range(depth, end, LONGEST_SEGMENT):
            child = _Node(needed[cluster[0]][start : min(end, start + LONGEST_SEGMENT)], start)
            leaf.children.append(child)
            leaf = child
        ended = [item for item in cluster if len(needed[item]) == end]
        leaf.items += ended
        if len(ended) < len(cluster):
            _grow(leaf, [item for item in cluster if len(needed[item]) > end], needed)


def _flatten(root: _Node, needed: list[tuple[int, ...]]) -> tuple[list[Segment], list[int], list[list[int]]]:
    """Segments in breadth-first order, their ids, and for each item the places of its tokens."""
    segments: list[Segment] = []
    ids: list[int] = []
    places: list[list[int]] = [[] for _ in needed]
    waiting: deque[tuple[_Node, int, list[int]]] = deque([(root, -1, [])])
    while waiting:
        node, index, path = waiting.popleft()
        for item in node.items:
            places[item] = path
        for child in node.children:
            start = len(ids)
            ids += child.ids
            waiting.append((child, len(segments), path + list(range(start, len(ids)))))
            segments.append(Segment(start, len(ids), index, child.depth))
    return segments, ids, places


def measure(groups: Sequence[Group]) -> tuple[int, list[int]]:
    """Tokens that all groups share, and those that each adds to a pack."""
    prefix = shared_prefix(joined(groups, range(len(groups))))
    return prefix, [_own_tokens(group, prefix) for group in groups]


def _own_tokens(group: Group, prefix: int) -> int:
    if len(group) == 1:
        return len(_needed(group[0])) - prefix
    return len(lay_out([Encoded(item.ids[prefix:], item.trained[prefix:]) for item in group]).ids)


def pack(sizes: Sequence[int], room_in_bin: int) -> list[list[int]]:
    """Best-fit-decreasing bin packing; returns the indices in each bin. What is too large gets a bin of its own."""
    bins: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (tokens left, bin), sorted
    for number in sorted(range(len(sizes)), key=lambda n: -sizes[n]):
        place = bisect_left(room, (sizes[number], -1))
        if place < len(room):
            left, index = room.pop(place)
            bins[index].append(number)
        else:
            index, left = len(bins), room_in_bin
            bins.append([number])
        insort(room, (left - sizes[number], index))
    return bins


def plan_bins(groups: Sequence[Group], budget: int, epochs: int, seed: int) -> list[list[int]]:
    """The groups, by index, of each pack of a whole run: each epoch is packed and shuffled anew from the seed."""
    prefix, sizes = measure(groups)
    bins: list[list[int]] = []
    for epoch in range(epochs):
        chance = random.Random(f"{seed}-{epoch}")
        order = list(range(len(groups)))
        chance.shuffle(order)
        packed = [[order[n] for n in chosen] for chosen in pack([sizes[n] for n in order], budget - prefix)]
        chance.shuffle(packed)
        bins += packed
    return bins


def plan_steps(groups: Sequence[Group], budget: int, epochs: int, seed: int) -> list[Pack]:
    """The packs of a whole run, in order."""
    return [lay_out(joined(groups, chosen)) for chosen in plan_bins(groups, budget, epochs, seed)]


def plan_replay(new: Sequence[Group], old: Sequence[Group], budget: int, epochs: int, seed: int) -> list[list[int]]:
    """The packs of a run that goes on with new groups among old ones, by index, old ones counted on after the new.

    New ones take up to half of each pack, `epochs` times; the rest is filled with old ones in turn.
    """
    prefix, sizes = measure([*new, *old])
    room = budget - prefix
    chance = random.Random(f"{seed}-replay")
    replayed = [n for n in range(len(new), len(sizes)) if sizes[n] <= room - room // 2]
    waiting: list[int] = []
    bins = plan_bins(new, budget - room // 2, epochs, seed)
    for members in bins:
        left = room - sum(sizes[n] for n in members)
        if sum(sizes[n] for n in waiting) < left:
            waiting += chance.sample(replayed, len(replayed))
        later = []
        for n in waiting:
            if sizes[n] <= left:
                members.append(n)
                left -= sizes[n]
            else:
                later.append(n)
        waiting = later
    return bins


def joined(groups: Sequence[Group], chosen: Sequence[int]) -> list[Encoded]:
    """The conversations of the chosen groups, one after the other."""
    return [item for index in chosen for item in groups[index]]

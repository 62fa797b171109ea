"""Packs conversations of unlike length into steps of a fixed token budget, sharing what they have in common.

Pure Python on token ids: no torch, no tokenizer.
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from dataclasses import dataclass

from tailorbird.engine.chat import Encoded


@dataclass(frozen=True)
class Pack:
    """Token ids laid out as [shared prefix | rest of conversation 1 | rest of conversation 2 | ...].

    `bounds` are the (start, end) of each rest in `ids`; `positions` restart after the prefix in each of them.
    `predictors[i]` is the place whose output predicts `targets[i]`.
    """

    prefix: int
    bounds: tuple[tuple[int, int], ...]
    ids: tuple[int, ...]
    positions: tuple[int, ...]
    predictors: tuple[int, ...]
    targets: tuple[int, ...]


def shared_prefix(items: list[Encoded]) -> int:
    """Length of the token prefix that all items share, ending before the first token anyone must predict."""
    if len(items) < 2:
        return 0
    limit = min(min(item.first_trained, len(item.ids)) for item in items) - 1
    first, last = min(i.ids for i in items), max(i.ids for i in items)  # extremes differ first
    length = 0
    while length < limit and first[length] == last[length]:
        length += 1
    return length


def lay_out(items: list[Encoded]) -> Pack:
    """One pack from the given conversations.

    A conversation's first target is predicted from within its own part, so prefix sharing changes no loss term.
    """
    prefix = shared_prefix(items)
    ids = list(items[0].ids[:prefix])
    positions = list(range(prefix))
    bounds, predictors, targets = [], [], []
    for item in items:
        start = len(ids)
        ids += item.ids[prefix:]
        positions += range(prefix, len(item.ids))
        bounds.append((start, len(ids)))
        for i in range(max(prefix, 1), len(item.ids)):
            if item.trained[i]:
                predictors.append(start + i - prefix - 1)
                targets.append(item.ids[i])
    return Pack(prefix, tuple(bounds), tuple(ids), tuple(positions), tuple(predictors), tuple(targets))


def pack(items: list[Encoded], budget: int) -> list[list[Encoded]]:
    """Best-fit-decreasing bin packing into bins of `budget` tokens, the shared prefix counted once a bin.

    An item longer than the budget gets a bin of its own.
    """
    prefix = shared_prefix(items)
    bins: list[list[Encoded]] = []
    room: list[tuple[int, int]] = []  # (tokens left, bin), sorted
    for item in sorted(items, key=lambda e: -len(e.ids)):
        size = len(item.ids) - prefix
        place = bisect_left(room, (size, -1))
        if place < len(room):
            left, index = room.pop(place)
            bins[index].append(item)
        else:
            index, left = len(bins), budget - prefix
            bins.append([item])
        insort(room, (left - size, index))
    return bins


def plan_steps(items: list[Encoded], budget: int, epochs: int, seed: int) -> list[Pack]:
    """The packs of a whole run, in order: each epoch is packed and shuffled anew from the seed."""
    steps: list[Pack] = []
    for epoch in range(epochs):
        chance = random.Random(f"{seed}-{epoch}")
        shuffled = list(items)
        chance.shuffle(shuffled)
        bins = pack(shuffled, budget)
        chance.shuffle(bins)
        steps += [lay_out(chosen) for chosen in bins]
    return steps

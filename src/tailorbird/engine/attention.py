"""Attention inside a pack: each segment sees itself causally and its ancestors wholly (engine/packing.py).

Registered with transformers' attention interface, so any decoder that transformers supports works unpatched. On a CPU
the scores are batched matrix products with compiled loops between them; elsewhere the same tree is a FlexAttention mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from tailorbird.engine import kernels
from tailorbird.engine.packing import Segment

Prefix = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values [heads, tokens, D] of each layer."""

ATTENTION = "tailorbird_packed"
# Siblings that would together copy more keys than this of what lies before them meet those in one product of their own.
_MOST_COPIES = 2048


class _Product(NamedTuple):
    """Matrices of scores [rows, width], `count` of them for each head: the tokens that ask, and those that are asked.

    `queries` [count, rows] and `keys` [count, width] are token numbers, -1 for filling. `place` is where the scores
    lie in the flat buffer of all products, for one head.
    """

    queries: Any
    keys: Any
    place: int


class _Rows(NamedTuple):
    """Which rows [tokens * heads, D] the products of a step take, and how rows made from their results are summed.

    The n-th row of a result is the sum of the products' rows places[starts[n]:starts[n + 1]].
    """

    taken: torch.Tensor
    starts: Any
    places: Any


class _Part(NamedTuple):
    """A product for all heads: where its matrices lie among the rows taken and among the scores."""

    matrices: int  # heads of keys x segments
    queries: slice
    keys: slice
    weights: slice

    def rows(self, taken: torch.Tensor) -> torch.Tensor:
        """[matrices, groups * rows, D]"""
        return taken[self.queries].view(self.matrices, -1, taken.shape[1])

    def columns(self, taken: torch.Tensor) -> torch.Tensor:
        """[matrices, width, D]"""
        return taken[self.keys].view(self.matrices, -1, taken.shape[1])

    def scores(self, flat: torch.Tensor) -> torch.Tensor:
        """[matrices, groups * rows, width]"""
        return flat[self.weights].view(self.matrices, -1, (self.keys.stop - self.keys.start) // self.matrices)


class _View(NamedTuple):
    """A layout for some number of heads: the rows of queries, those of keys and values, and the products."""

    of_query: _Rows
    of_key: _Rows
    parts: list[_Part]


class Layout:
    """Where the segments of a pack lie and what each sees; made once a step, used by every layer."""

    def __init__(self, segments: Sequence[Segment], filling: int, prefix: Prefix | None = None) -> None:
        """`filling` tokens after the last segment see nobody and are seen by nobody.

        `prefix` has keys and values for the first tokens of all, in every layer, in the place of their own.
        """
        self.prefix = prefix
        last = segments[-1].end
        self.tokens = last + filling
        self.segments = [*segments, Segment(last, self.tokens, -1, 0)] if filling else list(segments)
        self.paths: list[list[int]] = []  # of each segment its ancestors, the root first, and itself
        for index, segment in enumerate(self.segments):
            self.paths.append([*(self.paths[segment.parent] if segment.parent >= 0 else []), index])
        self.table = np.zeros((len(self.segments), 13), np.int64)  # see kernels.weigh
        self.products: list[_Product] = []
        self.scores = 0  # of all products, for one head
        self._add_segments(self._add_families())
        self._views: dict[tuple[int, int], _View] = {}
        self._masks: dict[int, BlockMask] = {}

    def _seen(self, index: int) -> Any:
        """The tokens of a segment's path, itself included; their positions are 0, 1, 2, ..."""
        path = [self.segments[member] for member in self.paths[index]]
        return np.concatenate([np.arange(segment.start, segment.end) for segment in path])

    def _add_product(self, members: Sequence[tuple[Any, Any]], rows: int, width: int) -> int:
        queries, keys = (np.full((len(members), size), -1) for size in (rows, width))
        for number, (asking, asked) in enumerate(members):
            queries[number, : len(asking)] = asking
            keys[number, : len(asked)] = asked
        self.products.append(_Product(queries, keys, self.scores))
        self.scores += queries.size * width
        return self.products[-1].place

    def _add_families(self) -> set[int]:
        """A product for each parent whose children would copy too many keys; returns those children."""
        children: dict[int, list[int]] = {}
        for index, segment in enumerate(self.segments):
            if segment.parent >= 0:
                children.setdefault(segment.parent, []).append(index)
        members = {parent: those for parent, those in children.items() if self._copies(those) > _MOST_COPIES}
        for parent, those in members.items():
            start, end = self.segments[those[0]].start, self.segments[those[-1]].end  # siblings lie side by side
            before = self._seen(parent)
            rows, width = kernels.whole_blocks(end - start), kernels.whole_blocks(len(before))
            place = self._add_product([(np.arange(start, end), before)], rows, width)
            for index in those:
                self.table[index, 8:12] = place, self.segments[index].start - start, rows, width
            self.table[those[-1], 12] = rows - (end - start)
        return {index for those in members.values() for index in those}

    def _copies(self, siblings: list[int]) -> int:
        return len(siblings) * self.segments[siblings[0]].depth

    def _add_segments(self, in_families: set[int]) -> None:
        """Products of segments with themselves and, outside families, with what lies before them."""
        by_shape: dict[tuple[int, int], list[int]] = {}
        for index, (start, end, _parent, depth) in enumerate(self.segments):
            width = end - start + (0 if index in in_families else depth)
            by_shape.setdefault((kernels.whole_blocks(end - start), kernels.whole_blocks(width)), []).append(index)
        for (rows, width), those in by_shape.items():
            members = []
            for number, index in enumerate(those):
                start, end, _parent, depth = self.segments[index]
                begin = depth if index in in_families else 0
                members.append((np.arange(start, end), self._seen(index)[begin:]))
                self.table[index, :8] = end - start, depth, rows, width, begin, number, len(those), self.scores
            self._add_product(members, rows, width)

    def view(self, heads: int, kept_heads: int) -> _View:
        """The same for so many heads of queries, and of keys and values."""
        if (heads, kept_heads) not in self._views:
            groups = heads // kept_heads
            of_query = [_numbered(part.queries, kept_heads, groups) for part in self.products]
            of_key = [_numbered(part.keys, kept_heads, 1) for part in self.products]
            self._views[heads, kept_heads] = _View(
                _rows(of_query, self.tokens * heads),
                _rows(of_key, self.tokens * kept_heads),
                _parts(self.products, heads, kept_heads),
            )
        return self._views[heads, kept_heads]

    def mask(self, window: int, device: torch.device) -> BlockMask:
        """The same tree as a FlexAttention mask over all tokens."""
        if window not in self._masks:
            sees = torch.zeros(len(self.segments), len(self.segments), dtype=torch.bool)
            for index, path in enumerate(self.paths):
                sees[index, path] = True
            sizes = torch.tensor([segment.end - segment.start for segment in self.segments])
            owner = torch.arange(len(self.segments)).repeat_interleave(sizes)
            starts = torch.tensor([segment.depth - segment.start for segment in self.segments])
            positions = (torch.arange(len(owner)) + starts[owner]).to(device)
            sees, owner = sees.to(device), owner.to(device)

            def visible(batch: Any, head: Any, query: Any, key: Any) -> Any:
                near = positions[query] - positions[key] < window if window else True
                return sees[owner[query], owner[key]] & (positions[key] <= positions[query]) & near

            tokens = len(owner)
            self._masks[window] = create_block_mask(visible, None, None, tokens, tokens, device=device)
        return self._masks[window]


class _TreeAttention(torch.autograd.Function):  # type: ignore[misc]
    """query [T, Hq, D], key and value [T, Hk, D] -> [T, Hq, D]; grouped heads.

    The queries of all heads that share a key's head are rows of one matrix.
    """

    @staticmethod
    def forward(
        ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: Layout, scale: float, window: int
    ) -> torch.Tensor:
        heads, size = query.shape[1:]
        kept_heads = key.shape[1]
        of_query, of_key, parts = layout.view(heads, kept_heads)
        queries, keys, values = _take(query, of_query), _take(key, of_key), _take(value, of_key)
        weights = query.new_empty(heads * layout.scores)
        mixed = torch.empty_like(queries)
        for part in parts:
            torch.bmm(part.rows(queries), part.columns(keys).transpose(1, 2), out=part.scores(weights))
        kernels.weigh(kernels.raw(weights), layout.table, heads, heads // kept_heads, scale, window, kernels.exact(query))
        for part in parts:
            torch.bmm(part.scores(weights), part.columns(values), out=part.rows(mixed))
        ctx.save_for_backward(queries, keys, values, weights)
        ctx.layout, ctx.scale, ctx.heads = layout, scale, (heads, kept_heads)
        return _sum(mixed, of_query).view(-1, heads, size)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        queries, keys, values, weights = ctx.saved_tensors
        layout: Layout = ctx.layout
        heads, kept_heads = ctx.heads
        of_query, of_key, parts = layout.view(heads, kept_heads)
        slopes = _take(grads[0], of_query)
        pulls, to_values = torch.empty_like(weights), torch.empty_like(values)
        for part in parts:
            torch.bmm(part.rows(slopes), part.columns(values).transpose(1, 2), out=part.scores(pulls))
            torch.bmm(part.scores(weights).transpose(1, 2), part.rows(slopes), out=part.columns(to_values))
        groups = heads // kept_heads
        kernels.weigh_backward(
            kernels.raw(weights), kernels.raw(pulls), layout.table, heads, groups, ctx.scale, kernels.exact(queries)
        )
        to_queries, to_keys = slopes, torch.empty_like(keys)
        for part in parts:
            torch.bmm(part.scores(pulls).transpose(1, 2), part.rows(queries), out=part.columns(to_keys))
            torch.bmm(part.scores(pulls), part.columns(keys), out=part.rows(to_queries))
        found = (_sum(to_queries, of_query), _sum(to_keys, of_key), _sum(to_values, of_key))
        shape = grads[0].shape
        return (*(rows.view(shape[0], -1, shape[2]) for rows in found), None, None, None)


def _parts(products: Sequence[_Product], heads: int, kept_heads: int) -> list[_Part]:
    parts = []
    row = column = 0
    for queries, keys, place in products:
        weights = slice(heads * place, heads * (place + queries.size * keys.shape[1]))
        ends = row + heads * queries.size, column + kept_heads * keys.size
        parts.append(_Part(kept_heads * len(queries), slice(row, ends[0]), slice(column, ends[1]), weights))
        row, column = ends
    return parts


def _numbered(tokens: Any, kept_heads: int, groups: int) -> Any:
    """Rows [kept_heads, count, groups, tokens] of a matrix [T * heads, D], -1 for filling, flat."""
    heads = np.arange(kept_heads * groups).reshape(kept_heads, 1, groups, 1)
    places = tokens[None, :, None, :] * (kept_heads * groups) + heads
    return np.where(tokens[None, :, None, :] < 0, -1, places).ravel()


def _rows(parts: list[Any], number: int) -> _Rows:
    wanted = np.concatenate(parts)
    places = np.flatnonzero(wanted >= 0)
    order = np.argsort(wanted[places], kind="stable")
    counts = np.bincount(wanted[places], minlength=number)
    return _Rows(torch.from_numpy(np.maximum(wanted, 0)), np.concatenate([[0], counts.cumsum()]), places[order])


def _take(states: torch.Tensor, rows: _Rows) -> torch.Tensor:
    """[T, H, D] -> [rows, D]."""
    return states.reshape(-1, states.shape[2]).index_select(0, rows.taken)


def _sum(parts: torch.Tensor, rows: _Rows) -> torch.Tensor:
    """[rows, D] -> [T * H, D], filling left out."""
    out = parts.new_empty(len(rows.starts) - 1, parts.shape[1])
    kernels.collect(kernels.raw(parts), rows.starts, rows.places, kernels.raw(out), kernels.exact(parts))
    return out


def _packed_attention(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: Any, **options: Any
) -> tuple[torch.Tensor, None]:
    """transformers' attention signature: query [1, Hq, T, D], key and value [1, Hk, T, D] -> [1, T, Hq, D]."""
    layout: Layout = options["layout"]
    scale = options.get("scaling") or query.shape[-1] ** -0.5
    window = options.get("sliding_window") or 0
    if layout.prefix is not None:
        key, value = (
            torch.cat([given[None].to(own.dtype), own[:, :, given.shape[1] :]], dim=2)
            for given, own in zip(layout.prefix[module.layer_idx], (key, value), strict=True)
        )
    if query.device.type == "cpu":
        by_token = (states[0].transpose(0, 1) for states in (query, key, value))
        return _TreeAttention.apply(*by_token, layout, scale, window)[None], None
    mask = layout.mask(window, query.device)
    attended = flex_attention(query, key, value, block_mask=mask, scale=scale, enable_gqa=query.shape[1] != key.shape[1])
    return attended.transpose(1, 2), None


AttentionInterface.register(ATTENTION, _packed_attention)
AttentionMaskInterface.register(ATTENTION, lambda *args, **kwargs: None)

"""What each conversation would change in an adapter: its gradients, projected at random to a few thousand numbers.

Conversations with similar gradients teach similar things: TracIn (arXiv 2002.08484) at the end of training, with projections as
in LESS (arXiv 2402.04333). One packed pass gives those of all its conversations: what the tokens of each add to the gradient of
every matrix. Tokens that several share count for none of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tailorbird.engine.adapters import load_adapter
from tailorbird.engine.chat import ChatEncoder, fit_last_answer, fit_to_length, places_of
from tailorbird.engine.fused import Projections
from tailorbird.engine.loading import is_whole_model, load_base
from tailorbird.engine.packed import target_losses
from tailorbird.engine.packing import Pack, lay_out, plan_bins
from tailorbird.errors import InputError
from tailorbird.progress import Progress
from tailorbird.replier import Message

SIZE = 8192
"""Numbers of a conversation, two bytes each."""
_WIDTH = 4  # directions that each side of a matrix is projected to, before all matrices are projected together
_SEED = 7


def sketches(
    base: Path, adapter: Path, chats: Sequence[list[Message]], longest: int, progress: Progress, last_only: bool = False
) -> np.ndarray:
    """The projected gradient of each chat [N, SIZE], scaled to length 1; zeros where a chat does not fit.

    A longer one loses its last exchanges, or with `last_only`, where only the last answer counts, its first ones.
    Raises InputError for what was not trained by LoRA: nothing else has small matrices.
    """
    encoder = ChatEncoder(base)
    fit = fit_last_answer if last_only else fit_to_length
    encoded = [fit(encoder, chat, longest) for chat in chats]
    places = places_of(encoded)
    unique = list(places)
    found = np.zeros((len(chats), SIZE), dtype=np.float16)
    bins = plan_bins([(item,) for item in unique], max(longest, 1024), epochs=1, seed=0)
    model = _opened(base, adapter)
    sketcher = _Sketcher()
    with progress("Reading what each conversation taught", len(bins)) as advance:
        for chosen in bins:
            rows = sketcher.of(model, lay_out([unique[number] for number in chosen]))
            for number, row in zip(chosen, rows, strict=True):
                found[places[unique[number]]] = row
            advance(1)
    return found


def owners(pack: Pack) -> list[int]:
    """The conversation that each of a pack's tokens belongs to; -1 for those that several share."""
    starts = [segment.start for segment in pack.segments]
    having: list[set[int]] = [set() for _ in starts]
    first = 0
    for item, count in enumerate(pack.counts):
        for place in pack.predictors[first : first + count]:
            having[bisect_right(starts, place) - 1].add(item)
        first += count
    for number in reversed(range(len(starts))):
        if (parent := pack.segments[number].parent) >= 0:
            having[parent] |= having[number]
    return [
        next(iter(items)) if len(items) == 1 else -1
        for items, segment in zip(having, pack.segments, strict=True)
        for _ in range(segment.end - segment.start)
    ]


def _opened(base: Path, adapter: Path) -> Any:
    if not is_whole_model(adapter):
        model = load_adapter(load_base(base, packed=True), adapter, trainable=True)
        if any("lora_A" in name for name, _ in model.named_parameters()):
            return model
    raise InputError(
        "What an answer was learned from can be told for LoRA and rsLoRA only.",
        fix="Set training.method to auto in tailorbird.yaml, then plan and train again.",
    )


class _Sketcher:
    """Projects gradients as they come up in the backward pass; the same matrices in the same order get the same directions."""

    def __init__(self) -> None:
        self._directions: dict[tuple[int, int], torch.Tensor] = {}
        self._buckets: torch.Tensor | None = None
        self._signs = torch.empty(0)

    def of(self, model: Any, pack: Pack) -> np.ndarray:
        """The sketches of a pack's conversations [N, SIZE], scaled to length 1."""
        owner = torch.tensor(owners(pack))
        rows = (owner >= 0).nonzero()[:, 0]
        parts: list[torch.Tensor] = []

        def watch(projections: Projections, grad: Any, of_through: Any, x: Any, through: Any) -> None:
            row = column = 0
            for layer, width in zip(projections.layers, projections.widths, strict=True):
                rank = layer.lora_A["default"].weight.shape[0]
                outer = self._projected(grad[rows, row : row + width], len(parts))
                parts.append(_summed(outer, through[rows, column : column + rank], owner[rows], len(pack.counts)))
                inner = self._projected(x[rows], len(parts))
                parts.append(_summed(inner, of_through[rows, column : column + rank], owner[rows], len(pack.counts)))
                row, column = row + width, column + rank

        with _watching(watch):
            target_losses(model, pack).sum().backward()
        model.zero_grad(set_to_none=True)
        sketch = self._together(torch.cat(parts, 1))
        return np.asarray((sketch / sketch.norm(dim=1, keepdim=True).clamp_min(1e-30)).half())

    def _projected(self, rows: torch.Tensor, number: int) -> torch.Tensor:
        """Rows [T, width] in a few random directions [T, _WIDTH], the same for the same number and width."""
        width = rows.shape[1]
        if (number, width) not in self._directions:
            chance = torch.Generator().manual_seed(_SEED + number)
            self._directions[number, width] = torch.randn(width, _WIDTH, generator=chance) / _WIDTH**0.5
        return rows.float() @ self._directions[number, width]

    def _together(self, values: torch.Tensor) -> torch.Tensor:
        """All numbers [N, D] in SIZE buckets with random signs (a count sketch: dot products stay, but for noise)."""
        if self._buckets is None:
            chance = torch.Generator().manual_seed(_SEED)
            self._buckets = torch.randint(0, SIZE, (values.shape[1],), generator=chance)
            self._signs = torch.randint(0, 2, (values.shape[1],), generator=chance) * 2.0 - 1.0
        return torch.zeros(len(values), SIZE).index_add_(1, self._buckets, values * self._signs)


def _summed(one: torch.Tensor, other: torch.Tensor, owner: torch.Tensor, count: int) -> torch.Tensor:
    """For each conversation the sum of its tokens' outer products of two rows [count, width of one * width of other]."""
    products = (one[:, :, None] * other.float()[:, None, :]).flatten(1)
    return torch.zeros(count, products.shape[1]).index_add_(0, owner, products)


@contextmanager
def _watching(watch: Any) -> Iterator[None]:
    Projections.watch = watch
    try:
        yield
    finally:
        Projections.watch = None

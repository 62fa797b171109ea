"""Scores held-out conversations under the base model and under the tuned one, from the same loaded weights."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import torch

from tailorbird.engine.adapters import load_adapter, virtual_tokens, with_virtual
from tailorbird.engine.chat import ChatEncoder, Encoded, fit_to_length
from tailorbird.engine.loading import load_base
from tailorbird.engine.packed import target_losses
from tailorbird.engine.packing import lay_out, plan_bins
from tailorbird.progress import Progress
from tailorbird.replier import Message

Losses = list[tuple[float, int] | None]


def conversation_losses(
    base: Path, adapter: Path, chats: list[list[Message]], longest: int, progress: Progress
) -> dict[str, Losses]:
    """For "base" and "tuned": each chat's summed loss in nats and its target tokens, None if it does not fit."""
    encoder = ChatEncoder(base)
    encoded = [fit_to_length(encoder, chat, longest) for chat in chats]
    model = load_adapter(load_base(base, packed=True), adapter).eval()
    places: dict[Encoded, list[int]] = {}
    for index, item in enumerate(encoded):
        if item is not None:
            places.setdefault(item, []).append(index)
    unique = list(places)
    bins = plan_bins([(item,) for item in unique], max(longest, 1024), epochs=1, seed=0)
    results: dict[str, Losses] = {}
    with progress("Scoring held-out conversations", 2 * len(bins)) as advance:
        for system in ("base", "tuned"):
            losses: Losses = [None] * len(chats)
            before = virtual_tokens(model) if system == "tuned" else 0
            with torch.no_grad(), model.disable_adapter() if system == "base" else nullcontext():
                for chosen in bins:
                    pack = lay_out(with_virtual([unique[number] for number in chosen], before))
                    for number, part in zip(chosen, target_losses(model, pack).split(pack.counts), strict=True):
                        for index in places[unique[number]]:
                            losses[index] = (part.sum().item(), len(part))
                    advance(1)
            results[system] = losses
    return results

"""Scores held-out conversations under the base model and under tuned ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tailorbird.engine.adapters import load_adapter, virtual_tokens, with_virtual
from tailorbird.engine.chat import ChatEncoder, Encoded, fit_to_length, last_answer, places_of
from tailorbird.engine.loading import is_whole_model, load_base
from tailorbird.engine.packed import target_losses
from tailorbird.engine.packing import lay_out, plan_bins
from tailorbird.progress import Progress
from tailorbird.replier import Message

Losses = list[tuple[float, int] | None]


def conversation_losses(
    base: Path,
    systems: Mapping[str, Path | None],
    chats: list[list[Message]],
    longest: int,
    progress: Progress,
    last_only: bool = False,
) -> dict[str, Losses]:
    """For each system (None is the base model, else an adapter or a whole model) each chat's summed loss and target tokens.

    In nats; None where a chat does not fit. A longer one is cut to whole exchanges, unless `last_only` its last answer counts.
    """
    encoder = ChatEncoder(base)
    encoded = [_last(encoder, chat, longest) if last_only else fit_to_length(encoder, chat, longest) for chat in chats]
    places = places_of(encoded)
    unique = list(places)
    bins = plan_bins([(item,) for item in unique], max(longest, 1024), epochs=1, seed=0)
    results: dict[str, Losses] = {}
    with progress("Scoring held-out conversations", len(systems) * len(bins)) as advance:
        for system, tuned in systems.items():
            model = open_tuned(base, tuned)
            losses: Losses = [None] * len(chats)
            with torch.no_grad():
                for chosen in bins:
                    pack = lay_out(with_virtual([unique[number] for number in chosen], virtual_tokens(model)))
                    for number, part in zip(chosen, target_losses(model, pack).split(pack.counts), strict=True):
                        for index in places[unique[number]]:
                            losses[index] = (part.sum().item(), len(part))
                    advance(1)
            results[system] = losses
    return results


def _last(encoder: ChatEncoder, chat: list[Message], longest: int) -> Encoded | None:
    """The whole chat with its last answer to be scored; None if it is too long, or has none."""
    encoded = last_answer(encoder.encode(chat))
    return encoded if encoded.targets and len(encoded.ids) <= longest else None


def open_tuned(base: Path, tuned: Path | None) -> Any:
    """The base model, with an adapter, or a whole model; packed, for tests."""
    if tuned and is_whole_model(tuned):
        return load_base(tuned, packed=True).eval()
    model = load_base(base, packed=True)
    return (load_adapter(model, tuned) if tuned else model).eval()

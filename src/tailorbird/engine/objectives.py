"""What one forward and backward pass learns: answers as they stand (SFT), the better of two (DPO), or thumbs up and down (KTO).

Preferences are held against a reference: the model as it was before this run, whose losses are computed once and kept.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from tailorbird.engine.chat import ChatEncoder, Encoded, fit_to_length, last_answer
from tailorbird.engine.packed import target_losses, target_states
from tailorbird.engine.packing import Group, Pack, joined, lay_out, plan_bins
from tailorbird.progress import Progress
from tailorbird.replier import Message

Chats = list[list[Message]]
Pairs = list[tuple[list[Message], list[Message]]]
"""Conversations that differ in their last answer: the chosen one, the rejected one."""
Thumbs = list[tuple[list[Message], bool]]
"""Conversations whose last answer somebody liked or not."""

BETA = 0.1
"""How far preferences may move the model from its reference; the value of the papers of DPO and KTO."""
KEEPING = 10.0
"""How much an update must keep: found by benchmarks/continuous.py, where less forgot more and learned no better."""
_LEAST_PAIR = 2  # thumbs: an answer needs another one to be told from


@dataclass(frozen=True)
class Pass:
    """The conversations of one pass; by themselves their answers are learned."""

    pack: Pack

    @property
    def terms(self) -> int:
        """What the loss is a mean over."""
        return len(self.pack.targets)

    def losses(self, model: Any) -> torch.Tensor:
        """The loss of each term: cross-entropy in nats of each target token."""
        return target_losses(model, self.pack)


@dataclass(frozen=True)
class ReplayPass(Pass):
    """New conversations, and after them replayed ones, of which the model shall go on to think what it thought.

    `guides` are the states [N, D] of the model before this run at the N targets of the replayed ones.
    """

    guides: torch.Tensor

    def losses(self, model: Any) -> torch.Tensor:
        """Cross-entropy of each new target; of replayed ones the divergence from the model before (arXiv 1606.09282).

        All that is replayed weighs `KEEPING` times what is new, however many targets either has.
        """
        kept = len(self.guides)
        losses = target_losses(model, self.pack, self.guides)
        return torch.cat([losses[:-kept], losses[-kept:] * (KEEPING * (self.terms - kept) / kept)])


@dataclass(frozen=True)
class PairPass(Pass):
    """Conversations in turn chosen and rejected; `reference` has the summed losses of both before this run."""

    reference: tuple[tuple[float, float], ...]

    @property
    def terms(self) -> int:
        """Pairs."""
        return len(self.reference)

    def losses(self, model: Any) -> torch.Tensor:
        """DPO's loss (arXiv 2305.18290) of each pair."""
        gained = _gained(model, self.pack, self.reference)
        return -functional.logsigmoid(BETA * (gained[:, 0] - gained[:, 1]))


@dataclass(frozen=True)
class ThumbPass(Pass):
    """Conversations in turn with their own answer and with another one's; `weights` are below zero for disliked ones."""

    reference: tuple[tuple[float, float], ...]
    weights: tuple[float, ...]

    @property
    def terms(self) -> int:
        """Judged answers."""
        return len(self.weights)

    def losses(self, model: Any) -> torch.Tensor:
        """KTO's loss (arXiv 2402.01306) of each answer.

        What other answers gain on average estimates how far the model has moved at all; no gradient goes through it.
        """
        gained = _gained(model, self.pack, self.reference)
        moved = gained[:, 1].detach().mean().clamp_min(0.0)
        weights = torch.tensor(self.weights, dtype=gained.dtype, device=gained.device)
        return weights.abs() * torch.sigmoid(-BETA * weights.sign() * (gained[:, 0] - moved))


def _gained(model: Any, pack: Pack, reference: Sequence[tuple[float, float]]) -> torch.Tensor:
    """By how much each conversation's log-probability has grown [N, 2]."""
    sums = torch.stack([part.sum() for part in target_losses(model, pack).split(pack.counts)]).view(-1, 2)
    return torch.tensor(reference, dtype=sums.dtype, device=sums.device) - sums


@torch.no_grad()  # type: ignore[untyped-decorator]
def reference_losses(
    model: Any, groups: list[Group], tokens_per_pass: int, kept: Path, as_before: AbstractContextManager[Any], progress: Progress
) -> list[tuple[float, float]]:
    """The summed losses of each group's two conversations by the model `as_before`, from the file `kept` if it is there."""
    if kept.is_file():
        return [(one, other) for one, other in json.loads(kept.read_text(encoding="utf-8"))]
    found: dict[int, tuple[float, float]] = {}
    bins = plan_bins(groups, tokens_per_pass, epochs=1, seed=0)
    with as_before, progress("Scoring the answers with the model before this run", len(bins)) as advance:
        for members in bins:
            pack = lay_out(joined(groups, members))
            sums = [part.sum().item() for part in target_losses(model, pack).split(pack.counts)]
            found.update(zip(members, zip(sums[::2], sums[1::2], strict=True), strict=True))
            advance(1)
    losses = [found[number] for number in range(len(groups))]
    draft = kept.with_suffix(".part")
    draft.write_text(json.dumps(losses), encoding="utf-8")
    draft.replace(kept)
    return losses


@torch.no_grad()  # type: ignore[untyped-decorator]
def guiding_states(model: Any, groups: list[Group], tokens_per_pass: int, progress: Progress) -> list[torch.Tensor]:
    """The states of the model as it is at the targets of each group's conversation [targets, D]."""
    found: dict[int, torch.Tensor] = {}
    bins = plan_bins(groups, tokens_per_pass, epochs=1, seed=0)
    with progress("Reading the replayed answers with the model before this run", len(bins)) as advance:
        for members in bins:
            pack = lay_out(joined(groups, members))
            found.update(zip(members, target_states(model, pack).split(pack.counts), strict=True))
            advance(1)
    return [found[number].clone() for number in range(len(groups))]


def encode_all(encoder: ChatEncoder, chats: Chats, longest: int) -> list[Encoded]:
    """The chats that fit, each cut to whole exchanges within `longest` tokens."""
    encoded = (fit_to_length(encoder, chat, longest) for chat in chats)
    return [item for item in encoded if item is not None]


def encode_pairs(encoder: ChatEncoder, pairs: Pairs, longest: int) -> list[Group]:
    """The pairs that differ and fit, uncut: their prompts must stay the same."""
    encoded = [(encoder.encode(chosen), encoder.encode(rejected)) for chosen, rejected in pairs]
    fitting = [_from_difference(*pair) for pair in encoded if max(len(item.ids) for item in pair) <= longest]
    return [pair for pair in fitting if any(item.targets for item in pair)]


def encode_thumbs(encoder: ChatEncoder, thumbs: Thumbs, longest: int) -> tuple[list[Group], list[bool]]:
    """The judged answers that fit, each with the next one's answer in its place, and which were liked."""
    if len(thumbs) < _LEAST_PAIR:
        return [], []
    groups: list[Group] = []
    liked: list[bool] = []
    for (chat, like), (other, _) in zip(thumbs, [*thumbs[1:], thumbs[0]], strict=True):
        own, swapped = encoder.encode(chat), encoder.encode([*chat[:-1], other[-1]])
        if max(len(own.ids), len(swapped.ids)) <= longest:
            groups.append((last_answer(own), last_answer(swapped)))
            liked.append(like)
    return groups, liked


def thumb_weights(liked: Sequence[bool]) -> tuple[float, ...]:
    """1 for each liked answer and -1 for each disliked one, scaled so that both kinds weigh the same in all."""
    likes = sum(liked)
    each = {True: len(liked) / (2 * max(likes, 1)), False: -len(liked) / (2 * max(len(liked) - likes, 1))}
    return tuple(each[like] for like in liked)


def _from_difference(chosen: Encoded, rejected: Encoded) -> Group:
    """The pair, trained from where it differs: before that, the two losses are the same and cancel."""
    both = zip(chosen.ids, rejected.ids, strict=False)
    start = next((i for i, (one, other) in enumerate(both) if one != other), min(len(chosen.ids), len(rejected.ids)))
    return tuple(
        Encoded(item.ids, tuple(trained and i >= start for i, trained in enumerate(item.trained))) for item in (chosen, rejected)
    )

"""The packed, prefix-shared forward pass: attention within each conversation, loss on answers only.

Attention goes through transformers' attention interface, so any decoder that transformers supports works
unpatched. Gradients equal those of one conversation at a time (tests/engine/test_parity.py).
Prefix sharing as for preference pairs in arXiv 2410.20305, here for any conversations with a common start.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from tailorbird.engine.packing import Pack
from tailorbird.errors import ModelError

ATTENTION = "tailorbird_packed"
# Plain matrix products beat the fused CPU kernel on short segments and lose on long ones.
_LONGEST_PLAIN = 1024
_LOGIT_ROWS = 256
# The CPU library compiles and keeps a kernel for every shape of matrix it meets: with shapes as they come, memory grew by
# 0.1 GB a step. Rounded up they are few. Queries past a segment's end run into its neighbour and are dropped.
_ROUND_SEGMENT = 32
_ROUND_TOTAL = 64


@dataclass
class Layout:
    """Where the prefix and the segments of a pack lie; keeps the masks of one step, which all layers share."""

    prefix: int
    bounds: tuple[tuple[int, int], ...]
    masks: dict[Any, torch.Tensor] = field(default_factory=dict)

    def mask(self, length: int, window: int | None, like: torch.Tensor) -> torch.Tensor:
        """Additive [length, prefix + length]: minus infinity where a segment's query may not look."""
        key = (length, window)
        if key not in self.masks:
            seen = torch.arange(self.prefix + length, device=like.device)
            asking = seen[self.prefix :, None]
            hidden = seen[None, :] > asking
            if window:
                hidden |= seen[None, :] <= asking - window
            self.masks[key] = torch.zeros_like(hidden, dtype=like.dtype).masked_fill_(hidden, float("-inf"))
        return self.masks[key]


def _attend(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor, scale: float) -> Any:
    """query [Hq, L, D], keys and values [Hk, S, D], mask [L, S] -> [Hq, L, D] (grouped heads)."""
    heads, length, width = query.shape
    groups = heads // keys.shape[0]
    if length > _LONGEST_PLAIN:
        return functional.scaled_dot_product_attention(
            query[None], keys[None], values[None], attn_mask=mask, scale=scale, enable_gqa=groups > 1
        )[0]
    grouped = query.reshape(keys.shape[0], groups * length, width)
    scores = torch.bmm(grouped * scale, keys.transpose(1, 2)).view(heads, length, -1).add_(mask)
    with torch.autocast(query.device.type, enabled=False):  # the kernel sums in fp32 anyway; this keeps half the memory
        weights = scores.softmax(-1).view(keys.shape[0], groups * length, -1)
    return torch.bmm(weights, values).view(heads, length, width)


def _packed_attention(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: Any, **options: Any
) -> tuple[torch.Tensor, None]:
    """transformers' attention signature: query [1, Hq, T, D], key and value [1, Hk, T, D] -> [1, T, Hq, D]."""
    layout: Layout = options["layout"]
    scale = options.get("scaling") or query.shape[-1] ** -0.5
    window = options.get("sliding_window")
    q, k, v = query[0], key[0], value[0]
    prefix = layout.prefix
    parts = []
    if prefix:
        empty = Layout(0, ())
        start = layout.masks.setdefault(("prefix", window), empty.mask(prefix, window, q))
        parts.append(_attend(q[:, :prefix], k[:, :prefix], v[:, :prefix], start, scale))
    for begin, end in layout.bounds:
        rounded = begin + _round_up(end - begin, _ROUND_SEGMENT)
        keys, values = k[:, begin:rounded], v[:, begin:rounded]
        if prefix:
            keys = torch.cat([k[:, :prefix], keys], 1)
            values = torch.cat([v[:, :prefix], values], 1)
        attended = _attend(q[:, begin:rounded], keys, values, layout.mask(rounded - begin, window, q), scale)
        parts.append(attended[:, : end - begin])
    filling = q.shape[1] - layout.bounds[-1][1]
    parts.append(q.new_zeros(q.shape[0], filling, q.shape[2], dtype=parts[-1].dtype))
    return torch.cat(parts, 1).transpose(0, 1)[None], None


def _round_up(number: int, to: int) -> int:
    return -(-number // to) * to


AttentionInterface.register(ATTENTION, _packed_attention)
AttentionMaskInterface.register(ATTENTION, lambda *args, **kwargs: None)


class _AnswerLoss(torch.autograd.Function):  # type: ignore[misc]
    """Summed cross-entropy over rows of hidden states, some rows at a time.

    Targets below zero do not count. The gradient is taken while the chunk's logits exist, so that the full
    [rows, vocabulary] tensor never does (the idea of Liger Kernel's fused linear cross-entropy, arXiv 2410.10989).
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, targets: torch.Tensor
    ) -> torch.Tensor:
        precise = torch.promote_types(hidden.dtype, torch.float32)
        total = hidden.new_zeros((), dtype=precise)
        wants = [hidden.requires_grad, weight.requires_grad]
        grad_hidden = torch.empty_like(hidden) if wants[0] else None
        grad_weight = torch.zeros_like(weight, dtype=precise) if wants[1] else None
        for start in range(0, len(targets), _LOGIT_ROWS):
            rows = slice(start, start + _LOGIT_ROWS)
            logits = functional.linear(hidden[rows], weight, bias).to(precise)
            counts = (targets[rows] >= 0).to(precise)[:, None]
            own = torch.arange(len(logits), device=logits.device), targets[rows].clamp_min(0)
            # Everything in place: one fp32 buffer a chunk, where log_softmax and softmax would take three.
            highest = logits.amax(-1, keepdim=True)
            wanted = logits[own] - highest[:, 0]
            sums = logits.sub_(highest).exp_().sum(-1, keepdim=True)
            total += ((sums[:, 0].log() - wanted) * counts[:, 0]).sum()
            if grad_hidden is None and grad_weight is None:
                continue
            logits.div_(sums)
            logits[own] -= 1.0
            slope = logits.mul_(counts).to(hidden.dtype)
            if grad_hidden is not None:
                grad_hidden[rows] = slope @ weight
            if grad_weight is not None:
                grad_weight += (slope.T @ hidden[rows]).to(precise)
        ctx.save_for_backward(grad_hidden, None if grad_weight is None else grad_weight.to(weight.dtype))
        return total

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        grad_hidden, grad_weight = ctx.saved_tensors
        scale = grads[0]
        return (
            None if grad_hidden is None else grad_hidden * scale.to(grad_hidden.dtype),
            None if grad_weight is None else grad_weight * scale.to(grad_weight.dtype),
            None,
            None,
        )


def check_supported(config: Any) -> None:
    """Refuses, in words, models whose output layer does more than a matrix product."""
    text = config.get_text_config()
    for name in ("final_logit_softcapping", "logit_scale", "attn_logit_softcapping"):
        if getattr(text, name, None):
            raise ModelError(
                f"This model uses {name}, which the training engine does not support.",
                fix="Choose another base model: `tailorbird models` lists those that work.",
            )


def answer_loss(model: Any, pack: Pack, mixed: bool) -> torch.Tensor:
    """Summed cross-entropy (nats) of a pack's targets; `mixed` computes matrix products in bfloat16."""
    filling = _round_up(len(pack.targets), _ROUND_TOTAL) - len(pack.targets)
    states, head = _predicting_states(model, pack, mixed, filling)
    targets = torch.tensor([*pack.targets, *[-1] * filling], device=states.device)
    return _AnswerLoss.apply(states, head.weight, getattr(head, "bias", None), targets)


@torch.no_grad()  # type: ignore[untyped-decorator]
def target_losses(model: Any, pack: Pack, mixed: bool) -> list[float]:
    """Cross-entropy (nats) of each target of a pack, in the pack's order."""
    states, head = _predicting_states(model, pack, mixed, filling=0)
    targets = torch.tensor(pack.targets, device=states.device)
    losses: list[float] = []
    for rows in states.split(_LOGIT_ROWS):
        chosen = targets[len(losses) : len(losses) + len(rows)]
        losses += functional.cross_entropy(head(rows).float(), chosen, reduction="none").tolist()
    return losses


def _predicting_states(model: Any, pack: Pack, mixed: bool, filling: int) -> tuple[torch.Tensor, Any]:
    """The last hidden states [targets + filling, width] that predict the targets, and the output layer."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    head = base.get_output_embeddings()
    device = head.weight.device
    begin, end = pack.bounds[-1]
    length = _round_up(max(begin + _round_up(end - begin, _ROUND_SEGMENT), len(pack.ids)), _ROUND_TOTAL)
    empty = [0] * (length - len(pack.ids))
    with torch.autocast(device.type, dtype=torch.bfloat16) if mixed else nullcontext():
        states = base.get_decoder()(
            input_ids=torch.tensor([[*pack.ids, *empty]], device=device),
            position_ids=torch.tensor([[*pack.positions, *empty]], device=device),
            use_cache=False,
            layout=Layout(pack.prefix, pack.bounds),
        ).last_hidden_state[0]
    return states[torch.tensor([*pack.predictors, *[0] * filling], device=device)].to(head.weight.dtype), head

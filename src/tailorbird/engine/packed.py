"""The packed, prefix-shared forward pass: from a pack of conversations to the loss of every target.

Gradients equal those of one conversation at a time (tests/engine/test_parity.py). Prefix sharing as for preference
pairs in arXiv 2410.20305, here for any conversations with a common start.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from tailorbird.engine import kernels
from tailorbird.engine.adapters import Soft, soft_prompt
from tailorbird.engine.attention import Layout
from tailorbird.engine.packing import Pack
from tailorbird.errors import ModelError

_LOGIT_ROWS = 256
_ROUND_TOKENS = 32  # few shapes of matrices, see kernels.whole_blocks


class _TargetLosses(torch.autograd.Function):  # type: ignore[misc]
    """Cross-entropy of each row of hidden states, some rows at a time: [N, D] -> [N].

    A row's gradient is taken while its logits exist, so that the full [N, vocabulary] tensor never does (the idea of
    Liger Kernel's fused linear cross-entropy, arXiv 2410.10989). Targets below zero do not count.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, targets: torch.Tensor
    ) -> torch.Tensor:
        losses = hidden.new_empty(len(hidden), dtype=kernels.precise(hidden.dtype))
        grad = torch.empty_like(hidden) if hidden.requires_grad else None
        for rows in _chunks(len(hidden)):
            powers = functional.linear(hidden[rows], weight, bias)
            shares = _cross_entropy(powers, targets[rows], losses[rows])
            if grad is not None:  # softmax @ weight - weight[target]
                expected = (powers @ weight).mul_(shares)
                grad[rows] = expected.sub_(weight[targets[rows].clamp_min(0)] * (shares > 0))
        ctx.save_for_backward(grad, hidden, weight, bias, targets)
        return losses

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        grad, hidden, weight, bias, targets = ctx.saved_tensors
        slopes = grads[0][:, None]
        of_weight = None
        if ctx.needs_input_grad[1]:  # full fine-tuning: the logits again, now that their share in the loss is known
            of_weight = torch.zeros_like(weight, dtype=slopes.dtype)
            for rows in _chunks(len(hidden)):
                powers = functional.linear(hidden[rows], weight, bias)
                shares = _cross_entropy(powers, targets[rows], slopes.new_empty(len(powers)))
                of_weight += powers.mul_(shares * slopes[rows]).T @ hidden[rows]
                counted = slopes[rows] * (shares > 0)
                of_weight.index_add_(0, targets[rows].clamp_min(0), hidden[rows] * -counted)
            of_weight = of_weight.to(weight.dtype)
        return None if grad is None else (grad * slopes).to(hidden.dtype), of_weight, None, None


class _Divergences(torch.autograd.Function):  # type: ignore[misc]
    """How far each row's distribution over the next token is from that of its guide: [N, D], guides [N, D] -> [N].

    Kullback-Leibler divergence in nats, guide against row, some rows at a time as in `_TargetLosses`; of the output
    layer there is no gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, guides: torch.Tensor
    ) -> torch.Tensor:
        losses = hidden.new_empty(len(hidden), dtype=kernels.precise(hidden.dtype))
        grad = torch.empty_like(hidden) if hidden.requires_grad else None
        for rows in _chunks(len(hidden)):
            own, wanted = (functional.linear(states[rows], weight, bias) for states in (hidden, guides))
            _divergence(own, wanted, losses[rows])
            if grad is not None:  # (softmax - guide's softmax) @ weight
                grad[rows] = own @ weight
        ctx.save_for_backward(grad)
        return losses

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        (grad,) = ctx.saved_tensors
        return None if grad is None else (grad * grads[0][:, None]).to(grad.dtype), None, None, None


def _chunks(rows: int) -> list[slice]:
    return [slice(start, start + _LOGIT_ROWS) for start in range(0, rows, _LOGIT_ROWS)]


def _cross_entropy(logits: torch.Tensor, targets: torch.Tensor, losses: torch.Tensor) -> torch.Tensor:
    """Fills `losses` [N]; turns logits [N, V] into powers whose rows times the returned shares [N, 1] are softmax."""
    shares = torch.empty_like(losses)
    if logits.device.type == "cpu":
        kernels.cross_entropy(kernels.raw(logits), targets.numpy(), kernels.raw(losses), kernels.raw(shares))
        return shares[:, None]
    wide = logits.to(losses.dtype)
    losses.copy_(functional.cross_entropy(wide, targets, ignore_index=-1, reduction="none"))
    logits.copy_(wide.softmax(-1))
    return (targets >= 0).to(shares.dtype)[:, None]


def _divergence(logits: torch.Tensor, wanted: torch.Tensor, losses: torch.Tensor) -> None:
    """Fills `losses` [N]; turns logits [N, V] into their softmax less that of the wanted ones."""
    if logits.device.type == "cpu":
        kernels.divergence(kernels.raw(logits), kernels.raw(wanted), kernels.raw(losses))
        return
    own, guide = (rows.to(losses.dtype).log_softmax(-1) for rows in (logits, wanted))
    losses.copy_((guide.exp() * (guide - own)).sum(-1))
    logits.copy_(own.exp() - guide.exp())


def check_supported(config: Any) -> None:
    """Refuses, in words, models whose output layer does more than a matrix product."""
    text = config.get_text_config()
    for name in ("final_logit_softcapping", "logit_scale", "attn_logit_softcapping"):
        if getattr(text, name, None):
            raise ModelError(
                f"This model uses {name}, which the training engine does not support.",
                fix="Choose another base model: `tailorbird models` lists those that work.",
            )


def hidden_states(model: Any, pack: Pack) -> torch.Tensor:
    """The last layer's output for each of a pack's tokens, and for some filling after them; differentiable."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    embed = base.get_input_embeddings()
    device = embed.weight.device
    filling = [0] * (-len(pack.ids) % _ROUND_TOKENS)
    ids = torch.tensor([*pack.ids, *filling], device=device)
    soft = soft_prompt(model) if pack.ids[0] < 0 else Soft(None, None)
    embedded = embed(ids.clamp_min(0))
    if soft.states is not None:
        embedded = torch.cat([soft.states.to(embedded.dtype), embedded[len(soft.states) :]])
    states: torch.Tensor = base.get_decoder()(
        inputs_embeds=embedded[None],
        position_ids=torch.tensor([[*pack.positions, *filling]], device=device),
        use_cache=False,
        layout=Layout(pack.segments, len(filling), soft.prefix),
    ).last_hidden_state[0]
    return states


def target_states(model: Any, pack: Pack) -> torch.Tensor:
    """The last layer's output from which each of a pack's targets is predicted [targets, D]; differentiable."""
    states = hidden_states(model, pack)
    return states[torch.tensor(pack.predictors, device=states.device)]


def target_losses(model: Any, pack: Pack, guides: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy in nats of each of a pack's targets, in the pack's order; differentiable.

    The last targets, as many as there are `guides` [N, D], are not learned as they stand: theirs is the divergence from what
    the model that the guides are from (`target_states`) expects there.
    """
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    head = base.get_output_embeddings()
    layer = head.weight, getattr(head, "bias", None)
    rows = target_states(model, pack)
    learned = len(rows) - (0 if guides is None else len(guides))
    targets = torch.tensor(pack.targets[:learned], device=rows.device)
    losses = [_TargetLosses.apply(_filled(rows[:learned], 0), *layer, _filled(targets, -1))[:learned]] if learned else []
    if guides is not None and len(guides):
        kept = len(guides)
        losses.append(_Divergences.apply(_filled(rows[learned:], 0), *layer, _filled(guides.to(rows), 0))[:kept])
    return torch.cat(losses)


def _filled(rows: torch.Tensor, value: int) -> torch.Tensor:
    """The rows, and some filling after them so that few shapes of matrices occur."""
    missing = -len(rows) % _ROUND_TOKENS
    return torch.cat([rows, rows.new_full((missing, *rows.shape[1:]), value)]) if missing else rows


def answer_loss(model: Any, pack: Pack) -> torch.Tensor:
    """Summed cross-entropy (nats) of a pack's targets."""
    return target_losses(model, pack).sum()

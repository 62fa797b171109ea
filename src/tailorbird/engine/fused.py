"""Faster forms of a model's own layers, with the same results: what a step spends outside the large matrix products.

`fuse` looks for what nearly all decoders share (RMSNorm, q/k/v projections of one input, a gated MLP, LoRA on a linear
layer) and gives those modules another `forward`, and their file another `apply_rotary_pos_emb`. Norms, MLPs and rotary
positions are first compared with the model's own on random input; what differs, or has an unknown shape, stays as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch import nn
from torch.nn import functional

from tailorbird.engine import kernels


class _Saved(NamedTuple):
    """What gradients of LoRA projections want: all A matrices, all scaled B matrices, the input through A."""

    down: torch.Tensor | None
    up: torch.Tensor | None
    through: torch.Tensor | None


def fuse(model: Any) -> None:
    """Gives the model's frozen layers and their LoRA adapters faster forwards. Trained layers are left alone."""
    on_cpu = next(model.parameters()).device.type == "cpu"
    done: set[int] = set()
    for module in model.modules():
        if on_cpu and type(module).__name__.endswith("RMSNorm"):
            _fuse_norm(module)
        elif on_cpu and all(_is_plain_lora(getattr(module, name, None)) for name in ("gate_proj", "up_proj", "down_proj")):
            done.update(_fuse_mlp(module))
        elif all(_is_plain_lora(getattr(module, name, None)) for name in ("q_proj", "k_proj", "v_proj")):
            done.update(_fuse_projections([module.q_proj, module.k_proj, module.v_proj]))
            _fuse_rotary(module)
    for module in model.modules():
        if _is_plain_lora(module) and id(module) not in done:
            _fuse_projections([module])


def _is_plain_lora(module: Any) -> bool:
    """Whether this is a LoRA adapter, without variants such as DoRA, over a frozen linear layer."""
    return (
        isinstance(module, LoraLinear)
        and type(module.base_layer) is nn.Linear
        and not module.base_layer.weight.requires_grad
        and module.active_adapters == ["default"]
        and not module.lora_variant
        and isinstance(module.lora_dropout["default"], nn.Identity)
    )


class Projections:
    """LoRA projections of one input as one: their frozen weights [outputs, inputs] side by side, and their adapters.

    `watch` is told what the gradients of the adapters are made of: of the result [T, outputs], of what went through A [T, ranks],
    the input [T, inputs], and what went through A itself.
    """

    watch: ClassVar[Callable[[Projections, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], None] | None] = None

    def __init__(self, layers: Sequence[Any]) -> None:
        self.layers = layers
        self.widths = [layer.base_layer.out_features for layer in layers]
        self.weight = layers[0].base_layer.weight.detach()
        self.bias: torch.Tensor | None = None
        if len(layers) > 1:
            self.weight = torch.cat([layer.base_layer.weight.detach() for layer in layers])
            for layer, part in zip(layers, self.weight.split(self.widths), strict=True):
                layer.base_layer.weight.data = part  # the same memory, not a copy
        biases = [layer.base_layer.bias for layer in layers]
        if any(bias is not None for bias in biases):
            none = [torch.zeros(width, dtype=self.weight.dtype, device=self.weight.device) for width in self.widths]
            self.bias = torch.cat([zero if bias is None else bias.detach() for bias, zero in zip(biases, none, strict=True)])

    @property
    def adapter(self) -> list[torch.Tensor]:
        """The A matrices [rank, inputs], then the B matrices [outputs, rank]; none while adapters are switched off."""
        if self.layers[0].disable_adapters:
            return []
        downs = [layer.lora_A["default"].weight for layer in self.layers]
        return downs + [layer.lora_B["default"].weight for layer in self.layers]

    def stacked(self, adapter: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """All A matrices as one [ranks, inputs], all scaled B matrices as one block-diagonal [outputs, ranks]."""
        count = len(self.layers)
        down = torch.cat([a.detach() for a in adapter[:count]]).to(self.weight.dtype)
        up = down.new_zeros(len(self.weight), len(down))
        row = column = 0
        for layer, b in zip(self.layers, adapter[count:], strict=True):
            up[row : row + b.shape[0], column : column + b.shape[1]] = b.detach() * layer.scaling["default"]
            row, column = row + b.shape[0], column + b.shape[1]
        return down, up

    def project(self, x: torch.Tensor, adapter: Sequence[torch.Tensor]) -> tuple[torch.Tensor, _Saved]:
        """x [T, inputs] -> [T, outputs], and what the gradients want."""
        y = functional.linear(x, self.weight, self.bias)
        if not adapter:
            return y, _Saved(None, None, None)
        down, up = self.stacked(adapter)
        through = x @ down.T
        return y.addmm_(through, up.T), _Saved(down, up, through)

    def gradients_back(self, grad: torch.Tensor, saved: _Saved, wants_input: bool) -> tuple[Any, Any]:
        """From the gradient of `project`'s result [T, outputs] those of its input and of what went through A."""
        of_input = grad @ self.weight if wants_input else None
        if saved.up is None:
            return of_input, None
        of_through = grad @ saved.up
        if of_input is not None:
            of_input.addmm_(of_through, saved.down)
        return of_input, of_through

    def gradients_of_adapter(self, grad: torch.Tensor, of_through: Any, x: torch.Tensor, saved: _Saved) -> list[torch.Tensor]:
        """The gradients of the A and B matrices, in the order of `adapter`."""
        if saved.up is None:
            return []
        if Projections.watch is not None:
            Projections.watch(self, grad, of_through, x, saved.through)
        of_down, of_up = of_through.T @ x, grad.T @ saved.through
        downs: list[torch.Tensor] = []
        ups: list[torch.Tensor] = []
        row = column = 0
        for layer, width in zip(self.layers, self.widths, strict=True):
            like = layer.lora_A["default"].weight
            rank = like.shape[0]
            downs.append(of_down[column : column + rank].to(like.dtype))
            ups.append(of_up[row : row + width, column : column + rank].to(like.dtype) * layer.scaling["default"])
            row, column = row + width, column + rank
        return downs + ups


class _Project(torch.autograd.Function):  # type: ignore[misc]
    """Several LoRA projections of one input: x [..., inputs] -> [..., outputs] of each."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, projections: Projections, *adapter: torch.Tensor) -> tuple[torch.Tensor, ...]:
        flat = x.reshape(-1, x.shape[-1])
        y, saved = projections.project(flat, adapter)
        ctx.save_for_backward(flat, *saved)
        ctx.projections, ctx.shape = projections, x.shape
        return tuple(y.view(*x.shape[:-1], -1).split(projections.widths, -1))

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        flat, *kept = ctx.saved_tensors
        saved = _Saved(*kept)
        grad = (torch.cat(grads, -1) if len(grads) > 1 else grads[0]).reshape(len(flat), -1)
        of_x, of_through = ctx.projections.gradients_back(grad, saved, ctx.needs_input_grad[0])
        of_adapter = ctx.projections.gradients_of_adapter(grad, of_through, flat, saved)
        return (None if of_x is None else of_x.view(ctx.shape), None, *of_adapter)


class _GatedMlp(torch.autograd.Function):  # type: ignore[misc]
    """down(act(gate(x)) * up(x)) with LoRA on all three; the product is computed again for the gradient, not kept."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, first: Projections, last: Projections, tanh: bool, *adapter: torch.Tensor) -> Any:
        flat = x.reshape(-1, x.shape[-1])
        both, saved_first = first.project(flat, adapter[:4])
        product = both.new_empty(len(both), both.shape[1] // 2)
        kernels.gate(kernels.raw(both), tanh, kernels.raw(product), kernels.exact(both))
        y, saved_last = last.project(product, adapter[4:])
        ctx.save_for_backward(flat, both, *saved_first, *saved_last)
        ctx.first, ctx.last, ctx.tanh, ctx.shape = first, last, tanh, x.shape
        return y.view(x.shape)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        flat, both, *kept = ctx.saved_tensors
        saved_first, saved_last = _Saved(*kept[:3]), _Saved(*kept[3:])
        grad = grads[0].reshape(len(flat), -1)
        slope, through_last = ctx.last.gradients_back(grad, saved_last, True)
        product, slopes = torch.empty_like(slope), torch.empty_like(both)
        kernels.gate_backward(
            kernels.raw(slope), kernels.raw(both), ctx.tanh, kernels.raw(slopes), kernels.raw(product), kernels.exact(both)
        )
        of_last = ctx.last.gradients_of_adapter(grad, through_last, product, saved_last)
        of_x, through_first = ctx.first.gradients_back(slopes, saved_first, ctx.needs_input_grad[0])
        of_first = ctx.first.gradients_of_adapter(slopes, through_first, flat, saved_first)
        return (None if of_x is None else of_x.view(ctx.shape), None, None, None, *of_first, *of_last)


class _Norm(torch.autograd.Function):  # type: ignore[misc]
    """RMSNorm with a frozen weight: x [..., D] -> [..., D]."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, extra: float, epsilon: float) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1])
        out, scales = torch.empty_like(flat), flat.new_empty(len(flat), dtype=kernels.precise(x.dtype))
        kernels.normalise(kernels.raw(flat), kernels.raw(weight), extra, epsilon, kernels.raw(out), kernels.raw(scales))
        ctx.save_for_backward(flat, weight, scales)
        ctx.extra, ctx.shape = extra, x.shape
        return out.view(x.shape)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        flat, weight, scales = ctx.saved_tensors
        out = torch.empty_like(flat)
        grad = grads[0].reshape(flat.shape)
        kernels.normalise_backward(*map(kernels.raw, (grad, flat, weight)), ctx.extra, kernels.raw(scales), kernels.raw(out))
        return out.view(ctx.shape), None, None, None


class _Rotate(torch.autograd.Function):  # type: ignore[misc]
    """Rotary positions of query and key, [1, H, T, D] each; cos and sin [1, T, D]."""

    @staticmethod
    def forward(
        ctx: Any, query: torch.Tensor, key: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        ctx.save_for_backward(cos, sin)
        return tuple(_rotated(states, cos, sin, back=False) for states in (query, key))

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        cos, sin = ctx.saved_tensors
        return (*(_rotated(grad, cos, sin, back=True) for grad in grads), None, None)


def _rotated(states: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, back: bool) -> torch.Tensor:
    by_token = states[0].transpose(0, 1)
    tokens, heads, size = by_token.shape
    if by_token.stride()[1:] != (size, 1):
        by_token = by_token.contiguous()
    stride = by_token.stride(0)
    flat = by_token.as_strided(((tokens - 1) * stride + heads * size,), (1,))
    out = states.new_empty(tokens, heads, size)
    kernels.rotate(
        kernels.raw(flat), stride, kernels.raw(cos[0]), kernels.raw(sin[0]), back, kernels.raw(out), kernels.exact(out)
    )
    return out.transpose(0, 1)[None]


def _fuse_rotary(attention: Any) -> None:
    """Rotates in one loop in all models of this attention's kind, if that equals what their module computes."""
    home = sys.modules[type(attention).__module__]
    theirs = getattr(home, "apply_rotary_pos_emb", None)
    if theirs is None or hasattr(theirs, "replaces"):
        return

    def ours(query: Any, key: Any, cos: Any, sin: Any, *options: Any, **named: Any) -> Any:
        plain = not options and not named and query.device.type == "cpu" and query.dtype == cos.dtype
        if plain and len(query) == len(cos) == 1 and query.shape[-1] == cos.shape[-1]:
            return _Rotate.apply(query, key, cos, sin)
        return theirs(query, key, cos, sin, *options, **named)

    angles = torch.arange(8.0).outer(torch.arange(1, 9.0)).repeat(1, 2)[None]
    states, tables = torch.randn(2, 1, 3, 8, 16, generator=torch.Generator().manual_seed(0)), (angles.cos(), angles.sin())
    if all(
        torch.allclose(one, other, atol=1e-5) for one, other in zip(ours(*states, *tables), theirs(*states, *tables), strict=True)
    ):
        ours.replaces = theirs  # type: ignore[attr-defined]
        home.apply_rotary_pos_emb = ours  # type: ignore[attr-defined]


def _fuse_projections(layers: Sequence[Any]) -> list[int]:
    """Computes layers that are given the same input at once, when the first of them is asked."""
    projections = Projections(layers)
    waiting: dict[int, torch.Tensor] = {}
    asked: list[torch.Tensor] = []

    def forward_of(index: int) -> Callable[[torch.Tensor], torch.Tensor]:
        def forward(x: torch.Tensor) -> torch.Tensor:
            if index not in waiting or asked[0] is not x:
                waiting.update(enumerate(_Project.apply(x, projections, *projections.adapter)))
                asked[:] = [x]
            y = waiting.pop(index)
            if not waiting:
                asked.clear()
            return y

        return forward

    for index, layer in enumerate(layers):
        layer.forward = forward_of(index)
    return [id(layer) for layer in layers]


def _fuse_mlp(module: Any) -> list[int]:
    """Computes a gated MLP's three projections and its activation in one go, if that equals what the module computes."""
    layers = [module.gate_proj, module.up_proj, module.down_proj]
    if any(layer.base_layer.bias is not None for layer in layers):
        return []
    first, last = Projections(layers[:2]), Projections(layers[2:])
    theirs = module.forward
    for tanh in (False, True):

        def forward(x: torch.Tensor, tanh: bool = tanh) -> Any:
            return _GatedMlp.apply(x, first, last, tanh, *first.adapter, *last.adapter)

        if _same(forward, theirs, layers[0].base_layer.in_features, first.weight.dtype):
            module.forward = forward
            return [id(layer) for layer in layers]
    return []


def _fuse_norm(module: Any) -> None:
    """Computes an RMSNorm in one loop, if that equals what the module computes."""
    weight = getattr(module, "weight", None)
    epsilon = getattr(module, "variance_epsilon", None) or getattr(module, "eps", None)
    if weight is None or epsilon is None or weight.dim() != 1 or weight.requires_grad:
        return
    for extra in (0.0, 1.0):  # Gemma's weights are around zero

        def forward(x: torch.Tensor, extra: float = extra) -> Any:
            return _Norm.apply(x, module.weight, extra, epsilon)

        if _same(forward, module.forward, len(weight), weight.dtype):
            module.forward = forward
            return


@torch.no_grad()  # type: ignore[untyped-decorator]
def _same(ours: Callable[[torch.Tensor], Any], theirs: Callable[[torch.Tensor], Any], width: int, dtype: torch.dtype) -> bool:
    """Whether two forwards agree on random input, within the rounding of the type."""
    x = torch.randn(1, 8, width, generator=torch.Generator().manual_seed(0)).to(dtype)
    expected = theirs(x)
    return bool((ours(x) - expected).norm() <= 4 * torch.finfo(dtype).eps * expected.norm())

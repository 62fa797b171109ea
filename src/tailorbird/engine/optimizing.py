"""AdamW for adapters in float32, and for whole models in bfloat16 with weights in float32 behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch


def make_optimizer(weights: Sequence[torch.nn.Parameter], learning_rate: float) -> torch.optim.AdamW:
    """The optimizer for these weights."""
    kind = torch.optim.AdamW if all(weight.dtype == torch.float32 for weight in weights) else MasterAdamW
    return kind(weights, lr=learning_rate, weight_decay=0.0, fused=True)


class MasterAdamW(torch.optim.AdamW):  # type: ignore[misc]
    """AdamW (arXiv 1711.05101) in float32 for weights that the model keeps in bfloat16 (master weights, arXiv 1710.03740)."""

    def __init__(self, weights: Sequence[torch.nn.Parameter], **options: Any) -> None:
        self._weights = list(weights)
        super().__init__([weight.detach().float() for weight in weights], **options)

    @property
    def _masters(self) -> list[torch.Tensor]:
        return list(self.param_groups[0]["params"])

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Any = None) -> Any:
        """One step on the float32 weights, copied to the model's."""
        for master, weight in zip(self._masters, self._weights, strict=True):
            master.grad = None if weight.grad is None else weight.grad.float()
        super().step(closure)
        for master, weight in zip(self._masters, self._weights, strict=True):
            master.grad = None
            weight.copy_(master)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets the model's gradients."""
        for weight in self._weights:
            weight.grad = None

    def state_dict(self) -> dict[str, Any]:
        """AdamW's, with the float32 weights, without which a resumed run would go on from rounded ones."""
        return {**super().state_dict(), "masters": self._masters}

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The same back."""
        super().load_state_dict({name: part for name, part in state_dict.items() if name != "masters"})
        for master, kept in zip(self._masters, state_dict["masters"], strict=True):
            master.copy_(kept)

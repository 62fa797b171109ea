"""Floating-point operations that training needs, and how many a second this machine does in bfloat16.

Operations of one step, a product of m x k by k x n counted as 2mkn:
- for each token computed (shared ones once): 4 x the weights of the blocks' linear layers (forward, and the gradient of
  the layer's input; frozen weights have none) + 6 x the LoRA weights (these have one);
- for each target: 4 x width x vocabulary (forward, and the gradient of the hidden state);
- for each (query, key) pair that may attend, a layer: 12 x heads x head size (scores and mixing forward, 2 each; the
  gradients of values, weights, queries and keys, 2 each). A token at position p attends to p + 1 keys.
DPO's reference pass is the forward part without LoRA: 2, 2 and 4 in place of 4 (and 6), 4 and 12.

Usage: .venv/bin/python benchmarks/speed_flops.py   prints the measured GFLOP/s of bfloat16 matrix products
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from tailorbird.engine.packing import Pack

_SIZE = 2048


@dataclass(frozen=True)
class Shape:
    """What of a model the count of operations depends on."""

    linear: int
    lora: int
    output: int
    attention: int  # layers x heads x head size

    @classmethod
    def of(cls, model: Any) -> Shape:
        """The shape of a PEFT model."""
        sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
        config = model.config.get_text_config()
        head_size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return cls(
            linear=sum(size for name, size in sizes.items() if name.endswith("base_layer.weight")),
            lora=sum(size for name, size in sizes.items() if "lora_" in name),
            output=config.hidden_size * config.vocab_size,
            attention=config.num_hidden_layers * config.num_attention_heads * head_size,
        )


def _counts(pack: Pack) -> tuple[int, int, int]:
    """Tokens computed, targets, and pairs of a query and a key: all that depends on how a pack is laid out."""
    return len(pack.ids), len(pack.targets), sum(pack.positions) + len(pack.positions)


def step_flops(pack: Pack, shape: Shape) -> float:
    """Operations of the forward and backward pass of one step."""
    tokens, targets, pairs = _counts(pack)
    return tokens * (4 * shape.linear + 6 * shape.lora) + 4 * targets * shape.output + 12 * pairs * shape.attention


def reference_flops(pack: Pack, shape: Shape) -> float:
    """Operations of DPO's reference pass over one step."""
    tokens, targets, pairs = _counts(pack)
    return 2 * tokens * shape.linear + 2 * targets * shape.output + 4 * pairs * shape.attention


def bf16_gflops(seconds: float = 3.0) -> float:
    """The best of many runs of a bfloat16 matrix product within some seconds."""
    left = torch.randn(_SIZE, _SIZE, dtype=torch.bfloat16)
    right = torch.randn(_SIZE, _SIZE, dtype=torch.bfloat16)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        functional.linear(left, right)
        best = min(best, time.perf_counter() - started)
    return 2 * _SIZE**3 / best / 1e9


if __name__ == "__main__":
    print(bf16_gflops())

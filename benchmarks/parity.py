"""The packed, prefix-shared step against plain transformers code on the real base model.

Usage: .venv/bin/python benchmarks/parity.py [CONVERSATIONS]
The yardstick is plain code, one conversation at a time, in float64; in float32 plain code itself is some way off it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from torch.nn import functional
from transformers.models.llama import modeling_llama

from tailorbird.demo import example
from tailorbird.engine import fused, loading, locate, packed, packing
from tailorbird.engine.attention import ATTENTION
from tailorbird.engine.chat import ChatEncoder, Encoded
from tailorbird.progress import silent

ROTARY = modeling_llama.apply_rotary_pos_emb  # as transformers has it, before a model was fused
SYSTEM = "You are the assistant of Foxglove & Finch, a vintage-clothing shop in Bristol. " * 3


def main() -> None:
    """Prints how far each way of computing loss and adapter gradients is from the yardstick."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    base = locate("smollm2-135m-instruct", silent)
    encoder = ChatEncoder(base)
    lines = (example("boutique") / "conversations.jsonl").read_text(encoding="utf-8").splitlines()[:count]
    system = {"role": "system", "content": SYSTEM}
    items = [encoder.encode([system, *json.loads(line)["messages"]]) for line in lines]
    found = {}
    for precision in ("float32", "float64"):
        for way in ("plain", "packed"):
            found[way, precision] = run(adapted(base, precision), items, way)
    true_loss, truth = found["plain", "float64"]
    length = torch.cat([g.flatten() for g in truth.values()]).norm()
    print(f"{count} conversations, {len(truth)} adapter tensors; relative differences from plain code in float64")
    for (way, precision), (loss, ours) in found.items():
        error = torch.cat([(ours[name] - g).flatten() for name, g in truth.items()]).norm() / length
        print(f"{way:6} {precision}: loss {abs(loss / true_loss - 1):.1e}, gradient {error:.1e}")


def adapted(base: Path, precision: str) -> torch.nn.Module:
    """The base model with a random adapter, the same every time, and transformers' own layers."""
    torch.manual_seed(0)
    recipe = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(loading.load_base(base, packed=False, precise=True), recipe).train()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    return model.to(getattr(torch, precision))


def run(model: torch.nn.Module, items: list[Encoded], way: str) -> tuple[float, dict[str, torch.Tensor]]:
    """The summed loss and the gradients of one way of computing them."""
    if way == "plain":
        modeling_llama.apply_rotary_pos_emb = ROTARY
        return sum(plain(model, item) for item in items), gradients(model)
    model.get_base_model().set_attn_implementation(ATTENTION)
    fused.fuse(model)
    loss = packed.answer_loss(model, packing.lay_out(items))
    loss.backward()
    return loss.item(), gradients(model)


def plain(model: torch.nn.Module, item: Encoded) -> float:
    """One conversation with full logits and shifted labels, as anybody would write it; leaves its gradient."""
    logits = model(input_ids=torch.tensor([item.ids])).logits[0, :-1]
    labels = torch.tensor([token if flag else -100 for token, flag in zip(item.ids, item.trained, strict=True)])[1:]
    loss = functional.cross_entropy(logits, labels, ignore_index=-100, reduction="sum")
    loss.backward()
    return loss.item()


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The adapter's gradients, taken away."""
    found = {name: p.grad.double() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


main()

"""The packed, prefix-shared step against plain transformers code on the real base model.

Usage: .venv/bin/python benchmarks/parity.py [CONVERSATIONS]
The yardstick is plain code, one conversation at a time, in float64; in float32 plain code itself is some way off it.
"""

from __future__ import annotations

import json
import sys

import torch
from torch.nn import functional

from tailorbird.demo import example
from tailorbird.engine import loading, locate, packed, packing
from tailorbird.engine.chat import ChatEncoder, Encoded
from tailorbird.progress import silent

SYSTEM = "You are the assistant of Foxglove & Finch, a vintage-clothing shop in Bristol. " * 3


def main() -> None:
    """Prints how far each way of computing loss and adapter gradients is from the yardstick."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    base = locate("smollm2-135m-instruct", silent)
    encoder = ChatEncoder(base)
    lines = (example("boutique") / "conversations.jsonl").read_text(encoding="utf-8").splitlines()[:count]
    system = {"role": "system", "content": SYSTEM}
    items = [encoder.encode([system, *json.loads(line)["messages"]]) for line in lines]
    model = loading.add_lora(loading.load_base(base, packed=False, precise=True), 8, 16, seed=0).train()
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    found = {}
    for precision in ("float32", "float64"):
        model.to(getattr(torch, precision))
        for way in ("plain", "packed"):
            found[way, precision] = run(model, items, way)
    true_loss, truth = found["plain", "float64"]
    length = torch.cat([g.flatten() for g in truth.values()]).norm()
    print(f"{count} conversations, {len(truth)} adapter tensors; relative differences from plain code in float64")
    for (way, precision), (loss, ours) in found.items():
        error = torch.cat([(ours[name] - g).flatten() for name, g in truth.items()]).norm() / length
        print(f"{way:6} {precision}: loss {abs(loss / true_loss - 1):.1e}, gradient {error:.1e}")


def run(model: torch.nn.Module, items: list[Encoded], way: str) -> tuple[float, dict[str, torch.Tensor]]:
    """The summed loss and the gradients of one way of computing them."""
    model.get_base_model().set_attn_implementation("eager" if way == "plain" else packed.ATTENTION)
    if way == "plain":
        return sum(plain(model, item) for item in items), gradients(model)
    loss = packed.answer_loss(model, packing.lay_out(items), mixed=False)
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

"""Measures before and while training: tokens, speed on this machine, a model's shape, memory."""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from pathlib import Path

from safetensors import safe_open

from tailorbird.engine.adapters import add_lora
from tailorbird.engine.chat import ChatEncoder
from tailorbird.engine.loading import load_base
from tailorbird.engine.objectives import Chats, encode_all
from tailorbird.engine.packed import target_losses
from tailorbird.engine.packing import plan_steps, shared_prefix
from tailorbird.progress import Progress


def peak_memory_gb() -> float:
    """The most memory this process has used, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def measure_speed(base: Path, sample: Chats, plan_tokens: int, rank: int, progress: Progress) -> float:
    """Training tokens a second on this machine, from five real passes, the first two of which do not count."""
    encoder = ChatEncoder(base)
    groups = [(item,) for item in encode_all(encoder, sample, plan_tokens)]
    model = add_lora(load_base(base, packed=True), rank, 2 * rank, seed=0)
    packs = (plan_steps(groups, plan_tokens, epochs=1, seed=0)[:5] * 5)[:5]
    model.train()
    with progress("Measuring this machine's training speed", len(packs)) as advance:
        for number, chosen in enumerate(packs):
            if number == 2:
                started = time.monotonic()
            target_losses(model, chosen).sum().backward()
            advance(1)
    return float(sum(len(p.ids) for p in packs[2:]) / (time.monotonic() - started))


def measure_lengths(base: Path, chats: Chats) -> tuple[list[int], int]:
    """Tokens of each chat under the model's own template, and the length of the prefix they all share."""
    encoder = ChatEncoder(base)
    encoded = [encoder.encode(chat) for chat in chats]
    return [len(item.ids) for item in encoded], shared_prefix(encoded)


def model_facts(base: Path) -> dict[str, int]:
    """Width, layers, vocabulary, context and parameters of a model folder, read from its files only."""
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    config = config.get("text_config", config)
    return {
        "width": int(config["hidden_size"]),
        "inner": int(config["intermediate_size"]),
        "layers": int(config["num_hidden_layers"]),
        "heads": int(config["num_attention_heads"]),
        "vocabulary": int(config["vocab_size"]),
        "context": int(config.get("max_position_embeddings", 2048)),
        "parameters": sum(_parameters(path) for path in base.glob("*.safetensors")),
    }


def _parameters(weights: Path) -> int:
    with safe_open(weights, "pt") as tensors:
        return sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118 (not a dict)

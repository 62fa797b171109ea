"""Measures before and while training: tokens, speed on this machine, a model's shape, memory."""

from __future__ import annotations

import contextlib
import json
import math
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors import safe_open

from tailorbird.artifacts import Plan
from tailorbird.engine import sampling
from tailorbird.engine.adapters import add_adapter, virtual_tokens, with_virtual
from tailorbird.engine.chat import ChatEncoder
from tailorbird.engine.loading import load_base
from tailorbird.engine.objectives import Chats, encode_all
from tailorbird.engine.optimizing import make_optimizer
from tailorbird.engine.packed import target_losses
from tailorbird.engine.packing import Pack, plan_steps, shared_prefix
from tailorbird.progress import Advance, Progress

_WARMING, _PASSES, _CHECKED = 2, 6, 2
_SECONDS = 8.0
_ASKED, _WRITTEN = 4, 12  # prompts and answers to each, tokens of an answer


@dataclass(frozen=True)
class Calibration:
    """What this machine does with the planned step.

    Tokens a second of training, of checking and, where the plan has the model write, of writing many answers at once;
    seconds and GB of a checkpoint; the most memory (GB) above what the process used before, None where the system is silent.
    """

    training: float
    checking: float
    writing: float
    checkpoint_seconds: float
    checkpoint_gb: float
    memory_gb: float | None


def forget_peak() -> bool:
    """Lets `peak_memory_gb` begin anew; False where the system cannot (proc(5), clear_refs)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
        return True
    return False


def peak_memory_gb() -> float:
    """The most memory this process has used since `forget_peak`, or since it began, in GB."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def calibrate(base: Path, plan: Plan, sample: Chats, progress: Progress) -> Calibration:
    """About ten seconds of real training as planned, its first passes left out; what it learns is thrown away."""
    encoder = ChatEncoder(base)
    items = encode_all(encoder, sample, plan.sequence_length)
    telling = forget_peak()
    before = _memory_gb()
    model = add_adapter(load_base(base, packed=True), plan, items[0].ids)
    groups = [(item,) for item in with_virtual(items, virtual_tokens(model))]
    packs = sorted(plan_steps(groups, plan.tokens_per_pass, epochs=1, seed=0), key=lambda pack: -len(pack.ids))
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = make_optimizer(weights, plan.learning_rate)
    model.train()
    with progress("Measuring this machine's training speed", _PASSES) as advance:
        training = _speed(packs, advance, lambda pack: _learn(model, pack, weights, optimizer))
        model.eval()
        with torch.no_grad():
            checking = _speed(packs[:_CHECKED], lambda amount: None, lambda pack: target_losses(model, pack), fewest=_CHECKED)
    writing = _writing(model, encoder, sample) if plan.learns_from == "rewards" else 0.0
    memory = peak_memory_gb() - before if telling else None
    seconds, size = _checkpoint(model, optimizer)
    return Calibration(training, checking, writing, seconds, size, memory)


def _learn(model: Any, pack: Pack, weights: list[Any], optimizer: Any) -> None:
    target_losses(model, pack).mean().backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    optimizer.zero_grad()


def _speed(packs: list[Pack], advance: Advance, work: Callable[[Pack], Any], fewest: int = _PASSES) -> float:
    """Tokens a second over passes in turn: some that warm up, then at least `fewest`, and as many as the seconds allow."""
    tokens, started, number = 0, 0.0, 0
    while True:
        pack = packs[number % len(packs)]
        if number == _WARMING:
            started = time.monotonic()
        work(pack)
        number += 1
        if number > _WARMING:
            tokens += len(pack.ids)
            advance(1)
            if number - _WARMING >= fewest and (number >= 4 * fewest or time.monotonic() - started > _SECONDS):
                return float(tokens / (time.monotonic() - started))


def _writing(model: Any, encoder: ChatEncoder, sample: Chats) -> float:
    """Tokens a second of answers to a few prompts, as reinforcement writes them."""
    prompts = [encoder.prompt(chat[:-1] if chat[-1]["role"] == "assistant" else chat) for chat in sample[:_ASKED]]
    started = time.monotonic()
    written = sampling.sample(model, encoder, prompts, _ASKED, _WRITTEN)
    return sum(map(len, written)) / (time.monotonic() - started)


def _checkpoint(model: Any, optimizer: Any) -> tuple[float, float]:
    """Seconds and GB of what a checkpoint holds."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        model.save_pretrained(folder)
        torch.save(optimizer.state_dict(), Path(folder) / "optimizer.pt")
        size = sum(path.stat().st_size for path in Path(folder).rglob("*"))
        return time.monotonic() - started, size / 1e9


def _memory_gb() -> float:
    return float(psutil.Process().memory_info().rss / 1e9)


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

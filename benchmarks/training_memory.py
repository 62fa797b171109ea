"""Memory and speed of real training steps on the boutique, against what the plan predicts.

Usage: .venv/bin/python benchmarks/training_memory.py [--steps N]
Each row is a process of its own; "kept" says whether glibc keeps freed buffers (engine/loading.py).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Prints a row for every step size, with the allocator's setting and without."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--steps", type=int, default=12)
    arguments.add_argument("--one", nargs=2, metavar=("TOKENS", "KEPT"))
    chosen = arguments.parse_args()
    if chosen.one:
        one(int(chosen.one[0]), chosen.one[1] == "kept", chosen.steps)
        return
    print("tokens a step | buffers | predicted GB | peak GB | tokens/s", flush=True)
    for tokens in (512, 1024, 1536):
        for kept in ("kept", "returned"):
            subprocess.run([sys.executable, __file__, "--steps", str(chosen.steps), "--one", str(tokens), kept], check=True)


def one(tokens: int, kept: bool, count: int) -> None:
    """Trains `count` steps of `tokens` tokens and prints what they took; the first two are not timed."""
    import shutil

    import torch
    from peft.helpers import disable_input_dtype_casting

    from tailorbird import Workspace, audit, import_conversations
    from tailorbird.demo import example
    from tailorbird.engine import fitting, loading, locate, model_facts, packed, packing
    from tailorbird.engine.chat import ChatEncoder
    from tailorbird.planning import cost
    from tailorbird.progress import silent
    from tailorbird.workspace import read_conversations

    if not kept:
        loading.keep_freed_memory = lambda: None
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(example("boutique"), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("artifacts"))
        workspace = Workspace(Path(folder))
        made = audit(workspace, import_conversations(workspace))
        chats = [c.messages for c in read_conversations(workspace.path(made) / "train.jsonl")]
    base = locate("smollm2-135m-instruct", silent)
    items = fitting.encode_all(ChatEncoder(base), chats, tokens)
    model = loading.add_lora(loading.load_base(base, packed=True), 16, 32, seed=0).train()
    mixed = loading.mixed_precision()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    done, started = 0, 0.0
    for number, step in enumerate(packing.plan_steps(items, tokens, 1, seed=0)[: count + 2]):
        if number == 2:
            done, started = 0, time.monotonic()
        with disable_input_dtype_casting(model, active=mixed):
            (packed.answer_loss(model, step, mixed) / len(step.targets)).backward()
        optimizer.step()
        optimizer.zero_grad()
        done += len(step.ids)
    predicted = cost.memory_gb(model_facts(base), tokens, max(len(item.ids) for item in items), 16, mixed)
    speed = done / (time.monotonic() - started)
    print(
        f"{tokens} | {'kept' if kept else 'returned'} | {predicted:.2f} | {fitting.peak_memory_gb():.2f} | {speed:.0f}",
        flush=True,
    )


main()

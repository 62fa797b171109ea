"""Peak memory of real training steps against what the plan predicts, over model size, sequence length and tokens a pass.

Usage: .venv/bin/python benchmarks/training_memory.py [--steps N]
Each row is a process of its own that trains N steps on random conversations, half of whose tokens are targets, as
`tailorbird train` does. Models other than the default one have random weights.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

# Width, inner width, layers, heads, heads of keys: the default model (135M parameters), 32M, 362M.
SHAPES = {
    "default": None,
    "32M": (256, 768, 12, 4, 2),
    "362M": (960, 2560, 32, 15, 5),
}
ROWS = [
    ("default", 200, 256), ("default", 320, 512), ("default", 320, 1024), ("default", 1024, 1024), ("default", 1536, 1536),
    ("default", 320, 2048), ("32M", 320, 1024), ("362M", 320, 512), ("362M", 320, 1024),
]  # fmt: skip


def main() -> None:
    """Prints a row for every case."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--steps", type=int, default=8)
    arguments.add_argument("--one", nargs=3, metavar=("MODEL", "LONGEST", "TOKENS"))
    chosen = arguments.parse_args()
    if chosen.one:
        one(chosen.one[0], int(chosen.one[1]), int(chosen.one[2]), chosen.steps)
        return
    print("model | longest | tokens a pass | predicted GB | peak GB | peak / predicted", flush=True)
    for row in ROWS:
        subprocess.run([sys.executable, __file__, "--steps", str(chosen.steps), "--one", *map(str, row)], check=True)


def one(name: str, longest: int, tokens: int, steps: int) -> None:
    """Trains and prints what it took."""
    import torch

    from tailorbird.engine import adapters, loading, locate, measuring, model_facts, objectives, packing
    from tailorbird.planning import cost
    from tailorbird.progress import silent

    default = locate("smollm2-135m-instruct", silent)
    with tempfile.TemporaryDirectory() as folder:
        base = random_model(default, name, Path(folder)) if SHAPES[name] else default
        model = adapters.add_lora(loading.load_base(base, packed=True), 16, 32, seed=0).train()
        predicted = cost.memory_gb(model_facts(base), tokens, longest, 16, loading.mixed_precision())
    groups = [(conversation(n, longest),) for n in range(steps * tokens // longest * 2 + 2)]
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, fused=True)
    for pack in packing.plan_steps(groups, tokens, 1, seed=0)[:steps]:
        step = objectives.Pass(pack)
        (step.losses(model).sum() / step.terms).backward()
        optimizer.step()
        optimizer.zero_grad()
    peak = measuring.peak_memory_gb()
    print(f"{name} | {longest} | {tokens} | {predicted:.2f} | {peak:.2f} | {peak / predicted:.2f}", flush=True)


def conversation(seed: int, longest: int) -> object:
    """Random tokens, the second half of them targets, of a length between a third of the longest and the longest."""
    from tailorbird.engine.chat import Encoded

    chance = random.Random(seed)
    half = chance.randint(longest // 6, longest // 2)
    return Encoded(tuple(chance.randrange(49000) for _ in range(2 * half)), (False,) * half + (True,) * half)


def random_model(default: Path, name: str, folder: Path) -> Path:
    """A model of another shape with random weights in bfloat16."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(default)
    width, inner, layers, heads, kept = SHAPES[name]
    config.update({
        "hidden_size": width, "intermediate_size": inner, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": kept, "head_dim": width // heads,
    })  # fmt: skip
    subprocess.run([sys.executable, "-c", SAVE, config.to_json_string(), str(folder)], check=True)  # its memory does not count
    return folder


SAVE = """
import json, sys, torch
from transformers import AutoModelForCausalLM, LlamaConfig
AutoModelForCausalLM.from_config(LlamaConfig(**json.loads(sys.argv[1])), dtype=torch.bfloat16).save_pretrained(sys.argv[2])
"""


if __name__ == "__main__":
    main()

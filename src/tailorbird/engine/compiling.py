"""Compiles the loops of kernels.py once for this processor, in a process of its own.

Code fresh from the compiler adds numbers in another order than the same code from its cache: without this the first run
on a machine, interrupted and resumed, would not end with exactly the same weights.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import numba
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tailorbird.engine import kernels
from tailorbird.engine.adapters import add_lora
from tailorbird.engine.attention import ATTENTION
from tailorbird.engine.chat import Encoded
from tailorbird.engine.packed import answer_loss, target_losses, target_states
from tailorbird.engine.packing import lay_out
from tailorbird.engine.precision import mixed_precision
from tailorbird.progress import Progress


def compile_loops(progress: Progress) -> None:
    """Fills the compiler's cache if it has nothing for this processor yet; takes half a minute then."""
    marker = Path(numba.config.CACHE_DIR) / f"compiled-{_fingerprint()}"
    if marker.is_file():
        return
    with progress("Compiling for this processor, once", None):
        done = subprocess.run([sys.executable, "-m", __name__], capture_output=True, check=False)
    if done.returncode == 0:  # else the loops are compiled when they are first used
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


def _fingerprint() -> str:
    """Of the loops, the compiler, and the processor."""
    told = (Path(kernels.__file__).read_bytes(), numba.__version__, llvm.get_host_cpu_name(), llvm.get_host_cpu_features())
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def _train_a_tiny_model(dtype: torch.dtype) -> None:
    shape = LlamaConfig(
        vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4,
        num_key_value_heads=2, attn_implementation=ATTENTION, dtype=dtype,
    )  # fmt: skip
    model = add_lora(LlamaForCausalLM(shape).to(dtype), rank=2, alpha=2, seed=0)
    ids = tuple(range(40))
    pack = lay_out([Encoded((*ids, end, end), (*[False] * 40, True, True)) for end in (50, 51)])
    answer_loss(model, pack).backward()
    target_losses(model, pack, target_states(model, pack).detach()).sum().backward()


if __name__ == "__main__":
    for kind in [torch.float32, *([torch.bfloat16] if mixed_precision() else [])]:
        _train_a_tiny_model(kind)

"""What a run was made with, so that an auditor can repeat it: seed, versions, the data's hashes, the machine."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import psutil
from pydantic import BaseModel

from tailorbird import __version__, engine
from tailorbird.artifacts import Plan
from tailorbird.progress import silent

FILE = "run.json"
_LIBRARIES = ("torch", "transformers", "peft", "accelerate", "trl", "numpy", "numba")


class Recorded(BaseModel):
    """The conditions of a run; the same ones give the same weights on the same machine."""

    seed: int
    versions: dict[str, str]
    data: dict[str, str]
    """SHA-256 of each file that was learned from or watched."""
    base_model: dict[str, str]
    """SHA-256 of the base model's weights."""
    processor: str
    cores: int
    memory_gb: float
    bfloat16: bool
    system: str


def recorded(plan: Plan, lessons: Path, base: Path) -> Recorded:
    """The conditions of a run of this plan, with its lessons in a folder, on this machine."""
    return Recorded(
        seed=plan.seed,
        versions={"python": platform.python_version(), "tailorbird": __version__, **{name: version(name) for name in _LIBRARIES}},
        data={path.name: _digest(path) for path in sorted(lessons.glob("*.jsonl"))},
        base_model={path.name: _digest(path) for path in sorted(base.glob("*.safetensors"))},
        processor=_processor(),
        cores=engine.cores(),
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        bfloat16=engine.mixed_precision(silent),
        system=platform.platform(),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _processor() -> str:
    """The processor's name; the standard library knows only its kind on Linux."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())

"""What plans predict against what training then takes: minutes and memory, over methods and sizes.

Usage: .venv/bin/python benchmarks/predictions.py [--minutes 1.5] [--rows N]
Each row is a workspace of its own, planned and trained by the command line in processes of their own, as an owner would.
Minutes are compared for the steps that were taken, since a run may stop early.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("TAILORBIRD_DATA") or ROOT.parent / "shared" / "data")
BOUTIQUE, TICKETS = "boutique", "tickets"
ROWS: list[tuple[str, dict[str, Any]]] = [
    (BOUTIQUE, {"method": "lora"}),
    (TICKETS, {"method": "lora"}),
    (BOUTIQUE, {"method": "full"}),
    (TICKETS, {"method": "full"}),
    (BOUTIQUE, {"method": "dora"}),
    (BOUTIQUE, {"method": "prompt"}),
    (BOUTIQUE, {"method": "prefix"}),
    (TICKETS, {"method": "prefix"}),
    (TICKETS, {"method": "lora", "lora_rank": 64}),
    (BOUTIQUE, {"method": "lora", "memory_gb": 2.2}),
]
TICKET_SETTINGS = """\
business: {name: Support}
system_prompt: You answer customers of a software company kindly and to the point.
sources:
  - {path: tickets.csv, map: {body: question, answer: answer, queue: tag}, where: {language: en}}
"""


def main() -> None:
    """Prints a row for each run, and how many predictions lie within a fifth."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=1.5)
    arguments.add_argument("--rows", type=int, default=len(ROWS))
    told = arguments.parse_args()
    print("data | training | predicted min | measured | ratio | predicted GB | measured | ratio", flush=True)
    near = []
    with tempfile.TemporaryDirectory() as scratch:
        for data in (BOUTIQUE, TICKETS):
            _prepare(Path(scratch) / data, data)
        for data, training in ROWS[: told.rows]:
            near.append(_row(Path(scratch) / data, data, training | {"minutes": told.minutes}))
    times, rooms = (sum(each) for each in zip(*near, strict=True))
    print(f"within 20%: minutes {times} of {len(near)}, memory {rooms} of {len(near)}")


def _prepare(folder: Path, data: str) -> None:
    if data == BOUTIQUE:
        shutil.copytree(ROOT / "examples" / "boutique", folder)
    else:
        folder.mkdir()
        shutil.copy(DATA / "tickets_multilang.csv", folder / "tickets.csv")
        (folder / "tailorbird.yaml").write_text(TICKET_SETTINGS)
    _run(folder, "import")
    _run(folder, "audit")


def _row(folder: Path, data: str, training: dict[str, Any]) -> tuple[bool, bool]:
    file = folder / "tailorbird.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"training": training}))
    plan, made = _run(folder, "plan"), _run(folder, "train")
    shutil.rmtree(folder / "artifacts" / "candidates")
    minutes = plan["minutes"] * made["steps"] / plan["steps"]
    time, room = made["minutes"] / minutes, made["peak_memory_gb"] / plan["memory_gb"]
    kind = " ".join(str(value) for name, value in training.items() if name != "minutes")
    print(f"{data} | {kind} | {minutes:.2f} | {made['minutes']:.2f} | {time:.2f} | {plan['memory_gb']:.2f} "
          f"| {made['peak_memory_gb']:.2f} | {room:.2f}", flush=True)  # fmt: skip
    return abs(time - 1) <= 0.2, abs(room - 1) <= 0.2


def _run(folder: Path, *command: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tailorbird", *command, "-w", str(folder), "--json"], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


if __name__ == "__main__":
    main()

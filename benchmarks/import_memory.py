"""Imports a large export and tells its speed and peak memory: Zendesk's JSON export, or a table in long form.

Usage: .venv/bin/python benchmarks/import_memory.py [--gb 1] [--form zendesk | csv]
The export is written to a temporary folder first: tickets of eight comments of 60 words, as help desks write them.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = ("the", "order", "parcel", "coat", "silk", "when", "will", "it", "arrive", "refund", "policy", "days", "please", "size")
SETTINGS = "business:\n  name: Benchmark\nsystem_prompt: You answer.\n"


def main() -> None:
    """Writes the export, imports it in a process of its own, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gb", type=float, default=1.0)
    parser.add_argument("--form", choices=("zendesk", "csv"), default="zendesk")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder)
        (shop / "tailorbird.yaml").write_text(SETTINGS)
        export = shop / ("tickets.json" if chosen.form == "zendesk" else "messages.csv")
        count = (zendesk if chosen.form == "zendesk" else table)(export, int(chosen.gb * 1e9))
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "tailorbird", "import", str(export), "-w", str(shop), "--json"], capture_output=True, text=True
        )
        seconds = time.monotonic() - started
        if done.returncode:
            raise SystemExit(done.stderr)
        made = json.loads(done.stdout)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
        size = export.stat().st_size / 1e9
        print(
            f"{size:.2f} GB of {chosen.form}, {count} conversations: {made['conversations']} imported in {seconds:.0f} s "
            f"({size * 1e3 / seconds:.1f} MB/s), peak {peak:.2f} GB"
        )


def words(chance: random.Random) -> str:
    """About sixty words."""
    return " ".join(chance.choices(WORDS, k=60))


def zendesk(path: Path, size: int) -> int:
    """Tickets, one a line."""
    chance, number = random.Random(1), 0
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            number += 1
            comments = [
                {"author_id": (7, 9)[n % 2], "public": True, "body": words(chance), "created_at": f"2026-01-02T10:0{n}:00Z"}
                for n in range(8)
            ]
            ticket = {
                "id": number, "subject": "Parcel", "description": comments[0]["body"], "status": "solved", "tags": ["a"],
                "created_at": "2026-01-02T10:00:00Z", "requester": {"id": 7, "name": "Ana", "email": f"a{number}@post.example"},
                "submitter": {"id": 7}, "assignee": {"id": 9, "name": "Mira"}, "comments": comments,
            }  # fmt: skip
            file.write(json.dumps(ticket) + "\n")
    return number


def table(path: Path, size: int) -> int:
    """Messages of a thousand conversations at a time, their rows mixed."""
    chance, number = random.Random(1), 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["conversation_id", "created_at", "role", "content"])
        while file.tell() < size:
            for turn in range(8):
                for offset in range(1000):
                    role = ("customer", "agent")[turn % 2]
                    writer.writerow([number + offset, f"2026-01-02T10:0{turn}:00Z", role, words(chance)])
            number += 1000
    return number


if __name__ == "__main__":
    main()

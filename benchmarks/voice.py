"""Whether closeness to a business's own voice tells its real answers from those of others.

Usage: .venv/bin/python benchmarks/voice.py
Each voice is learned from 70% of one source's answers; printed is the chance (AUC) that an answer of the rest is closer to it
than one of another source is. Sources: the boutique, English support tickets, a shop's FAQ, general instructions.
"""

from __future__ import annotations

import csv
import json
import os
import random
from pathlib import Path

import numpy as np

from tailorbird.knowledge import FUNCTION_WORDS
from tailorbird.language.voice import Voice

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("TAILORBIRD_DATA") or ROOT.parent / "shared" / "data")


def main() -> None:
    """Prints a row for each voice."""
    answers = sources()
    print("voice of | held-out answers | " + " | ".join(f"against {name}" for name in answers))
    for name, own in answers.items():
        mixed = random.Random(0).sample(own, len(own))
        cut = int(0.7 * len(mixed))
        voice = Voice(mixed[:cut], FUNCTION_WORDS)
        close = [voice.closeness(text) for text in mixed[cut:]]
        told = ["" if other == name else f"{_auc(close, [voice.closeness(t) for t in answers[other]]):.3f}" for other in answers]
        print(name, len(close), *told, sep=" | ")


def sources() -> dict[str, list[str]]:
    """Answers by where they are from."""
    lines = (ROOT / "examples" / "boutique" / "conversations.jsonl").read_text(encoding="utf-8").splitlines()
    with (DATA / "tickets_multilang.csv").open(encoding="utf-8") as file:
        tickets = [row["answer"] for row in csv.DictReader(file) if row["language"] == "en"]
    faq = json.loads((DATA / "ecommerce_faq.json").read_text(encoding="utf-8"))
    general = [row["output"] for row in json.loads((DATA / "alpaca_en_demo.json").read_text(encoding="utf-8"))]
    return {
        "boutique": [m["content"] for line in lines for m in json.loads(line)["messages"] if m["role"] == "assistant"],
        "tickets": tickets,
        "faq": [row["answer"] for row in faq["questions"]],
        "general": [text for text in general if 20 < len(text.split()) < 120][:300],
    }


def _auc(own: list[float], others: list[float]) -> float:
    one, other = np.array(own)[:, None], np.array(others)[None]
    return float((one > other).mean() + (one == other).mean() / 2)


if __name__ == "__main__":
    main()

"""Accuracy on Banking77 (77 intents, Casanueva et al. 2020): trained on all 10,003 questions, tested on all 3,080.

Usage: .venv/bin/python benchmarks/banking77.py [--minutes 30] [--folder DIR]
A workspace with one task of labels, through the same functions as the command line. The audit sets nothing aside; six test
questions stand in the training file with the same label and are imported once, and a fiftieth of the training questions is kept
to watch. References: 93.4% by dual encoders (Casanueva et al. 2020); on public model cards 90.2% by a 1B model with QLoRA in 50
minutes on a T4 and 91.9% by an 8B model on an A100.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from pathlib import Path

from tailorbird import Workspace, audit, console, evaluate, import_conversations, plan, train
from tailorbird.auditing.findings import RULES

DATA = Path(os.environ.get("TAILORBIRD_DATA") or Path(__file__).parents[2] / "shared" / "data")
SETTINGS = """\
business:
  name: Bank
system_prompt: You answer questions about a bank.
sources:
  - {{path: {train}, map: {{text: question, category: answer}}, task: intent}}
  - {{path: {test}, map: {{text: question, category: answer}}, task: intent, held_out: true}}
tasks:
  intent:
    system_prompt: Name the intent of the customer's question.
    answer: label
    read_twice: true
audit:
  validation_share: 0.02
  rules: {rules}
training: {training}
evaluation: {{labels: 10000, attacks: 0, counterfactuals: 0, training_answers: 0, forgetting: false, explained: 0}}
"""


def main() -> None:
    """Trains, tests and prints."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--folder", type=Path, default=Path("banking77-workspace"))
    arguments.add_argument("--minutes", type=float, default=30)
    arguments.add_argument("--set", default="{}", help="more of training: in tailorbird.yaml, as JSON")
    told = arguments.parse_args()
    told.folder.mkdir(parents=True, exist_ok=True)
    training = {"minutes": told.minutes} | json.loads(told.set)
    (told.folder / "tailorbird.yaml").write_text(
        SETTINGS.format(
            train=_in_words(told.folder, "train"), test=_in_words(told.folder, "test"),
            rules=json.dumps(dict.fromkeys(RULES, "ignore")), training=json.dumps(training),
        )
    )  # fmt: skip
    workspace = Workspace(told.folder)
    audited = audit(workspace, import_conversations(workspace, progress=console.bar), console.bar)
    planned = plan(workspace, audited, console.bar)
    candidate = train(workspace, planned, console.bar)
    started = time.monotonic()
    card = evaluate(workspace, candidate, console.bar)
    rows = [json.loads(line) for line in (workspace.path(card) / "labels.jsonl").read_text().splitlines()]
    part = card.parts["task intent"]
    for system in part.systems:
        figures = part.systems[system]
        print(system, *(f"{name} {f.value:.4f} ({f.low:.4f} to {f.high:.4f})" for name, f in figures.items()), sep="; ")
    print(f"{len(rows)} questions; answered in {time.monotonic() - started:.0f} s; {planned.why['steps']}")
    print(
        f"{candidate.minutes:.1f} minutes, {candidate.peak_memory_gb:.2f} GB; planned {planned.minutes} and {planned.memory_gb}"
    )


def _in_words(folder: Path, part: str) -> str:
    """The published file, its labels with spaces: words that the model knows."""
    rows = list(csv.reader((DATA / f"banking77_{part}.csv").read_text(encoding="utf-8").splitlines()))
    with (folder / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([rows[0], *([question, label.replace("_", " ")] for question, label in rows[1:])])
    return f"{part}.csv"


if __name__ == "__main__":
    main()

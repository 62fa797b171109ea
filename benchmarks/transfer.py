"""What learning in one language does for the others: trained on English only, and on all, tested on each of five.

Usage: .venv/bin/python benchmarks/transfer.py [--minutes 5] [--folder DIR]
Tickets in en, de, es, fr and pt. Both runs are tested on the same conversations: English is held out by the same seed, and of the
other languages those that the run on all has held out.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from tailorbird import Workspace, audit, console, evaluate, import_conversations, plan, train
from tailorbird.artifacts import Audit, Scorecard
from tailorbird.workspace import read_conversations, write_lines

DATA = Path(os.environ.get("TAILORBIRD_DATA") or Path(__file__).parents[2] / "shared" / "data")
SETTINGS = """\
business: {{name: Support}}
system_prompt: You answer customers of a software company kindly and to the point.
sources:
  - {{path: {file}, map: {{body: question, answer: answer, queue: department}}}}
training: {{minutes: {minutes}}}
evaluation: {{attacks: 0, counterfactuals: 0, training_answers: 0, forgetting: false, explained: 0}}
"""
FIGURES = ("loss", "chrf", "right_language")


def main() -> None:
    """Trains twice and prints a table of languages."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--folder", type=Path, default=Path("transfer-workspace"))
    arguments.add_argument("--minutes", type=float, default=5)
    told = arguments.parse_args()
    everything = _workspace(told.folder / "all", told.minutes)
    audited = audit(everything, import_conversations(everything, progress=console.bar), console.bar)
    english = _only_english(everything, audited, told.folder / "english")
    cards = {}
    for name, workspace in (("all five", everything), ("English only", english)):
        planned = plan(workspace, workspace.newest(Audit, "audit"), console.bar)
        cards[name] = evaluate(workspace, train(workspace, planned, console.bar), console.bar)
    print("language | held out | figure | base | trained on English only | trained on all five")
    for part in cards["all five"].parts:
        for figure in FIGURES:
            values = [_value(cards["all five"], part, "base", figure)]
            values += [_value(cards[name], part, "tuned", figure) for name in ("English only", "all five")]
            print(part, cards["all five"].parts[part].examples, figure, *values, sep=" | ")


def _workspace(folder: Path, minutes: float) -> Workspace:
    folder.mkdir(parents=True, exist_ok=True)
    file = (DATA / "tickets_multilang.csv").resolve()
    (folder / "tailorbird.yaml").write_text(SETTINGS.format(file=file, minutes=minutes))
    return Workspace(folder)


def _only_english(workspace: Workspace, audited: Audit, folder: Path) -> Workspace:
    """The same audit with English alone to learn from and to watch; what is tested stays the same."""
    shutil.rmtree(folder, ignore_errors=True)
    made = ("plans", "candidates", "scorecards")  # would be found again, since their ids do not tell what was taken out
    shutil.copytree(workspace.folder, folder, ignore=shutil.ignore_patterns(*made))
    copied = Workspace(folder)
    for name in ("train", "validation"):
        path = copied.path(audited) / f"{name}.jsonl"
        write_lines(path, [one for one in read_conversations(path) if one.language == "en"])
    return copied


def _value(card: Scorecard, part: str, system: str, figure: str) -> str:
    found = card.parts[part].systems[system][figure]
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


if __name__ == "__main__":
    main()

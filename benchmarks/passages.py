"""What it changes that some lessons show passages of the documents: the four systems, by share of such lessons, on the boutique.

Usage: .venv/bin/python benchmarks/passages.py [--shares 0 0.25 0.5] [--minutes 5] [--folder DIR]
The same minutes for each share: a lesson with passages is several times as long, so a larger share is learned fewer times.
Run again, it finds what is made already.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import yaml

from tailorbird import Workspace, audit, console, evaluate, import_conversations, plan, train
from tailorbird.artifacts import Candidate, Plan, Scorecard

BOUTIQUE = Path(__file__).parents[1] / "examples" / "boutique"
EVALUATION = {"answers": 54, "longest_answer": 120, "attacks": 0, "counterfactuals": 0, "training_answers": 0, "explained": 0}
FIGURES = ("loss", "chrf", "rouge_l", "embedding_similarity", "voice", "unsupported", "contradictions")


def main() -> None:
    """Prints a row for each share and system."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shares", nargs="+", type=float, default=[0, 0.25, 0.5])
    arguments.add_argument("--minutes", type=float, default=5)
    arguments.add_argument("--folder", type=Path, default=Path("passages-workspace"))
    told = arguments.parse_args()
    if not told.folder.exists():
        shutil.copytree(BOUTIQUE, told.folder)
    print(f"| share | system | {' | '.join(FIGURES)} | passes | use |\n|---|---|{'---|' * (len(FIGURES) + 2)}", flush=True)
    for share in told.shares:
        workspace = _workspace(told.folder, share, told.minutes)
        audited = audit(workspace, import_conversations(workspace, progress=console.bar), console.bar)
        planned = plan(workspace, audited, console.bar)
        candidate = train(workspace, planned, console.bar)
        print(*_rows(share, planned, candidate, evaluate(workspace, candidate, console.bar)), sep="\n", flush=True)


def _workspace(folder: Path, share: float, minutes: float) -> Workspace:
    file = folder / "tailorbird.yaml"
    changed = {"training": {"minutes": minutes, "passages": share}, "evaluation": EVALUATION}
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changed, allow_unicode=True))
    return Workspace(folder)


def _rows(share: float, planned: Plan, candidate: Candidate, card: Scorecard) -> list[str]:
    passes = planned.epochs * candidate.best_step / planned.steps
    return [
        f"| {share} | {system} | {' | '.join(f'{found[name].value:.3f}' if name in found else '' for name in FIGURES)} "
        f"| {passes:.1f} | {'advised' if card.use == system else ''} |"
        for system, found in card.systems.items()
        if system != "base" or share == 0
    ]


if __name__ == "__main__":
    main()

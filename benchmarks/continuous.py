"""One policy fact changes: the boutique now gives 45 days to return a piece instead of 21. Ten conversations, then an update.

Usage: .venv/bin/python benchmarks/continuous.py --workspace DIR
DIR is a workspace of `tailorbird demo` with a released version; it is copied first. Its returns.md gets the new fact, ten new
conversations are imported, and `tailorbird improve` runs. Printed: minutes, the comparison with production on earlier
conversations, new ones and general text, and what both versions answer to questions that nobody trained on.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import yaml

from tailorbird import Workspace, console, engine
from tailorbird.artifacts import Candidate, Release
from tailorbird.improvement import improve_production
from tailorbird.replier import ReplyOptions, reply
from tailorbird.workspace import PRODUCTION

NEW = Path(__file__).with_name("november.tsv")
ASKED = [
    "Until when can I return a hat I bought from you?",
    "How many days do I have to send a jacket back?",
    "What's the time limit for returning something?",
    "I got my order two weeks ago, how long is left to return it?",
    "Can you tell me the returns deadline?",
    "The dress does not fit. How long have I got to return it?",
    "Is there a limit of days for giving a piece back?",
    "When is it too late to return the cardigan?",
]


def main() -> None:
    """Updates a copy and prints what changed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workspace", type=Path, required=True)
    arguments.add_argument("--training", default="{}", help="settings of improving: as JSON")
    told = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "shop"
        shutil.copytree(told.workspace, folder)
        _change(folder, json.loads(told.training))
        started = time.monotonic()
        reached: list[tuple[str, float]] = []

        def timed(what: str, total: float | None) -> AbstractContextManager[Callable[[float], None]]:
            reached.append((what, time.monotonic() - started))
            return console.bar(what, total)

        done = improve_production(Workspace(folder), progress=timed)
        workspace = Workspace(folder)
        print(f"outcome {done.outcome} {done.reasons}; {time.monotonic() - started:.0f} s, training {60 * done.minutes:.0f} s")
        print("Begun after seconds:", *(f"{what} {seconds:.0f};" for what, seconds in reached))
        if done.comparison:
            console.out.print(console.comparison_table(done.comparison))
        updated = workspace.find(Candidate, done.candidate)
        production = workspace.find(Release, workspace.alias(PRODUCTION) or "")
        assert updated
        assert production
        for name, made in (("production", production), ("updated", updated)):
            _ask(workspace, name, production, workspace.path(made) / "adapter")


def _change(folder: Path, improving: dict[str, object]) -> None:
    """The new fact in the shop's documents, and ten conversations that tell it."""
    document = folder / "knowledge" / "returns.md"
    document.write_text(document.read_text().replace("- 21 days from delivery", "- 45 days from delivery").replace(
        "- Late (after 21 days, up to 35): store credit at 90%, once per customer.\n", ""))  # fmt: skip
    shutil.copy(NEW, folder / "november.tsv")
    settings = yaml.safe_load((folder / "tailorbird.yaml").read_text())
    settings["sources"].append({"path": "november.tsv"})
    settings["improving"] = improving
    (folder / "tailorbird.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))


def _ask(workspace: Workspace, name: str, production: Release, adapter: Path) -> None:
    replier = engine.open_replier(name, engine.locate(production.model, console.bar), adapter)
    new = old = 0
    for question in ASKED:
        told = [{"role": "system", "content": production.system_prompt}, {"role": "user", "content": question}]
        text = reply(replier, told, ReplyOptions(max_tokens=80)).text  # type: ignore[arg-type]
        new, old = new + bool(re.search(r"\b45\b", text)), old + bool(re.search(r"\b21\b", text))
        print(f"{name}: {question} → {text}")
    print(f"{name}: 45 days in {new} of {len(ASKED)} answers, 21 days in {old}")


if __name__ == "__main__":
    main()

"""Does `explain` find the conversation that taught a fact? Forty facts, each in one training conversation of the boutique.

Usage: .venv/bin/python benchmarks/planted_facts.py [--folder DIR] [--minutes 12]
planted_facts.tsv has a question, its answer with a fact that nothing else has, and the question in other words without the
rare ones. The model is asked both wordings; its own answer is explained, and the agent's answer too. Beside each of them the same
by embedding similarity: of the question with the training questions, and of question and agent's answer with both of training.
Target: planted first in 90%, among five in 97%, in 3 s.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import time
from pathlib import Path
from statistics import median

import yaml

from tailorbird import Workspace, audit, console, engine, import_conversations, plan, release, train
from tailorbird.artifacts import Candidate, Override, Plan, Release
from tailorbird.auditing.findings import RULES
from tailorbird.demo import example
from tailorbird.evaluating import evaluate
from tailorbird.serving.explaining import explain
from tailorbird.workspace import read_conversations

_FACTS = Path(__file__).with_suffix(".tsv")
_TOP = 5


def main() -> None:
    """Plants, trains, explains and prints."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--folder", type=Path, default=Path("planted-facts-workspace"))
    arguments.add_argument("--minutes", type=float, default=12)
    told = arguments.parse_args()
    with _FACTS.open(encoding="utf-8", newline="") as file:
        facts = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    workspace = _workspace(told.folder, facts, told.minutes)
    audited = audit(workspace, import_conversations(workspace), console.bar)
    candidate = train(workspace, plan(workspace, audited, console.bar), console.bar)
    released = release(workspace, evaluate(workspace, candidate, console.bar), Override(by="planted_facts.py", reason="measured"))
    started = time.monotonic()
    explain(workspace, released, facts[0][0])
    print(f"built for {_lessons(workspace, candidate)} lessons in {time.monotonic() - started:.1f} s", end="; ")
    print(f"{_kilobytes(workspace):.1f} kB each; training took {60 * candidate.minutes:.0f} s")
    ranks = _ranks(workspace, released, facts)
    for name, found in ranks.items():
        first, five = (sum(0 < rank <= most for rank in found) / len(found) for most in (1, _TOP))
        print(f"{name:55} first {first:.3f}, in five {five:.3f} of {len(found)}")


def _workspace(folder: Path, facts: list[list[str]], minutes: float) -> Workspace:
    """The boutique without documents, and the facts among what is trained on."""
    if not folder.exists():
        shutil.copytree(example("boutique"), folder, ignore=shutil.ignore_patterns("artifacts", "knowledge"))
        settings = yaml.safe_load((folder / "tailorbird.yaml").read_text(encoding="utf-8"))
        settings["training"] = {"minutes": minutes}
        settings["audit"] |= {"test_share": 0.04, "validation_share": 0.04}
        settings["audit"]["rules"] = dict.fromkeys(RULES, "ignore")
        settings["evaluation"] = {
            "answers": 2,
            "attacks": 0,
            "counterfactuals": 0,
            "training_answers": 0,
            "forgetting": False,
            "explained": 0,
        }
        (folder / "tailorbird.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
        with (folder / "conversations.jsonl").open("a", encoding="utf-8") as file:
            for number, (question, answer, _) in enumerate(facts):
                said = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
                file.write(f"{json.dumps({'id': f'fact-{number}', 'customer_id': f'fact-{number}', 'messages': said})}\n")
    return Workspace(folder)


def _ranks(workspace: Workspace, released: Release, facts: list[list[str]]) -> dict[str, list[int]]:
    """For each way of looking the rank of the planted conversation, 0 where it is not among the first; for learned facts."""
    plan_ = workspace.ancestor(released, Plan)
    lessons = list({one.id: one for one in read_conversations(workspace.path(plan_) / "train.jsonl")}.values())
    asked = [next(turn.content for turn in one.turns if turn.role == "user") for one in lessons]
    said = [f"{question}\n{one.turns[-1].content}" for question, one in zip(asked, lessons, strict=True)]
    meanings, both = engine.embed(asked), engine.embed(said)
    learned = {one.id for one in lessons}
    ranks: dict[str, list[int]] = {}
    seconds = []
    for number, (question, answer, other) in enumerate(facts):
        name = f"fact-{number}"
        if name not in learned:
            continue
        for wording, text in (("same words", question), ("other words", other)):
            started = time.monotonic()
            own = explain(workspace, released, text, top=_TOP)
            seconds.append(time.monotonic() - started)
            given = explain(workspace, released, text, answer=answer, top=_TOP)
            near = (meanings @ engine.embed([text])[0]).argsort()[::-1][:_TOP]
            nearest = (both @ engine.embed([f"{text}\n{answer}"])[0]).argsort()[::-1][:_TOP]
            for way, found in (
                ("explain, the model's own answer", [one.conversation for one in own.teachers]),
                ("explain, the agent's answer", [one.conversation for one in given.teachers]),
                ("embedding similarity of the question", [lessons[int(place)].id for place in near]),
                ("embedding similarity with the agent's answer", [lessons[int(place)].id for place in nearest]),
            ):
                ranks.setdefault(f"{way}, {wording}", []).append(found.index(name) + 1 if name in found else 0)
    print(f"an explanation with its answer takes {median(seconds):.1f} s, at most {max(seconds):.1f} s")
    return ranks


def _lessons(workspace: Workspace, candidate: Candidate) -> int:
    path = workspace.path(workspace.ancestor(candidate, Plan)) / "train.jsonl"
    return len({one.id for one in read_conversations(path)})


def _kilobytes(workspace: Workspace) -> float:
    """Of what is kept for each lesson."""
    kept = sorted((workspace.store / "teachers").glob("*.npy"))[-1]
    candidate = workspace.current(Candidate)
    assert candidate is not None
    return kept.stat().st_size / 1000 / _lessons(workspace, candidate)


if __name__ == "__main__":
    main()

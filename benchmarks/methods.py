"""Every way of tuning against the base model, on the boutique and on the English tickets: writes docs/methods.md.

Usage: .venv/bin/python benchmarks/methods.py [--data boutique tickets] [--minutes 5] [--answers 30] [--folder DIR]
RLHF is given six times the minutes: it writes what it learns from.
Everything goes through the functions of the command line in workspaces under DIR; run again, it finds what is made already.
Preferences are edits: what LoRA drafts for questions that it was trained on, against what the agent sent. Nothing of the test
split is drafted, and all methods are measured on the same test split. The boutique's documents, shown to the base model, are a
row of their own; nothing is trained beside them, so that the methods differ in nothing but the method.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel

from tailorbird import Workspace, audit, console, engine, evaluate, import_conversations, improve, plan, release, train
from tailorbird.artifacts import Audit, Candidate, Conversation, Interval, Override
from tailorbird.feedback import Feedback, FeedbackStore
from tailorbird.replier import ReplyOptions, reply
from tailorbird.workspace import PRODUCTION, read_conversations

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("TAILORBIRD_DATA") or ROOT.parent / "shared" / "data")
TICKETS = {
    "business": {"name": "Support"},
    "system_prompt": "You answer customers of a software company kindly and to the point.",
    "sources": [{"path": "tickets.csv", "map": {"body": "question", "answer": "answer"}, "where": {"language": "en"}}],
}
DOCUMENTS = "documents"
TITLES = {
    DOCUMENTS: "no training, documents in the prompt",
    "lora": "SFT, LoRA", "dora": "SFT, DoRA", "full": "SFT, all weights", "prompt": "prompt tuning", "prefix": "prefix tuning",
    "pairs": "LoRA + DPO", "thumbs": "LoRA + KTO", "rewards": "LoRA + RLHF",
}  # fmt: skip
TIMES = {"rewards": 6}  # the minutes of the others
EVALUATION = {"attacks": 0, "counterfactuals": 0, "training_answers": 0, "forgetting": False, "explained": 0}
FIGURES = ("loss", "chrf", "rouge_l", "embedding_similarity")
DRAFTED = 120  # questions of the training split


class Row(BaseModel):
    """What a method came to: its differences to base, and what it took."""

    method: str
    differences: dict[str, Interval]
    minutes: float
    memory_gb: float
    megabytes: float
    note: str = ""


class Told(NamedTuple):
    """How everything is run."""

    minutes: float
    answers: int
    folder: Path


def main() -> None:
    """Runs what is missing and writes the page."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", nargs="+", default=["boutique", "tickets"])
    arguments.add_argument("--minutes", type=float, default=5)
    arguments.add_argument("--answers", type=int, default=30)
    arguments.add_argument("--folder", type=Path, default=Path("methods-workspaces"))
    arguments.add_argument("--methods", nargs="+", choices=list(TITLES)[1:], default=list(TITLES)[1:])
    given = arguments.parse_args()
    told = Told(given.minutes, given.answers, given.folder)
    for data in given.data:
        for method in given.methods:
            print(measured(told, data, method), flush=True)
    write(told)


def measured(told: Told, data: str, method: str) -> Row:
    """One method on one set of data, from its file if it was measured before."""
    kept = told.folder / f"{data}-{method}.json"
    if kept.is_file():
        return Row.model_validate_json(kept.read_text())
    if method in ("pairs", "thumbs", "rewards"):
        workspace, candidate = preferred(told, data, method)
    else:
        workspace = opened(told, data, {"method": method})
        audited = audit(workspace, import_conversations(workspace, progress=console.bar), console.bar)
        candidate = train(workspace, plan(workspace, audited, console.bar), console.bar)
    with _documents(workspace, shown=method == "lora"):
        card = evaluate(workspace, candidate, console.bar)
    if shown := card.differences.get("knowledge-base"):
        row = Row(method=DOCUMENTS, differences=shown, minutes=0, memory_gb=0, megabytes=0)
        (told.folder / f"{data}-{DOCUMENTS}.json").write_text(row.model_dump_json(indent=1))
    row = Row(
        method=method, differences=card.differences["tuned-base"], minutes=candidate.minutes,
        memory_gb=candidate.peak_memory_gb, megabytes=_size(workspace.path(candidate) / "adapter"),
        note=_note(workspace, candidate),
    )  # fmt: skip
    kept.write_text(row.model_dump_json(indent=1))
    return row


def opened(told: Told, data: str, training: dict[str, Any]) -> Workspace:
    """The workspace of some data with these settings of training."""
    folder = told.folder / data
    if not folder.exists():
        if data == "boutique":
            shutil.copytree(ROOT / "examples" / "boutique", folder)
        else:
            folder.mkdir(parents=True)
            shutil.copy(DATA / "tickets_multilang.csv", folder / "tickets.csv")
            (folder / "tailorbird.yaml").write_text(yaml.safe_dump(TICKETS))
    file = folder / "tailorbird.yaml"
    changed = {
        "training": {"minutes": told.minutes, "passages": 0} | training, "evaluation": {"answers": told.answers} | EVALUATION
    }  # fmt: skip
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changed, allow_unicode=True))
    return Workspace(folder)


def preferred(told: Told, data: str, method: str) -> tuple[Workspace, Candidate]:
    """Goes on from LoRA, which is released first so that what was held out stays held out; all of them from the same version."""
    workspace = opened(told, data, {"method": "lora"})
    if production := workspace.alias(PRODUCTION):
        audited, taught = (workspace.ancestor(workspace.get(production), kind) for kind in (Audit, Candidate))
    else:
        audited = audit(workspace, import_conversations(workspace, progress=console.bar), console.bar)
        taught = train(workspace, plan(workspace, audited, console.bar), console.bar)
        override = Override(by="methods.py", reason="preferences go on from it")
        release(workspace, evaluate(workspace, taught, console.bar), override)
    judge(workspace, audited, taught)
    with_feedback = audit(workspace, improve(workspace, console.bar), console.bar)
    minutes = told.minutes * TIMES.get(method, 1)
    workspace = opened(told, data, {"learn_from": method, "start_from": "production", "minutes": minutes})
    return workspace, train(workspace, plan(workspace, with_feedback, console.bar), console.bar)


def judge(workspace: Workspace, audited: Audit, taught: Candidate) -> None:
    """Edits and thumbs for what the tuned model drafts: the agent's own answer is better, and is liked."""
    store = FeedbackStore(workspace)
    if store.counts():
        return
    base = engine.locate(taught.model, console.bar)
    replier = engine.open_replier("draft", base, workspace.path(taught) / "adapter")
    parts = [read_conversations(workspace.path(audited) / f"{name}.jsonl") for name in ("train", "validation")]
    rows: list[Feedback] = []
    with console.bar("Drafting answers", DRAFTED + len(parts[1])) as advance:
        for one in [*parts[0][:DRAFTED], *parts[1]]:
            draft = reply(replier, one.messages[:2], ReplyOptions(max_tokens=120)).text
            rows += _judged(one, draft)
            advance(1)
    replier.close()
    store.add(rows)


def _judged(one: Conversation, draft: str) -> list[Feedback]:
    agent = one.messages[2]["content"]
    if not draft.strip() or draft.strip() == agent.strip():
        return []
    told: dict[str, Any] = {
        "messages": one.messages[1:2],
        "customer_id": one.customer_id,
        "conversation": one.id,
        "source": "draft",
    }
    return [
        Feedback.model_validate({**told, "kind": "edit", "completion": agent, "rejected": draft}),
        Feedback.model_validate({**told, "kind": "thumb", "completion": agent, "label": True}),
        Feedback.model_validate({**told, "kind": "thumb", "completion": draft, "label": False}),
    ]


def write(told: Told) -> None:
    """The page, of all that is measured."""
    lines = [
        "# What each way of tuning does", "",
        "Made by `benchmarks/methods.py`. Differences to the base model on held-out conversations with 95% intervals (paired",
        "bootstrap); loss is better when lower, the rest when higher. Minutes and the most memory are those of training on two",
        "cores; for what goes on from LoRA they come on top of LoRA's. Each was given the same minutes, RLHF more of them:",
        f"{told.minutes:g}, which is little on a slow machine; how many steps that were stands in the last column.", "",
    ]  # fmt: skip
    for data in ("boutique", "tickets"):
        rows = [measured(told, data, method) for method in TITLES if (told.folder / f"{data}-{method}.json").is_file()]
        if rows:
            lines += [f"## {'The boutique' if data == 'boutique' else 'English support tickets'}", "", *_table(rows), ""]
    (ROOT / "docs" / "methods.md").write_text("\n".join(lines), encoding="utf-8")


def _table(rows: Sequence[Row]) -> list[str]:
    cell: Callable[[Interval], str] = lambda d: f"{d.value:+.3f} ({d.low:+.3f} to {d.high:+.3f})"  # noqa: E731
    head = [
        "| method | loss | chrF | ROUGE-L | closeness of meaning | minutes | GB | adapter, MB | run |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    return head + [
        f"| {TITLES[row.method]} | {' | '.join(cell(row.differences[name]) for name in FIGURES)} "
        f"| {row.minutes:.1f} | {row.memory_gb:.1f} | {row.megabytes:.0f} | {row.note} |"
        for row in rows
    ]


@contextmanager
def _documents(workspace: Workspace, shown: bool) -> Iterator[None]:
    """Puts the documents aside, if they are not shown: one row of theirs is enough, and they double the time."""
    folder, aside = workspace.folder / "knowledge", workspace.folder / "knowledge-aside"
    if shown or not folder.exists():
        yield
        return
    folder.rename(aside)
    try:
        yield
    finally:
        aside.rename(folder)


def _size(adapter: Path) -> float:
    """Megabytes of the weights that transformers reads."""
    return sum(path.stat().st_size for path in adapter.glob("*.safetensors")) / 1e6


def _note(workspace: Workspace, candidate: Candidate) -> str:
    """What the run's own measure went from and to on what it was validated with."""
    points = [json.loads(line) for line in (workspace.path(candidate) / "curve.jsonl").read_text().splitlines()]
    rewards = {p["step"]: p["measures"]["eval_reward"] for p in points if "eval_reward" in p.get("measures", {})}
    told = f"{candidate.best_step} of {candidate.steps} steps kept"
    if rewards:
        return f"{told}; held-out reward {rewards[0]:.3f} at first, {rewards[candidate.best_step]:.3f} kept"
    return f"{told}; validation loss {candidate.validation_loss:.3f}"


if __name__ == "__main__":
    main()

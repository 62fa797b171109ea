from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import FABRICS, PIECES, write_jsonl

from tailorbird import audit, evaluate, import_conversations, plan, train
from tailorbird.artifacts import Plan
from tailorbird.errors import PlanError
from tailorbird.workspace import Workspace


def wish(number: int) -> tuple[str, str, str]:
    piece = f"{FABRICS[number % 10]} {PIECES[number // 10 % 8]}"
    return (
        f"May I return the {piece}, order {number}?",
        f"Yes, the {piece} may come back in {number + 7} days.",
        f"No {piece} back.",
    )


def rows(kind: str) -> list[object]:
    """TRL's columns."""
    told = [wish(number) for number in range(60)]
    if kind == "pairs":
        return [{"id": f"p-{n}", "prompt": q, "chosen": a, "rejected": b} for n, (q, a, b) in enumerate(told)]
    return [
        {"id": f"p-{n}", "prompt": q, "completion": b if n % 2 else a, "label": n % 2 == 0} for n, (q, a, b) in enumerate(told)
    ]


def opened(shop: Path, kind: str, *settings: str) -> Workspace:
    write_jsonl(shop / "conversations.jsonl", rows(kind))
    text = (shop / "tailorbird.yaml").read_text()
    added = "".join(f"  {line}\n" for line in settings)
    (shop / "tailorbird.yaml").write_text(text.replace("training:\n", f"training:\n{added}"))
    return Workspace(shop)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pairs", "thumbs"])
def test_preferences_go_on_from_what_answers_taught(shop: Path, kind: str) -> None:
    workspace = opened(shop, kind)
    made = audit(workspace, import_conversations(workspace))
    taught = train(workspace, plan(workspace, made))
    text = (shop / "tailorbird.yaml").read_text()
    (shop / "tailorbird.yaml").write_text(text.replace("training:\n", f"training:\n  learn_from: {kind}\n"))
    workspace = Workspace(shop)
    planned = plan(workspace, made)
    assert planned.made_from == (made.id, taught.id)
    assert planned.learns_from == kind
    assert planned.lora_rank == workspace.ancestor(taught, Plan).lora_rank
    assert taught.id in planned.why["start"]
    preferred = train(workspace, planned)
    assert preferred.id != taught.id
    assert preferred.steps == planned.steps, "a pair's prompt is read once, and the plan knows it"
    saved = json.loads((workspace.path(preferred) / "adapter" / "adapter_config.json").read_text())
    assert saved["peft_type"] == "LORA"
    if kind == "pairs":
        part = evaluate(workspace, preferred).parts["preferences"]
        assert part.examples == made.splits["test"]
        assert part.systems["tuned"]["preference"].value > 0.8
        assert part.differences["preference"].low >= 0


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("thumbs", ["learn_from: pairs"], "have a better and a worse answer"),
        ("pairs", ["learn_from: thumbs"], "0 are rated well and 0 badly"),
        ("pairs", ["learn_from: pairs", "method: prompt"], "soft prompt"),
        ("pairs", ["start_from: production"], "There is no production"),
    ],
)
def test_what_cannot_be_learned_is_refused_in_words(shop: Path, kind: str, settings: list[str], message: str) -> None:
    workspace = opened(shop, kind, *settings)
    with pytest.raises(PlanError, match=message):
        plan(workspace, audit(workspace, import_conversations(workspace)))

from __future__ import annotations

import json
from pathlib import Path

import pytest
from training.test_lessons import opened

from tailorbird import audit, evaluate, import_conversations, plan, train
from tailorbird.artifacts import CurvePoint
from tailorbird.errors import PlanError
from tailorbird.workspace import Workspace, read_lines


@pytest.mark.slow
def test_rlhf_goes_the_whole_way_and_shows_its_curves(shop: Path) -> None:
    workspace = opened(shop, "pairs")
    made = audit(workspace, import_conversations(workspace))
    taught = train(workspace, plan(workspace, made))
    text = (shop / "tailorbird.yaml").read_text()
    wanted = "training:\n  learn_from: rewards\n  rewards: {pairs: 1, brevity: 0.5}\n"
    (shop / "tailorbird.yaml").write_text(text.replace("training:\n", wanted))
    workspace = Workspace(shop)
    planned = plan(workspace, made)
    assert (planned.learns_from, planned.made_from) == ("rewards", (made.id, taught.id))
    candidate = train(workspace, planned)
    folder = workspace.path(candidate)
    told = json.loads((folder / "reinforced.json").read_text())
    assert told["accuracy"]["value"] >= 0.5, "which answer people preferred is easy to learn here"
    rows = list(read_lines(folder / "curve.jsonl", CurvePoint))
    assert {"reward", "reward_model", "reward_brevity", "kl", "length"} <= {name for row in rows for name in row.measures}
    assert not (folder / "reward-checkpoints").exists()
    card = evaluate(workspace, candidate)
    assert "KL" in (workspace.path(card) / "report.html").read_text()


@pytest.mark.parametrize(
    ("kind", "rewards", "message"),
    [("pairs", "{politeness: 1}", "politeness"), ("thumbs", "{pairs: 1}", "have a better and a worse answer")],
)
def test_rewards_that_cannot_be_had_are_refused_in_words(shop: Path, kind: str, rewards: str, message: str) -> None:
    workspace = opened(shop, kind, "learn_from: rewards", f"rewards: {rewards}")
    with pytest.raises(PlanError, match=message):
        plan(workspace, audit(workspace, import_conversations(workspace)))

"""The scorecard of four systems through the public functions: with documents, each model alone and with passages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from fakes import Upstream

from tailorbird import audit, evaluate, import_conversations, plan, train
from tailorbird.releasing.gate import objections
from tailorbird.workspace import Workspace

POLICIES = "# Care\n\nWash silk by hand at 20 degrees, wool at 30.\n\n# Returns\n\nYou have 21 days, and the label costs £3.95.\n"


@pytest.mark.slow
def test_documents_make_four_systems_and_one_report(shop: Path, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    upstream.answer = lambda text: "Verdict: tie"
    (shop / "knowledge").mkdir()
    (shop / "knowledge" / "policies.md").write_text(POLICIES)
    settings = yaml.safe_load((shop / "tailorbird.yaml").read_text())
    settings["evaluation"] |= {"forgetting": True, "attacks": 12, "training_answers": 9, "counterfactuals": 54}
    settings["evaluation"]["judge"] = {
        "url": f"http://127.0.0.1:{upstream.server_port}/v1",
        "model": "wise",
        "key_variable": "OPENAI_API_KEY",
    }
    settings["training"] |= {"canaries": 6, "passages": 0.5}
    (shop / "tailorbird.yaml").write_text(yaml.safe_dump(settings))
    workspace = Workspace(shop)
    candidate = train(workspace, plan(workspace, audit(workspace, import_conversations(workspace))))
    card = evaluate(workspace, candidate)
    assert list(card.systems) == ["base", "tuned", "knowledge", "both"]
    assert set(card.differences) >= {"tuned-base", "knowledge-base", "both-base", "both-tuned", "both-knowledge"}
    assert {"loss", "voice", "unsupported", "contradictions"} <= set(card.systems["both"])
    assert all(found.detectable >= 0 and 0 < found.p <= 1 for found in card.differences["tuned-base"].values())
    assert card.parts["attacks"].examples == 12
    assert 0 < card.parts["ability"].systems["base"]["ability"].value < 1
    assert "loss" in card.parts["general text"].differences
    assert card.parts["verbatim training answers"].examples == 9
    assert 0 <= card.parts["membership"].systems["tuned"]["membership"].value <= 1
    assert card.parts["canaries"].examples == 6
    assert all(0 <= found["exposure"].value <= 8 for found in card.parts["canaries"].systems.values())
    assert "planted" in [one.rule for one in objections(workspace, card)["refuse"]]
    folder = workspace.path(card)
    answers = [json.loads(line) for line in (folder / "answers.jsonl").read_text().splitlines()]
    assert all(one["both"] and one["passages"][0].startswith("[policies.md") for one in answers)
    told = json.loads((folder / "report.json").read_text())
    assert card.use in card.systems
    assert told["fact_seconds"] < 2
    assert told["taken"]["both"]["prompt_tokens"] > told["taken"]["tuned"]["prompt_tokens"] + 20
    assert len({one["axis"] for one in told["contrasts"]}) == 9
    assert set(card.judged) == {"tuned-base", "both-knowledge"}
    assert told["judge"][0].startswith("Tuned over base model in 50% [50%, 50%] of")
    assert "of electricity" in told["table"][0]["cells"]["tuned"]
    page, plain = ((folder / name).read_text() for name in ("report.html", "report.md"))
    for text in (page, plain):
        assert "What a judge says" in text
        assert "Tuned + documents" in text
        assert told["words"][0] in text
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|url\((?!#)|@import|<script""", page), "nothing is fetched"
    assert evaluate(workspace, candidate) == card, "found again"
    (shop / "knowledge" / "policies.md").write_text(POLICIES.replace("21", "45"))
    assert evaluate(workspace, candidate).id != card.id, "other documents are another test"

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tailorbird import audit, evaluate, import_conversations, plan, release, train
from tailorbird.artifacts import Override
from tailorbird.workspace import Workspace


@pytest.mark.slow
@pytest.mark.parametrize(("method", "kind"), [("prompt", "PROMPT_TUNING"), ("prefix", "PREFIX_TUNING")])
def test_a_soft_prompt_goes_the_whole_way(shop: Path, method: str, kind: str) -> None:
    text = (shop / "tailorbird.yaml").read_text()
    (shop / "tailorbird.yaml").write_text(text.replace("training:\n", f"training:\n  method: {method}\n  virtual_tokens: 24\n"))
    workspace = Workspace(shop)
    planned = plan(workspace, audit(workspace, import_conversations(workspace)))
    assert (planned.method, planned.virtual_tokens, planned.lora_rank) == (method, 24, 0)
    assert "transformers" in planned.why["method"]
    candidate = train(workspace, planned)
    saved = json.loads((workspace.path(candidate) / "adapter" / "adapter_config.json").read_text())
    assert (saved["peft_type"], saved["num_virtual_tokens"]) == (kind, 24)
    card = evaluate(workspace, candidate)
    made = release(workspace, card, override=Override(by="a test", reason="its model is tiny"))
    assert f"{method} tuning, 24 virtual tokens" in (workspace.path(made) / "MODEL_CARD.md").read_text()
    assert set(card.systems) == {"base", "tuned"}

"""Ten minutes of steady load on the real server with the real model: no error, nothing lost, flat memory."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from fakes import write_random_adapters

from tailorbird import audit, engine, import_conversations
from tailorbird.artifacts import Release
from tailorbird.engine import catalogue
from tailorbird.progress import silent
from tailorbird.versions import promote
from tailorbird.workspace import Workspace


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """The example shop with a version whose adapter was never trained."""
    workspace = Workspace(shutil.copytree(ROOT / "examples" / "boutique", tmp_path / "shop"))
    audited = audit(workspace, import_conversations(workspace))
    told = {"id": "release-000000000001", "made_from": (audited.id,), "version": 1, "model": catalogue.DEFAULT, "lineage": {}}
    made = Release.model_validate(told | {"system_prompt": audited.system_prompt, "disclosure": "I am an AI.", "passages": True})
    with workspace.drafting(made.id) as draft:
        write_random_adapters(engine.locate(catalogue.DEFAULT, silent), [draft / "adapter"], strength=0.01)
        workspace.save(made, draft)
    promote(workspace, made)
    return workspace


@pytest.mark.slow
def test_ten_minutes_of_steady_load(shop: Workspace) -> None:
    script = [sys.executable, str(ROOT / "benchmarks" / "soak.py"), str(shop.folder)]
    done = subprocess.run(
        [*script, "--minutes", "10", "--chats", "2", "--a-minute", "5", "--json"], stdout=subprocess.PIPE, text=True, timeout=900
    )
    assert done.returncode == 0
    found = json.loads(done.stdout)
    print(found)
    assert found["problems"] == []
    assert found["logged"] >= found["acknowledged"] >= 40
    assert found["growth"] < 1.1

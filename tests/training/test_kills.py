"""kill -9 at a random moment of every kind of run: the same command goes on, and nothing is corrupt."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import conversation, write_jsonl
from safetensors.torch import load_file
from training.test_lessons import rows

from tailorbird import audit, import_conversations, plan
from tailorbird.artifacts import Candidate
from tailorbird.workspace import Workspace

KINDS = {
    "lora": [], "full": ["method: full"], "prompt": ["method: prompt", "virtual_tokens: 16"],
    "prefix": ["method: prefix", "virtual_tokens: 16"], "pairs": ["learn_from: pairs"], "thumbs": ["learn_from: thumbs"],
    "rewards": ["learn_from: rewards"],
}  # fmt: skip
KILLS = 3
"""Of each kind: 21 in all. The first comes at any moment, also while libraries are loaded; others once training went on."""


def prepared(shop: Path, kind: str) -> Workspace:
    asked = {"pairs": "pairs", "thumbs": "thumbs", "rewards": "pairs"}.get(kind)
    told = rows(asked) if asked else [conversation(n) for n in range(60)]
    write_jsonl(shop / "conversations.jsonl", told)
    text = (shop / "tailorbird.yaml").read_text()
    added = "".join(f"  {line}\n" for line in KINDS[kind])
    text = text.replace("training:\n", f"training:\n{added}").replace("epochs: 2", "epochs: 12")
    (shop / "tailorbird.yaml").write_text(text.replace("minutes: 1", "minutes: 0.8") if kind == "rewards" else text)
    workspace = Workspace(shop)
    plan(workspace, audit(workspace, import_conversations(workspace)))
    return workspace


def started(shop: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tailorbird", "train", "-w", str(shop), "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until_it_has_gone_on(run: subprocess.Popen[str], workspace: Workspace) -> None:
    """Waits for a checkpoint that was not there, or for the end of the run."""
    before = checkpoints(workspace)
    while run.poll() is None and not checkpoints(workspace) - before:
        time.sleep(0.02)


def checkpoints(workspace: Workspace) -> set[str]:
    """The folders of whole checkpoints; they come and go while they are counted."""
    return {folder for folder, _, files in os.walk(workspace.store / ".drafts") if "complete" in files}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_killed_runs_go_on_to_the_same_weights(shop: Path, kind: str) -> None:
    workspace = prepared(shop, kind)
    begun, alive = time.monotonic(), 0
    out, problems = started(shop).communicate()
    took = time.monotonic() - begun
    assert out, problems
    folder = workspace.path(Candidate.model_validate_json(out))
    expected = load_file(next((folder / "adapter").glob("*model.safetensors")))
    shutil.rmtree(folder)
    chance = random.Random(kind)
    for number in range(KILLS):
        run = started(shop)
        if number:
            until_it_has_gone_on(run, workspace)
        time.sleep(chance.uniform(0.0, 0.15 if number else 0.6) * took)
        alive += run.poll() is None
        run.send_signal(signal.SIGKILL)
        run.communicate()
        if folder.exists():  # it was done: begin anew
            shutil.rmtree(folder)
    assert alive >= KILLS - 1, "what had ended by itself was not killed"
    out, problems = started(shop).communicate()
    assert out, problems
    learned = load_file(next((folder / "adapter").glob("*model.safetensors")))
    assert all((learned[name] - weight).abs().max() < 1e-5 for name, weight in expected.items())
    assert {path.name for path in folder.iterdir()} >= {"manifest.json", "adapter", "curve.jsonl", "run.json"}
    assert not list((workspace.store / ".drafts").iterdir())

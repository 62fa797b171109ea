"""The public command on real files, with a tiny random model."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import conversation, write_jsonl

COMMANDS = ["init", "import", "audit", "plan", "train", "evaluate", "release", "chat", "serve", "demo", "models", "status"]


class Said(NamedTuple):
    """What a command printed."""

    stdout: str
    stderr: str


def run(*arguments: str | Path, expect: int = 0, input: str = "") -> Said:
    """The installed command's entry point, in this process: torch is imported once for all tests."""
    from tailorbird.cli import main

    said = Said(io.StringIO(), io.StringIO())
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(said.stdout),
        contextlib.redirect_stderr(said.stderr),
    ):
        patch.setattr(sys, "argv", ["tailorbird", *map(str, arguments)])
        patch.setattr(sys, "stdin", io.StringIO(input))
        with pytest.raises(SystemExit) as ended:
            main()
    printed = Said(said.stdout.getvalue(), said.stderr.getvalue())
    assert (ended.value.code or 0) == expect, printed
    assert "Traceback" not in printed.stderr
    return printed


def run_json(*arguments: str | Path) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> tuple[Path, dict[str, Any]]:
    """A shop that went through every stage by the command line, and the manifests it printed."""
    from conftest import SETTINGS

    shop = tmp_path_factory.mktemp("finished")
    (shop / "tailorbird.yaml").write_text(SETTINGS.format(model=tiny_model), encoding="utf-8")
    write_jsonl(shop / "conversations.jsonl", [conversation(n) for n in range(60)])
    stages = ("import", "audit", "plan", "train", "evaluate")
    manifests = {stage: run_json(stage, "-w", shop) for stage in stages}
    manifests["release"] = run_json("release", "-w", shop, "--override", "a test", "--by", "a tester")
    return shop, manifests


def test_every_stage_prints_its_manifest_and_names_what_it_was_made_from(finished: tuple[Path, dict[str, Any]]) -> None:
    _, made = finished
    assert made["import"]["conversations"] == 60
    assert made["audit"]["made_from"] == [made["import"]["id"]]
    assert made["plan"]["made_from"] == [made["audit"]["id"]]
    assert made["train"]["made_from"] == [made["plan"]["id"]]
    assert made["evaluate"]["made_from"] == [made["train"]["id"]]
    assert made["release"]["lineage"]["dataset"] == made["import"]["id"]
    assert set(made["plan"]["why"]) >= {"model", "method", "sequence_length", "steps", "learning_rate", "minutes", "memory_gb"}


def test_scorecard_json_has_both_systems_with_intervals_and_their_difference(finished: tuple[Path, dict[str, Any]]) -> None:
    card = finished[1]["evaluate"]
    for system in ("base", "tuned"):
        for metric in ("loss", "chrf", "rouge_l", "embedding_similarity"):
            figure = card["systems"][system][metric]
            assert figure["low"] <= figure["value"] <= figure["high"]
            assert figure["unit"]
            assert figure["better"] in ("lower", "higher")
    loss = card["differences"]["tuned-base"]["loss"]
    assert loss["low"] <= loss["value"] <= loss["high"] < 0, "the tiny model learns the shop's phrases"
    assert "loss" in card["better"]["tuned-base"]


def test_the_same_step_on_the_same_inputs_is_found_again(finished: tuple[Path, dict[str, Any]]) -> None:
    shop, made = finished
    started = time.monotonic()
    assert run_json("train", "-w", shop) == made["train"]
    assert time.monotonic() - started < 5


def test_payload_lies_beside_the_manifest(finished: tuple[Path, dict[str, Any]]) -> None:
    shop, made = finished
    adapter = shop / "artifacts" / "releases" / made["release"]["id"] / "adapter"
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {path.name for path in adapter.iterdir()}
    card = (adapter.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "a test" not in card or "Released against the gate" in card
    assert made["import"]["id"] in card
    page = (shop / "artifacts" / "scorecards" / made["evaluate"]["id"] / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "Test shop" in page
    assert not (shop / "artifacts" / "candidates" / made["train"]["id"] / "checkpoints").exists()


def test_status_shows_the_chain_and_what_is_in_production(finished: tuple[Path, dict[str, Any]]) -> None:
    shop, made = finished
    chain = run_json("status", "-w", shop)["artifacts"]
    assert [artifact["kind"] for artifact in chain] == ["dataset", "audit", "plan", "candidate", "scorecard", "release"]
    assert chain[-1]["production"]
    assert made["release"]["id"] in run("status", "-w", shop).stdout


def test_chat_answers_with_the_disclosure_first(finished: tuple[Path, dict[str, Any]]) -> None:
    shop, _ = finished
    answer = run_json("chat", "How do I wash silk?", "-w", shop, "--longest", "8")
    assert answer["answer"].startswith("I am an AI.")
    assert answer["completion_tokens"] <= 8
    talked = run("chat", "-w", shop, "--longest", "5", input="Hello\nAnd wool?\n\n").stdout
    assert talked.count("I am an AI.") == 1


def test_an_answer_is_explained_by_the_conversation_that_taught_it(finished: tuple[Path, dict[str, Any]]) -> None:
    shop, made = finished
    lines = (shop / "artifacts" / "plans" / made["plan"]["id"] / "train.jsonl").read_text(encoding="utf-8").splitlines()
    first = 0
    for line in lines[:4]:
        lesson = json.loads(line)
        question, answer = (turn["content"] for turn in lesson["turns"][-2:])
        told = run_json("explain", question, "--answer", answer, "--top", "3", "-w", shop)
        assert len(told["teachers"]) == 3
        first += told["teachers"][0]["conversation"] == lesson["id"]
    assert first == 4
    assert "taught by" in run("explain", "How do I wash silk?", "-w", shop).stdout
    assert "nothing to explain" in run("explain", " ", "-w", shop, expect=1).stderr


def test_release_refuses_a_candidate_that_is_not_better(evaluated_once: Path, tmp_path: Path) -> None:
    from tailorbird.artifacts import Scorecard
    from tailorbird.workspace import Workspace

    workspace = Workspace(shutil.copytree(evaluated_once, tmp_path / "shop"))
    shop, card = workspace.folder, workspace.newest(Scorecard, "evaluate")
    workspace.amend(card.model_copy(update={"better": dict.fromkeys(card.better, ())}))
    refused = run("release", "-w", shop, expect=1)
    assert "not better than the base model's" in refused.stderr
    assert "--override" in refused.stderr
    released = run_json("release", "-w", shop, "--override", "only a rehearsal", "--by", "Mira")
    assert released["overridden"]["by"] == "Mira"
    assert released["overridden"]["reason"] == "only a rehearsal"
    assert "not better than the base model" in released["overridden"]["refused"][0]


@pytest.mark.slow
def test_killed_training_goes_on_and_ends_with_the_same_weights(shop: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    settings = (shop / "tailorbird.yaml").read_text(encoding="utf-8").replace("epochs: 2", "epochs: 40")
    (shop / "tailorbird.yaml").write_text(settings, encoding="utf-8")
    for stage in ("import", "audit", "plan"):
        run(stage, "-w", shop)
    twin = tmp_path / "twin"
    shutil.copytree(shop, twin)
    # Each in a process of its own, as an owner's commands are: they load the loops that `plan` compiled and kept. In the process
    # that compiled them their code may add in another order.
    train = [sys.executable, "-m", "tailorbird", "train", "--json", "-w"]
    whole = json.loads(subprocess.run([*train, twin], check=True, capture_output=True, text=True).stdout)
    process = subprocess.Popen([*train, shop], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list((shop / "artifacts" / ".drafts").glob("*/checkpoints/checkpoint-*/complete")):
        assert time.monotonic() < deadline, "no checkpoint appeared"
        assert process.poll() is None, "training ended before it could be killed"
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert "unfinished" in run("status", "-w", shop).stdout
    resumed = json.loads(subprocess.run([*train, shop], check=True, capture_output=True, text=True).stdout)
    assert resumed["id"] == whole["id"]
    assert resumed["best_step"] == whole["best_step"]
    weights = [
        load_file(f / "artifacts" / "candidates" / whole["id"] / "adapter" / "adapter_model.safetensors") for f in (shop, twin)
    ]
    assert weights[0].keys() == weights[1].keys()
    assert all(abs(weights[0][name] - weights[1][name]).max() <= 1e-6 for name in weights[0])


def test_interrupted_training_says_how_to_go_on(shop: Path) -> None:
    settings = (shop / "tailorbird.yaml").read_text(encoding="utf-8").replace("epochs: 2", "epochs: 300")
    (shop / "tailorbird.yaml").write_text(settings, encoding="utf-8")
    for stage in ("import", "audit", "plan"):
        run(stage, "-w", shop)
    command = [sys.executable, "-m", "tailorbird", "train", "-w", str(shop)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    drafts = shop / "artifacts" / ".drafts"
    while not list(drafts.glob("*/checkpoints/checkpoint-*/complete")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command to go on" in said
    assert "Traceback" not in said


def test_a_plan_that_cannot_fit_is_refused(shop: Path) -> None:
    with (shop / "tailorbird.yaml").open("a", encoding="utf-8") as file:
        file.write("\n")
    settings = (shop / "tailorbird.yaml").read_text(encoding="utf-8").replace("minutes: 1", "minutes: 1\n  memory_gb: 0.2")
    (shop / "tailorbird.yaml").write_text(settings, encoding="utf-8")
    run("import", "-w", shop)
    run("audit", "-w", shop)
    refused = run("plan", "-w", shop, expect=1)
    assert "needs at least" in refused.stderr
    assert "smaller model" in refused.stderr


def test_a_tracker_that_is_not_installed_is_named(shop: Path) -> None:
    settings = (shop / "tailorbird.yaml").read_text(encoding="utf-8").replace("minutes: 1", "minutes: 1\n  report_to: [wandb]")
    (shop / "tailorbird.yaml").write_text(settings, encoding="utf-8")
    for stage in ("import", "audit", "plan"):
        run(stage, "-w", shop)
    assert "training.report_to" in run("train", "-w", shop, expect=1).stderr


def test_stages_out_of_order_name_the_missing_one(shop: Path) -> None:
    for stage, missing in (
        ("audit", "import"),
        ("plan", "audit"),
        ("train", "plan"),
        ("evaluate", "train"),
        ("release", "evaluate"),
    ):
        assert f"tailorbird {missing}" in run(stage, "-w", shop, expect=1).stderr
    assert "tailorbird release" in run("chat", "Hello?", "-w", shop, expect=1).stderr


def test_an_artifact_that_a_newer_one_left_behind_is_called_out_of_date(shop: Path) -> None:
    run("import", "-w", shop)
    run("audit", "-w", shop)
    assert "out of date" not in run("status", "-w", shop).stdout
    write_jsonl(shop / "conversations.jsonl", [conversation(n) for n in range(50)])
    run("import", "-w", shop)
    assert "out of date" in run("status", "-w", shop).stdout


def test_wrong_workspaces_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "no file" in run("status", "-w", tmp_path / "file", expect=1).stderr
    assert "Writing failed" in run("init", tmp_path / "file", expect=1).stderr
    assert "Made" in run("init", tmp_path / "shop[old]").stdout


def test_init_makes_a_workspace_and_never_overwrites(tmp_path: Path) -> None:
    made = run_json("init", tmp_path / "new", "--name", 'Ann\'s "Attic"')
    assert made["settings"]["business"]["name"] == 'Ann\'s "Attic"'
    assert "exists already" in run("init", tmp_path / "new", expect=1).stderr


def test_models_lists_the_catalogue() -> None:
    rows = run_json("models")
    assert {"name", "parameters_m", "licence", "languages", "context", "memory_gb", "source"} <= set(rows[0])
    assert "hf:Qwen/Qwen3-0.6B" in run("models").stdout


def test_a_hub_model_that_cannot_be_reached_names_the_local_ones(shop: Path) -> None:
    settings = (shop / "tailorbird.yaml").read_text(encoding="utf-8")
    line = next(line for line in settings.splitlines() if line.startswith("model:"))
    (shop / "tailorbird.yaml").write_text(settings.replace(line, "model: qwen3-0.6b"), encoding="utf-8")
    run("import", "-w", shop)
    run("audit", "-w", shop)
    refused = run("plan", "-w", shop, expect=1)
    assert "model hub could not be reached" in refused.stderr
    assert "smollm2-135m-instruct" in refused.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert len(run(command, "--help").stdout) > 100


def test_help_starts_fast_and_loads_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "peft", "fastapi", "numpy", "matplotlib")
    code = f"import sys, tailorbird.cli; print([m for m in {heavy!r} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
    best = min(_seconds_of_help() for _ in range(5))
    assert best < 0.3


def _seconds_of_help() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-m", "tailorbird", "--help"], capture_output=True, check=True)
    return time.monotonic() - started

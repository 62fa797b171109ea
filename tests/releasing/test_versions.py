"""Which version serves: release, promote, rollback, compare, through the command, on a tiny model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tailorbird import audit, evaluate, import_conversations, plan, release, train
from tailorbird.artifacts import Override, Release, Scorecard
from tailorbird.cli import app
from tailorbird.errors import GateError, InputError, ModelError, SettingsError, TailorbirdError, WorkspaceError
from tailorbird.releasing import promote, rollback, version
from tailorbird.releasing.exporting import export
from tailorbird.releasing.gate import objections
from tailorbird.workspace import Workspace, read_conversations, write_lines

MIRA = Override(by="Mira", reason="a rehearsal")


@pytest.fixture
def evaluated(tmp_path: Path, evaluated_once: Path) -> Workspace:
    """A workspace with a scorecard and nothing released."""
    return Workspace(shutil.copytree(evaluated_once, tmp_path / "shop"))


def made(workspace: Workspace) -> Scorecard:
    return evaluate(workspace, train(workspace, plan(workspace, audit(workspace, import_conversations(workspace)))))


def run(workspace: Workspace, *words: str) -> Any:
    """What a command prints as JSON."""
    done = CliRunner().invoke(app, [*words, "-w", str(workspace.folder), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def changed(workspace: Workspace, old: str, new: str) -> Workspace:
    file = workspace.folder / "tailorbird.yaml"
    assert old in file.read_text(encoding="utf-8")
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return Workspace(workspace.folder)


def test_versions_come_and_go_and_the_way_back_is_one_command(evaluated: Workspace) -> None:
    changed(evaluated, "business:", "releasing: {rules: {not_measured: refuse}}\nbusiness:")
    override = ("--override", "a rehearsal", "--by", "Mira")
    first = run(evaluated, "release", *override)
    with pytest.raises(WorkspaceError, match="No version served before"):
        rollback(evaluated)
    made(changed(evaluated, "epochs: 2", "epochs: 3"))
    waiting = run(evaluated, "release", "--wait", *override)
    assert evaluated.aliases == {"production": first["id"], "candidate": waiting["id"]}
    compared = run(evaluated, "compare")
    assert compared["made_from"] == [waiting["lineage"]["candidate"], first["id"]], "release had compared the two already"
    card = evaluated.newest(Scorecard, "evaluate")
    strict = changed(evaluated, "releasing: {", "releasing: {better_than_production: [chrf, general text], ")
    refused = {one.rule: one.reason for one in objections(strict, card)["refuse"]}
    less = [name for name in ("chrf", "general text") if name not in compared["better"]]
    assert refused["not_better_than_production"].endswith(f"on {' and '.join(less)}")
    with pytest.raises(SettingsError, match="names 'sparkle', which there is not"):
        objections(changed(strict, "[chrf, general text]", "[sparkle]"), card)
    changed(strict, "better_than_production: [sparkle], ", "")
    assert run(evaluated, "promote")["version"] == 2
    assert evaluated.aliases == {"production": waiting["id"], "candidate": waiting["id"], "previous": first["id"]}
    assert run(evaluated, "rollback")["version"] == 1
    assert evaluated.alias("previous") == waiting["id"], "so that a rollback can be taken back"
    listed = run(evaluated, "releases")
    assert [(one["version"], one["aliases"]) for one in listed] == [(1, ["production"]), (2, ["candidate", "previous"])]
    assert listed[0]["overridden"]["by"] == "Mira"
    assert version(evaluated, "v2") == version(evaluated, "2") == version(evaluated, waiting["id"])
    with pytest.raises(WorkspaceError, match="no version '7'") as problem:
        version(evaluated, "7")
    assert "1, 2" in problem.value.text
    shown = CliRunner().invoke(app, ["releases", "-w", str(evaluated.folder)])
    assert "Mira: a rehearsal" in " ".join(shown.output.split())


def test_an_override_is_recorded_with_what_the_gate_had_said(evaluated: Workspace) -> None:
    card = evaluated.newest(Scorecard, "evaluate")
    strict = changed(evaluated, "business:", "releasing: {rules: {not_measured: refuse, few_tested: warn}}\nbusiness:")
    with pytest.raises(GateError) as problem:
        release(strict, card)
    assert "--by" in problem.value.text
    released = release(strict, card, MIRA)
    assert released.overridden
    assert released.overridden.refused
    card_text = (strict.path(released) / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "**Released against the gate by Mira:** a rehearsal" in card_text
    assert released.overridden.refused[0] in card_text
    alone = CliRunner().invoke(app, ["release", "--override", "why not", "-w", str(strict.folder)])
    assert isinstance(alone.exception, TailorbirdError)
    assert "belong together" in alone.exception.text


def test_personal_data_in_what_was_learned_is_refused_and_rules_can_be_changed(evaluated: Workspace) -> None:
    card = evaluated.newest(Scorecard, "evaluate")
    path = next((evaluated.store / "audits").glob("*/train.jsonl"))
    learned = read_conversations(path)
    turns = list(learned[0].turns)
    turns[-1] = turns[-1].model_copy(update={"content": "It is charged to 4111 1111 1111 1111, as you asked."})
    write_lines(path, [learned[0].model_copy(update={"turns": tuple(turns)}), *learned[1:]])
    refused = {one.rule: one.reason for one in objections(evaluated, card)["refuse"]}
    assert refused["personal_data"] == "1 CARD are left in the conversations that it learned from"
    lenient = changed(evaluated, "business:", "releasing: {rules: {personal_data: warn, not_measured: ignore}}\nbusiness:")
    found = objections(lenient, card)
    assert "personal_data" in [one.rule for one in found["warn"]]
    assert not {"personal_data", "not_measured"} & {one.rule for one in found["refuse"]}
    assert "not_measured" not in [one.rule for one in found["warn"]]
    kept = changed(lenient, "audit:\n", "audit:\n  keep: ['4111 1111 1111 1111']\n")
    assert "personal_data" not in [one.rule for one in objections(kept, card)["warn"]]


@pytest.mark.parametrize("wrong", ["rules: {leeks: warn}", "better_than_base: [sparkle]"])
def test_rules_and_figures_that_do_not_exist_are_named(evaluated: Workspace, wrong: str) -> None:
    strange = changed(evaluated, "business:", f"releasing: {{{wrong}}}\nbusiness:")
    with pytest.raises(SettingsError, match="which there is not"):
        objections(strange, strange.newest(Scorecard, "evaluate"))


def test_a_version_with_an_erased_customer_never_serves(evaluated: Workspace) -> None:
    made = release(evaluated, evaluated.newest(Scorecard, "evaluate"), MIRA)
    evaluated.mark_for_retraining([made.id, made.lineage["candidate"]], "2026-11-23: a customer who was erased is in its data")
    with pytest.raises(GateError, match="must not serve"):
        promote(evaluated, made)
    refused = objections(evaluated, evaluated.newest(Scorecard, "evaluate"))["refuse"]
    assert "erased" in [one.rule for one in refused]


def test_the_rules_are_listed_with_what_they_do_here(evaluated: Workspace) -> None:
    here = changed(evaluated, "business:", "releasing: {rules: {bias: refuse}}\nbusiness:")
    rules = {row["rule"]: row["action"] for row in run(here, "releases", "--rules")}
    assert rules["bias"] == "refuse"
    assert rules["not_measured"] == "warn"


def test_older_releases_are_read(evaluated: Workspace) -> None:
    made = release(evaluated, evaluated.newest(Scorecard, "evaluate"), MIRA)
    older = made.model_dump(mode="json", exclude={"warnings"}) | {"overridden": "only a rehearsal"}
    assert Release.model_validate(older).overridden == Override(by="unknown", reason="only a rehearsal")


def test_a_version_is_exported_in_every_form_it_can_have(evaluated: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model came as a transformers folder, so it has no GGUF form; the real one's are in tests/engine."""
    monkeypatch.setattr("tailorbird.releasing.exporting.PROMPTS", 5)
    released = run(evaluated, "release", "--override", "a rehearsal", "--by", "Mira")
    told = run(evaluated, "export")
    assert told["forms"] == ["peft", "merged"]
    assert {one["form"]: one["same_answers"] == one["same_tokens"] == one["prompts"] for one in told["compared"]} == {
        "peft": True, "merged": True
    }  # fmt: skip
    assert "GGUF" in told["impossible"]["ollama"]
    folder = evaluated.folder / "exports" / f"{evaluated.folder.name}-v1"
    assert Path(told["folder"]) == folder
    assert json.loads((folder / "parity.json").read_text())["release"] == released["id"]
    assert "support assistant, version 1" in (folder / "peft" / "README.md").read_text()
    assert (folder / "merged" / "chat_template.jinja").is_file()
    elsewhere = evaluated.folder / "else"
    assert run(evaluated, "export", "1", "--as", "PEFT", "--to", str(elsewhere))["forms"] == ["peft"]
    assert run(evaluated, "export", "1", "--as", "merged", "--to", str(elsewhere))["forms"] == ["merged"]
    assert [one.name for one in elsewhere.iterdir() if one.is_dir()] == ["merged"], "an earlier export is replaced"


def test_what_cannot_be_exported_is_said_and_nothing_is_left_behind(evaluated: Workspace) -> None:
    released = release(evaluated, evaluated.newest(Scorecard, "evaluate"), MIRA)
    before = {path.name for path in evaluated.folder.iterdir()}
    with pytest.raises(ModelError, match="no form Q8_0: GGUF"):
        export(evaluated, released, ["q8_0"])
    with pytest.raises(InputError, match="no form 'onnx'"):
        export(evaluated, released, ["onnx"])
    with pytest.raises(InputError, match="something else in it"):
        export(evaluated, released, ["peft"], evaluated.store)
    assert list((evaluated.folder / "exports").iterdir()) == []
    evaluated.mark_for_retraining([released.id], "a customer was erased")
    with pytest.raises(GateError, match="a customer was erased"):
        export(evaluated, released)
    assert {path.name for path in evaluated.folder.iterdir()} - before == {"exports"}

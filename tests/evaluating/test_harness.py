"""lm-evaluation-harness on files of one's own, nothing fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import make_decided_model

from tailorbird import engine
from tailorbird.errors import ModelError, SettingsError
from tailorbird.evaluating.harness import digests, harness
from tailorbird.evaluating.systems import Systems
from tailorbird.progress import silent
from tailorbird.workspace import Workspace

TASK = """\
task: quiz
dataset_path: json
dataset_kwargs: {data_files: {test: quiz.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: label
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "shop"
    (folder / "harness").mkdir(parents=True)
    (folder / "harness" / "quiz.yaml").write_text(TASK)
    rows = [{"question": f"Item {n} is of", "choices": [" silk", " wool", " lace"], "label": n % 3} for n in range(12)]
    (folder / "harness" / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_settings(folder, "{tasks: [quiz]}")
    return Workspace(folder)


def write_settings(folder: Path, told: str) -> None:
    shop = "business: {name: Shop}\nsystem_prompt: You answer.\nsources: [{path: none.jsonl}]\n"
    (folder / "tailorbird.yaml").write_text(f"{shop}evaluation: {{harness: {told}}}\n")


def test_a_task_is_compared_document_by_document(workspace: Workspace, tmp_path: Path) -> None:
    base, other = make_decided_model(tmp_path / "base"), make_decided_model(tmp_path / "other")
    parts = harness(workspace, Systems(base, other, None), silent)
    assert list(parts) == ["lm-eval quiz"]
    part = parts["lm-eval quiz"]
    assert part.examples == 12
    assert 0 < part.systems["base"]["harness"].value < 1
    assert part.systems["tuned"]["harness"].value == part.systems["base"]["harness"].value, "the same weights"
    assert part.differences["harness"].value == 0
    assert Path.cwd() != workspace.folder / "harness"


def test_a_document_counts_once_whatever_filters_a_task_has(workspace: Workspace, tmp_path: Path) -> None:
    choosing = TASK.replace("multiple_choice", "generate_until").replace("acc,", "exact_match,").replace("label\n", "question\n")
    filters = "".join(
        f"  - name: {name}\n    filter: [{{function: regex, regex_pattern: '(.*)'}}, {{function: take_first}}]\n"
        for name in ("a", "b")
    )
    told = (
        choosing.replace('doc_to_choice: "{{choices}}"\n', "")
        + f"generation_kwargs: {{max_gen_toks: 2}}\nfilter_list:\n{filters}"
    )
    (workspace.folder / "harness" / "quiz.yaml").write_text(told)
    base = make_decided_model(tmp_path / "base")
    assert harness(workspace, Systems(base, base, None), silent)["lm-eval quiz"].examples == 12


def test_other_files_are_another_test(workspace: Workspace) -> None:
    before = digests(workspace)
    assert set(before) == {"harness/quiz.yaml", "harness/quiz.jsonl"}
    (workspace.folder / "harness" / "quiz.jsonl").write_text("")
    assert digests(workspace) != before


def test_what_cannot_be_run_says_why(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systems = Systems(make_decided_model(tmp_path / "base"), tmp_path / "base", None)
    write_settings(workspace.folder, "{tasks: [quiz, puzzle]}")
    with pytest.raises(SettingsError, match="no task puzzle") as problem:
        harness(Workspace(workspace.folder), systems, silent)
    assert "Choose from quiz" in problem.value.fix
    write_settings(workspace.folder, "{tasks: [quiz], folder: nowhere}")
    with pytest.raises(SettingsError, match="no folder nowhere"):
        harness(Workspace(workspace.folder), systems, silent)
    (workspace.folder / "harness" / "quiz.jsonl").unlink()
    with pytest.raises(SettingsError, match="cannot run quiz"):
        harness(workspace, systems, silent)
    (workspace.folder / "harness" / "quiz.jsonl").write_text('{"question": "torn')
    with pytest.raises(SettingsError, match="cannot run quiz"):
        harness(workspace, systems, silent)
    monkeypatch.setitem(__import__("sys").modules, "lm_eval.tasks", None)
    with pytest.raises(ModelError, match="not installed") as missing:
        engine.run_harness(tmp_path / "base", {"base": None}, tmp_path, ["quiz"], silent)
    assert "tailorbird[harness]" in missing.value.fix


def test_without_tasks_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / "tailorbird.yaml").write_text(
        "business: {name: Shop}\nsystem_prompt: You answer.\nsources: [{path: none.jsonl}]\n"
    )
    assert harness(Workspace(tmp_path), Systems(tmp_path, tmp_path, None), silent) == {}

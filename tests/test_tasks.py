"""Several tasks in one run, through the public functions: learned, measured, released, asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import FABRICS, PIECES, conversation, write_jsonl

from tailorbird import audit, evaluate, import_conversations, plan, release, train
from tailorbird.artifacts import Override
from tailorbird.errors import InputError
from tailorbird.serving import perform
from tailorbird.settings import SourceSettings
from tailorbird.workspace import Workspace, read_conversations

TASKS = """
tasks:
  route:
    system_prompt: Name the department.
    answer: label
    labels_from: department
    read_twice: true
  describe:
    system_prompt: Write a product description.
    weight: 2
"""
DESK = ("Care", "Returns")


@pytest.fixture
def desk(shop: Path) -> Path:
    """Tickets with departments, and product descriptions in a file of their own."""
    rows = []
    for n in range(60):
        row = conversation(n)
        row["department"] = DESK[n % 2]
        rows.append(row)
    write_jsonl(shop / "conversations.jsonl", rows)
    goods = [f"{FABRICS[n % 10]} {PIECES[n // 10]}" for n in range(40)]
    described = [{"prompt": f"{what}, size {n}", "completion": f"A {what} to live in, size {n}."} for n, what in enumerate(goods)]
    write_jsonl(shop / "products.jsonl", described)
    text = (
        (shop / "tailorbird.yaml").read_text().replace("sources:\n", "sources:\n  - path: products.jsonl\n    task: describe\n")
    )
    (shop / "tailorbird.yaml").write_text(text + TASKS)
    return shop


def test_one_run_learns_three_tasks_and_each_has_its_figures(desk: Path) -> None:
    workspace = Workspace(desk)
    audited = audit(workspace, import_conversations(workspace))
    folder = workspace.path(audited)
    test = read_conversations(folder / "test.jsonl")
    assert {one.task for one in test} == {"", "describe"}, "each task is held out in proportion"
    described = next(one for one in test if one.task == "describe")
    assert described.turns[0].content == "Write a product description."
    planned = plan(workspace, audited)
    lessons = read_conversations(workspace.path(planned) / "train.jsonl")
    assert {one.task for one in lessons} == {"", "route", "describe"}
    assert all(
        one.turns[1].content == "\n".join([one.turns[1].content.partition("\n")[0]] * 2) for one in lessons if one.task == "route"
    )
    held_out = {one.id for one in test}
    assert not any(one.id.partition("@")[0] in held_out for one in lessons)
    assert "route" in planned.why["lessons"]
    card = evaluate(workspace, train(workspace, planned))
    route, describe = card.parts["task route"], card.parts["task describe"]
    assert set(route.differences) == {"accuracy", "macro_f1"}
    assert {"loss", "chrf"} <= set(describe.differences)
    assert route.examples == card.test_conversations, "every held-out ticket has a department"
    assert 0 <= route.systems["tuned"]["macro_f1"].value <= route.systems["tuned"]["accuracy"].high
    assert set(route.systems) == {"base", "tuned", "classifier"}, "what a linear classifier says by itself is shown beside"
    page = (workspace.path(card) / "report.html").read_text()
    assert "task route" in page
    assert "a linear classifier alone" in page
    made = release(workspace, card, override=Override(by="a test", reason="its model is tiny"))
    assert (made.tasks["route"].labels, made.tasks["route"].read_twice) == (("Care", "Returns"), True)
    assert (workspace.path(made) / "labels.npz").is_file()
    assert perform(workspace, made, "route", "Where is my parcel?") in DESK
    with pytest.raises(InputError, match="no task 'wash'"):
        perform(workspace, made, "wash", "Where is my parcel?")


def test_tasks_that_the_settings_do_not_have_are_refused(desk: Path) -> None:
    workspace = Workspace(desk)
    with pytest.raises(InputError, match="for the task 'slogan'"):
        import_conversations(workspace, [SourceSettings(path="products.jsonl", task="slogan")])
    import_conversations(workspace)
    text = (desk / "tailorbird.yaml").read_text()
    (desk / "tailorbird.yaml").write_text(text[: text.index("\ntasks:")].replace("    task: describe\n", ""))
    workspace = Workspace(desk)
    from tailorbird.artifacts import Dataset

    with pytest.raises(InputError, match="for the task describe"):
        audit(workspace, workspace.newest(Dataset, "import"))

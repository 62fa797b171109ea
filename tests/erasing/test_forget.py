"""A customer is erased: nothing in the workspace names them, their data does not come back, and models are marked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, conversation, write_jsonl
from openpyxl import Workbook, load_workbook

from tailorbird.artifacts import Audit, Candidate, Dataset
from tailorbird.auditing import audit
from tailorbird.auditing.decisions import decide
from tailorbird.erasing import forget
from tailorbird.errors import InputError
from tailorbird.importing import import_conversations
from tailorbird.knowledge import Knowledge
from tailorbird.settings import SourceSettings
from tailorbird.workspace import Workspace, read_conversations

PERSON = {"customer_id": "c-ana", "customer": "Ana Kowalska-Reyes"}
SIGNS = ("c-ana", "kowalska-reyes", "ana.kr@post.example", "the amber brooch")


def rows() -> list[dict[str, object]]:
    hers = conversation(70, question="I am Ana Kowalska-Reyes, ana.kr@post.example. Is the amber brooch real?") | PERSON
    rude = (
        conversation(71, question="The amber brooch is broken!", answer="Can't you read, you moron? ana.kr@post.example") | PERSON
    )
    other = conversation(72, question="My friend Ana Kowalska-Reyes (ana.kr@post.example) has a hat of yours. Any more?")
    return [*(conversation(n) for n in range(40)), hers | {"id": "t-hers"}, rude | {"id": "t-rude"}, other | {"id": "t-other"}]


def grep(folder: Path, *signs: str) -> list[str]:
    return [
        f"{path.relative_to(folder)}: {sign}"
        for path in folder.rglob("*") if path.is_file()
        for sign in signs if sign in path.read_bytes().decode("utf-8", "replace").casefold()
    ]  # fmt: skip


def candidate(workspace: Workspace, made: Audit) -> Candidate:
    fields = {"model": "m", "steps": 1, "best_step": 1, "stopped_early": False, "train_loss": 1.0, "validation_loss": 1.0,
              "minutes": 1.0, "tokens_per_second": 1.0, "peak_memory_gb": 1.0}  # fmt: skip
    with workspace.drafting("candidate-1") as draft:
        return workspace.save(Candidate(id="candidate-1", made_from=(made.id,), **fields), draft)


@pytest.mark.parametrize("named", ["c-ana", "Ana Kowalska-Reyes"])
def test_nothing_is_left_of_a_customer(shop: Path, named: str) -> None:
    write_jsonl(shop / "conversations.jsonl", list(rows()))
    workspace = Workspace(shop)
    made = audit(workspace, import_conversations(workspace))
    decide(workspace, ["t-rude"], "exclude")
    candidate(workspace, made)
    (shop / "knowledge").mkdir(exist_ok=True)
    (shop / "knowledge" / "notes.md").write_text("# Repairs\n\nWe mended a clasp for ana.kr@post.example in May.\n")
    documents = Knowledge(workspace, lambda texts: np.ones((len(texts), 4), dtype=np.float32))
    assert documents.search("Who had a clasp mended?")
    assert any("knowledge.sqlite" in place for place in grep(shop, *SIGNS))
    assert len(grep(shop, *SIGNS)) > 8
    certificate = forget(workspace, named)
    assert grep(shop, *SIGNS) == []
    assert [one.text for one in documents.search("Who had a clasp mended?")] == ["We mended a clasp for <ERASED> in May."]
    assert grep(shop, *SIGNS) == [], "nor does it come back with the next search"
    assert certificate.conversations == 2
    assert certificate.retrain == ["candidate-1"]
    assert "candidate-1" in workspace.retraining
    (dataset,) = workspace.all(Dataset)
    left = read_conversations(workspace.path(dataset) / "conversations.jsonl")
    assert dataset.conversations == len(left) == 41
    assert any("<ERASED>" in turn.content for one in left for turn in one.turns), "another customer's words stay"
    assert json.loads(next((shop / "erasures").iterdir()).read_text())["conversations"] == 2


def test_an_address_that_several_customers_wrote_is_not_guessed_at(shop: Path) -> None:
    write_jsonl(shop / "conversations.jsonl", list(rows()))
    workspace = Workspace(shop)
    import_conversations(workspace)
    with pytest.raises(InputError, match="Several customers wrote"):
        forget(workspace, "ANA.KR@post.example")


def test_an_erased_customer_is_not_imported_again(shop: Path) -> None:
    write_jsonl(shop / "conversations.jsonl", list(rows()))
    workspace = Workspace(shop)
    import_conversations(workspace)
    forget(workspace, "c-ana")
    write_jsonl(shop / "again.jsonl", list(rows()))
    dataset = import_conversations(workspace, [SourceSettings(path="again.jsonl")])
    left = read_conversations(workspace.path(dataset) / "conversations.jsonl")
    assert not {"t-hers", "t-rude"} & {one.id for one in left}


def test_tables_lose_the_rows_and_chats_of_nobody_else_go(shop: Path) -> None:
    header, first, third = "id,customer_id,question,answer", "1,c-1,Hats?,Yes of course", "3,c-3,Belts?,No more"
    text = "\n".join([header, first, '2,c-ana,"The amber\nbrooch?",It is real', third])
    (shop / "t.csv").write_text(text)
    workspace = Workspace(shop)
    import_conversations(workspace, [SourceSettings(path="t.csv")])
    forget(workspace, "c-ana")
    assert (shop / "t.csv").read_text().splitlines() == [header, first, "", "", third], "others keep the number of their line"
    forget(workspace, "c-3")
    assert (shop / "t.csv").read_text().splitlines() == [header, first, "", "", ""]
    (shop / "chat.txt").write_text("[14/08/2023, 09:15:32] Ana: Hola, abierto?\n[14/08/2023, 09:16:00] Tienda: Sí\n")
    import_conversations(workspace, [SourceSettings(path="chat.txt", ours=["Tienda"])])
    assert forget(workspace, "Ana").exports_removed == ["chat.txt"]
    assert not (shop / "chat.txt").exists()


def test_workbooks_lose_the_rows(shop: Path) -> None:
    rows = [
        ("id", "customer_id", "question", "answer"),
        (1, "c-1", "Hats?", "Yes, of course"),
        (2, "c-ana", "Amber?", "It is real"),
    ]
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(shop / "t.xlsx")
    workspace = Workspace(shop)
    import_conversations(workspace, [SourceSettings(path="t.xlsx")])
    assert forget(workspace, "c-ana").exports_to_delete == []
    left = list(load_workbook(shop / "t.xlsx").active.iter_rows(values_only=True))
    assert [row for row in left if any(row)] == rows[:2]


def test_forgetting_one_customer_after_the_other_takes_nobody_elses_lines(shop: Path) -> None:
    told = [conversation(n) for n in range(6)]
    write_jsonl(shop / "conversations.jsonl", told)
    workspace = Workspace(shop)
    import_conversations(workspace)
    for number in (1, 3):
        forget(workspace, f"c-{number}")
    left = [json.loads(line) for line in (shop / "conversations.jsonl").read_text().splitlines() if line]
    assert left == [told[n] for n in (0, 2, 4, 5)]


def test_mailboxes_lose_the_messages_from_and_to_the_customer(shop: Path) -> None:
    mail = "From x@y Mon Aug 14 09:15:32 2023\nFrom: {0}\nTo: {1}\nSubject: {2}\nMessage-ID: <{3}@x>\n{4}\n{5}\n\n"
    own, ana, bob = "Shop <help@shop.example>", "Ana Kowalska-Reyes <ana.kr@post.example>", "Bob <bob@post.example>"
    told = [
        mail.format(ana, own, "Brooch", 1, "", "Is the amber brooch real?"),
        mail.format(own, ana, "Re: Brooch", 2, "In-Reply-To: <1@x>\n", "It is."),
        mail.format(bob, own, "Hats", 3, "", "Any hats left?"),
        mail.format(own, bob, "Re: Hats", 4, "In-Reply-To: <3@x>\n", "Two."),
    ]
    (shop / "box.mbox").write_text("".join(told))
    workspace = Workspace(shop)
    import_conversations(workspace, [SourceSettings(path="box.mbox", ours=["shop.example"])])
    certificate = forget(workspace, "ana.kr@post.example")
    assert certificate.exports_to_delete == []
    assert grep(shop, *SIGNS) == []
    left = (shop / "box.mbox").read_text()
    assert left.count("Message-ID:") == 2
    assert "Two." in left


@pytest.mark.parametrize(
    ("desk", "customer", "gone", "stays"),
    [
        ("zendesk/api", "901", ("Rosa Lind", "rosa@example.com", "shorten a coat", "for £20"), ("Ben Abe", "rabbit felt")),
        ("gorgias/api", "502", ("Ben Abe", "ben@home.example", "Where is it?", "Tomorrow.", "too slow"), ("You have won",)),
        ("crisp/api", "Ben", ("How long?", "Four days."), ()),
        ("hubspot/api", "51", ("Anna Nowak", "anna@work.example", "Is the coat wool?"), ()),
    ],
)
def test_pages_of_help_desks_lose_the_customer(shop: Path, desk: str, customer: str, gone: tuple[str], stays: tuple[str]) -> None:
    shutil.copytree(ROOT / "tests" / "importing" / "exports" / desk, shop / "export")
    workspace = Workspace(shop)
    import_conversations(workspace, [SourceSettings(path="export")])
    certificate = forget(workspace, customer)
    assert certificate.exports_to_delete == []
    text = "".join(path.read_text() for path in (shop / "export").rglob("*.json"))
    assert [words for words in gone if words in text] == []
    assert [words for words in stays if words not in text] == []
    for path in (shop / "export").rglob("*.json"):
        json.loads(path.read_text())


def test_strangers_are_refused(shop: Path) -> None:
    workspace = Workspace(shop)
    import_conversations(workspace)
    with pytest.raises(InputError, match="Nobody called"):
        forget(workspace, "nobody@nowhere.example")

"""Judgements become conversations to learn from, once, and never of people who were erased."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import write_jsonl

from tailorbird.artifacts import Dataset, Turn
from tailorbird.erasing import forget
from tailorbird.errors import InputError, WorkspaceError
from tailorbird.feedback import Feedback, FeedbackStore
from tailorbird.feedback.intake import take_in
from tailorbird.importing import import_conversations
from tailorbird.improving import improve
from tailorbird.settings import SourceSettings
from tailorbird.turns import LoggedTurn, TurnLog
from tailorbird.workspace import Workspace, read_conversations

ROWS = [
    {"prompt": "Silk?", "chosen": "Yes, mulberry silk.", "rejected": "I think so.", "customer_id": "c-1"},
    {"prompt": "Spain?", "completion": "Yes, in five days.", "label": True},
    {"prompt": "Peru?", "completion": "Never.", "label": False, "task": "shipping"},
    {"prompt": "Parcel?", "drafted": "It is lost.", "edited": "It is in Lyon.", "created_at": "2026-01-31"},
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.create(tmp_path / "shop", "Shop")
    write_jsonl(made.folder / "conversations.jsonl", [chat("t-0", "c-0", "How do I wash a hat?", "With cold water.")])
    import_conversations(made)
    return made


def chat(identity: str, customer: str, question: str, answer: str) -> dict[str, object]:
    told = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"id": identity, "customer_id": customer, "messages": told}


def tell(workspace: Workspace, rows: list[dict[str, object]], name: str = "judged.jsonl") -> None:
    take_in(workspace, [write_jsonl(workspace.folder / name, list(rows))])


def test_every_kind_becomes_what_training_takes(workspace: Workspace) -> None:
    tell(workspace, ROWS)
    tie = Feedback(kind="tie", messages=(Turn(role="user", content="Hats?"),), completion="Yes.", rejected="No.")
    FeedbackStore(workspace).add([tie])
    before = workspace.newest(Dataset, "import")
    made = improve(workspace)
    assert made.made_from == (before.id,)
    assert (made.conversations, made.turns, made.added, made.rejected) == (5, 10, 4, 0)
    assert [source.conversations for source in made.sources] == [1, 4]
    assert workspace.current(Dataset) == made
    old, *new = read_conversations(workspace.path(made) / "conversations.jsonl")
    assert old.id == "t-0"
    assert all(one.id.startswith("feedback-") for one in new)
    told = {one.turns[0].content: one for one in new}
    assert told["Silk?"].rejected == "I think so."
    assert told["Silk?"].turns[-1].content == "Yes, mulberry silk."
    assert told["Silk?"].customer_id == "c-1"
    assert (told["Spain?"].liked, told["Peru?"].liked, told["Silk?"].liked) == (True, False, None)
    assert (told["Peru?"].task, told["Silk?"].task) == ("shipping", "")
    assert told["Parcel?"].pair is not None
    assert told["Parcel?"].turns[-1].content == "It is in Lyon."
    assert str(told["Parcel?"].created_at).startswith("2026-01-31")


def test_only_the_answer_that_was_judged_is_learned(workspace: Workspace) -> None:
    prompt = [{"role": role, "content": text} for role, text in (("user", "Hi?"), ("assistant", "Go away."), ("user", "Silk?"))]
    tell(workspace, [{"prompt": prompt, "completion": "Yes, mulberry silk.", "label": True}])
    new = read_conversations(workspace.path(improve(workspace)) / "conversations.jsonl")[-1]
    assert [turn.given for turn in new.turns] == [False, True, False, False]
    assert [message.get("given", False) for message in new.messages] == [False, True, False, False]


def test_a_later_verdict_takes_the_place_of_the_earlier_one(workspace: Workspace) -> None:
    store = FeedbackStore(workspace)
    verdict = Feedback(
        id="feedback-1", kind="thumb", messages=(Turn(role="user", content="Silk?"),), completion="Yes.", label=True
    )
    store.add([verdict])
    first = improve(workspace)
    store.replace(["feedback-1"], [verdict.model_copy(update={"label": False})])
    second = improve(workspace)
    assert (second.conversations, second.turns, second.added) == (first.conversations, first.turns, 1)
    old, new = read_conversations(workspace.path(second) / "conversations.jsonl")
    assert (old.id, new.id, new.liked) == ("t-0", "feedback-1", False)
    assert improve(workspace) == second


def test_nothing_is_added_twice_whatever_came_between(workspace: Workspace) -> None:
    before = workspace.newest(Dataset, "import")
    assert improve(workspace) == before, "no feedback, no new dataset"
    tell(workspace, ROWS[:2])
    first = improve(workspace)
    assert improve(workspace) == first
    write_jsonl(workspace.folder / "more.jsonl", [chat("t-1", "c-9", "Do you sell hats?", "We sell two.")])
    grown = import_conversations(workspace, [SourceSettings(path="more.jsonl")])
    assert improve(workspace) == grown
    assert grown.conversations == 4
    tell(workspace, ROWS)
    second = improve(workspace)
    assert (second.added, second.conversations, second.made_from) == (2, 6, (grown.id,))
    ids = [one.id for one in read_conversations(workspace.path(second) / "conversations.jsonl")]
    assert len(set(ids)) == 6
    fresh = import_conversations(workspace, fresh=True)
    assert fresh.conversations == 1
    assert improve(workspace).conversations == 5, "a dataset that was begun anew gets it all"


def test_without_a_dataset_the_missing_verb_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="no dataset"):
        improve(Workspace.create(tmp_path / "shop", "Shop"))


ANA = "I am Ana Kowalska-Reyes, ana.kr@post.example. Is the amber brooch real?"
SIGNS = ("c-ana", "ana.kr@post.example", "amber brooch")
HERS = [
    {"prompt": "The amber brooch broke.", "chosen": "I am sorry.", "rejected": "So what.", "customer_id": "c-ana"},
    {"prompt": "And the amber brooch?", "completion": "It is real.", "label": True, "conversation": "t-ana"},
    {"prompt": ANA, "completion": "It is real amber.", "label": True},
    {"prompt": "?", "completion": "The amber brooch.", "label": "maybe", "customer_id": "c-ana"},
]
OTHERS = [
    {"prompt": "Silk?", "completion": "Write to ana.kr@post.example.", "label": False, "customer_id": "c-1"},
    {"prompt": "Hats?", "chosen": "Two.", "rejected": "None."},
    {"prompt": "Coats?", "completion": "Yes.", "label": "perhaps"},
]


def left_of(folder: Path) -> list[str]:
    return [
        f"{path.relative_to(folder)}: {sign}"
        for path in folder.rglob("*") if path.is_file()
        for sign in SIGNS if sign in path.read_bytes().decode("utf-8", "replace").casefold()
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["judged.jsonl", "judged.json", "judged.csv"])
def test_a_customer_who_is_erased_leaves_no_judgement(workspace: Workspace, name: str) -> None:
    write_jsonl(workspace.folder / "more.jsonl", [chat("t-ana", "c-ana", ANA, "It is real.")])
    import_conversations(workspace, [SourceSettings(path="more.jsonl")])
    rows = [OTHERS[0], *HERS, *OTHERS[1:]]
    columns = ["prompt", "chosen", "rejected", "completion", "label", "customer_id", "conversation"]
    lines = ["\t".join(columns), *("\t".join(str(row.get(column, "")) for column in columns) for row in rows)]
    told = {"judged.jsonl": "\n".join(map(json.dumps, rows)), "judged.json": json.dumps(rows), "judged.csv": "\n".join(lines)}
    (workspace.folder / name).write_text(told[name])
    take_in(workspace, [workspace.folder / name])
    improve(workspace)
    assert len(left_of(workspace.folder)) > 8
    certificate = forget(workspace, "c-ana")
    assert left_of(workspace.folder) == []
    assert (certificate.conversations, certificate.feedback) == (1, 3)
    assert name in certificate.files_changed
    kept = {row.messages[0].content: row for row in FeedbackStore(workspace).all()}
    assert sorted(kept) == ["Hats?", "Silk?"]
    assert kept["Silk?"].completion == "Write to <ERASED>."
    again = take_in(workspace, [workspace.folder / name])
    assert (again.added, again.known, len(again.rejected)) == (1, 1, 1), "what was cleaned says something else now"
    assert FeedbackStore(workspace).counts()["pair"] == 1
    tell(workspace, [HERS[0], OTHERS[1]], "again.jsonl")
    assert len(FeedbackStore(workspace).newest(None, "pair")) == 1, "she is not taken in again"
    improve(workspace)
    assert left_of(workspace.folder) == ["again.jsonl: c-ana", "again.jsonl: amber brooch"]


def test_somebody_who_only_gave_feedback_can_be_erased(workspace: Workspace) -> None:
    tell(workspace, [HERS[0], HERS[2], OTHERS[1]])
    with pytest.raises(InputError, match="Nobody called"):
        forget(workspace, "c-bob")
    assert forget(workspace, "c-ana").feedback == 1
    assert forget(workspace, "ana.kr@post.example").feedback == 1
    assert [row.messages[0].content for row in FeedbackStore(workspace).all()] == ["Hats?"]
    assert (workspace.folder / "judged.jsonl").read_text().count("\n") == 1


def test_a_damaged_table_stops_forgetting_before_anything_changes(workspace: Workspace) -> None:
    tell(workspace, HERS[:1])
    FeedbackStore(workspace).path.write_bytes(b"damaged" * 1000)
    with pytest.raises(WorkspaceError, match="damaged"):
        forget(workspace, "c-0")
    assert "c-0" in (workspace.folder / "conversations.jsonl").read_text()


def test_what_people_answered_is_learned_and_nothing_that_the_assistant_said(workspace: Workspace) -> None:
    log = TurnLog(workspace)

    def talk(*said: tuple[str, str]) -> str:
        held = log.begin()
        log.add([LoggedTurn(conversation=held.id, role=role, text=text) for role, text in said])  # type: ignore[arg-type]
        return held.id

    helped = talk(("user", "Where is it?"), ("assistant", "In Peru."), ("user", "A person!"), ("person", "It is in Lyon."))
    talk(("user", "Do you mend zips?"), ("assistant", "Yes."))
    waiting = talk(("user", "Is it lost?"), ("person", "Let me look."))
    log.set_state(helped, "waiting")
    log.set_state(helped, "person")
    assert log.set_state(helped, "assistant")
    log.set_state(waiting, "waiting")
    made = improve(workspace)
    assert made.added == 1
    learned = read_conversations(workspace.path(made) / "conversations.jsonl")[-1]
    assert [(turn.role, turn.content) for turn in learned.turns] == [
        ("user", "Where is it?\n\nA person!"),
        ("assistant", "It is in Lyon."),
    ]
    assert improve(workspace) == made
    log.set_state(waiting, "person")
    log.set_state(waiting, "closed")
    assert improve(workspace).added == 1

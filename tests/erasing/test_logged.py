"""A customer who talked to the assistant is erased: their conversations go, and their name in those of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import conversation, write_jsonl

from tailorbird.erasing import forget
from tailorbird.errors import InputError, WorkspaceError
from tailorbird.importing import import_conversations
from tailorbird.turns import LoggedTurn, Outbox, TurnLog
from tailorbird.workspace import Workspace

ANA = "Ana Kowalska-Reyes"


def talk(log: TurnLog, customer: str | None, question: str) -> str:
    identity = log.begin(customer_id=customer).id
    answer = LoggedTurn(conversation=identity, role="assistant", text="We shall see.")
    log.add([LoggedTurn(conversation=identity, role="user", text=question), answer])
    return identity


@pytest.fixture
def log(live: Workspace) -> TurnLog:
    write_jsonl(live.folder / "conversations.jsonl", [conversation(n) for n in range(5)])
    log, outbox = TurnLog(live), Outbox(live)
    for number in range(3):
        outbox.put("waiting", {"conversation": talk(log, "c-ana", f"Is the amber brooch {number} real?")})
    talk(log, "c-bob", f"My friend {ANA} has a hat of yours. Any more?")
    talk(log, None, "Hats?")
    return log


def left_of(folder: Path, log: TurnLog, *signs: str) -> list[str]:
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    told = f"{list(log.everything())!r} {Outbox(Workspace(folder)).due()!r}".encode()
    return [sign for sign in signs if any(sign.encode() in content for content in (*files, told))]


def test_somebody_who_only_talked_to_the_assistant_can_be_erased(live: Workspace, log: TurnLog) -> None:
    assert left_of(live.folder, log, "c-ana", "amber") == ["c-ana", "amber"]
    made = forget(live, "c-ana")
    assert (made.conversations, made.feedback, made.logged) == (0, 0, 3)
    assert left_of(live.folder, log, "c-ana", "amber") == []
    assert len(list(log.everything())) == 2
    with pytest.raises(InputError, match="Nobody called"):
        forget(live, "c-ana")


def test_an_imported_customers_conversations_with_the_assistant_go_too(live: Workspace, log: TurnLog) -> None:
    hers = conversation(70, question=f"I am {ANA}. Is it real?") | {"customer_id": "c-ana", "customer": ANA}
    write_jsonl(live.folder / "conversations.jsonl", [*(conversation(n) for n in range(5)), hers])
    import_conversations(live)
    made = forget(live, ANA)
    assert (made.conversations, made.logged) == (1, 3)
    assert left_of(live.folder, log, "c-ana", "amber", "Kowalska") == []
    assert [turns[0].text for held, turns in log.everything() if held.customer_id == "c-bob"] == [
        "My friend <ERASED> has a hat of yours. Any more?"
    ]


def test_a_damaged_log_stops_forgetting_before_anything_changes(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "shop", "Shop")
    write_jsonl(workspace.folder / "conversations.jsonl", [conversation(n) for n in range(5)])
    import_conversations(workspace)
    log = TurnLog(workspace)
    talk(log, "c-0", "Hats?")
    assert log.database.path is not None
    log.database.path.write_bytes(b"damaged" * 1000)
    with pytest.raises(WorkspaceError, match="damaged"):
        forget(workspace, "c-0")
    assert "c-0" in (workspace.folder / "conversations.jsonl").read_text()

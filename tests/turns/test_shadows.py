"""What a version answered unseen: beside the answer that customers got, and gone with its conversation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tailorbird.turns import LoggedTurn, ShadowLog, TurnLog
from tailorbird.workspace import Workspace

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def turn(conversation: str, role: str, words: str, **more: object) -> LoggedTurn:
    return LoggedTurn.model_validate({"conversation": conversation, "role": role, "text": words, "created_at": NOW} | more)


def answered(log: TurnLog, customer: str = "c-1") -> str:
    """A conversation of two questions and answers."""
    held = log.begin(customer_id=customer)
    for number in range(2):
        said = f"It is {number}, says ana@example.org."
        log.add([turn(held.id, "user", f"How many, {number}?"), turn(held.id, "assistant", said, release="shop-v1")])
    return held.id


def unseen(conversation: str, number: int, **more: object) -> LoggedTurn:
    told: dict[str, object] = {"number": number, "release": "shop-v2", "duration_ms": 80.5, "guards": ("answer.promises",)}
    return turn(conversation, "assistant", "It is 7, says ana@example.org.", **told | {"action": "hand_over"} | more)


def test_an_unseen_answer_stands_beside_the_one_that_was_sent(live: Workspace) -> None:
    log, shadows = TurnLog(live), ShadowLog(live)
    assert list(shadows.since()) == [], "and nothing is made by reading"
    assert not live.store.exists()
    identity = answered(log)
    assert shadows.add(unseen(identity, 4, created_at=NOW + timedelta(days=1)))
    assert not shadows.add(unseen(identity, 4)), "once for each turn"
    assert not shadows.add(unseen("gone", 4)), "its customer was erased meanwhile"
    assert not any(turn.release == "shop-v2" for turn in log.turns(identity)), "nobody is shown it"
    (found,) = shadows.since()
    assert [one.text for one in found.before] == ["How many, 0?", "It is 0, says ana@example.org.", "How many, 1?"]
    assert (found.answer.number, found.answer.release) == (4, "shop-v1")
    assert found.shadow == unseen(identity, 4, created_at=NOW + timedelta(days=1))
    assert len(list(shadows.since(NOW + timedelta(hours=1)))) == 1
    assert list(shadows.since(NOW + timedelta(days=2))) == []


def test_it_is_cleaned_and_goes_with_its_conversation(live: Workspace) -> None:
    log, shadows = TurnLog(live), ShadowLog(live)
    kept, erased, old = (answered(log, customer) for customer in ("c-1", "c-2", "c-3"))
    for identity in (kept, erased, old):
        shadows.add(unseen(identity, 2))
    gone, changed = log.erase(lambda held, _: held.id == erased, lambda text: text.replace("ana@example.org", "<EMAIL_1>"))
    assert (gone, changed) == (1, 6), "two answers and an unseen one in each of the two that are left"
    assert {one.conversation.id for one in shadows.since()} == {kept, old}
    assert all("<EMAIL_1>" in one.shadow.text for one in shadows.since())
    assert log.forget_older(0) == 2
    assert list(shadows.since()) == []


def test_many_conversations_are_read_once_each(live: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailorbird.turns.shadows._BATCH", 4)
    log, shadows = TurnLog(live), ShadowLog(live)
    identities = [answered(log) for _ in range(6)]
    for identity in identities:
        shadows.add(unseen(identity, 2))
        shadows.add(unseen(identity, 4))
    found = [(one.conversation.id, one.shadow.number) for one in shadows.since()]
    assert sorted(found) == sorted((identity, number) for identity in identities for number in (2, 4))

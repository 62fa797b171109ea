"""The log of conversations: in order, nothing twice, states that nobody can take twice, and gone when it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from tailorbird.database import Database
from tailorbird.database.tables import METADATA
from tailorbird.errors import WorkspaceError
from tailorbird.turns import LoggedConversation, LoggedTurn, Outbox, TurnLog
from tailorbird.workspace import Workspace

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def said(conversation: str, words: str, role: str = "user", **more: object) -> LoggedTurn:
    return LoggedTurn.model_validate({"conversation": conversation, "text": words, "role": role} | more)


@pytest.fixture
def database(live: Workspace) -> Iterator[Database]:
    """As a server has it: connections stay open."""
    made = Database(live, pooled=True)
    yield made
    made.close()


@pytest.fixture
def log(live: Workspace, database: Database) -> TurnLog:
    return TurnLog(live, database)


def test_reading_an_empty_log_makes_nothing(live: Workspace) -> None:
    log = TurnLog(live)
    assert (log.turns("x"), log.conversation("x"), log.queue(), list(log.everything())) == ([], None, [], [])
    assert (log.forget_older(1), log.erase(lambda *_: True)) == (0, (0, 0))
    assert log.find_by_history("d") is None
    assert Outbox(live).due() == []
    assert not live.store.exists()


def test_all_that_is_told_of_a_turn_comes_back(log: TurnLog) -> None:
    held = log.begin(customer_id="c-1", key="shop", language="en")
    question = said(held.id, "Hats? \0\ud800 “ü”", created_at=NOW, language="de", guards=("message.swearing",), action="flag")
    answer = said(
        held.id, "Yes.", "assistant", created_at=NOW, whole=False, release="release-1", first_token_ms=12.5, duration_ms=80.25,
        prompt_tokens=100, completion_tokens=3, guards=("answer.promises",), action="rewrite", reason="a promise",
        passages=("p-1", "p-2"), language="de",
    )  # fmt: skip
    reply = said(held.id, "Two are left.", "person", created_at=NOW + timedelta(days=9), author="mira")
    assert [log.add([question, answer]), log.add([reply])] == [1, 3]
    wanted = [question, answer, reply]
    assert log.turns(held.id) == [turn.model_copy(update={"number": n}) for n, turn in enumerate(wanted, 1)]
    assert question.text == "Hats? \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} “ü”"
    assert [turn.number for turn in log.turns(held.id, after=2)] == [3]
    now = log.conversation(held.id)
    assert now == held.model_copy(
        update={"language": "de", "release": "release-1", "last_at": max(held.last_at, reply.created_at),
                "first_reply_at": reply.created_at}
    )  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"release": "release-1"}, {"duration_ms": 1.0}, {"passages": ("p",)}, {"author": "mira"}, {"whole": False},
        {"role": "person", "guards": ("answer.toxicity",)}, {"role": "assistant", "author": "mira"}, {"role": "system"},
        {"role": "assistant", "completion_tokens": -1},
    ],
)  # fmt: skip
def test_a_turn_says_only_what_its_role_can_say(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        said("chat-1", "Hats?", **wrong)  # type: ignore[arg-type]


def test_ids_cannot_be_guessed_and_given_ones_are_kept(log: TurnLog) -> None:
    made = {log.begin().id for _ in range(20)}
    assert len(made) == 20
    assert min(len(identity) for identity in made) >= 32
    first = log.begin(customer_id="c-1", identity="widget-7")
    assert log.begin(customer_id="c-2", identity="widget-7") == first
    assert len(list(log.everything())) == 21


def test_what_is_sent_twice_is_kept_once(log: TurnLog) -> None:
    one, other = log.begin().id, log.begin().id
    first = log.add([said(one, "Hats?"), said(one, "Yes.", "assistant")], once="message 1")
    assert log.add([said(one, "Coats?")], once="message 2") == 3
    assert log.add([said(one, "Hats?"), said(one, "Yes, two.", "assistant")], once="message 1") == first == 1
    assert log.add([said(other, "Hats?")], once="message 1") == 1, "it is another conversation's"
    assert log.add([said(one, "Coats?")]) == 4
    assert [turn.text for turn in log.turns(one)] == ["Hats?", "Yes.", "Coats?", "Coats?"]


def test_turns_of_nowhere_are_refused(log: TurnLog) -> None:
    with pytest.raises(WorkspaceError, match="no conversation chat-1"):
        log.add([said("chat-1", "Hats?")])
    one, other = log.begin().id, log.begin().id
    with pytest.raises(ValueError, match="several"):
        log.add([said(one, "Hats?"), said(other, "Hats?")])
    assert log.turns(one) == log.turns(other) == []


def test_a_client_that_sends_back_the_history_is_recognised(log: TurnLog) -> None:
    ana, bob = log.begin(key="shop", customer_id="c-ana").id, log.begin(key="shop").id
    for identity in (ana, bob):
        log.add([said(identity, "Hats?"), said(identity, "Yes.", "assistant")], history="digest 1")
    assert [log.find_by_history("digest 1", "shop", "c-ana"), log.find_by_history("digest 1", "shop")] == [
        log.conversation(ana), log.conversation(bob),
    ]  # fmt: skip
    assert log.find_by_history("digest 1", "other shop", "c-ana") is None
    log.add([said(ana, "Coats?"), said(ana, "No.", "assistant")], history="digest 2")
    assert log.find_by_history("digest 1", "shop", "c-ana") is None
    assert log.find_by_history("digest 2", "shop", "c-ana") == log.conversation(ana)
    log.set_state(ana, "closed")
    assert log.find_by_history("digest 2", "shop", "c-ana") is None


def test_states_change_only_as_they_may(log: TurnLog) -> None:
    states = ("assistant", "waiting", "person", "closed")
    allowed = {("assistant", "waiting"), ("waiting", "person"), ("waiting", "assistant"), ("person", "assistant")}
    allowed |= {(state, "closed") for state in states[:3]}
    ways = {"assistant": (), "waiting": ("waiting",), "person": ("waiting", "person"), "closed": ("closed",)}
    moved = set()
    for start in states:
        for end in states:
            identity = log.begin().id
            assert all(log.set_state(identity, state) for state in ways[start])
            before = log.conversation(identity)
            if log.set_state(identity, end):
                moved.add((start, end))
            else:
                assert log.conversation(identity) == before
    assert moved == allowed
    assert not log.set_state("chat-none", "closed")


def test_a_hand_off_is_told_of_and_timed(log: TurnLog) -> None:
    identity = log.begin().id
    log.set_state(identity, "waiting", department="returns", reason="asked for a person", summary="A torn hem.")
    waiting = log.conversation(identity)
    assert waiting is not None
    assert (waiting.state, waiting.department, waiting.summary) == ("waiting", "returns", "A torn hem.")
    assert waiting.waiting_since is not None
    log.set_state(identity, "person")
    log.add([said(identity, "I am here.", "person", author="mira", created_at=NOW)])
    log.set_state(identity, "assistant")
    after = log.conversation(identity)
    assert after is not None
    assert (after.reason, after.first_reply_at, after.waiting_since) == ("asked for a person", NOW, waiting.waiting_since)
    log.set_state(identity, "waiting", reason="a complaint")
    again = log.conversation(identity)
    assert again is not None
    assert (again.department, again.reason, again.summary, again.first_reply_at) == (None, "a complaint", None, None)
    log.set_state(identity, "closed", reason="nobody came")
    closed = log.conversation(identity)
    assert closed is not None
    assert closed.closed_at is not None
    assert closed.reason == "nobody came"


def test_who_waited_longest_comes_first(log: TurnLog) -> None:
    made = [log.begin().id for _ in range(5)]
    for identity in (made[3], made[0], made[4]):
        log.set_state(identity, "waiting")
    log.set_state(made[0], "person")
    assert [one.id for one in log.queue()] == [made[3], made[4]]
    assert [one.id for one in log.queue(limit=1)] == [made[3]]
    assert [one.id for one in log.queue(("waiting", "person", "assistant"))] == [made[3], made[0], made[4], made[1], made[2]]


def test_a_state_and_its_message_are_kept_together_or_not_at_all(live: Workspace, database: Database, log: TurnLog) -> None:
    outbox = Outbox(live, database)
    identity = log.begin().id

    def hand_over(fails: bool) -> None:
        with database.writing() as connection:
            assert log.set_state(identity, "waiting", within=connection)
            log.add([said(identity, "A person will come.", "assistant")], within=connection)
            outbox.put("waiting", {"conversation": identity}, within=connection)
            if fails:
                raise ZeroDivisionError

    def state() -> str:
        held = log.conversation(identity)
        assert held
        return held.state

    with pytest.raises(ZeroDivisionError):
        hand_over(fails=True)
    assert (state(), log.turns(identity), outbox.due()) == ("assistant", [], [])
    hand_over(fails=False)
    assert (state(), len(log.turns(identity)), len(outbox.due())) == ("waiting", 1, 1)


def test_what_people_answered_is_learned_with_all_that_was_said(log: TurnLog) -> None:
    held = log.begin(customer_id="c-1")
    log.add([
        said(held.id, "Hats?", created_at=NOW), said(held.id, "Hello?"), said(held.id, "Yes, two.", "person", author="mira"),
    ])  # fmt: skip
    one = held.as_conversation(log.turns(held.id))
    assert (one.id, one.customer_id, one.source) == (held.id, "c-1", "live")
    assert [(turn.role, turn.content, turn.author) for turn in one.turns] == [
        ("user", "Hats?\n\nHello?", None), ("assistant", "Yes, two.", "mira"),
    ]  # fmt: skip
    assert one.turns[0].created_at == NOW.isoformat()


def _aged(live: Workspace, identity: str, days: int) -> None:
    moment = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.000000")
    with Database(live).writing() as connection:
        connection.execute(text(f"UPDATE conversations SET last_at = '{moment}' WHERE id = :it"), {"it": identity})
        connection.execute(text(f"UPDATE deliveries SET created_at = '{moment}' WHERE event = :it"), {"it": identity})


def test_what_is_too_old_is_deleted_in_batches(make_workspace: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailorbird.turns.log._BATCH", 3)
    live = make_workspace(keep_days=30)
    database = Database(live, pooled=True)
    log, outbox = TurnLog(live, database), Outbox(live, database)
    for days in (*range(32, 40), 29, 1):
        identity = log.begin(identity=f"chat-{days}").id
        words = "Hats? " if days < 30 else "Is the amber brooch real? " * 400
        log.add([said(identity, words), said(identity, "Yes.", "assistant")])
        outbox.put(identity, {})
        _aged(live, identity, days)
    assert log.forget_older() == 8
    assert sorted(one.id for one, _ in log.everything()) == ["chat-1", "chat-29"]
    assert [len(turns) for _, turns in log.everything()] == [2, 2]
    assert sorted(one.event for one in outbox.due()) == ["chat-1", "chat-29"]
    assert log.forget_older() == 0
    assert log.forget_older(days=20) == 1
    database.close()
    assert b"amber" not in b"".join(path.read_bytes() for path in live.folder.rglob("*") if path.is_file())


def test_what_is_erased_is_in_no_file(live: Workspace, database: Database, log: TurnLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailorbird.turns.log._BATCH", 40)
    outbox = Outbox(live, database)
    for number in range(100):
        identity = log.begin(customer_id="c-ana" if number % 3 == 0 else "c-bob").id
        words = f"the amber brooch {number} " * (1 + number) if number % 3 == 0 else f"Ana Kowalska has {number} hats"
        log.add([said(identity, words), said(identity, "Yes, Ana Kowalska.", "assistant")])
        log.set_state(identity, "waiting", summary=words[:60])
        outbox.put("waiting", {"at": f"/chats/{identity}", "summary": words[:60]})
    kept = outbox.put("note", {"Ana Kowalska": ["told", {"by": "Ana Kowalska"}, 7, None, True]})
    outbox.failed(kept, "Ana Kowalska cannot be reached", NOW)

    def clean(words: str) -> str:
        return words.replace("Ana Kowalska", "<ERASED>")

    assert log.erase(lambda held, turns: held.customer_id == "c-ana" or "nobody" in turns[0].text, clean) == (34, 132)
    everything = list(log.everything())
    assert len(everything) == 66
    assert {held.customer_id for held, _ in everything} == {"c-bob"}
    assert everything[0][1][1].text == "Yes, <ERASED>."
    assert len(outbox.due(limit=100)) == 67
    assert outbox.due()[0].body == {"<ERASED>": ["told", {"by": "<ERASED>"}, 7, None, True]}
    left = "".join(f"{one!r} {turns!r}" for one, turns in everything) + repr(outbox.due(limit=100))
    files = b"".join(path.read_bytes() for path in live.folder.rglob("*") if path.is_file())
    for sign in ("amber", "Kowalska", "c-ana"):
        assert sign not in left
        assert sign.encode() not in files


def test_a_row_that_is_no_turn_is_told_of(live: Workspace) -> None:
    log = TurnLog(live)
    identity = log.begin().id
    log.add([said(identity, "Hats?")])
    with Database(live).writing() as connection:
        connection.execute(text("UPDATE turns SET author = 'a customer has none'"))
    for use in (lambda: log.turns(identity), lambda: list(log.everything()), lambda: log.erase(lambda *_: True)):
        with pytest.raises(WorkspaceError, match="no turn or conversation"):
            use()


def test_the_page_names_every_table_and_column(root: object) -> None:
    page = (root / "docs" / "live-data.md").read_text(encoding="utf-8")  # type: ignore[operator]
    columns = [column.name for table in METADATA.tables.values() if table.name != "feedback" for column in table.columns]
    assert len(columns) > 30
    assert [name for name in (*METADATA.tables, *columns) if f"`{name}`" not in page] == []


def test_ids_are_kept_to_what_every_database_takes() -> None:
    with pytest.raises(ValidationError):
        LoggedConversation(id="x" * 129, started_at=NOW, last_at=NOW)

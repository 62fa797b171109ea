"""The table of judgements: nothing is lost, nothing is twice, whatever is written by however many."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from tailorbird.artifacts import Turn
from tailorbird.database.tables import JUDGEMENTS
from tailorbird.errors import WorkspaceError
from tailorbird.feedback import Feedback, FeedbackStore
from tailorbird.workspace import Workspace

INDIA = timezone(timedelta(hours=5, minutes=30))
NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
NUMBERS = count()


def thumb(question: str, label: bool = True, **more: object) -> Feedback:
    return Feedback.model_validate(
        {"kind": "thumb", "messages": [Turn(role="user", content=question)], "completion": "Yes.", "label": label} | more
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "shop", "Shop")


words = st.text(st.characters(codec="utf-8") | st.sampled_from("\0\u2028\n\"'\\"), max_size=30)
said = words.filter(lambda text: text.strip() != "")
told = st.none() | words


@st.composite
def judgements(draw: st.DrawFn) -> Feedback:
    kind = draw(st.sampled_from(["pair", "tie", "thumb", "edit"]))
    roles = st.builds(Turn, role=st.sampled_from(["system", "user", "assistant"]), content=words)
    answer = draw(said)
    return Feedback(
        kind=kind,
        messages=(*draw(st.lists(roles, max_size=4)), Turn(role="user", content=draw(said))),
        completion=answer,
        rejected=None if kind == "thumb" else f"{answer.strip()} {draw(said)}",
        label=draw(st.booleans()) if kind == "thumb" else None,
        customer_id=draw(told),
        conversation=draw(told),
        judge=draw(told),
        release=draw(told),
        task=draw(words),
        created_at=draw(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.sampled_from([UTC, INDIA]))),
        source=draw(words),
    )


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(rows=st.lists(judgements(), max_size=6))
def test_what_is_written_comes_back_and_nothing_is_twice(
    make_workspace: Callable[[str], Workspace], rows: list[Feedback]
) -> None:
    store = FeedbackStore(make_workspace(f"shop-{next(NUMBERS)}"))
    unique = {row.id: row for row in reversed(rows)}
    assert store.add(rows) == (len(unique), len(rows) - len(unique))
    assert store.add(rows) == (0, len(rows))
    assert {row.id: row for row in store.all()} == unique
    assert sum(store.counts().values()) == len(unique)


def test_rows_are_found_by_kind_and_time_oldest_first(live: Workspace) -> None:
    store = FeedbackStore(live)
    assert (store.all(), store.counts(), live.store.exists()) == ([], {}, False), "reading makes no file"
    rows = [thumb(f"q{day}", created_at=NOW + timedelta(days=day)) for day in range(3)]
    store.add(reversed(rows))
    assert store.all() == rows
    assert store.since(NOW + timedelta(days=1)) == rows[1:]
    assert store.newest(1, "thumb") == rows[2:]
    assert store.newest(5, "pair") == []
    assert store.counts(since=NOW + timedelta(days=1)) == {"thumb": 2}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"label": None}, "true or false"),
        ({"completion": " "}, "empty"),
        ({"messages": []}, "what the customer wrote"),
        ({"messages": [Turn(role="user", content="?"), Turn(role="assistant", content="!")]}, "what the customer wrote"),
        ({"rejected": "No."}, "about one answer"),
        ({"kind": "pair", "label": None}, "missing"),
        ({"kind": "pair", "label": None, "rejected": " Yes.\n"}, "the same"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        thumb("Hats?", **wrong)


WRITER = """
import sys; from pathlib import Path
from tailorbird.feedback import Feedback, FeedbackStore; from tailorbird.workspace import Workspace
store = FeedbackStore(Workspace(Path({folder!r})))
def thumb(said): return Feedback(kind="thumb", messages=[{{"role": "user", "content": said}}], completion="Yes.", label=True)
print("ready", flush=True); sys.stdin.readline()
print(sum(store.add([thumb(f"q{{n}}"), thumb(f"{{sys.argv[1]}} {{n}}")])[0] for n in range(8)))
"""


def test_two_processes_and_two_threads_write_at_once(live: Workspace) -> None:
    code = WRITER.format(folder=str(live.folder))
    command = [sys.executable, "-c", code]
    writers = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in ("a", "b")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    store, added = FeedbackStore(live), []

    def write(name: str) -> None:
        added.append(sum(store.add([thumb(f"q{n}"), thumb(f"{name} {n}")])[0] for n in range(8)))

    threads = [threading.Thread(target=write, args=(name,)) for name in ("c", "d")]
    for thread in threads:
        thread.start()
    added += [int(writer.communicate("go\n", timeout=60)[0]) for writer in writers]
    for thread in threads:
        thread.join()
    assert len(added) == 4
    assert sum(added) == len(store.all()) == 8 + 4 * 8, "what all wrote is there once"


@pytest.mark.parametrize("damage", ["text", "cut", "page"])
def test_a_damaged_file_is_named_and_left_as_it_is(workspace: Workspace, damage: str) -> None:
    store = FeedbackStore(workspace)
    store.add(thumb(f"Question {number}?" + "x" * 200) for number in range(200))
    whole = store.path.read_bytes()
    torn = {"text": b"not a database " * 99, "cut": whole[:9000], "page": whole[:4096] + os.urandom(4096) * 3 + whole[16384:]}[
        damage
    ]
    store.path.write_bytes(torn)
    for use in (store.all, lambda: store.add([thumb("New?")]), lambda: store.erase(lambda row: True)):
        with pytest.raises(WorkspaceError, match="damaged") as refused:
            use()
        assert "backup" in refused.value.fix
    assert store.path.read_bytes() == torn


def test_a_row_that_is_no_judgement_and_a_newer_schema_are_told_in_words(workspace: Workspace) -> None:
    store = FeedbackStore(workspace)
    store.add([thumb("Hats?")])
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE feedback SET messages = '{'")
    connection.close()
    with pytest.raises(WorkspaceError, match="no judgement"):
        store.all()
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE tailorbird_schema SET version_num = '0999'")
    connection.close()
    for use in (store.all, store.counts, lambda: store.add([thumb("Hats?")])):
        with pytest.raises(WorkspaceError, match="newer tailorbird"):
            use()


def test_a_writer_that_waits_too_long_is_told(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailorbird.database.engines.PATIENCE", 0.1)
    store = FeedbackStore(workspace)
    store.add([thumb("Hats?")])
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(WorkspaceError, match="Another command"):
        store.add([thumb("Coats?")])
    assert len(store.all()) == 1, "readers do not wait"
    other.close()


def test_what_is_erased_is_gone_from_the_file_too(live: Workspace) -> None:
    store = FeedbackStore(live)
    store.add([thumb("Is the amber brooch real?" * 400, customer_id="c-ana"), thumb("Ana has a hat."), thumb("Hats?")])
    assert store.erase(lambda row: row.customer_id == "c-ana", lambda text: text.replace("Ana", "<ERASED>")) == (1, 1)
    left = b"".join(path.read_bytes() for path in live.store.glob("*.sqlite*"))
    assert b"amber" not in left
    assert b"Ana" not in left
    assert sorted(row.messages[0].content for row in store.all()) == ["<ERASED> has a hat.", "Hats?"]
    live.bury(["c-ana"])
    assert store.add([thumb("Again?", customer_id="c-ana"), thumb("Hats?")]) == (0, 1)


def test_the_table_is_documented_and_postgresql_takes_it() -> None:
    page = (ROOT / "docs" / "feedback.md").read_text(encoding="utf-8")
    assert [column.name for column in JUDGEMENTS.columns if f"| `{column.name}` |" not in page] == []
    made = str(CreateTable(JUDGEMENTS).compile(dialect=postgresql.dialect()))
    assert "created_at TIMESTAMP WITH TIME ZONE NOT NULL" in made

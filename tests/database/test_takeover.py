"""Judgements that an older tailorbird kept in feedback.sqlite come into the live data once, whatever happens meanwhile."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tailorbird.database import takeover
from tailorbird.errors import WorkspaceError
from tailorbird.feedback import Feedback, FeedbackStore
from tailorbird.workspace import Workspace

# As version 0.1 made it.
OLD = """
CREATE TABLE feedback (
    id VARCHAR(40) NOT NULL, kind VARCHAR(8) NOT NULL CHECK (kind IN ('pair', 'tie', 'thumb', 'edit')), messages JSON NOT NULL,
    completion TEXT NOT NULL, rejected TEXT, label BOOLEAN, customer_id TEXT, conversation TEXT, judge TEXT, "release" TEXT,
    task TEXT NOT NULL, created_at DATETIME NOT NULL, source TEXT NOT NULL, PRIMARY KEY (id)
);
CREATE TABLE feedback_schema (version INTEGER NOT NULL, PRIMARY KEY (version));
INSERT INTO feedback_schema VALUES (1);
"""


def judgement(number: int) -> Feedback:
    return Feedback.model_validate(
        {"kind": "thumb", "messages": [{"role": "user", "content": f"Is amber {number} real?"}], "completion": "Yes – 100 %.",
         "label": number % 2 == 0, "customer_id": f"c-{number}", "created_at": f"2026-01-{number % 28 + 1:02d}T09:30:00Z"}
    )  # fmt: skip


def old_database(workspace: Workspace, rows: list[Feedback], logged: bool = False) -> Path:
    """The file as an older version left it; `logged`: killed with its rows in the write-ahead log."""
    path = workspace.store / "feedback.sqlite"
    path.parent.mkdir(exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(OLD)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    connection.execute("BEGIN")
    values = [
        (one.id, one.kind, json.dumps([{"role": turn.role, "content": turn.content} for turn in one.messages]), one.completion,
         one.label, one.customer_id, one.created_at.strftime("%Y-%m-%d %H:%M:%S.000000"))
        for one in rows
    ]  # fmt: skip
    connection.executemany(
        "INSERT INTO feedback (id, kind, messages, completion, label, customer_id, created_at, task, source) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, '', '')",
        values,
    )
    connection.execute("COMMIT")
    if logged:
        for name in ("feedback.sqlite", "feedback.sqlite-wal"):
            shutil.copy(workspace.store / name, workspace.store / f"killed-{name}")
        connection.close()
        for name in ("feedback.sqlite", "feedback.sqlite-wal"):
            (workspace.store / f"killed-{name}").rename(workspace.store / name)
        assert b"amber" not in path.read_bytes()
    connection.close()
    return path


@pytest.mark.parametrize("logged", [False, True])
def test_old_judgements_are_there_at_the_first_reading(live: Workspace, logged: bool) -> None:
    rows = [judgement(number) for number in range(700)]
    path = old_database(live, rows, logged)
    store = FeedbackStore(live)
    assert sorted(store.all(), key=lambda row: row.id) == sorted(rows, key=lambda row: row.id)
    names = {one.name for one in live.store.iterdir()}
    assert "feedback.sqlite.moved" in names
    assert not {"feedback.sqlite", "feedback.sqlite-wal", "feedback.sqlite-shm"} & names
    assert store.add([rows[0]]) == (0, 1)
    assert sqlite3.connect(path.with_name("feedback.sqlite.moved")).execute("SELECT count(*) FROM feedback").fetchone() == (700,)


def test_stopped_before_the_file_is_put_aside_it_goes_on(live: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [judgement(number) for number in range(3)]
    path = old_database(live, rows)
    with monkeypatch.context() as stopped:
        stopped.setattr(takeover, "put_aside", _stop)
        with pytest.raises(KeyboardInterrupt):
            FeedbackStore(live).all()
    assert path.exists()
    assert len(FeedbackStore(live).all()) == 3
    assert not path.exists()


def test_stopped_while_rows_are_copied_nothing_is_half_there(live: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old_database(live, [judgement(number) for number in range(1200)])
    values = takeover._values
    calls: list[int] = []

    def stops_later(row: sqlite3.Row) -> dict[str, object]:
        calls.append(1)
        return values(row) if len(calls) < 1000 else _stop()

    with monkeypatch.context() as stopped:
        stopped.setattr(takeover, "_values", stops_later)
        with pytest.raises(KeyboardInterrupt):
            FeedbackStore(live).all()
    assert path.exists()
    aside = path.rename(path.with_name("aside"))
    assert FeedbackStore(live).all() == []
    aside.rename(path)
    assert len(FeedbackStore(live).all()) == 1200


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.write_bytes(b"no database" * 500), "damaged"),
        (lambda path: _change(path, "UPDATE feedback SET messages = '{'"), "damaged"),
        (lambda path: _change(path, "UPDATE feedback_schema SET version = 2"), "newer tailorbird"),
    ],
)
def test_an_old_file_that_cannot_be_read_is_left_as_it_is(live: Workspace, damage: Callable[[Path], object], told: str) -> None:
    path = old_database(live, [judgement(1)])
    damage(path)
    before = path.read_bytes()
    for use in (FeedbackStore(live).all, lambda: FeedbackStore(live).add([judgement(2)])):
        with pytest.raises(WorkspaceError, match=told) as refused:
            use()
        assert refused.value.where == str(path)
    assert path.read_bytes() == before


def _change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def test_an_old_file_that_somebody_reads_is_left_for_later(live: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "_PATIENCE", 0.1)
    path = old_database(live, [judgement(1)])
    reader, writer = (sqlite3.connect(path, isolation_level=None) for _ in range(2))
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM feedback").fetchall()
    writer.execute("UPDATE feedback SET judge = 'mira'")
    with pytest.raises(WorkspaceError, match="Another command"):
        FeedbackStore(live).all()
    assert path.exists()
    for connection in (reader, writer):
        connection.close()
    assert [row.judge for row in FeedbackStore(live).all()] == ["mira"]


def test_what_is_erased_does_not_stay_in_what_was_put_aside(live: Workspace) -> None:
    old_database(live, [judgement(1)])
    store = FeedbackStore(live)
    store.all()
    old_database(live, [judgement(2)])
    assert len(store.all()) == 2
    assert {"feedback.sqlite.moved", "feedback.sqlite.moved-2"} <= {one.name for one in live.store.iterdir()}
    assert store.erase(lambda row: row.customer_id == "c-1") == (1, 0)
    assert [row.customer_id for row in store.all()] == ["c-2"]
    assert not list(live.store.glob("feedback.sqlite*"))

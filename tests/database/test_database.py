"""One database for what grows: made by its first writer, however many there are, and never by a reader; told of in words."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgres import PASSWORD, Cluster
from sqlalchemy import delete, select, text
from sqlalchemy.exc import OperationalError

from tailorbird.database import Database, explaining, insert_new
from tailorbird.database.tables import DELIVERIES, HEAD, JUDGEMENTS, METADATA, VERSIONS
from tailorbird.errors import SettingsError, TailorbirdError, WorkspaceError
from tailorbird.workspace import Workspace

ROW = {"id": "f-1", "kind": "thumb", "messages": [{"role": "user", "content": "Hats?"}], "completion": "Yes.", "label": True,
       "task": "", "source": "", "created_at": datetime(2026, 1, 31, tzinfo=UTC)}  # fmt: skip


def test_readers_make_nothing_and_the_first_writer_makes_all_tables(live: Workspace) -> None:
    database = Database(live)
    with database.reading() as connection:
        assert connection is None
    assert not live.store.exists()
    with database.writing() as connection:
        pass
    with database.reading() as connection:
        assert connection is not None
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "version_table": VERSIONS}
        )
        assert compare_metadata(context, METADATA) == [], "the steps lead to what tables.py says"
        assert context.get_current_revision() == HEAD
        if database.path:
            assert database.path == live.store / "live.sqlite"
            kept = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
            assert kept == ["wal", 2], "what is committed survives a power cut"


def test_a_database_of_an_older_version_gets_what_it_lacks(live: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr("tailorbird.database.HEAD", "0001")
        older.setattr("tailorbird.database.migrations.HEAD", "0001")
        with Database(live).writing() as connection:
            connection.exec_driver_sql("INSERT INTO feedback VALUES ('f-1', 'tie', '[]', 'a', 'b', NULL, NULL, NULL, NULL, NULL, "
                                       "'', '2026-01-31 09:30:00', '')")  # fmt: skip
        with pytest.raises(WorkspaceError), Database(live).reading() as connection:
            connection.execute(select(DELIVERIES))
    with Database(live).reading() as connection:
        assert connection.execute(select(DELIVERIES)).all() == []
        assert connection.execute(select(JUDGEMENTS.c.id)).scalars().all() == ["f-1"]


def test_the_number_of_a_delivery_never_comes_again(live: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"event": "e", "body": {"text": "“ü”"}, "created_at": datetime.now(UTC), "attempts": 0}
    with monkeypatch.context() as older:
        older.setattr("tailorbird.database.HEAD", "0003")
        older.setattr("tailorbird.database.migrations.HEAD", "0003")
        with Database(live).writing() as connection:
            connection.execute(DELIVERIES.insert(), [row, row])
    with Database(live).writing() as connection:
        kept = connection.execute(select(DELIVERIES.c.id, DELIVERIES.c.body).order_by(DELIVERIES.c.id)).all()
        assert [tuple(one) for one in kept] == [(1, row["body"]), (2, row["body"])]
        connection.execute(delete(DELIVERIES))
    with Database(live).erasing():
        pass
    with Database(live).writing() as connection:
        assert connection.execute(DELIVERIES.insert().returning(DELIVERIES.c.id), row).scalar_one() == 3


def test_a_newer_tailorbirds_database_is_refused_and_left_as_it_is(live: Workspace) -> None:
    database = Database(live)
    with database.writing() as connection:
        connection.execute(text("UPDATE tailorbird_schema SET version_num = '0999'"))
    for use in (database.reading, database.writing, database.erasing, Database(live).writing):
        with pytest.raises(WorkspaceError, match=r"newer tailorbird.*0999"), use():
            raise AssertionError("it was opened")


OPENER = """
import os, sys, time; from datetime import UTC, datetime; from pathlib import Path
from tailorbird.database import Database; from tailorbird.database.tables import DELIVERIES
from tailorbird.workspace import Workspace
import alembic.command, alembic.config
row = dict(event="e", body=dict(), created_at=datetime.now(UTC), attempts=0)
begin = time.monotonic() + 0.2
children = []
for _ in range(5):
    children.append(os.fork())
    if not children[-1]:
        time.sleep(max(0, begin - time.monotonic()))
        with Database(Workspace(Path(sys.argv[1]))).writing() as connection:
            connection.execute(DELIVERIES.insert(), row)
        os._exit(0)
print([os.waitpid(child, 0)[1] for child in children])
"""


def test_several_processes_make_the_tables_at_once(live: Workspace) -> None:
    told = subprocess.run([sys.executable, "-c", OPENER, live.folder], capture_output=True, text=True, timeout=120)
    assert told.stdout.strip() == "[0, 0, 0, 0, 0]", told.stderr
    with Database(live).reading() as connection:
        assert len(connection.execute(select(DELIVERIES)).all()) == 5


def test_a_transaction_is_kept_whole_or_not_at_all(live: Workspace) -> None:
    database = Database(live)
    row = {"event": "e", "body": {}, "created_at": datetime.now(UTC), "attempts": 0}

    def write() -> None:
        with database.writing() as connection:
            connection.execute(DELIVERIES.insert(), row)
            with database.writing(within=connection) as same:
                assert same is connection
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    with database.reading() as connection:
        assert connection is None, "the tables were made in that transaction too"


@pytest.mark.parametrize("pooled", [False, True])
def test_what_was_taken_away_is_in_no_file(tmp_path: Path, pooled: bool) -> None:
    workspace = Workspace.create(tmp_path / "shop", "Shop")
    database = Database(workspace, pooled=pooled)
    rows = [ROW | {"id": f"f-{number}", "completion": f"amber {number} " * (1 + number % 40)} for number in range(600)]
    with database.writing() as connection:
        connection.execute(insert_new(connection, JUDGEMENTS), rows)
    assert b"amber" in _bytes(workspace)
    with database.erasing() as connection:
        connection.execute(text("UPDATE feedback SET completion = 'pearl'"))
    assert b"pearl" in _bytes(workspace)
    assert b"amber" not in _bytes(workspace)
    database.close()


def _bytes(workspace: Workspace) -> bytes:
    return b"".join(path.read_bytes() for path in workspace.store.iterdir() if path.is_file())


def test_somebody_reading_all_the_time_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailorbird.database.engines.PATIENCE", 0.1)
    workspace = Workspace.create(tmp_path / "shop", "Shop")
    database = Database(workspace)
    with database.writing():
        pass
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM feedback").fetchall()
    with pytest.raises(WorkspaceError, match="somebody else is reading"), database.erasing() as connection:
        connection.execute(text("DELETE FROM feedback"))
    other.close()
    database.scrub()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database or disk is full", "disk is full"),
        ("could not extend file: No space left on device", "disk is full"),
        ("database is locked", "Another command"),
        ("canceling statement due to lock timeout", "Another command"),
        ("database disk image is malformed", "damaged"),
        ("attempt to write a readonly database", "readonly"),
        ("permission denied for schema public", "refuses this user"),
    ],
)
def test_what_databases_say_is_told_in_words(said: str, told: str) -> None:
    with pytest.raises(WorkspaceError, match=told) as refused, explaining.in_words("the place"):
        raise OperationalError("INSERT", {"text": "a customer's words"}, sqlite3.OperationalError(said))
    assert refused.value.where == "the place"
    assert refused.value.fix
    assert "customer" not in refused.value.text


def _at(tmp_path: Path, **log: str) -> Workspace:
    folder = Workspace.create(tmp_path / "shop", "Shop").folder
    with (folder / "tailorbird.yaml").open("a") as file:
        file.write("serving:\n  log:\n" + "".join(f'    {name}: "{value}"\n' for name, value in log.items()))
    return Workspace(folder)


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        ("ana@db/shop", "ben:x@DB:5432/shop", True),
        ("127.0.0.1/shop", "localhost/shop", True),
        ("/shop?host=/tmp", "localhost/shop?connect_timeout=3", True),
        ("db/shop", "db/shop?options=-csearch_path%3Dpublic", True),
        ("db/shop?options=-csearch_path%3Dhats,public", "db/shop?options=-csearch_path%3Dboots,public", True),
        ("db/shop?options=-csearch_path%3Dhats", "db/shop?options=-csearch_path%3Dboots", False),
        ("db/shop", "db/shop?options=-csearch_path%3Dboots", False),
        ("db/shop", "db/other", False),
        ("db/shop", "elsewhere/shop", False),
        ("db:5432/shop", "db:5433/shop", False),
    ],
)
def test_two_addresses_of_the_same_tables_are_known(tmp_path: Path, one: str, other: str, are: bool) -> None:
    first, second = (
        Database(_at(tmp_path / name, database=f"postgresql+psycopg://{address}")) for name, address in (("a", one), ("b", other))
    )
    assert first.is_same(second) is second.is_same(first) is are
    file = Database(Workspace.create(tmp_path / "c", "C"))
    assert [file.is_same(first), file.is_same(file)] == [False, True]


def _refusal(use: Callable[[], object]) -> tuple[str, str]:
    """The message of what is refused, and all that a log of the error would have."""
    with pytest.raises(TailorbirdError) as refused:
        use()
    return refused.value.text, "".join(traceback.format_exception(refused.value))


def test_a_server_that_does_not_let_us_in_is_told_of_without_the_password(cluster: Cluster, tmp_path: Path) -> None:
    def opened(name: str, address: str) -> Callable[[], object]:
        workspace = _at(tmp_path / name, database=f"postgresql+psycopg://{address}")
        return lambda: Database(workspace).reading().__enter__()

    here = f"127.0.0.1:{cluster.port}"
    for name, address, words in (
        ("closed", f"tailorbird:{PASSWORD}@127.0.0.1:1/postgres", "does not answer"),
        ("wrong", f"tailorbird:{PASSWORD}wrong@{here}/postgres", "refuses this user"),
        ("nobody", f"nobody:{PASSWORD}@{here}/postgres", "refuses this user"),
        ("absent", f"tailorbird:{PASSWORD}@{here}/absent", "no such database"),
        ("nowhere", f"tailorbird:{PASSWORD}@nowhere.invalid/postgres", "does not answer"),
    ):
        told, logged = _refusal(opened(name, address))
        assert words in told
        assert "What to do" in told
        assert PASSWORD not in logged
    opened("right", f"tailorbird:{PASSWORD}@{here}/postgres")()


def test_the_address_may_stand_in_a_variable(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = _at(tmp_path, database_variable="SHOP_DATABASE")
    monkeypatch.delenv("SHOP_DATABASE", raising=False)
    assert "SHOP_DATABASE is not set" in _refusal(lambda: Database(workspace))[0]
    for wrong in (f"mysql://me:{PASSWORD}@here/shop", f"//me:{PASSWORD}@here", f"postgresql://me:{PASSWORD}@here:port/shop"):
        monkeypatch.setenv("SHOP_DATABASE", wrong)
        told, logged = _refusal(lambda: Database(workspace))
        assert "SHOP_DATABASE" in told
        assert PASSWORD not in logged
    monkeypatch.setenv("SHOP_DATABASE", cluster.new_schema().replace("postgresql+psycopg", "postgresql"))
    database = Database(workspace)
    with database.writing() as connection:
        assert connection.dialect.name == "postgresql"
    assert not workspace.store.exists()
    assert database.where == f"PostgreSQL database postgres on {cluster.folder}"


def test_a_missing_driver_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    database = Database(_at(tmp_path, database="postgresql://here/shop"))
    told, _ = _refusal(lambda: database.reading().__enter__())
    assert 'pip install "tailorbird[postgres]"' in told


def test_two_addresses_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="either in `database` or"):
        _at(tmp_path, database="postgresql://here/shop", database_variable="SHOP_DATABASE")

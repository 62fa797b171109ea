"""Which database a workspace has, and SQLAlchemy's engine for it. What is SQLite's or PostgreSQL's alone stands here."""

from __future__ import annotations

import os
import re
from pathlib import Path
from sqlite3 import Connection as SQLite
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError

from tailorbird.database.tables import METADATA
from tailorbird.errors import SettingsError, WorkspaceError
from tailorbird.workspace import Workspace, write_ahead

FILE = "live.sqlite"
"""The database in the workspace's store, where the settings name no other."""
PATIENCE = 30  # seconds that a writer waits for another one
_SHOULD_ANSWER = 10  # seconds until a PostgreSQL server counts as unreachable
_KEPT, _MOST = 5, 40  # connections of a server
_EXAMPLE = "Write it as postgresql+psycopg://user@host/shop in serving.log of tailorbird.yaml, or leave it out for SQLite."


def address(workspace: Workspace) -> URL:
    """Where the live data is: the settings' database, or a file beside the artifacts; raises SettingsError if it is unusable.

    No message has the address in it, for there may be a password in it.
    """
    told = workspace.settings.serving.log
    text, where = told.database, "serving.log.database"
    if told.database_variable:
        where = f"the environment variable {told.database_variable}"
        text = os.environ.get(told.database_variable, "").strip()
        if not text:
            raise SettingsError(
                f"The environment variable {told.database_variable} is not set.",
                fix="Set it to the address of the database, as serving.log.database_variable asks for.",
            )
    if not text:
        return URL.create("sqlite", database=str(workspace.store / FILE))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsError(f"What {where} says is no address of a database.", fix=_EXAMPLE) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise SettingsError(f"What {where} names is no PostgreSQL database.", fix=_EXAMPLE)
    return url.set(drivername="postgresql+psycopg")


def name_of(url: URL) -> str:
    """What messages call the database: the file, or host and name without user and password."""
    if path := file_of(url):
        return str(path)
    host = url.host or url.normalized_query.get("host", ("this machine",))[0]
    return f"PostgreSQL database {url.database or url.username} on {host}"


def file_of(url: URL) -> Path | None:
    """SQLite's file; None for PostgreSQL."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def same(one: URL, other: URL) -> bool:
    """Whether two addresses may be of the same tables: one file, or one PostgreSQL database with a schema in common."""
    if file_of(one) or file_of(other):
        return file_of(one) == file_of(other)
    return _database_of(one) == _database_of(other) and not _schemas_of(one).isdisjoint(_schemas_of(other))


def _database_of(url: URL) -> tuple[str, str, str]:
    """Machine, port and name; a socket is this machine's."""
    told = url.normalized_query
    host = (url.host or told.get("host", ("localhost",))[0]).casefold()
    port = str(url.port or told.get("port", ("5432",))[0])
    return "localhost" if host in ("127.0.0.1", "::1") or host.startswith("/") else host, port, url.database or url.username or ""


def _schemas_of(url: URL) -> set[str]:
    """The schemas where tables are looked for, `public` where the address names none."""
    found = re.search(r"search_path=(\S+)", " ".join(url.normalized_query.get("options", ())))
    return {name.strip('"') for name in found[1].split(",")} if found else {"public"}


def engine_for(url: URL, pooled: bool) -> Engine:
    """An engine; without a pool every transaction has a connection of its own, and the last to close empties SQLite's log.

    Texts of customers are kept out of messages and logs. Raises WorkspaceError where PostgreSQL's driver is missing.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, pooled)
    pool: dict[str, Any] = {"pool_size": _KEPT, "max_overflow": _MOST - _KEPT} if pooled else {"poolclass": NullPool}
    try:
        engine = create_engine(
            url, hide_parameters=True, pool_pre_ping=pooled, connect_args={"connect_timeout": _SHOULD_ANSWER}, **pool
        )
    except ImportError as problem:
        raise WorkspaceError(
            "The driver for PostgreSQL is not installed.",
            fix='Run `pip install "tailorbird[postgres]"`.',
            where=name_of(url),
        ) from problem

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        connection.execute(f"SET lock_timeout = '{int(PATIENCE * 1000)}ms'")
        connection.commit()

    return engine


def _sqlite(url: URL, pooled: bool) -> Engine:
    pool: dict[str, Any] = {"pool_size": _KEPT, "max_overflow": -1} if pooled else {"poolclass": NullPool}
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": PATIENCE}, **pool)

    @event.listens_for(engine, "connect")
    def prepare(connection: SQLite, _: Any) -> None:
        connection.isolation_level = None  # the driver begins no transactions of its own
        write_ahead(connection, PATIENCE)
        connection.execute("PRAGMA synchronous=FULL")  # what is committed is on the disk, whatever happens next
        connection.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        # A writer queues before it reads: two that read first and write then would refuse each other.
        if not options.get("alone"):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing") else "BEGIN")

    return engine


def scrub(connection: Connection) -> bool:
    """Rewrites the tables, so that nothing erased stays in free pages or logs; False where somebody reading is in the way.

    Secure deletion alone leaves copies of rows that moved from page to page. The connection has the option `alone`, and on
    PostgreSQL commits by itself.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("VACUUM")
        return not connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    for table in METADATA.tables:
        connection.exec_driver_sql(f"VACUUM (FULL) {table}")
    return True


def alone(engine: Engine) -> dict[str, Any]:
    """The options of a connection whose statements stand in no transaction."""
    return {"alone": True} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}


def insert_new(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves alone what is there already, in the database's own words."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()

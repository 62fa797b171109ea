"""What grows while the assistant serves: judgements, conversations, messages that wait. One database, SQLite or PostgreSQL.

docs/live-data.md describes it. Which tables there are stands in tables.py, how older databases become such ones in migrations/.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from tailorbird.database import explaining, takeover
from tailorbird.database.engines import address, alone, engine_for, file_of, insert_new, name_of, same, scrub
from tailorbird.database.migrations import upgrade
from tailorbird.database.tables import HEAD, VERSIONS
from tailorbird.errors import WorkspaceError
from tailorbird.workspace import Workspace

__all__ = ["Connection", "Database", "insert_new"]

_MIGRATING = 7_461_696_108  # the number of the lock that PostgreSQL is asked for while tables are made
_SCHEMA = text(f"SELECT version_num FROM {VERSIONS}")


class Database:
    """The live data of a workspace. It appears with the first thing that is written; before that there is nothing to read.

    May be shared between threads. What a transaction wrote is on the disk when it ends without an error. Where the database
    cannot be reached, read or written, SettingsError or WorkspaceError say why and what to do.
    """

    def __init__(self, workspace: Workspace, pooled: bool = False) -> None:
        """Opens nothing yet; a server keeps connections open (`pooled`), a command has one for each transaction."""
        self._url = address(workspace)
        self._pooled = pooled
        self._older = workspace.store / takeover.FILE
        self._seen = False  # whether there is a table with the schema's number
        self.where = name_of(self._url)
        """What messages call it; without user and password."""
        self.path: Path | None = file_of(self._url)
        """SQLite's file; None for PostgreSQL."""

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """A transaction to read in; None where nothing was ever kept, and then nothing is made."""
        self._take_over()
        if self.path and not self.path.exists():
            yield None
            return
        with self._transaction() as connection:
            found = self._schema(connection)
            if found in (None, HEAD):
                yield connection if found else None
                return
        with self.writing():
            pass  # an older tailorbird's tables become ours
        with self._transaction() as connection:
            yield connection

    @contextmanager
    def writing(self, within: Connection | None = None) -> Iterator[Connection]:
        """A transaction to write in, all or nothing; or `within` one that is open already, as a part of it."""
        if within is not None:
            yield within
            return
        self._take_over()
        with self._prepared() as connection:
            yield connection

    @contextmanager
    def erasing(self) -> Iterator[Connection]:
        """A transaction to write in; when it is done, nothing of what it took away is left in free pages, logs or copies."""
        self._take_over()
        takeover.drop_moved(self._older)  # first: what is stopped after this can be done again
        with self._prepared() as connection:
            yield connection
        self.scrub()

    def scrub(self) -> None:
        """Leaves nothing of what was erased in free pages and logs; raises WorkspaceError while somebody reads for too long."""
        if self.path and not self.path.exists():
            return
        with explaining.in_words(self.where), self._engine.connect().execution_options(**alone(self._engine)) as connection:
            if not scrub(connection):
                raise WorkspaceError(
                    "Erased, but still in the database's log: somebody else is reading it.",
                    fix="Run this again when other commands are done.",
                    where=self.where,
                )

    def is_same(self, other: Database) -> bool:
        """Whether what is written to one may be read from the other, as far as their addresses tell."""
        return same(self._url, other._url)

    def close(self) -> None:
        """Closes what a pool keeps open; the next transaction opens it again."""
        self._engine.dispose()

    def damaged(self, reason: str) -> WorkspaceError:
        """The error for a row that cannot be what was once written."""
        return explaining.damaged(self.where, reason)

    @cached_property
    def _engine(self) -> Engine:
        return engine_for(self._url, self._pooled)

    @contextmanager
    def _transaction(self, writing: bool = False) -> Iterator[Connection]:
        with (
            explaining.in_words(self.where),
            self._engine.connect().execution_options(writing=writing) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _prepared(self) -> Iterator[Connection]:
        """A transaction to write in, whose tables are the newest: the first writer makes them, in that same transaction."""
        if self.path:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as problem:
                raise explaining.unusable(self.where, problem.strerror or str(problem)) from problem
        with self._transaction(writing=True) as connection:
            if self._schema(connection) != HEAD:
                if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATING})
                if self._schema(connection) != HEAD:
                    upgrade(connection)
            yield connection

    def _schema(self, connection: Connection) -> str | None:
        """The number of the newest step that the database has seen; None for an empty one. Refuses a newer tailorbird's."""
        self._seen = self._seen or inspect(connection).has_table(VERSIONS)
        found = connection.execute(_SCHEMA).scalar() if self._seen else None
        if found is not None and str(found) > HEAD:
            raise explaining.newer(self.where, str(found), HEAD)
        return None if found is None else str(found)

    def _take_over(self) -> None:
        """Brings in the judgements of an older tailorbird's database, once."""
        if self._older.exists():
            with self._prepared() as connection:
                takeover.copy(self._older, connection)
            takeover.put_aside(self._older)

"""The table of judgements: SQLite beside the artifacts, for many readers and writers at once. See docs/feedback.md.

Only this file knows SQL. Types, statements and the schema's version are PostgreSQL's as well; what is SQLite's alone
stands in `_engine`, and `insert` is of a dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from sqlite3 import Connection as SQLite
from typing import Any

from pydantic import ValidationError
from sqlalchemy import (
    JSON,
    URL,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    NullPool,
    RowMapping,
    String,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    delete,
    event,
    func,
    inspect,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from tailorbird.artifacts import Turn
from tailorbird.errors import WorkspaceError
from tailorbird.feedback.judgement import FILE, Feedback, Kind
from tailorbird.workspace import Workspace, write_ahead

SCHEMA = 1
_PATIENCE = 30  # seconds that a writer waits for another one
_CHUNK = 500  # ids in one statement
_DAMAGED = ("malformed", "not a database", "corrupt")
_TEXTS = ("completion", "rejected", "judge", "task", "source")


class _Utc(TypeDecorator[datetime]):
    """A time in UTC, also where the database keeps no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData()
JUDGEMENTS = Table(
    "feedback",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("kind", String(8), CheckConstraint("kind IN ('pair', 'tie', 'thumb', 'edit')"), nullable=False),
    Column("messages", JSON, nullable=False),
    Column("completion", Text, nullable=False),
    Column("rejected", Text),
    Column("label", Boolean),
    Column("customer_id", Text, index=True),
    Column("conversation", Text),
    Column("judge", Text),
    Column("release", Text),
    Column("task", Text, nullable=False),
    Column("created_at", _Utc, nullable=False, index=True),
    Column("source", Text, nullable=False),
)
_VERSION = Table("feedback_schema", METADATA, Column("version", Integer, primary_key=True))


class FeedbackStore:
    """All judgements of a workspace. The file appears with the first of them; before that there are none."""

    def __init__(self, workspace: Workspace) -> None:
        """Opens nothing yet: every call takes its own connection, so a store may be shared between threads."""
        self.path = workspace.store / FILE
        self._is_erased = workspace.buried
        self._engine = _engine(str(self.path))

    def add(self, rows: Iterable[Feedback]) -> tuple[int, int]:
        """Keeps judgements, all or none; returns how many were new and how many known.

        What is of a customer who was erased is left out and counts as neither. Raises WorkspaceError where the database
        cannot be written.
        """
        erased = self._is_erased()
        kept = [row for row in rows if not erased(row.as_conversation())]
        if not kept:
            return 0, 0
        with self._open(writing=True) as connection:
            known = insert(JUDGEMENTS).on_conflict_do_nothing().returning(JUDGEMENTS.c.id)
            added = len(connection.execute(known, [_values(row) for row in kept]).all())
        return added, len(kept) - added

    def all(self) -> list[Feedback]:
        """Every judgement, oldest first; raises WorkspaceError where the database cannot be read."""
        return self.newest(None)

    def since(self, moment: datetime) -> list[Feedback]:
        """The judgements from this moment on, oldest first; raises WorkspaceError where the database cannot be read."""
        return self.newest(None, since=moment)

    def newest(self, most: int | None, kind: Kind | None = None, since: datetime | None = None) -> list[Feedback]:
        """The newest judgements, at most so many (all for None), oldest of them first; raises WorkspaceError if unreadable."""
        if not self.path.exists():
            return []
        ordered = select(JUDGEMENTS).order_by(JUDGEMENTS.c.created_at.desc(), JUDGEMENTS.c.id)
        wanted = ordered.where(*_filters(kind, since)).limit(most)
        with self._open() as connection:
            return self._read(connection, wanted)[::-1] if _is_made(connection) else []

    def counts(self, kind: Kind | None = None, since: datetime | None = None) -> dict[str, int]:
        """How many judgements there are of each kind; raises WorkspaceError where the database cannot be read."""
        if not self.path.exists():
            return {}
        counted = select(JUDGEMENTS.c.kind, func.count()).where(*_filters(kind, since)).group_by(JUDGEMENTS.c.kind)
        with self._open() as connection:
            found = connection.execute(counted.order_by(JUDGEMENTS.c.kind)).all() if _is_made(connection) else []
        return {str(row[0]): int(row[1]) for row in found}

    def erase(self, match: Callable[[Feedback], bool], clean: Callable[[str], str] = str) -> tuple[int, int]:
        """Erases the judgements that match, and cleans all texts of the others; returns how many were erased and changed.

        What cleaning leaves without sense goes too. Nothing of it stays in the file's free pages or its log. Raises
        WorkspaceError where the database cannot be written.
        """
        if not self.path.exists():
            return 0, 0
        gone: list[str] = []
        changed: list[Feedback] = []
        with self._open(writing=True) as connection:
            for row in self._read(connection, select(JUDGEMENTS)):
                left = None if match(row) else _cleaned(row, clean)
                if left is None:
                    gone.append(row.id)
                elif left != row:
                    changed.append(left)
            for start in range(0, len(gone), _CHUNK):
                connection.execute(delete(JUDGEMENTS).where(JUDGEMENTS.c.id.in_(gone[start : start + _CHUNK])))
            for row in changed:
                connection.execute(update(JUDGEMENTS).where(JUDGEMENTS.c.id == row.id).values(**_values(row)))
        with self._explained(), self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(gone), len(changed)

    @contextmanager
    def _open(self, writing: bool = False) -> Iterator[Connection]:
        """A connection with a transaction; when writing, the tables are there."""
        if writing:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as problem:
                raise self._unusable(problem.strerror or str(problem)) from problem
        with self._explained(), self._engine.connect().execution_options(writing=writing) as connection, connection.begin():
            if writing and not _is_made(connection):
                METADATA.create_all(connection)
                connection.execute(_VERSION.insert().values(version=SCHEMA))
            self._check_version(connection)
            yield connection

    def _check_version(self, connection: Connection) -> None:
        found = connection.execute(select(func.max(_VERSION.c.version))).scalar() if _is_made(connection) else SCHEMA
        if found is None or found > SCHEMA:
            raise WorkspaceError(
                f"This feedback was kept by a newer tailorbird (schema {found}; this one knows up to {SCHEMA}).",
                fix="Upgrade tailorbird; nothing here was changed.",
                where=str(self.path),
            )

    def _read(self, connection: Connection, wanted: Any) -> list[Feedback]:
        try:
            return [_feedback(row) for row in connection.execute(wanted).mappings()]
        except (ValidationError, ValueError) as problem:
            raise self._damaged("it holds a row that is no judgement") from problem

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What the database says, in words."""
        try:
            yield
        except DatabaseError as problem:
            reason = str(problem.orig)
            if any(word in reason for word in _DAMAGED):
                raise self._damaged(reason) from problem
            if "locked" in reason:
                raise WorkspaceError(
                    "Another command is writing feedback.", fix="Run this one again when it is done.", where=str(self.path)
                ) from problem
            raise self._unusable(reason) from problem

    def _damaged(self, reason: str) -> WorkspaceError:
        return WorkspaceError(
            f"The feedback is damaged ({reason}); it was left as it is.",
            fix="Restore this file from a backup. Without one, keep a copy for repair (`sqlite3 FILE .recover`), move the file "
            "away, and import your files of judgements again.",
            where=str(self.path),
        )

    def _unusable(self, reason: str) -> WorkspaceError:
        return WorkspaceError(
            f"The feedback cannot be read or written ({reason}); nothing that was kept before is changed.",
            fix="Free some space or check the folder's permissions, and run the same command again.",
            where=str(self.path),
        )


def _engine(database: str) -> Engine:
    """An engine without a pool: the last connection that closes empties SQLite's log into the file."""
    engine = create_engine(URL.create("sqlite", database=database), poolclass=NullPool, connect_args={"timeout": _PATIENCE})

    @event.listens_for(engine, "connect")
    def prepare(connection: SQLite, _: Any) -> None:
        connection.isolation_level = None  # the driver begins no transactions of its own
        write_ahead(connection, _PATIENCE)
        connection.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer queues before it reads: two that read first and write then would refuse each other.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")

    return engine


def _is_made(connection: Connection) -> bool:
    return inspect(connection).has_table(_VERSION.name)


def _filters(kind: Kind | None, since: datetime | None) -> list[Any]:
    return [*([JUDGEMENTS.c.kind == kind] if kind else []), *([JUDGEMENTS.c.created_at >= since] if since else [])]


def _values(row: Feedback) -> dict[str, Any]:
    return row.model_dump() | {"messages": [{"role": turn.role, "content": turn.content} for turn in row.messages]}


def _feedback(row: RowMapping) -> Feedback:
    return Feedback.model_validate(dict(row))


def _cleaned(row: Feedback, clean: Callable[[str], str]) -> Feedback | None:
    """The judgement with its texts cleaned; None if nothing that can be learned from is left."""
    texts = {name: clean(text) for name in _TEXTS if (text := getattr(row, name))}
    messages = tuple(Turn(role=turn.role, content=clean(turn.content)) for turn in row.messages)
    try:
        return Feedback.model_validate(row.model_dump() | texts | {"messages": messages})
    except ValidationError:
        return None

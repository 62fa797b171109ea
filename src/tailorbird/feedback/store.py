"""The table of judgements, for many readers and writers at once. See docs/feedback.md, and docs/live-data.md for the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, delete, func, select, update

from tailorbird.artifacts import Turn
from tailorbird.database import Database, insert_new
from tailorbird.database.tables import JUDGEMENTS
from tailorbird.feedback.judgement import Feedback, Kind
from tailorbird.workspace import Workspace

_CHUNK = 500  # ids in one statement
_TEXTS = ("completion", "rejected", "judge", "task", "source")


class FeedbackStore:
    """All judgements of a workspace. The database appears with the first of them; before that there are none."""

    def __init__(self, workspace: Workspace, database: Database | None = None) -> None:
        """Opens nothing yet; takes a server's database, or one of its own. May be shared between threads."""
        self._database = database or Database(workspace)
        self._is_erased = workspace.buried
        self.path = self._database.path
        """SQLite's file; None where the judgements are in PostgreSQL."""

    def add(self, rows: Iterable[Feedback]) -> tuple[int, int]:
        """Keeps judgements, all or none; returns how many were new and how many known.

        What is of a customer who was erased is left out and counts as neither. Raises WorkspaceError where the database
        cannot be written.
        """
        kept = self._keepable(rows)
        if not kept:
            return 0, 0
        with self._database.writing() as connection:
            known = insert_new(connection, JUDGEMENTS).returning(JUDGEMENTS.c.id)
            added = len(connection.execute(known, [_values(row) for row in kept]).all())
        return added, len(kept) - added

    def replace(self, identities: Iterable[str], rows: Iterable[Feedback]) -> None:
        """Keeps judgements in place of those with these ids, if there are any: somebody thought again."""
        with self._database.writing() as connection:
            connection.execute(delete(JUDGEMENTS).where(JUDGEMENTS.c.id.in_(list(identities))))
            for row in self._keepable(rows):
                connection.execute(insert_new(connection, JUDGEMENTS), _values(row))

    def all(self) -> list[Feedback]:
        """Every judgement, oldest first; raises WorkspaceError where the database cannot be read."""
        return self.newest(None)

    def since(self, moment: datetime) -> list[Feedback]:
        """The judgements from this moment on, oldest first; raises WorkspaceError where the database cannot be read."""
        return self.newest(None, since=moment)

    def newest(self, most: int | None, kind: Kind | None = None, since: datetime | None = None) -> list[Feedback]:
        """The newest judgements, at most so many (all for None), oldest of them first; raises WorkspaceError if unreadable."""
        ordered = select(JUDGEMENTS).order_by(JUDGEMENTS.c.created_at.desc(), JUDGEMENTS.c.id)
        wanted = ordered.where(*_filters(kind, since)).limit(most)
        with self._database.reading() as connection:
            return self._read(connection, wanted)[::-1] if connection else []

    def counts(self, kind: Kind | None = None, since: datetime | None = None) -> dict[str, int]:
        """How many judgements there are of each kind; raises WorkspaceError where the database cannot be read."""
        counted = select(JUDGEMENTS.c.kind, func.count()).where(*_filters(kind, since)).group_by(JUDGEMENTS.c.kind)
        with self._database.reading() as connection:
            found = connection.execute(counted.order_by(JUDGEMENTS.c.kind)).all() if connection else []
        return {str(row[0]): int(row[1]) for row in found}

    def erase(self, match: Callable[[Feedback], bool], clean: Callable[[str], str] = str) -> tuple[int, int]:
        """Erases the judgements that match, and cleans all texts of the others; returns how many were erased and changed.

        What cleaning leaves without sense goes too. Nothing of it stays in the database's free pages or its log. Raises
        WorkspaceError where the database cannot be written.
        """
        with self._database.reading() as anything:
            if anything is None:
                return 0, 0
        gone: list[str] = []
        changed: list[Feedback] = []
        with self._database.erasing() as connection:
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
        return len(gone), len(changed)

    def _keepable(self, rows: Iterable[Feedback]) -> list[Feedback]:
        """Those that are of nobody who was erased."""
        erased = self._is_erased()
        return [row for row in rows if not erased(row.as_conversation())]

    def _read(self, connection: Connection, wanted: Any) -> list[Feedback]:
        try:
            return [_feedback(row) for row in connection.execute(wanted).mappings()]
        except (ValidationError, ValueError) as problem:
            raise self._database.damaged("it holds a row that is no judgement") from problem


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

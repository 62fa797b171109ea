"""The database of older versions, which had judgements only: its rows come into the new one once, and nothing is lost.

Stopped at any moment, the next opening begins again: rows that are there already add nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tailorbird.database import explaining
from tailorbird.database.engines import insert_new
from tailorbird.database.tables import JUDGEMENTS

FILE = "feedback.sqlite"
_SCHEMA = 1
_PATIENCE = 30  # seconds that another command may still be writing there
_BATCH = 500


def copy(path: Path, connection: Connection) -> None:
    """Adds the rows of the older database, with its log written into it; raises WorkspaceError where it cannot be read."""
    try:
        for rows in _batches(path):
            connection.execute(insert_new(connection, JUDGEMENTS), rows)
    except (sqlite3.Error, ValueError, KeyError) as problem:
        raise explaining.damaged(str(path), str(problem)) from problem


def put_aside(path: Path) -> None:
    """Renames the older database to feedback.sqlite.moved, or with a number where that is taken."""
    taken = len(list(path.parent.glob(f"{path.name}.moved*")))
    name = f"{path.name}.moved{f'-{taken + 1}' if taken else ''}"
    try:
        path.rename(path.with_name(name))
    except FileNotFoundError:
        return  # another process was faster
    except OSError as problem:
        raise explaining.unusable(str(path), problem.strerror or str(problem)) from problem


def drop_moved(path: Path) -> None:
    """Deletes what was put aside: a person who is erased must not stay in a copy."""
    for old in path.parent.glob(f"{path.name}.moved*"):
        old.unlink(missing_ok=True)


def _batches(path: Path) -> Iterator[list[dict[str, Any]]]:
    """All rows, while no older tailorbird can write there."""
    address = f"{path.resolve().as_uri()}?mode=rw"  # which makes no file where another process was faster
    try:
        opened = sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
    except sqlite3.OperationalError:
        if path.exists():
            raise
        return
    with closing(opened) as old:
        old.row_factory = sqlite3.Row
        if old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:  # the log goes by the file's name, which will change
            raise explaining.locked(str(path))
        old.execute("BEGIN IMMEDIATE")
        if not old.execute("SELECT 1 FROM sqlite_master WHERE name = 'feedback_schema'").fetchone():
            return
        found = old.execute("SELECT max(version) FROM feedback_schema").fetchone()[0]
        if found is None or found > _SCHEMA:
            raise explaining.newer(str(path), str(found), str(_SCHEMA))
        rows = old.execute("SELECT * FROM feedback")
        while batch := rows.fetchmany(_BATCH):
            yield [_values(row) for row in batch]
        old.execute("ROLLBACK")


def _values(row: sqlite3.Row) -> dict[str, Any]:
    values = {column.name: row[column.name] for column in JUDGEMENTS.columns}
    return values | {
        "messages": json.loads(values["messages"]),
        "label": None if values["label"] is None else bool(values["label"]),
        "created_at": datetime.fromisoformat(values["created_at"]).replace(tzinfo=UTC),
    }

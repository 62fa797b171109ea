"""The index on the disk: one SQLite file with documents, passages, their words (FTS5) and their vectors. See docs/knowledge.md.

Only this file and `ranking` know SQL. The index is made from the folder of documents and can be deleted at any time; what is
taken out of it is overwritten in the file.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tailorbird.errors import WorkspaceError
from tailorbird.knowledge.chunking import Chunk
from tailorbird.knowledge.folder import Stamp
from tailorbird.knowledge.passage import Vectors
from tailorbird.workspace import write_ahead

FILE = "knowledge.sqlite"
SCHEMA = 1
"""Counts up with the tables, the readers and the chunking: an index of another number is made anew."""
PATIENCE = 30.0  # seconds that a writer waits for another one
_DAMAGED = ("malformed", "not a database", "corrupt", "no such table", "no such column")
_TABLES = """
CREATE TABLE documents (
    name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, modified INTEGER NOT NULL, changed INTEGER NOT NULL, checked INTEGER NOT NULL,
    sha256 TEXT NOT NULL, passages INTEGER NOT NULL, problem TEXT NOT NULL, fix TEXT NOT NULL, note TEXT NOT NULL);
CREATE TABLE passages (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL, headings TEXT NOT NULL, text TEXT NOT NULL,
    page INTEGER, vector BLOB NOT NULL);
CREATE INDEX passages_of ON passages (document);
CREATE VIRTUAL TABLE words USING fts5 (
    headings, text, content='passages', content_rowid='number', tokenize='porter unicode61 remove_diacritics 2');
CREATE TABLE state (name TEXT PRIMARY KEY, value NOT NULL);
"""


class DamagedError(Exception):
    """The index cannot be used and is to be made anew."""


class BusyError(Exception):
    """Another process is writing."""


@dataclass(frozen=True)
class Document:
    """A document of the folder as the index knows it; `problem` says why it has no passages, `fix` what to do about it.

    `checked` is when its content was looked at last, in nanoseconds.
    """

    name: str
    stamp: Stamp
    checked: int
    sha256: str
    passages: int = 0
    problem: str = ""
    fix: str = ""
    note: str = ""


class Store:
    """The index's file. Every call of `open` is a connection of its own, so a store may be shared between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def open(self, writing: bool = False, patience: float = PATIENCE) -> Iterator[sqlite3.Connection]:
        """A transaction; one that writes waits so many seconds for its turn.

        Raises DamagedError, BusyError, and WorkspaceError where the file cannot be read or written.
        """
        with self._explained():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=patience, isolation_level=None)) as connection:
                self._prepare(connection)
                connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                if writing:  # what was overwritten leaves the log as well
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def delete(self) -> None:
        """Removes the index; the next search makes it anew."""
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found == SCHEMA:
            connection.execute("PRAGMA secure_delete=ON")
            return
        if found:
            raise DamagedError(f"schema {found}")
        write_ahead(connection, PATIENCE)
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in filter(str.strip, _TABLES.split(";")):
                connection.execute(statement)
            _touch(connection)
            connection.execute(f"PRAGMA user_version={SCHEMA}")
        connection.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as problem:
            reason = str(problem)
            if "locked" in reason or "busy" in reason:
                raise BusyError(reason) from problem
            if any(word in reason for word in _DAMAGED):
                raise DamagedError(reason) from problem
            raise self._unusable(reason) from problem
        except OSError as problem:
            raise self._unusable(problem.strerror or str(problem)) from problem

    def _unusable(self, reason: str) -> WorkspaceError:
        return WorkspaceError(
            f"The index of the documents cannot be read or written ({reason}); the documents are untouched.",
            fix="Free some space or check the folder's permissions, and run the same command again.",
            where=str(self.path),
        )


def documents(connection: sqlite3.Connection) -> dict[str, Document]:
    """All documents by name."""
    rows = connection.execute(
        "SELECT name, bytes, modified, changed, checked, sha256, passages, problem, fix, note FROM documents ORDER BY name"
    )
    return {row[0]: Document(row[0], (row[1], row[2], row[3]), *row[4:]) for row in rows}


def texts(connection: sqlite3.Connection) -> list[str]:
    """The headings and text of every passage."""
    rows = connection.execute("SELECT headings, text FROM passages ORDER BY number")
    return [" ".join([*json.loads(headings), text]) for headings, text in rows]


def put(connection: sqlite3.Connection, document: Document, chunks: list[Chunk], vectors: Vectors) -> None:
    """Puts a document with its passages in the place of what the index has of it."""
    drop(connection, document.name)
    note(connection, document)
    repeated: dict[Chunk, int] = {}
    for chunk, vector in zip(chunks, vectors, strict=True):
        repeated[chunk] = repeated.get(chunk, 0) + 1
        headings = json.dumps(chunk.headings, ensure_ascii=False)
        told = json.dumps([document.name, headings, chunk.text, repeated[chunk]], ensure_ascii=False)
        identity = f"passage-{hashlib.sha256(told.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
        added = connection.execute(
            "INSERT INTO passages (id, document, headings, text, page, vector) VALUES (?, ?, ?, ?, ?, ?)",
            (identity, document.name, headings, chunk.text, chunk.page, vector.astype(np.float32).tobytes()),
        )
        connection.execute("INSERT INTO words (rowid, headings, text) VALUES (?, ?, ?)", (added.lastrowid, headings, chunk.text))
    _touch(connection)


def note(connection: sqlite3.Connection, document: Document) -> None:
    """Keeps what is known of a document, its passages aside."""
    one = document
    values = (one.name, *one.stamp, one.checked, one.sha256, one.passages, one.problem, one.fix, one.note)
    connection.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def drop(connection: sqlite3.Connection, name: str) -> bool:
    """Takes a document out; whether it was known."""
    theirs = (name,)
    connection.execute(
        "INSERT INTO words (words, rowid, headings, text) "
        "SELECT 'delete', number, headings, text FROM passages WHERE document = ?",
        theirs,
    )
    connection.execute("DELETE FROM passages WHERE document = ?", theirs)
    known = connection.execute("DELETE FROM documents WHERE name = ?", theirs).rowcount > 0
    if known:
        _touch(connection)
    return known


def overwrite(connection: sqlite3.Connection) -> None:
    """Takes the words of what was dropped out of the file: FTS5 only marks them as gone until its parts are merged."""
    connection.execute("INSERT INTO words (words) VALUES ('optimize')")


def state(connection: sqlite3.Connection, name: str) -> Any:
    """A value that `keep` kept."""
    row = connection.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def keep(connection: sqlite3.Connection, name: str, value: bytes | str) -> None:
    """Keeps a value."""
    connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))


def vectors(connection: sqlite3.Connection) -> tuple[list[int], Vectors]:
    """The passages' numbers and vectors [N, width]."""
    rows: Iterable[tuple[int, bytes]] = connection.execute("SELECT number, vector FROM passages ORDER BY number").fetchall()
    numbers = [number for number, _ in rows]
    flat = np.frombuffer(b"".join(vector for _, vector in rows), dtype=np.float32)
    return numbers, flat.reshape(len(numbers), -1) if numbers else np.empty((0, 0), dtype=np.float32)


def _touch(connection: sqlite3.Connection) -> None:
    """Tells readers that hold vectors in memory that these are old."""
    keep(connection, "generation", secrets.token_hex(8))

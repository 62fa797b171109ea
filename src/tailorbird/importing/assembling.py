"""Puts conversations together from parts that lie far apart in an export, on disk instead of in memory."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tailorbird.artifacts import Conversation
from tailorbird.importing.reading import Rejected

_BATCH = 1000


def assembled(parts: Iterable[Conversation | Rejected], folder: Path) -> Iterator[Conversation | Rejected]:
    """One conversation for all parts of the same id, in the order in which their first parts came.

    A part may lack turns, and only tell a rating, say. A conversation with an unreadable part is rejected whole, since
    nobody knows what is missing. `folder` holds the parts until the end.
    """
    numbers: dict[str, int] = {}
    broken: dict[int, Rejected] = {}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        store = sqlite3.connect(Path(scratch) / "parts.sqlite")
        store.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
        store.execute("CREATE TABLE parts(conversation INTEGER, body TEXT)")
        rows: list[tuple[int, str]] = []
        for part in parts:
            if isinstance(part, Rejected):
                if part.record:
                    broken.setdefault(numbers.setdefault(part.record, len(numbers)), part)
                yield part
                continue
            rows.append((numbers.setdefault(part.id, len(numbers)), part.model_dump_json(exclude_defaults=True)))
            if len(rows) == _BATCH:
                store.executemany("INSERT INTO parts VALUES (?, ?)", rows)
                rows.clear()
        store.executemany("INSERT INTO parts VALUES (?, ?)", rows)
        store.execute("CREATE INDEX by_conversation ON parts(conversation)")
        found = store.execute("SELECT conversation, body FROM parts ORDER BY conversation, rowid")
        for number, members in groupby(found, key=lambda row: row[0]):
            whole = _joined([Conversation.model_validate_json(body) for _, body in members])
            if number in broken:
                reason = f"Another part of conversation {whole.id} cannot be read: {broken[number].reason}"
                yield Rejected(whole.origin, reason, str(whole.messages), whole.id)
            elif whole.turns:
                yield whole
            else:
                reason = "The export holds no message of this conversation, or only notes, bots and automatic messages."
                yield Rejected(whole.origin, reason, "", whole.id)
        store.close()


def _joined(parts: list[Conversation]) -> Conversation:
    """All turns, and of every other field the first that is told."""
    told: dict[str, object] = {}
    for part in parts:
        for name in part.model_fields_set:
            if name not in ("turns", "tags", "names") and getattr(part, name) not in (None, ""):
                told.setdefault(name, getattr(part, name))
    turns = tuple(turn for part in parts for turn in part.turns)
    tags, names = (tuple(dict.fromkeys(word for part in parts for word in getattr(part, name))) for name in ("tags", "names"))
    origin = next((part.origin for part in parts if part.turns), parts[0].origin)
    return Conversation.model_validate({**told, "turns": turns, "tags": tags, "names": names, "origin": origin})

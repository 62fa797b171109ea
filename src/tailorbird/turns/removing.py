"""What goes out of the log: the old, and the erased. Each function works inside a transaction of its caller's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from tailorbird.database.tables import CONVERSATIONS, DELIVERIES, SHADOWS, TURNS
from tailorbird.turns.rows import Exchange, each_text, remove, texts_of

_OF_CONVERSATION = ("department", "reason", "summary")
_OF_TURN = ("text", "reason", "author")


def older(connection: Connection, before: datetime, most: int) -> int:
    """Deletes conversations whose last turn is older, at most so many, and all deliveries that are; how many conversations."""
    wanted = select(CONVERSATIONS.c.id).where(CONVERSATIONS.c.last_at < before).order_by(CONVERSATIONS.c.last_at)
    old = list(connection.execute(wanted.limit(most).with_for_update()).scalars())
    remove(connection, old)
    connection.execute(delete(DELIVERIES).where(DELIVERIES.c.created_at < before))
    return len(old)


def erase(connection: Connection, found: Iterable[Exchange]) -> set[str]:
    """Deletes these conversations; their ids."""
    gone = {held.id for held, _ in found}
    remove(connection, sorted(gone))
    return gone


def clean(connection: Connection, found: Iterable[Exchange], change: Callable[[str], str]) -> int:
    """Changes the texts of these conversations and of all that was answered in them; how many turns are others now."""
    changed = 0
    for held, turns in found:
        cleaned = {name: change(text) for name in _OF_CONVERSATION if (text := getattr(held, name))}
        if any(getattr(held, name) != text for name, text in cleaned.items()):
            connection.execute(update(CONVERSATIONS).where(CONVERSATIONS.c.id == held.id).values(**cleaned))
        unseen = connection.execute(select(SHADOWS).where(SHADOWS.c.conversation == held.id)).mappings().all()
        rows = [(TURNS, one.number, one.model_dump()) for one in turns]
        rows += [(SHADOWS, row["number"], dict(row)) for row in unseen]
        for table, number, row in rows:
            cleaned = {name: change(text) for name in _OF_TURN if (text := row.get(name))}
            if any(row[name] != text for name, text in cleaned.items()):
                place = (table.c.conversation == held.id, table.c.number == number)
                connection.execute(update(table).where(*place).values(**cleaned))
                changed += 1
    return changed


def clean_deliveries(connection: Connection, gone: set[str], change: Callable[[str], str]) -> None:
    """Deletes the deliveries that name one of these conversations, and changes the texts of all others."""
    for row in connection.execute(select(DELIVERIES)).mappings().all():
        place, texts = DELIVERIES.c.id == row["id"], texts_of(row["body"])
        if any(identity in text for text in texts for identity in gone):
            connection.execute(delete(DELIVERIES).where(place))
            continue
        body, error = each_text(row["body"], change), row["last_error"] and change(row["last_error"])
        if (body, error) != (row["body"], row["last_error"]):
            connection.execute(update(DELIVERIES).where(place).values(body=body, last_error=error))

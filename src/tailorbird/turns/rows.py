"""Rows of the tables as what the log hands out, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select

from tailorbird.database.tables import CONVERSATIONS, SHADOWS, TURNS
from tailorbird.turns.logged import LoggedConversation, LoggedTurn

Exchange = tuple[LoggedConversation, tuple[LoggedTurn, ...]]
"""A conversation with all its turns."""


def conversation_of(row: Mapping[Any, Any]) -> LoggedConversation:
    """A row as a conversation; raises ValueError if it is none."""
    return LoggedConversation.model_validate({name: value for name, value in row.items() if name != "history"})


def turn_of(row: Mapping[Any, Any]) -> LoggedTurn:
    """A row as a turn; raises ValueError if it is none."""
    return LoggedTurn.model_validate({name: value for name, value in row.items() if name != "once"})


def values_of(turn: LoggedTurn) -> dict[str, Any]:
    """A turn as a row, without the key that it is kept once for."""
    return turn.model_dump() | {"guards": list(turn.guards), "passages": list(turn.passages)}


def exchanges(connection: Connection, wanted: Select[Any]) -> list[Exchange]:
    """The conversations of a query with their turns in order; raises ValueError where a row is none."""
    found = [conversation_of(row) for row in connection.execute(wanted).mappings()]
    said: dict[str, list[LoggedTurn]] = {one.id: [] for one in found}
    asked = select(TURNS).where(TURNS.c.conversation.in_(list(said))).order_by(TURNS.c.conversation, TURNS.c.number)
    for row in connection.execute(asked).mappings():
        said[row["conversation"]].append(turn_of(row))
    return [(one, tuple(said[one.id])) for one in found]


def last_number(connection: Connection, identity: str) -> int:
    """The number of a conversation's last turn; 0 for none."""
    return connection.execute(select(func.max(TURNS.c.number)).where(TURNS.c.conversation == identity)).scalar() or 0


def remove(connection: Connection, identities: Sequence[str]) -> None:
    """Deletes conversations with their turns, and what was answered unseen."""
    connection.execute(delete(SHADOWS).where(SHADOWS.c.conversation.in_(identities)))
    connection.execute(delete(TURNS).where(TURNS.c.conversation.in_(identities)))
    connection.execute(delete(CONVERSATIONS).where(CONVERSATIONS.c.id.in_(identities)))


def each_text(value: Any, change: Callable[[str], str]) -> Any:
    """JSON with a change made to every text in it, names of fields included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(str(name)): each_text(inner, change) for name, inner in value.items()}
    if isinstance(value, Iterable):
        return [each_text(inner, change) for inner in value]
    return value


def texts_of(value: Any) -> list[str]:
    """Every text in JSON, names of fields included."""
    texts: list[str] = []

    def note(text: str) -> str:
        texts.append(text)
        return text

    each_text(value, note)
    return texts

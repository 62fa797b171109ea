"""What a version answered unseen, beside the answers that customers got."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from tailorbird.database import Database, insert_new
from tailorbird.database.tables import CONVERSATIONS, SHADOWS
from tailorbird.turns.logged import LoggedConversation, LoggedTurn
from tailorbird.turns.rows import Exchange, exchanges, values_of
from tailorbird.workspace import Workspace

_BATCH = 500  # conversations that are read at once
_ROLE = "assistant"


class Shadowed(NamedTuple):
    """What was said before, what the customer was answered, and what the unseen version answered to the same."""

    conversation: LoggedConversation
    before: tuple[LoggedTurn, ...]
    answer: LoggedTurn
    shadow: LoggedTurn


class ShadowLog:
    """The unseen answers of a workspace. They go with their conversation: by age, and when a customer is erased."""

    def __init__(self, workspace: Workspace, database: Database | None = None) -> None:
        """Opens nothing yet; shares a server's database, or has one of its own."""
        self._database = database or Database(workspace)

    def add(self, turn: LoggedTurn) -> bool:
        """Keeps a whole answer beside the turn of its number; False if the conversation is gone, or the turn has one already."""
        row = {name: value for name, value in values_of(turn).items() if name in SHADOWS.c}
        held = select(CONVERSATIONS.c.id).where(CONVERSATIONS.c.id == turn.conversation).with_for_update()
        with self._database.writing() as connection:
            if connection.execute(held).first() is None:
                return False
            new = insert_new(connection, SHADOWS).returning(SHADOWS.c.number)
            return connection.execute(new, row).first() is not None

    def since(self, moment: datetime | None = None) -> Iterator[Shadowed]:
        """All of them, or those from a moment on, by conversation; a few hundred conversations at a time."""
        place = ""
        while True:
            chosen = select(SHADOWS.c.conversation).where(SHADOWS.c.conversation > place)
            chosen = chosen.where(SHADOWS.c.created_at >= moment) if moment else chosen
            wanted = select(CONVERSATIONS).where(CONVERSATIONS.c.id.in_(chosen)).order_by(CONVERSATIONS.c.id).limit(_BATCH)
            with self._database.reading() as connection:
                found = self._read(connection, wanted, moment) if connection else []
            for (held, turns), unseen in found:
                yield from (one for shadow in unseen for one in _beside(held, turns, shadow))
            if len(found) < _BATCH:
                return
            place = found[-1][0][0].id

    def _read(
        self, connection: Connection, wanted: Select[Any], moment: datetime | None
    ) -> list[tuple[Exchange, list[LoggedTurn]]]:
        """Conversations with their unseen answers in order; raises WorkspaceError where a row is none."""
        try:
            found = exchanges(connection, wanted)
            unseen: dict[str, list[LoggedTurn]] = {held.id: [] for held, _ in found}
            rows = select(SHADOWS).where(SHADOWS.c.conversation.in_(list(unseen))).order_by(SHADOWS.c.number)
            for row in connection.execute(rows).mappings():
                turn = LoggedTurn.model_validate(dict(row) | {"role": _ROLE})
                if moment is None or turn.created_at >= moment:
                    unseen[turn.conversation].append(turn)
        except ValueError as problem:
            raise self._database.damaged("it holds a row that is no turn or conversation") from problem
        return [(one, unseen[one[0].id]) for one in found]


def _beside(held: LoggedConversation, turns: tuple[LoggedTurn, ...], shadow: LoggedTurn) -> Iterator[Shadowed]:
    """The answer that stands at the same place."""
    for turn in turns:
        if turn.number == shadow.number and turn.role == _ROLE:
            yield Shadowed(held, tuple(one for one in turns if one.number < turn.number), turn, shadow)

"""Messages to other systems that wait until they are delivered: nothing here knows how that is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, delete, select, update

from tailorbird.database import Database
from tailorbird.database.tables import DELIVERIES
from tailorbird.database.texts import keepable
from tailorbird.turns.logged import now
from tailorbird.turns.rows import each_text
from tailorbird.workspace import Workspace

KEPT = 200
"""Messages that were delivered and are kept, the newest ones."""
_ERROR = 500  # characters of what went wrong that are kept


class Delivery(BaseModel):
    """A message: what happened, its body, how often it was tried, when next (None: never again, or delivered)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int
    event: str
    body: dict[str, Any]
    created_at: datetime
    attempts: int
    next_at: datetime | None
    delivered_at: datetime | None
    last_error: str | None


class Outbox:
    """The messages of a workspace. One that was put here is delivered at least once: a receiver may see it twice."""

    def __init__(self, workspace: Workspace, database: Database | None = None) -> None:
        """Opens nothing yet; shares a server's database, or has one of its own."""
        self._database = database or Database(workspace)

    def put(self, event: str, body: Mapping[str, Any], within: Connection | None = None) -> int:
        """Keeps a message to be delivered now; returns its id.

        In the transaction `within` it is kept if, and only if, what else is written there is.
        """
        moment = now()
        row = {
            "event": keepable(event), "body": each_text(body, keepable), "created_at": moment, "attempts": 0, "next_at": moment,
        }  # fmt: skip
        with self._database.writing(within) as connection:
            return int(connection.execute(DELIVERIES.insert().returning(DELIVERIES.c.id), row).scalar_one())

    def due(self, moment: datetime | None = None, limit: int = 20) -> list[Delivery]:
        """What is to be delivered by now, what has waited longest first."""
        columns = DELIVERIES.c
        wanted = select(DELIVERIES).where(columns.delivered_at.is_(None), columns.next_at <= (moment or now()))
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(columns.next_at, columns.id).limit(limit)).mappings() if connection else ()
            return [Delivery.model_validate(dict(row)) for row in rows]

    def delivered(self, identity: int) -> None:
        """Marks a message as delivered, and lets go of the oldest that are."""
        columns = DELIVERIES.c
        with self._database.writing() as connection:
            done = {"delivered_at": now(), "next_at": None, "attempts": columns.attempts + 1}
            connection.execute(update(DELIVERIES).where(columns.id == identity).values(**done))
            newest = select(columns.id).where(columns.delivered_at.is_not(None)).order_by(columns.delivered_at.desc(), columns.id)
            old = list(connection.execute(newest.offset(KEPT)).scalars())
            connection.execute(delete(DELIVERIES).where(columns.id.in_(old)))

    def failed(self, identity: int, error: str, next_at: datetime | None) -> None:
        """Notes what went wrong, and when to try again; None gives up and keeps the message."""
        told = {"last_error": keepable(error)[:_ERROR], "next_at": next_at, "attempts": DELIVERIES.c.attempts + 1}
        with self._database.writing() as connection:
            connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == identity).values(**told))

"""The log itself: conversations begin, turns are added, a person is asked for, and all of it is read again."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from tailorbird.database import Database, insert_new
from tailorbird.database.tables import CONVERSATIONS, TURNS
from tailorbird.errors import WorkspaceError
from tailorbird.turns import removing
from tailorbird.turns.logged import LoggedConversation, LoggedTurn, State, now
from tailorbird.turns.rows import Exchange, conversation_of, exchanges, last_number, turn_of, values_of
from tailorbird.workspace import Workspace

_BATCH = 500  # rows that are read at once
_OPEN: tuple[State, ...] = ("assistant", "waiting", "person")
_FROM: dict[State, tuple[State, ...]] = {
    "waiting": ("assistant",), "person": ("waiting",), "assistant": ("waiting", "person"), "closed": _OPEN
}  # fmt: skip
"""The states that a conversation may come to each state from."""


class TurnLog:
    """All conversations with customers. Texts are kept as they are given: redact them before.

    Every method is one transaction (or a part of `within`, one of `database.writing()`), and what it wrote is on the disk when
    it returns. Where the database cannot be read or written, WorkspaceError or SettingsError say why. May be shared by threads.
    """

    def __init__(self, workspace: Workspace, database: Database | None = None) -> None:
        """Opens nothing yet; a server hands in its pooled database, a command leaves it out."""
        self.database = database or Database(workspace)
        self._days = workspace.settings.serving.log.keep_days

    def begin(
        self,
        customer_id: str | None = None,
        key: str | None = None,
        release: str | None = None,
        language: str | None = None,
        identity: str | None = None,
        within: Connection | None = None,
    ) -> LoggedConversation:
        """A new conversation with an id that nobody can guess; with an `identity` that is there already, that one.

        Whose it is has to be checked by the caller then.
        """
        moment = now()
        made = LoggedConversation(
            id=identity or f"chat-{secrets.token_hex(16)}", key=key, customer_id=customer_id, release=release,
            language=language, started_at=moment, last_at=moment,
        )  # fmt: skip
        with self.database.writing(within) as connection:
            new = insert_new(connection, CONVERSATIONS).returning(CONVERSATIONS.c.id)
            is_new = connection.execute(new, made.model_dump()).first() is not None
            return made if is_new else self.hold(made.id, connection)

    def add(
        self,
        turns: Sequence[LoggedTurn],
        once: str | None = None,
        history: str | None = None,
        within: Connection | None = None,
    ) -> int:
        """Appends turns to their conversation, all or none; returns the number of the first of them.

        With `once`, any text of the sender's, the same turns sent again are not kept again: the first ones' number comes back.
        `history` is the digest of all that was said so far, for `find_by_history`. Raises WorkspaceError for a conversation
        that is not there, ValueError for turns of several.
        """
        identity, *others = {turn.conversation for turn in turns}
        if others:
            raise ValueError("the turns are of several conversations")
        with self.database.writing(within) as connection:
            held = self.hold(identity, connection)
            if once and (known := self.number_of(identity, once, connection)):
                return known
            first = last_number(connection, identity) + 1
            rows = [values_of(turn) | {"number": first + place, "once": None} for place, turn in enumerate(turns)]
            rows[0]["once"] = _mark(once) if once else None
            connection.execute(TURNS.insert(), rows)
            moved = _moved_on(held, turns) | ({"history": history} if history else {})
            connection.execute(update(CONVERSATIONS).where(CONVERSATIONS.c.id == identity).values(**moved))
        return first

    def turns(self, conversation: str, after: int = 0) -> list[LoggedTurn]:
        """The turns of a conversation in order, those with a higher number than `after`; none where there is no such."""
        wanted = select(TURNS).where(TURNS.c.conversation == conversation, TURNS.c.number > after).order_by(TURNS.c.number)
        with self._reading() as connection:
            return [turn_of(row) for row in connection.execute(wanted).mappings()] if connection else []

    def conversation(self, identity: str) -> LoggedConversation | None:
        """The conversation with this id."""
        return next(iter(self._conversations(select(CONVERSATIONS).where(CONVERSATIONS.c.id == identity))), None)

    def hold(self, identity: str, within: Connection) -> LoggedConversation:
        """The conversation, which nobody else changes until the transaction is done; raises WorkspaceError for none."""
        wanted = select(CONVERSATIONS).where(CONVERSATIONS.c.id == identity).with_for_update()
        row = within.execute(wanted).mappings().one_or_none()
        if row is None:
            raise WorkspaceError(
                f"There is no conversation {identity} in the log.",
                fix="It is older than serving.log.keep_days, or was erased: begin a new one.",
                where=self.database.where,
            )
        return conversation_of(row)

    def number_of(self, identity: str, once: str, within: Connection) -> int | None:
        """The number of the first turn that its sender marked so; None where there is none yet."""
        wanted = select(TURNS.c.number).where(TURNS.c.conversation == identity, TURNS.c.once == _mark(once))
        return within.execute(wanted).scalar()

    def find_by_history(self, digest: str, key: str | None = None, customer_id: str | None = None) -> LoggedConversation | None:
        """The open conversation in which this was said and nothing since, of this key and customer; the newest of several.

        Two customers without ids who said and were told the same so far cannot be told apart, and need not be.
        """
        columns = CONVERSATIONS.c
        theirs = (columns.key.is_not_distinct_from(key), columns.customer_id.is_not_distinct_from(customer_id))
        same = select(CONVERSATIONS).where(columns.history == digest, columns.state != "closed", *theirs)
        return next(iter(self._conversations(same.order_by(columns.last_at.desc(), columns.id).limit(1))), None)

    def find_by_once(self, once: str, key: str | None = None) -> LoggedConversation | None:
        """The open conversation of this key that has turns marked so by their sender; the newest of several."""
        columns = CONVERSATIONS.c
        marked = select(TURNS.c.conversation).where(TURNS.c.once == _mark(once))
        wanted = select(CONVERSATIONS).where(
            columns.id.in_(marked), columns.key.is_not_distinct_from(key), columns.state != "closed"
        )
        return next(iter(self._conversations(wanted.order_by(columns.last_at.desc(), columns.id).limit(1))), None)

    def set_state(
        self,
        identity: str,
        state: State,
        department: str | None = None,
        reason: str | None = None,
        summary: str | None = None,
        within: Connection | None = None,
    ) -> bool:
        """Moves a conversation on: assistant, waiting, person and back, or closed; False where it stands elsewhere by now.

        What is told of a hand-off replaces what was told of the one before.
        """
        moment = now()
        told = {"department": department, "reason": reason, "summary": summary}
        values: dict[str, Any] = {name: text for name, text in told.items() if text is not None}
        if state == "waiting":
            values = told | {"waiting_since": moment, "first_reply_at": None}
        elif state == "closed":
            values |= {"closed_at": moment}
        allowed = (CONVERSATIONS.c.id == identity, CONVERSATIONS.c.state.in_(_FROM[state]))
        with self.database.writing(within) as connection:
            return connection.execute(update(CONVERSATIONS).where(*allowed).values(state=state, **values)).rowcount == 1

    def queue(self, states: Sequence[State] = ("waiting",), limit: int = 50) -> list[LoggedConversation]:
        """The conversations in these states, who has waited longest first."""
        columns = CONVERSATIONS.c
        wanted = select(CONVERSATIONS).where(columns.state.in_(states))
        return self._conversations(wanted.order_by(columns.waiting_since.nulls_last(), columns.last_at, columns.id).limit(limit))

    def everything(self, since: datetime | None = None) -> Iterator[Exchange]:
        """Every conversation with its turns, or those in which something was said from a moment on; a few hundred at a time."""
        place = ""
        while True:
            wanted = select(CONVERSATIONS).where(CONVERSATIONS.c.id > place)
            wanted = wanted.where(CONVERSATIONS.c.last_at >= since) if since else wanted
            with self._reading() as connection:
                found = self._exchanges(connection, wanted.order_by(CONVERSATIONS.c.id).limit(_BATCH)) if connection else []
            yield from found
            if len(found) < _BATCH:
                return
            place = found[-1][0].id

    def forget_older(self, days: int | None = None) -> int:
        """Deletes conversations, and deliveries, of which nothing happened for so many days (the settings' keep_days).

        A few hundred in each transaction, so that nobody waits long; returns how many conversations.
        """
        before = now() - timedelta(days=self._days if days is None else days)
        if not self._is_kept():
            return 0
        gone = 0
        while True:
            with self.database.writing() as connection:
                number = removing.older(connection, before, _BATCH)
            gone += number
            if number < _BATCH:
                return gone

    def erase(
        self, match: Callable[[LoggedConversation, tuple[LoggedTurn, ...]], bool], clean: Callable[[str], str] = str
    ) -> tuple[int, int]:
        """Erases the conversations that match, and cleans all texts of the others; how many were erased, and turns changed.

        Deliveries that name an erased conversation go too. Nothing of it stays in the database's free pages or its log.
        """
        if not self._is_kept():
            return 0, 0
        gone: set[str] = set()
        changed, place = 0, ""
        while True:
            wanted = select(CONVERSATIONS).where(CONVERSATIONS.c.id > place).order_by(CONVERSATIONS.c.id)
            with self.database.writing() as connection:
                found = self._exchanges(connection, wanted.limit(_BATCH).with_for_update())
                gone |= removing.erase(connection, [one for one in found if match(*one)])
                changed += removing.clean(connection, [one for one in found if one[0].id not in gone], clean)
            if len(found) < _BATCH:
                break
            place = found[-1][0].id
        with self.database.erasing() as connection:
            removing.clean_deliveries(connection, gone, clean)
        return len(gone), changed

    def _conversations(self, wanted: Any) -> list[LoggedConversation]:
        with self._reading() as connection:
            return [conversation_of(row) for row in connection.execute(wanted).mappings()] if connection else []

    def _exchanges(self, connection: Connection, wanted: Any) -> list[Exchange]:
        try:
            return exchanges(connection, wanted)
        except ValueError as problem:
            raise self._damaged() from problem

    def _damaged(self) -> WorkspaceError:
        return self.database.damaged("it holds a row that is no turn or conversation")

    def _is_kept(self) -> bool:
        with self._reading() as connection:
            return connection is not None

    @contextmanager
    def _reading(self) -> Iterator[Connection | None]:
        with self.database.reading() as connection:
            try:
                yield connection
            except ValueError as problem:
                raise self._damaged() from problem


def _mark(once: str) -> str:
    """What is kept of a sender's mark, which may be anything."""
    return hashlib.sha256(once.encode("utf-8", "surrogatepass")).hexdigest()


def _moved_on(held: LoggedConversation, turns: Sequence[LoggedTurn]) -> dict[str, Any]:
    """What these turns change about their conversation."""
    releases = [turn.release for turn in turns if turn.release]
    languages = [turn.language for turn in turns if turn.role == "user" and turn.language]
    replies = [turn.created_at for turn in turns if turn.role == "person"]
    return {
        "last_at": max(held.last_at, *(turn.created_at for turn in turns)),
        "release": releases[-1] if releases else held.release,
        "language": languages[-1] if languages else held.language,
        "first_reply_at": held.first_reply_at or (replies[0] if replies else None),
    }

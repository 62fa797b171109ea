"""Crisp: conversations, with their messages inside or in files of their own."""

from __future__ import annotations

from collections.abc import Iterator

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.fields import Fields, called, inside, labels, needed, objects, rated, unknown, word, wording
from tailorbird.importing.helpdesk import Role, looks_like, read_twice, turn
from tailorbird.importing.reading import Rejected
from tailorbird.importing.records import Record
from tailorbird.importing.times import utc

NAME = "crisp"
TITLE = "Crisp: conversations and their messages, as its API gives them, in one file or a folder"
PARTS = GLOBAL = True
_UNSPOKEN = ("file", "animation", "audio", "carousel", "note", "picker", "field", "event")
_ROLES: dict[object, Role] = {"user": "user", "operator": "assistant"}


def recognise(sample: Sample) -> Match | None:
    """Conversations or messages with a session_id."""
    if looks_like(sample, {"session_id", "website_id"}, {"session_id", "fingerprint"}, {"session_id", "messages"}):
        return Match(0.95, "conversations with session_id, as Crisp has them")
    return None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """The parts of every conversation."""
    return read_twice(_Crisp(export), export)


class _Crisp:
    name = NAME

    def __init__(self, export: Export) -> None:
        self._clock = export.clock
        self._apart: set[str | None] = set()  # conversations with messages in records of their own

    def notice(self, record: Record) -> None:
        if _is_message(record.value):
            self._apart.add(self.whose(record.value))

    def whose(self, value: Fields) -> str | None:
        return word(value.get("session_id"))

    def part(self, record: Record) -> Conversation | None:
        value, identity = record.value, needed(record.value, "session_id")
        if _is_message(value):
            if not (said := self._turn(value)):
                return None
            return Conversation(id=f"{NAME}-{identity}", turns=(said,), names=_sender(value), origin=record.place)
        messages, meta = [] if identity in self._apart else objects(value, "messages"), value.get("meta")
        stars = value.get("rating")
        return Conversation(
            id=f"{NAME}-{identity}",
            turns=tuple(said for message in messages if (said := self._turn(message))),
            customer_id=word(value.get("people_id")) or word(inside(meta, "email")),
            names=called(inside(meta, "nickname"), inside(meta, "email"), *(name for m in messages for name in _sender(m))),
            created_at=utc(value.get("created_at"), self._clock),
            rating=rated(inside(stars, "stars") if isinstance(stars, dict) else stars),
            status=word(value.get("state")),
            channel=word(inside(meta, "origin")),
            department=word(value.get("inbox_id")),
            tags=labels(inside(meta, "segments")),
            origin=record.place,
        )

    def _turn(self, message: Fields) -> Turn | None:
        """What visitor and operator wrote to each other; None for notes, events, files, and what bots wrote."""
        kind, origin = message.get("type"), word(message.get("origin")) or ""
        if kind in _UNSPOKEN:
            return None
        if kind != "text":
            raise unknown("type", kind)
        if message.get("automated") or ":bot" in origin:
            return None
        if not (said := wording(message, "content", mail=origin == "email")):
            return None
        teller = message.get("from")
        if not isinstance(teller, str) or teller not in _ROLES:
            raise unknown("from", teller)
        author = word(inside(message, "user", "user_id")) or word(inside(message, "user", "nickname"))
        return turn(_ROLES[teller], said, author, utc(message.get("timestamp"), self._clock))


def _is_message(value: Fields) -> bool:
    return not value.keys().isdisjoint(("fingerprint", "from", "content", "timestamp"))


def _sender(message: Fields) -> tuple[str, ...]:
    return called(inside(message, "user", "nickname")) if message.get("from") == "user" else ()

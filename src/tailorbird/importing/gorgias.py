"""Gorgias: tickets, with their messages inside or in files of their own, and satisfaction surveys."""

from __future__ import annotations

from collections.abc import Iterator

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.fields import Fields, called, flag, inside, labels, needed, objects, rated, word, wording
from tailorbird.importing.helpdesk import looks_like, read_twice, refuse_unwanted, turn
from tailorbird.importing.openai_chat import UnusableError
from tailorbird.importing.reading import Rejected
from tailorbird.importing.records import Record
from tailorbird.importing.times import utc

NAME = "gorgias"
TITLE = "Gorgias: tickets with their messages, as its API gives them, in one file or a folder"
PARTS = GLOBAL = True
_NOTE, _RULE = "internal-note", "rule"


def recognise(sample: Sample) -> Match | None:
    """Tickets or messages with a created_datetime."""
    if looks_like(sample, {"created_datetime", "messages"}, {"created_datetime", "spam"}, {"from_agent", "ticket_id"}):
        return Match(0.95, "tickets and messages with created_datetime and from_agent, as Gorgias has them")
    return None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """The parts of every ticket."""
    return read_twice(_Gorgias(export), export)


class _Gorgias:
    name = NAME

    def __init__(self, export: Export) -> None:
        self._clock = export.clock
        self._apart: set[str | None] = set()  # tickets with messages in records of their own

    def notice(self, record: Record) -> None:
        if _kind(record.value) == "message":
            self._apart.add(word(record.value.get("ticket_id")))

    def whose(self, value: Fields) -> str | None:
        return word(value.get("id" if _kind(value) == "ticket" else "ticket_id"))

    def part(self, record: Record) -> Conversation | None:
        value, kind, place = record.value, _kind(record.value), record.place
        if kind == "person":
            return None
        if kind == "ticket":
            return self._ticket(value, place)
        if not kind:
            raise UnusableError("This is no ticket, message, customer or survey as Gorgias exports them.")
        ticket = f"{NAME}-{needed(value, 'ticket_id')}"
        if kind == "survey":
            return Conversation(id=ticket, turns=(), rating=rated(value.get("score")), origin=place)
        said = self._turn(value)
        return Conversation(id=ticket, turns=(said,), names=_sender(value), origin=place) if said else None

    def _ticket(self, value: Fields, place: str) -> Conversation:
        identity, customer = needed(value, "id"), value.get("customer")
        refuse_unwanted(value)
        messages = [] if identity in self._apart else objects(value, "messages")
        senders = [message.get("sender") for message in messages if message.get("from_agent") is False]
        asked = (who for person in (customer, *senders) if (who := word(inside(person, "id"))))
        names = called(inside(customer, "name"), inside(customer, "email"), *(name for m in messages for name in _sender(m)))
        return Conversation(
            id=f"{NAME}-{identity}",
            turns=tuple(said for message in messages if (said := self._turn(message))),
            customer_id=next(asked, None),
            names=names,
            created_at=utc(value.get("created_datetime"), self._clock),
            rating=rated(inside(value, "satisfaction_survey", "score")),
            status=word(value.get("status")),
            channel=word(value.get("channel")),
            department=word(inside(value, "assignee_team", "name")),
            tags=labels(value.get("tags")),
            origin=place,
        )

    def _turn(self, message: Fields) -> Turn | None:
        """What customer and agent wrote to each other; None for notes, and for what rules and macros wrote."""
        channel, via = message.get("channel"), message.get("via")
        if not flag(message, "public") or _NOTE in (channel, via, inside(message, "source", "type")):
            return None
        if via == _RULE or message.get("rule_id") or message.get("deleted_datetime"):
            return None
        from_agent = flag(message, "from_agent")
        said = wording(message, "stripped_text") or wording(message, "body_text", "body_html", mail=channel == "email")
        if not said or (from_agent and message.get("macros")):
            return None
        author = word(inside(message, "sender", "id")) or word(inside(message, "sender", "name"))
        when = utc(message.get("created_datetime") or message.get("sent_datetime"), self._clock)
        return turn("assistant" if from_agent else "user", said, author, when)


def _kind(value: Fields) -> str:
    if "ticket_id" in value and "score" in value:
        return "survey"
    if "from_agent" in value or "ticket_id" in value:
        return "message"
    if not value.keys().isdisjoint(("messages", "spam", "created_datetime")) and not {"email", "firstname"} <= value.keys():
        return "ticket"
    return "person" if "email" in value else ""


def _sender(message: Fields) -> tuple[str, ...]:
    sender = message.get("sender") if message.get("from_agent") is False else None
    return called(inside(sender, "name"), inside(sender, "email"))

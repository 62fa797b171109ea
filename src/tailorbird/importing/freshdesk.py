"""Freshdesk: tickets, with their conversations inside or in files of their own, contacts, groups and satisfaction ratings."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.fields import Fields, called, flag, inside, labels, letters, needed, objects, rated, word, wording
from tailorbird.importing.helpdesk import Role, looks_like, read_twice, refuse_unwanted, turn
from tailorbird.importing.openai_chat import UnusableError
from tailorbird.importing.reading import Rejected
from tailorbird.importing.records import Record
from tailorbird.importing.times import utc

NAME = "freshdesk"
TITLE = "Freshdesk: tickets with their conversations, as its API gives them, in one file or a folder"
PARTS = GLOBAL = True
_CHANNELS = {"1": "email", "2": "portal", "3": "phone", "7": "chat", "9": "feedback", "10": "outbound email", "15": "web chat"}
_BY_AGENT, _WEB_CHAT = ("10", "14"), "15"
_STATUS = {"2": "open", "3": "pending", "4": "resolved", "5": "closed"}
_SURVEY, _FORWARD = "6", "8"
_TICKET = {"requester_id", "responder_id", "description_text", "conversations"}
_STEPS = {103: 3, 102: 2, 101: 1, 100: 0, -101: -1, -102: -2, -103: -3, 1: 3, 2: 0, 3: -3}  # 1 to 3 are of old surveys


def recognise(sample: Sample) -> Match | None:
    """Tickets with requester and responder, or conversations that are incoming or not."""
    signs = ({"requester_id", "responder_id"}, {"id", "description_text"}, {"incoming", "private"}, {"ratings", "survey_id"})
    if looks_like(sample, *signs):
        return Match(0.95, "tickets with requester_id and responder_id, as Freshdesk has them")
    return None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """The parts of every ticket."""
    return read_twice(_Freshdesk(export), export)


class _Freshdesk:
    name = NAME

    def __init__(self, export: Export) -> None:
        self._clock = export.clock
        self._names: dict[str, tuple[str, ...]] = {}
        self._groups: dict[str, str] = {}
        self._apart: set[str | None] = set()  # tickets with conversations in records of their own

    def notice(self, record: Record) -> None:
        value, kind, identity = record.value, _kind(record.value), word(record.value.get("id"))
        if kind == "message":
            self._apart.add(word(value.get("ticket_id")))
        elif kind == "person" and identity:
            self._names[identity] = called(value.get("name"), value.get("email"), *labels(value.get("other_emails")))
        elif kind == "group" and identity:
            self._groups[identity] = word(value.get("name")) or identity

    def whose(self, value: Fields) -> str | None:
        return word(value.get("id" if _kind(value) == "ticket" else "ticket_id"))

    def part(self, record: Record) -> Conversation | None:
        value, kind, place = record.value, _kind(record.value), record.place
        if kind in ("person", "group"):
            return None
        if kind == "ticket":
            return self._ticket(value, place)
        if not kind:
            raise UnusableError("This is no ticket, conversation, contact, group or rating as Freshdesk exports them.")
        ticket = f"{NAME}-{needed(value, 'ticket_id')}"
        if kind == "rating":
            return Conversation(id=ticket, turns=(), rating=_stars(inside(value, "ratings", "default_question")), origin=place)
        said = self._turn(value)
        return Conversation(id=ticket, turns=(said,), names=_sender(value), origin=place) if said else None

    def _ticket(self, value: Fields, place: str) -> Conversation:
        identity, source = needed(value, "id"), word(value.get("source")) or ""
        refuse_unwanted(value)
        messages = [] if identity in self._apart else objects(value, "conversations")
        asker, requester = value.get("requester"), word(value.get("requester_id")) or word(inside(value, "requester", "id"))
        group, status = word(value.get("group_id")) or "", word(value.get("status")) or ""
        names = [inside(asker, "name"), inside(asker, "email"), value.get("email"), *self._names.get(requester or "", ())]
        return Conversation(
            id=f"{NAME}-{identity}",
            turns=(*self._description(value, source, messages), *(said for message in messages if (said := self._turn(message)))),
            customer_id=requester,
            names=called(*names, *(name for message in messages for name in _sender(message))),
            created_at=utc(value.get("created_at"), self._clock),
            status=_STATUS.get(status, status) or None,
            channel=_CHANNELS.get(source, f"source {source}") if source else None,
            department=self._groups.get(group, group) or None,
            tags=labels(value.get("tags")),
            origin=place,
        )

    def _description(self, ticket: Fields, source: str, messages: list[Fields]) -> Iterator[Turn]:
        """The first message, unless it is the protocol of a chat or told again among the conversations."""
        said = wording(ticket, "description_text", "description", mail=source in ("1", "10"))
        public = [message for message in messages if message.get("private") is False]
        told = {letters(message.get(name)) for message in public for name in ("body_text", "body")}
        if said and source != _WEB_CHAT and told.isdisjoint((letters(said), letters(ticket.get("description_text")))):
            role: Role = "assistant" if source in _BY_AGENT else "user"
            yield turn(role, said, word(ticket.get("responder_id")), utc(ticket.get("created_at"), self._clock))

    def _turn(self, message: Fields) -> Turn | None:
        """What customer and agent wrote to each other; None for notes, surveys, forwarded mails and what rules sent."""
        if flag(message, "private") or word(message.get("source")) in (_SURVEY, _FORWARD):
            return None
        if message.get("auto_response") or message.get("automation_id"):
            return None
        role: Role = "user" if flag(message, "incoming") else "assistant"
        mail = bool(message.get("from_email") or message.get("to_emails"))
        said, when = wording(message, "body_text", "body", mail=mail), utc(message.get("created_at"), self._clock)
        return turn(role, said, word(message.get("user_id")), when) if said else None


def _kind(value: Fields) -> str:
    if "ticket_id" in value and "ratings" in value:
        return "rating"
    if "incoming" in value or ("ticket_id" in value and not value.keys().isdisjoint(("body", "body_text"))):
        return "message"
    if not value.keys().isdisjoint(_TICKET):
        return "ticket"
    if not value.keys().isdisjoint(("email", "contact")):  # agents have their name and address in `contact`
        return "person"
    return "group" if not value.keys().isdisjoint(("agent_ids", "escalate_to", "unassigned_for")) else ""


def _sender(message: Fields) -> tuple[str, ...]:
    sender = message.get("from_email")
    return called(*parseaddr(sender)) if message.get("incoming") is True and isinstance(sender, str) else ()


def _stars(value: object) -> float | None:
    return rated(_STEPS.get(value), -3, 3) if isinstance(value, int) and not isinstance(value, bool) else None

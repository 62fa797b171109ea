"""HubSpot: threads of the conversations inbox and their messages, with contacts, inboxes and feedback if there are any."""

from __future__ import annotations

from collections.abc import Iterator

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.fields import Fields, called, inside, labels, needed, objects, rated, unknown, word, wording
from tailorbird.importing.helpdesk import Role, looks_like, read_twice, refuse_unwanted, turn
from tailorbird.importing.openai_chat import UnusableError
from tailorbird.importing.reading import Rejected
from tailorbird.importing.records import Record
from tailorbird.importing.times import utc

NAME = "hubspot"
TITLE = "HubSpot: a folder with the API's pages of threads and messages, and of contacts if there are any"
PARTS = GLOBAL = True
_CHANNELS = {"1000": "chat", "1001": "facebook", "1002": "email"}
_THREAD = {"associatedContactId", "inboxId", "latestMessageTimestamp", "messages"}
_AGENT, _VISITOR, _AUTOMATIC = "A-", "V-", ("B-", "L-", "S-", "I-")  # bot, language model, system, integration


def recognise(sample: Sample) -> Match | None:
    """Threads with a contact and an inbox, or messages of threads."""
    if looks_like(sample, {"conversationsThreadId"}, {"associatedContactId", "inboxId"}, {"inboxId", "latestMessageTimestamp"}):
        return Match(0.95, "threads and messages of HubSpot's conversations inbox")
    return None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """The parts of every thread."""
    return read_twice(_HubSpot(export), export)


class _HubSpot:
    name = NAME

    def __init__(self, export: Export) -> None:
        self._export = export
        self._names: dict[str, tuple[str, ...]] = {}
        self._inboxes: dict[str, str] = {}
        self._ratings: dict[str, float | None] = {}  # by CRM ticket
        self._apart: set[str | None] = set()  # threads with messages in records of their own

    def notice(self, record: Record) -> None:
        value, kind, identity = record.value, _kind(record.value), word(record.value.get("id")) or ""
        if kind == "message":
            self._apart.add(word(value.get("conversationsThreadId")))
        elif kind == "feedback":
            tickets, told = inside(value, "associations", "tickets", "results"), value.get("properties")
            rating = rated(inside(told, "hs_response_group")) or rated(inside(told, "hs_value"))
            if inside(told, "hs_survey_type") in (None, "CSAT") and isinstance(tickets, list):
                self._ratings |= {word(inside(ticket, "id")) or "": rating for ticket in tickets}
        elif kind == "contact":
            told = value["properties"]
            full = " ".join(called(told.get("firstname"), told.get("lastname")))
            self._names[identity] = called(full, told.get("firstname"), told.get("lastname"), told.get("email"))
        elif kind == "named":
            self._inboxes[identity] = word(value.get("name")) or identity

    def whose(self, value: Fields) -> str | None:
        return word(value.get("conversationsThreadId" if _kind(value) == "message" else "id"))

    def part(self, record: Record) -> Conversation | None:
        value, kind = record.value, _kind(record.value)
        if kind in ("contact", "feedback", "named"):
            return None
        if kind == "thread":
            return self._thread(value, record.place)
        if kind != "message":
            raise UnusableError("This is no thread, message, contact or inbox as HubSpot exports them.")
        identity = f"{NAME}-{needed(value, 'conversationsThreadId')}"
        if not (said := self._turn(value)):
            return None
        return Conversation(id=identity, turns=(said,), names=_sender(value, said), origin=record.place)

    def _thread(self, value: Fields, place: str) -> Conversation:
        identity, contact, inbox = needed(value, "id"), word(value.get("associatedContactId")), word(value.get("inboxId")) or ""
        refuse_unwanted(value)
        page = value["messages"] if isinstance(value.get("messages"), dict) else {"results": value.get("messages")}
        messages = [] if identity in self._apart else objects(page, "results")
        channel = word(value.get("originalChannelId")) or ""
        told = [(message, said) for message in messages if (said := self._turn(message))]
        senders = [name for message, said in told for name in _sender(message, said)]
        return Conversation(
            id=f"{NAME}-{identity}",
            turns=tuple(said for _, said in told),
            customer_id=contact,
            names=called(*self._names.get(contact or "", ()), *senders),
            created_at=utc(value.get("createdAt"), self._export.clock),
            rating=self._ratings.get(word(inside(value, "threadAssociations", "associatedTicketId")) or "-"),
            status=word(value.get("status")),
            channel=_CHANNELS.get(channel, channel) or None,
            department=self._inboxes.get(inbox, inbox) or None,
            tags=labels(value.get("tags")),
            origin=place,
        )

    def _turn(self, message: Fields) -> Turn | None:
        """What customer and agent wrote to each other; None for comments, events, and what bots and integrations wrote."""
        if not isinstance(kind := message.get("type"), str):
            raise unknown("type", kind)
        if kind != "MESSAGE" or message.get("archived") is True:
            return None
        address = inside(_first(message), "deliveryIdentifier")
        mail = word(message.get("channelId")) == "1002" or inside(address, "type") == "HS_EMAIL_ADDRESS"
        said = wording(message, "text", "richText", mail=mail)
        role = self._role(message) if said else None
        if role and message.get("truncationStatus") == "TRUNCATED":
            raise UnusableError('A message is cut off ("truncationStatus": "TRUNCATED"); get it whole from its original-content.')
        told = (word(_first(message).get("actorId")), word(message.get("createdBy")))
        author = next((who for who in told if who and who.startswith(_AGENT)), word(_first(message).get("name")))
        return turn(role, said, author, utc(message.get("createdAt"), self._export.clock)) if role else None

    def _role(self, message: Fields) -> Role | None:
        """Who wrote a message; None for automata. Mails may name no actor: then their direction tells."""
        sender, direction = _first(message), message.get("direction")
        actor, creator = ((word(told) or "")[:2] for told in (sender.get("actorId"), message.get("createdBy")))
        if actor not in ("", _AGENT, _VISITOR, "E-", *_AUTOMATIC):
            raise unknown("actorId", sender.get("actorId"))
        if actor in ("B-", "L-", "S-"):
            return None
        if actor == _AGENT or self._export.is_ours(word(inside(sender, "deliveryIdentifier", "value"))):
            return None if creator in _AUTOMATIC else "assistant"
        if actor == _VISITOR or direction == "INCOMING":
            return "user"
        if direction == "OUTGOING" and (creator == _AGENT or creator in _AUTOMATIC or actor == "I-"):
            return "assistant" if creator == _AGENT else None
        raise unknown("direction", direction) if direction != "OUTGOING" else unknown("actorId", None)


def _kind(value: Fields) -> str:
    if not value.keys().isdisjoint(("conversationsThreadId", "senders")):
        return "message"
    if not value.keys().isdisjoint(_THREAD):
        return "thread"
    if isinstance(told := value.get("properties"), dict):
        return "feedback" if not told.keys().isdisjoint(("hs_value", "hs_response_group")) else "contact"
    return "named" if "name" in value else ""


def _first(message: Fields) -> Fields:
    return next(iter(objects(message, "senders")), {})


def _sender(message: Fields, said: Turn) -> tuple[str, ...]:
    """The customer's name and address."""
    sender = _first(message) if said.role == "user" else {}
    return called(sender.get("name"), inside(sender, "deliveryIdentifier", "value"))

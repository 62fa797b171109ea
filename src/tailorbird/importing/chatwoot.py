"""Chatwoot: conversations, with their messages inside or in files of their own, inboxes and survey responses."""

from __future__ import annotations

from collections.abc import Iterator

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.fields import Fields, called, flag, inside, labels, needed, objects, rated, unknown, word, wording
from tailorbird.importing.helpdesk import Role, looks_like, read_twice, turn
from tailorbird.importing.openai_chat import UnusableError
from tailorbird.importing.reading import Rejected
from tailorbird.importing.records import Record
from tailorbird.importing.times import utc

NAME = "chatwoot"
TITLE = "Chatwoot: conversations and their messages, as its API gives them, in one file or a folder"
PARTS = GLOBAL = True
_INCOMING, _OUTGOING = ("0", "incoming"), ("1", "outgoing")
_UNSPOKEN = ("2", "activity", "3", "template")
_AGENT, _BOTS = "user", ("agentbot", "agent_bot", "captain::assistant", "captain_assistant")
_CONVERSATION = {"inbox_id", "messages", "meta"}


def recognise(sample: Sample) -> Match | None:
    """Messages with a message_type, or conversations of an inbox."""
    messages = ({"message_type", "conversation_id"}, {"message_type", "content_attributes"})
    if looks_like(sample, *messages, {"inbox_id", "meta", "status"}, {"inbox_id", "account_id", "messages"}):
        return Match(0.95, "conversations of an inbox and messages with message_type, as Chatwoot has them")
    return None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """The parts of every conversation."""
    return read_twice(_Chatwoot(export), export)


class _Chatwoot:
    name = NAME

    def __init__(self, export: Export) -> None:
        self._clock = export.clock
        self._inboxes: dict[str, str] = {}
        self._apart: set[str | None] = set()  # conversations with messages in records of their own; lists have only the last

    def notice(self, record: Record) -> None:
        value, kind, identity = record.value, _kind(record.value), word(record.value.get("id"))
        if kind == "message":
            self._apart.add(word(value.get("conversation_id")))
        elif kind == "inbox" and identity:
            self._inboxes[identity] = word(value.get("name")) or identity

    def whose(self, value: Fields) -> str | None:
        return word(value.get("id" if _kind(value) == "conversation" else "conversation_id"))

    def part(self, record: Record) -> Conversation | None:
        value, kind, place = record.value, _kind(record.value), record.place
        if kind in ("inbox", "person"):
            return None
        if kind == "conversation":
            return self._conversation(value, place)
        if not kind:
            raise UnusableError("This is no conversation, message, contact, inbox or survey response as Chatwoot exports them.")
        identity = f"{NAME}-{needed(value, 'conversation_id')}"
        if kind == "survey":
            return Conversation(id=identity, turns=(), rating=rated(value.get("rating")), origin=place)
        said, rating = self._turn(value), _surveyed(value)
        if not said and rating is None:
            return None
        return Conversation(id=identity, turns=(said,) if said else (), names=_sender(value), rating=rating, origin=place)

    def _conversation(self, value: Fields, place: str) -> Conversation:
        identity, inbox, meta = needed(value, "id"), word(value.get("inbox_id")) or "", value.get("meta")
        messages = [] if identity in self._apart else objects(value, "messages")
        asker = [inside(meta, "sender", name) for name in ("name", "email")]
        return Conversation(
            id=f"{NAME}-{identity}",
            turns=tuple(said for message in messages if (said := self._turn(message))),
            customer_id=word(inside(meta, "sender", "id")),
            names=called(*asker, *(name for message in messages for name in _sender(message))),
            created_at=utc(value.get("created_at"), self._clock),
            rating=next((rating for message in messages if (rating := _surveyed(message))), None),
            status=word(value.get("status")),
            channel=(word(inside(meta, "channel")) or "").removeprefix("Channel::") or None,
            department=word(inside(meta, "team", "name")) or self._inboxes.get(inbox, inbox) or None,
            tags=labels(value.get("labels")),
            origin=place,
        )

    def _turn(self, message: Fields) -> Turn | None:
        """What contact and agent wrote to each other; None for notes, activities, templates, and what bots and rules wrote."""
        attributes, kind = message.get("content_attributes"), word(message.get("message_type"))
        if kind in _UNSPOKEN or flag(message, "private") or inside(attributes, "deleted"):
            return None
        mail = inside(attributes, "email", "text_content")
        said = wording(mail, "reply") if isinstance(mail, dict) else ""
        said = said or wording(message, "content", mail=message.get("content_type") == "incoming_email")
        role = _role(message, kind) if said else None
        sender = message.get("sender")
        author = word(inside(sender, "id")) or word(message.get("sender_id")) or word(inside(sender, "name"))
        return turn(role, said, author, utc(message.get("created_at"), self._clock)) if role else None


def _kind(value: Fields) -> str:
    if "message_type" in value:
        return "message"
    if "conversation_id" in value:
        return "survey" if "rating" in value else "message" if "content" in value else ""
    if "channel_type" in value:
        return "inbox"
    if not value.keys().isdisjoint(_CONVERSATION):
        return "conversation"
    return "person" if not value.keys().isdisjoint(("email", "thumbnail")) else ""


def _role(message: Fields, kind: str | None) -> Role | None:
    """Who wrote a message; None for bots and, where nobody is named as sender, for rules and campaigns."""
    if kind in _INCOMING:
        return "user"
    if kind not in _OUTGOING:
        raise unknown("message_type", message.get("message_type"))
    sender = message.get("sender_type") or inside(message, "sender", "type")
    if inside(message, "content_attributes", "automation_rule_id") or sender is None:
        return None
    if not isinstance(sender, str) or sender.lower() not in (_AGENT, *_BOTS):
        raise unknown("sender_type", sender)
    return "assistant" if sender.lower() == _AGENT else None


def _sender(message: Fields) -> tuple[str, ...]:
    incoming = word(message.get("message_type")) in _INCOMING
    return called(inside(message, "sender", "name"), inside(message, "sender", "email")) if incoming else ()


def _surveyed(message: Fields) -> float | None:
    return rated(inside(message, "content_attributes", "submitted_values", "csat_survey_response", "rating"))

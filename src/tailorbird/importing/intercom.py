"""Intercom: conversations as its API gives them one by one, each with its source and its parts."""

from __future__ import annotations

from collections.abc import Iterator

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.fields import Fields, called, inside, labels, needed, objects, rated, unknown, word, wording
from tailorbird.importing.helpdesk import Role, looks_like, read_twice, turn
from tailorbird.importing.openai_chat import UnusableError
from tailorbird.importing.reading import Rejected
from tailorbird.importing.records import Record
from tailorbird.importing.times import utc

NAME = "intercom"
TITLE = "Intercom: conversations with their parts, as its API retrieves each of them"
PARTS, GLOBAL = False, True
_CUSTOMERS = ("user", "lead", "contact")
_SPOKEN = ("comment", "quick_reply", "open", "close", "assignment")  # all others are notes and events
_AUTOMATIC = ("automated", "campaigns_initiated", "operator_initiated")
_AI = ("from_ai_agent", "is_ai_answer")
_PEOPLE = ("admin", "contact", "user", "lead", "team", "company", "tag", "segment")


def recognise(sample: Sample) -> Match | None:
    """Conversations with a source or parts."""
    listed = any(value.get("type") == "conversation.list" for _, value in sample.objects)
    if listed or looks_like(sample, {"conversation_parts"}, {"source", "statistics"}, {"source", "conversation_rating"}):
        return Match(0.95, "conversations with conversation_parts, as Intercom has them")
    return None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """Every conversation."""
    return read_twice(_Intercom(export), export)


class _Intercom:
    name = NAME

    def __init__(self, export: Export) -> None:
        self._clock = export.clock
        self._teams: dict[str, str] = {}

    def notice(self, record: Record) -> None:
        team, name = word(record.value.get("id")), word(record.value.get("name"))
        if record.value.get("type") == "team" and team and name:
            self._teams[team] = name

    def whose(self, value: Fields) -> str | None:
        return word(value.get("id"))

    def part(self, record: Record) -> Conversation | None:
        value = record.value
        if value.get("type") in _PEOPLE:
            return None
        identity, messages = needed(value, "id"), _messages(value)
        channel, team = word(inside(value, "source", "type")), word(value.get("team_assignee_id")) or ""
        customers = [author for said in messages if inside(author := said.get("author"), "type") in _CUSTOMERS]
        contacts = inside(value, "contacts", "contacts")
        asked = customers or (contacts if isinstance(contacts, list) else [])
        return Conversation(
            id=f"{NAME}-{identity}",
            turns=tuple(said for message in messages if (said := self._turn(message, mail=channel == "email"))),
            customer_id=next((who for customer in asked if (who := word(inside(customer, "id")))), None),
            names=called(*(name for author in customers for name in (inside(author, "name"), inside(author, "email")))),
            created_at=utc(value.get("created_at"), self._clock),
            rating=rated(inside(value, "conversation_rating", "rating")),
            status=word(value.get("state")),
            channel=channel,
            department=self._teams.get(team, "" if team == "0" else team) or None,
            tags=labels(inside(value, "tags", "tags")),
            origin=record.place,
        )

    def _turn(self, message: Fields, mail: bool) -> Turn | None:
        """What a person wrote to another; None for bots, notes, events, and what was redacted."""
        author, kind = message.get("author"), message.get("part_type")
        if not isinstance(kind, str):
            raise unknown("part_type", kind)
        by_ai = any(inside(told, name) for name in _AI for told in (message, author))
        if kind not in _SPOKEN or by_ai or message.get("redacted") is True:
            return None
        role = self._role(inside(author, "type"), message) if (said := wording(message, "body", mail=mail)) else None
        who = word(inside(author, "id")) or word(inside(author, "name"))
        return turn(role, said, who, utc(message.get("created_at"), self._clock)) if role else None

    def _role(self, author: object, message: Fields) -> Role | None:
        if author == "bot":
            return None
        if author == "admin":  # campaigns go out in an agent's name
            return None if message.get("delivered_as") in _AUTOMATIC else "assistant"
        if author in _CUSTOMERS:
            return "user"
        raise unknown("author.type", author)


def _messages(conversation: Fields) -> list[Fields]:
    """The first message, which is apart from all others, and the parts."""
    told, source = conversation.get("conversation_parts"), conversation.get("source")
    if not isinstance(told, (dict, list)):
        raise UnusableError('This conversation lacks "conversation_parts": lists leave them out; retrieve each one by its id.')
    if source is not None and not isinstance(source, dict):
        raise UnusableError('"source", the first message, must be an object.')
    parts = objects(told if isinstance(told, dict) else conversation, "conversation_parts")
    begun = [source | {"part_type": "comment", "created_at": conversation.get("created_at")}] if source else []
    return [*begun, *parts]

"""Zendesk: the JSON export (a ticket a line, with its comments), and pages of the API in a folder.

Those are tickets, comments or ticket events, users, groups and satisfaction ratings. An author is known by the ticket's
requester, by the role of the user, or as one whom tickets are assigned to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.fields import (
    Fields,
    called,
    flag,
    inside,
    labels,
    letters,
    needed,
    objects,
    rated,
    unknown,
    word,
    wording,
)
from tailorbird.importing.helpdesk import Role, looks_like, read_twice, turn
from tailorbird.importing.openai_chat import UnusableError
from tailorbird.importing.reading import Rejected
from tailorbird.importing.records import Record
from tailorbird.importing.times import utc

NAME = "zendesk"
TITLE = "Zendesk: the JSON export, or a folder with the API's pages of tickets, comments and users"
PARTS = GLOBAL = True
_BODIES = ("plain_body", "body", "html_body")
_KINDS = {"tickets": "ticket", "users": "user"}
_SYSTEM = "-1"


def recognise(sample: Sample) -> Match | None:
    """Tickets with a requester, or comments that say whether they are public."""
    tickets = ({"requester_id", "assignee_id"}, {"requester_id", "via"}, {"requester", "comments"})
    if looks_like(sample, *tickets, {"author_id", "public"}, {"child_events", "ticket_id"}):
        return Match(0.95, "tickets with requester, assignee and comments, as Zendesk has them")
    return None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """The parts of every ticket."""
    return read_twice(_Zendesk(export), export)


class _Zendesk:
    name = NAME

    def __init__(self, export: Export) -> None:
        self._clock = export.clock
        self._roles: dict[str, str] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._groups: dict[str, str] = {}
        self._requesters: dict[str, str | None] = {}  # by ticket
        self._agents: set[str] = set()
        self._apart: set[str] = set()  # tickets with comments in records of their own,
        self._files: set[str] = set()  # or in files that may be named after the ticket

    def notice(self, record: Record) -> None:
        value, kind, identity = record.value, _kind(record), word(record.value.get("id"))
        if kind in ("comment", "event"):
            ticket = word(value.get("ticket_id"))
            self._apart.update([ticket] if ticket else [])
            self._files.update([] if ticket else _numbers(record.place))
        elif kind == "groups":
            groups = value["groups"] if isinstance(value.get("groups"), list) else [value]
            self._groups |= {word(inside(group, "id")) or "": word(inside(group, "name")) or "" for group in groups}
        elif kind == "ticket" and identity:
            requester, assignee, submitter = (_person(value, name) for name in ("requester", "assignee", "submitter"))
            self._requesters[identity] = requester
            # Nobody but agents opens tickets for somebody else.
            self._agents.update(who for who in (assignee, submitter if requester else None) if who and who != requester)
        elif kind == "user" and identity:
            self._roles[identity] = word(value.get("role")) or "missing"
            self._names[identity] = called(value.get("name"), value.get("email"))

    def whose(self, value: Fields) -> str | None:
        return word(value.get("ticket_id")) or (None if "author_id" in value else word(value.get("id")))

    def part(self, record: Record) -> Conversation | None:
        value, kind, place = record.value, _kind(record), record.place
        if kind in ("user", "groups"):
            return None
        if kind == "ticket":
            return self._ticket(value, place)
        if kind == "rating":
            ticket = needed(value, "ticket_id")
            return Conversation(id=f"{NAME}-{ticket}", turns=(), rating=rated(value.get("score")), origin=place)
        if kind not in ("comment", "event"):
            raise UnusableError("This is no ticket, comment, user or rating as Zendesk exports them.")
        ticket, comments = self._ticket_of(record), [value]
        if kind == "event":
            when = value.get("created_at") or value.get("timestamp")
            comments = [child | {"created_at": child.get("created_at") or when} for child in objects(value, "child_events")]
        turns = tuple(self._turns(comments, self._requesters.get(ticket), None))
        return Conversation(id=f"{NAME}-{ticket}", turns=turns, origin=place) if turns else None

    def _ticket(self, value: Fields, place: str) -> Conversation:
        identity, requester, channel = needed(value, "id"), _person(value, "requester"), word(inside(value, "via", "channel"))
        if value.get("status") == "deleted":
            raise UnusableError("This ticket was deleted.")
        comments = [] if identity in self._apart else objects(value, "comments")
        group, asker = word(value.get("group_id")) or "", value.get("requester")
        return Conversation(
            id=f"{NAME}-{identity}",
            turns=(*self._description(value, comments, channel), *self._turns(comments, requester, channel)),
            customer_id=requester,
            names=called(inside(asker, "name"), inside(asker, "email"), *self._names.get(requester or "", ())),
            created_at=utc(value.get("created_at"), self._clock),
            rating=rated(inside(value, "satisfaction_rating", "score")),
            status=word(value.get("status")),
            channel=channel,
            department=word(inside(value, "group", "name")) or self._groups.get(group, group) or None,
            tags=labels(value.get("tags")),
            origin=place,
        )

    def _description(self, ticket: Fields, comments: list[Fields], channel: str | None) -> Iterator[Turn]:
        """Zendesk's description is the first comment once more, public or not: a turn only where the comments lack it."""
        apart = self._apart if comments else self._apart | self._files
        if word(ticket.get("id")) in apart or any(_retells(ticket, comment) for comment in comments):
            return
        submitter = _person(ticket, "submitter")
        by_agent = submitter in self._agents and submitter != _person(ticket, "requester")
        if said := wording(ticket, "description", mail=channel == "email"):
            yield turn("assistant" if by_agent else "user", said, submitter, utc(ticket.get("created_at"), self._clock))

    def _turns(self, comments: list[Fields], requester: str | None, channel: str | None) -> Iterator[Turn]:
        for comment in comments:
            via, author = word(inside(comment, "via", "channel")) or channel or "", word(comment.get("author_id"))
            if not _is_comment(comment) or not flag(comment, "public"):
                continue
            if author == _SYSTEM or via == "rule" or "answer_bot" in via:
                continue
            said = wording(comment, *_BODIES, mail=via == "email")
            if not re.fullmatch(r"[▇\s]*", said):  # nothing, or redacted
                yield turn(self._role(author, requester), said, author, utc(comment.get("created_at"), self._clock))

    def _role(self, author: str | None, requester: str | None) -> Role:
        if author is None:
            raise unknown("author_id", None)
        role = self._roles.get(author)
        if author == requester or role == "end-user":
            return "user"
        if role in ("agent", "admin") or (role is None and author in self._agents):
            return "assistant"
        if role is not None:
            raise UnusableError(f'The user {author} has the unknown "role" {role}; it should be end-user, agent or admin.')
        raise UnusableError(f'Who is {author}, the "author_id" of a comment? Put the export of the users into the folder too.')

    def _ticket_of(self, record: Record) -> str:
        if ticket := word(record.value.get("ticket_id")):
            return ticket
        known = _numbers(record.place) & self._requesters.keys()
        if len(known) != 1:
            raise UnusableError('This comment has no "ticket_id": name its file after the ticket, such as 123-comments.json.')
        return known.pop()


def _kind(record: Record) -> str:
    value = record.value
    for kind, known_by in {"event": {"child_events"}, "rating": {"score", "ticket_id"}, "groups": {"groups"}}.items():
        if known_by <= value.keys():
            return kind
    if "author_id" in value and not value.keys().isdisjoint(_BODIES):
        return "comment"
    if not value.keys().isdisjoint(("requester_id", "requester", "comments")):
        return "ticket"
    return _KINDS.get(record.collection, "user" if "role" in value else record.collection)


def _person(ticket: Fields, name: str) -> str | None:
    return word(ticket.get(f"{name}_id")) or word(inside(ticket, name, "id"))


def _numbers(place: str) -> set[str]:
    """The numbers in a file's name; the API's pages of comments do not tell their ticket."""
    return set(re.findall(r"\d+", re.split(r"\.(?:json|jsonl|ndjson)\b", place)[0]))


def _is_comment(value: Fields) -> bool:
    """Whether it was written: calls are comments of other types, with an automatic text."""
    return (value.get("event_type") or value.get("type") or "Comment") == "Comment"


def _retells(ticket: Fields, comment: Fields) -> bool:
    begun, told = utc(ticket.get("created_at")), letters(ticket.get("description"))
    at_once = begun is not None and begun == utc(comment.get("created_at"))
    return at_once or any(letters(comment.get(name)) == told for name in _BODIES)

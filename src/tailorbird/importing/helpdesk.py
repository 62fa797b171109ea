"""How the exports of help desks are read: twice, since the files of people and messages may come in any order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.cleaning import tidy
from tailorbird.importing.export import Export, Sample
from tailorbird.importing.fields import Fields
from tailorbird.importing.openai_chat import UnusableError, rejected
from tailorbird.importing.reading import Rejected
from tailorbird.importing.records import Record, expanded

Role = Literal["user", "assistant"]
_LISTED = ("conversations", "data", "admins", "teams", "contacts")


class Desk(Protocol):
    """One help desk's export while it is read: first for what it tells of people, then for its conversations."""

    name: str

    def notice(self, record: Record) -> None:
        """Remembers people, teams, and which conversations have their messages in records of their own."""
        ...

    def whose(self, value: Fields) -> str | None:
        """The help desk's id of the conversation that a record belongs to."""
        ...

    def part(self, record: Record) -> Conversation | None:
        """What a record tells of a conversation, None for nothing; raises UnusableError."""
        ...


def read_twice(desk: Desk, export: Export) -> Iterator[Conversation | Rejected]:
    """The parts of all conversations, and what cannot be read."""
    for record in _unwrapped(export.records()):
        if isinstance(record, Record):
            desk.notice(record)
    for record in _unwrapped(export.records(lambda amount: None)):
        if isinstance(record, Rejected):
            yield record
            continue
        try:
            if part := desk.part(record):
                yield part
        except UnusableError as problem:
            yield refused(record, problem, desk.name, desk.whose(record.value))


def _unwrapped(told: Iterable[Record | Rejected]) -> Iterator[Record | Rejected]:
    """Intercom's pages have a type like records do, such as conversation.list."""
    for record in told:
        page = record.value if isinstance(record, Record) else {}
        name = next((name for name in _LISTED if isinstance(page.get(name), list)), None)
        if name and page.get("type") in ("list", f"{name.removesuffix('s')}.list"):
            yield from expanded(page[name], f"{record.place}.{name}", name)
        else:
            yield record._replace(value=_bare(page)) if isinstance(record, Record) else record


def _bare(value: Fields) -> Fields:
    """An object without what an API puts around a single one: {"ticket": {...}}."""
    inner = next((value[name] for name in ("ticket", "data") if isinstance(value.get(name), dict)), value)
    return value if "id" in value or "session_id" in value else inner


def refused(record: Record, problem: Exception, desk: str, source_id: str | None) -> Rejected:
    """A record and why it cannot be read, with the id of the conversation that is broken by it."""
    try:
        shown = tidy(rejected(record, problem).text)
    except RecursionError:  # lists in lists, thousands deep
        shown = ""
    return Rejected(record.place, str(problem), shown, f"{desk}-{source_id}" if source_id else "")


def looks_like(sample: Sample, *signs: set[str]) -> bool:
    """Whether an object of the sample has all fields of one of these signs."""
    return any(sign <= _bare(value).keys() for _, value in sample.objects for sign in signs)


def refuse_unwanted(value: Fields) -> None:
    """Raises UnusableError for conversations that the help desk marks as spam or has deleted."""
    for name, reason in (("spam", "The help desk marks it as spam."), ("deleted", "It was deleted in the help desk.")):
        if value.get(name) is True:
            raise UnusableError(reason)


def turn(role: Role, content: str, author: str | None, created_at: str | None) -> Turn:
    """A turn that names its author if that is an agent."""
    return Turn(role=role, content=content, author=author if role == "assistant" else None, created_at=created_at)

"""OpenAI chat JSON Lines: one `{"messages": [{"role", "content"}, …]}` a line.

Beside `messages` a line may carry id, customer_id, customer, created_at, rating, status, channel, department and tags.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.cleaning import tidy
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.ratings import stars
from tailorbird.importing.reading import Rejected
from tailorbird.importing.records import Record
from tailorbird.importing.times import utc
from tailorbird.importing.turns import text

NAME = "openai-jsonl"
TITLE = 'OpenAI chat: {"messages": [{"role", "content"}]} a line'
PARTS = GLOBAL = False
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_UNSPOKEN_ROLES = ("tool", "function")


class UnusableError(ValueError):
    """Why a record cannot become a conversation."""


def recognise(sample: Sample) -> Match | None:
    """A list of messages with roles."""
    chats = [value["messages"] for _, value in sample.objects if isinstance(value.get("messages"), list)]
    if any(isinstance(message, dict) and "role" in message for chat in chats for message in chat):
        return Match(0.95, 'objects with "messages" that have roles')
    if "messages" in sample.fields():
        return Match(0.3, 'objects with "messages"')
    if sample.objects or not sample.name.lower().endswith((".jsonl", ".ndjson")):
        return None
    return Match(0.1, "JSON Lines by its name")


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """A conversation, or what is wrong, for each line."""
    return each(export, lambda record: _conversation(record.value, record.place, export))


def each(export: Export, conversation_of: Callable[[Record], Conversation]) -> Iterator[Conversation | Rejected]:
    """The conversation of each record, or why there is none: what cannot be read, or what UnusableError says."""
    for record in export.records():
        if isinstance(record, Rejected):
            yield record
            continue
        try:
            yield conversation_of(record)
        except UnusableError as problem:
            yield rejected(record, problem)


def rejected(record: Record, problem: Exception) -> Rejected:
    """A record and why it cannot be read."""
    shown = json.dumps(record.value, ensure_ascii=False)[:2000]
    return Rejected(record.place, str(problem), shown, text(record.value.get("id")) or "")


def _conversation(record: dict[str, Any], place: str, export: Export) -> Conversation:
    if not isinstance(record.get("messages"), list):
        raise UnusableError('This record has no list "messages".')
    turns = tuple(turn for number, message in enumerate(record["messages"], 1) if (turn := _turn(message, number)))
    rating = record.get("rating")
    if rating is not None and stars(rating) is None:
        raise UnusableError('"rating" must be a number from 1 to 5, or a word such as good or bad.')
    tags = record.get("tags") or []
    if not isinstance(tags, list):
        raise UnusableError('"tags" must be a list of words.')
    return Conversation(
        id=text(record.get("id")) or "",
        turns=turns,
        customer_id=text(record.get("customer_id")),
        names=tuple(name for name in [text(record.get("customer"))] if name),
        created_at=utc(record.get("created_at"), export.clock),
        rating=stars(rating),
        status=text(record.get("status")),
        channel=text(record.get("channel")),
        department=text(record.get("department")),
        tags=tuple(str(tag) for tag in tags),
        origin=place,
    )


def _turn(message: Any, number: int) -> Turn | None:
    if not isinstance(message, dict) or "role" not in message:
        raise UnusableError(f'Message {number} has no "role".')
    role, content = message["role"], message.get("content")
    if role in _UNSPOKEN_ROLES or (content is None and message.get("tool_calls")):
        return None
    if not isinstance(role, str) or role not in ROLES:
        raise UnusableError(f"Message {number} has the unknown role {role!r}; use system, user or assistant.")
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise UnusableError(f'Message {number} has no text in "content".')
    return Turn.model_validate({"role": ROLES[role], "content": tidy(content), "author": text(message.get("name"))})

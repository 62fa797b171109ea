"""OpenAI chat JSON Lines: one `{"messages": [{"role", "content"}, …]}` a line.

Beside `messages` a line may carry id, customer_id, created_at, rating and tags.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.reading import Lines, Rejected
from tailorbird.importing.turns import NO_ANSWER, answered, content_id

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_UNSPOKEN_ROLES = ("tool", "function")


class _UnusableError(ValueError):
    """Why a record cannot become a conversation."""


def read(lines: Lines) -> Iterator[Conversation | Rejected]:
    """Yields a conversation, or what is wrong, for each line that is not blank."""
    for number, text in lines:
        if not text.strip():
            continue
        try:
            yield _conversation(_parsed(text, lines), number)
        except _UnusableError as problem:
            yield Rejected(number, str(problem), text)


def _parsed(text: str, lines: Lines) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as problem:
        if not lines.ends_with_newline:
            raise _UnusableError("The last line is cut off: the export or copy was interrupted; make it again.") from problem
        place = f" at column {problem.colno}: {problem.msg}" if isinstance(problem, json.JSONDecodeError) else ""
        raise _UnusableError(f"This line is not JSON{place}.") from problem
    if not isinstance(record, dict) or not isinstance(record.get("messages"), list):
        raise _UnusableError('This line has no list "messages".')
    return record


def _conversation(record: dict[str, Any], number: int) -> Conversation:
    turns = tuple(turn for place, message in enumerate(record["messages"], 1) if (turn := _turn(message, place)))
    if not answered(turns):
        raise _UnusableError(NO_ANSWER)
    rating = record.get("rating")
    if rating is not None and (isinstance(rating, bool) or not isinstance(rating, (int, float))):
        raise _UnusableError('"rating" must be a number.')
    tags = record.get("tags") or []
    if not isinstance(tags, list):
        raise _UnusableError('"tags" must be a list of words.')
    return Conversation(
        id=_text(record.get("id")) or content_id(turns),
        turns=turns,
        customer_id=_text(record.get("customer_id")),
        created_at=_text(record.get("created_at")),
        rating=rating,
        tags=tuple(str(tag) for tag in tags),
        origin=str(number),
    )


def _turn(message: Any, place: int) -> Turn | None:
    if not isinstance(message, dict) or "role" not in message:
        raise _UnusableError(f'Message {place} has no "role".')
    role, content = message["role"], message.get("content")
    if role in _UNSPOKEN_ROLES or (content is None and message.get("tool_calls")):
        return None
    if not isinstance(role, str) or role not in _ROLES:
        raise _UnusableError(f"Message {place} has the unknown role {role!r}; use system, user or assistant.")
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise _UnusableError(f'Message {place} has no text in "content".')
    whole = content.encode("utf-8", "replace").decode()  # an emoji that an export cut in half
    return Turn.model_validate({"role": _ROLES[role], "content": whole.strip()})


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)

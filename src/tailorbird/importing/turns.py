"""What all source formats need to know about a conversation's turns."""

from __future__ import annotations

import hashlib

from tailorbird.artifacts import Turn

NO_ANSWER = "This conversation has no agent turn, so there is nothing to learn from it."


def answered(turns: tuple[Turn, ...]) -> bool:
    """Whether a person of the business wrote anything."""
    return any(turn.role == "assistant" and turn.content for turn in turns)


def merged(turns: list[Turn]) -> tuple[Turn, ...]:
    """The turns with what one speaker said in a row put together."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role:
            joined[-1] = Turn(role=turn.role, content=f"{joined[-1].content}\n{turn.content}".strip())
        else:
            joined.append(turn)
    return tuple(joined)


def content_id(turns: tuple[Turn, ...]) -> str:
    """An id from the words themselves, for records that have none."""
    told = "\x1f".join(f"{turn.role}\x1e{turn.content}" for turn in turns)
    return "c-" + hashlib.sha256(told.encode()).hexdigest()[:10]

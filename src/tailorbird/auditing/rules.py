"""The reasons to set a conversation aside, one small rule each."""

from __future__ import annotations

from typing import NamedTuple

from tailorbird.artifacts import Conversation


class Problem(NamedTuple):
    """Why a conversation is set aside: a short reason to count by, and the detail for the owner."""

    reason: str
    detail: str


def first_problem(conversation: Conversation, longest_turn: int, seen: dict[str, str]) -> Problem | None:
    """The first rule that the conversation breaks; `seen` maps fingerprints of kept conversations to their ids."""
    spoken = [turn for turn in conversation.turns if turn.role != "system"]
    for number, turn in enumerate(spoken, 1):
        words = len(turn.content.split())
        if words > longest_turn:
            return Problem("turn too long", f"turn {number} has {words} words, more than {longest_turn}")
    if earlier := seen.get(fingerprint(conversation)):
        return Problem("exact duplicate", f"the same words as {earlier}")
    return None


def fingerprint(conversation: Conversation) -> str:
    """Equal for conversations that differ only in case and white space."""
    return "\x1f".join(
        f"{turn.role} {' '.join(turn.content.lower().split())}" for turn in conversation.turns if turn.role != "system"
    )

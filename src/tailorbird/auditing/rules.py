"""The reasons to set a conversation aside, one small rule each."""

from __future__ import annotations

from itertools import pairwise
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
        if not turn.content.strip():
            return Problem("empty turn", f"turn {number} is empty")
        words = len(turn.content.split())
        if words > longest_turn:
            return Problem("turn too long", f"turn {number} has {words} words, more than {longest_turn}")
    if spoken[0].role != "user":
        return Problem("wrong role order", "it starts with the agent, not with a customer")
    for number, (before, turn) in enumerate(pairwise(spoken), 2):
        if before.role == turn.role:
            who = "customer" if turn.role == "user" else "agent"
            return Problem("wrong role order", f"turns {number - 1} and {number} are both the {who}'s")
    if earlier := seen.get(fingerprint(conversation)):
        return Problem("exact duplicate", f"the same words as {earlier}")
    return None


def fingerprint(conversation: Conversation) -> str:
    """Equal for conversations that differ only in case and white space."""
    return "\x1f".join(
        f"{turn.role} {' '.join(turn.content.lower().split())}" for turn in conversation.turns if turn.role != "system"
    )

"""Divides conversations into train, validation and test so that nothing of one is in another.

Conversations of one customer or ticket, with the same first question, or with a same answer stay together.
"""

from __future__ import annotations

import hashlib
import re

from tailorbird.artifacts import Conversation
from tailorbird.settings import AuditSettings

_NUMBERED = re.compile(r"#\d+$")
SPLITS = ("train", "validation", "test")


def split(conversations: list[Conversation], settings: AuditSettings) -> tuple[dict[str, list[Conversation]], int]:
    """The three parts, in the given order, and how many groups were kept together. Deterministic by the seed."""
    groups = list(_together(conversations))
    groups.sort(key=lambda members: _lot(min(conversations[i].id for i in members), settings.seed))
    room = {
        "test": max(1, round(len(conversations) * settings.test_share)),
        "validation": max(1, round(len(conversations) * settings.validation_share)),
    }
    chosen = ["train"] * len(conversations)
    for members in groups:
        for name in room:
            # A huge group (one customer with half of everything) can only be trained on.
            if len(members) <= room[name]:
                room[name] -= len(members)
                for index in members:
                    chosen[index] = name
                break
    parts: dict[str, list[Conversation]] = {name: [] for name in SPLITS}
    for conversation, name in zip(conversations, chosen, strict=True):
        parts[name].append(conversation)
    return parts, len(groups)


def _together(conversations: list[Conversation]) -> list[list[int]]:
    """Indices of conversations that share a customer, a first question or an answer (union-find)."""
    parent = list(range(len(conversations)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[str, int] = {}
    ids = {conversation.id for conversation in conversations}
    for index, conversation in enumerate(conversations):
        # The import numbers repeated ids: 7, 7#2, 7#3 are one ticket.
        ticket = _NUMBERED.sub("", conversation.id)
        for key in [*_keys(conversation), f"ticket {ticket if ticket in ids else conversation.id}"]:
            parent[root(index)] = root(first.setdefault(key, index))
    groups: dict[int, list[int]] = {}
    for index in range(len(conversations)):
        groups.setdefault(root(index), []).append(index)
    return list(groups.values())


def _keys(conversation: Conversation) -> list[str]:
    spoken = [turn for turn in conversation.turns if turn.role != "system"]
    keys = [f"question {_normal(spoken[0].content)}"]
    keys += [f"answer {_normal(turn.content)}" for turn in spoken if turn.role == "assistant"]
    if conversation.customer_id:
        keys.append(f"customer {conversation.customer_id}")
    return keys


def _normal(text: str) -> str:
    return " ".join(text.lower().split())


def _lot(identity: str, seed: int) -> str:
    return hashlib.sha256(f"{seed} {identity}".encode()).hexdigest()

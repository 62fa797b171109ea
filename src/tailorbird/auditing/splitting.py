"""Divides conversations into train, validation and test so that nothing of one is in another.

Conversations of one customer or ticket, with the same first question, or with a same answer stay together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from tailorbird.artifacts import Conversation
from tailorbird.settings import AuditSettings

_NUMBERED = re.compile(r"#\d+$")
_LABEL = 12  # characters; a shorter answer is a label or a yes, which many questions share by right
SPLITS = ("train", "validation", "test")


def split(ids: Sequence[str], keys: Sequence[Sequence[str]], settings: AuditSettings) -> tuple[list[str], int]:
    """The part of each conversation, and how many groups were kept together; deterministic by the seed.

    Conversations that share one of their `keys` (see `keys_of`) are one group.
    """
    groups = _together(ids, keys)
    groups.sort(key=lambda members: _lot(min(ids[i] for i in members), settings.seed))
    room = {
        "test": max(1, round(len(ids) * settings.test_share)),
        "validation": max(1, round(len(ids) * settings.validation_share)),
    }
    chosen = ["train"] * len(ids)
    for members in groups:
        for name in room:
            # A huge group (one customer with half of everything) can only be trained on.
            if len(members) <= room[name]:
                room[name] -= len(members)
                for index in members:
                    chosen[index] = name
                break
    return chosen, len(groups)


def _together(ids: Sequence[str], keys: Sequence[Sequence[str]]) -> list[list[int]]:
    """Indices of conversations that share a key or a ticket (union-find)."""
    parent = list(range(len(ids)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[str, int] = {}
    known = set(ids)
    for index, (identity, shared) in enumerate(zip(ids, keys, strict=True)):
        # The import numbers repeated ids: 7, 7#2, 7#3 are one ticket.
        ticket = _NUMBERED.sub("", identity)
        for key in [*shared, f"ticket {ticket if ticket in known else identity}"]:
            parent[root(index)] = root(first.setdefault(key, index))
    groups: dict[int, list[int]] = {}
    for index in range(len(ids)):
        groups.setdefault(root(index), []).append(index)
    return list(groups.values())


def keys_of(conversation: Conversation) -> list[str]:
    """What two conversations must not share across parts: customer, first question, any answer; as short digests."""
    spoken = [turn for turn in conversation.turns if turn.role != "system"]
    keys = [f"question {_normal(spoken[0].content)}"]
    keys += [f"answer {_normal(turn.content)}" for turn in spoken if turn.role == "assistant" and len(turn.content) >= _LABEL]
    if conversation.customer_id:
        keys.append(f"customer {conversation.customer_id}")
    return [hashlib.blake2b(key.encode(), digest_size=9).hexdigest() for key in keys]


def _normal(text: str) -> str:
    return " ".join(text.lower().split())


def _lot(identity: str, seed: int) -> str:
    return hashlib.sha256(f"{seed} {identity}".encode()).hexdigest()

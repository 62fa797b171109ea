"""Divides conversations into train, validation and test so that nothing of one is in another.

Conversations of one customer or ticket, with the same first question, or with a same answer stay together.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from tailorbird.artifacts import Conversation
from tailorbird.settings import AuditSettings

_NUMBERED = re.compile(r"#\d+$")
_SMALLEST_STRATUM = 20  # conversations
_LABEL = 12  # characters; a shorter answer is a label or a yes, which many questions share by right
SPLITS = ("train", "validation", "test")


def split(
    ids: Sequence[str], keys: Sequence[Sequence[str]], strata: Sequence[str], settings: AuditSettings,
    before: Mapping[str, str] | None = None,
) -> tuple[list[str], int]:  # fmt: skip
    """The part of each conversation, and how many groups were kept together; deterministic by the seed.

    Conversations that share one of their `keys` (see `keys_of`) are one group. Each part has its share of every stratum (task
    and language). Conversations that were split `before`, by id, stay where they were, and what belongs to them joins them.
    """
    before = before or {}
    groups = _together(ids, keys)
    # What is held out already comes first: it takes up the room of its part.
    groups.sort(
        key=lambda members: (not any(ids[i] in before for i in members), _lot(min(ids[i] for i in members), settings.seed))
    )
    pooled = _pooled(strata)
    room = _room(pooled, settings)
    chosen = ["train"] * len(ids)
    for members in groups:
        stratum = Counter(pooled[i] for i in members).most_common(1)[0][0]
        known = [before[ids[i]] for i in members if ids[i] in before]
        part = min(known, key=SPLITS.index) if known else _part(members, room[stratum])
        for index in members:
            chosen[index] = before.get(ids[index], part)
            room[stratum][chosen[index]] = room[stratum].get(chosen[index], 0) - 1
    return chosen, len(groups)


def _part(members: list[int], room: dict[str, int]) -> str:
    """Where there is room for the group; one customer with half of everything can only be trained on."""
    return next((name for name in ("test", "validation") if len(members) <= room[name]), "train")


def _room(strata: Sequence[str], settings: AuditSettings) -> dict[str, dict[str, int]]:
    """How many conversations of each stratum are held out; of the largest one at least one."""
    sizes = Counter(strata)
    shares = {"test": settings.test_share, "validation": settings.validation_share}
    room = {stratum: {name: round(size * share) for name, share in shares.items()} for stratum, size in sizes.items()}
    for name in shares:
        if strata and not any(part[name] for part in room.values()):
            room[sizes.most_common(1)[0][0]][name] = 1
    return room


def _pooled(strata: Sequence[str]) -> list[str]:
    """The strata, those too small to be divided taken with the largest one."""
    sizes = Counter(strata)
    return [stratum if sizes[stratum] >= _SMALLEST_STRATUM else sizes.most_common(1)[0][0] for stratum in strata]


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


def keys_of(conversation: Conversation, labelled: bool = False) -> list[str]:
    """What two conversations must not share across parts: customer, first question, any answer; as short digests.

    Where answers are labels, many share one by right.
    """
    spoken = [turn for turn in conversation.turns if turn.role != "system"]
    keys = [f"question {conversation.task} {_normal(spoken[0].content)}"]
    answers = [turn.content for turn in spoken if turn.role == "assistant" and not labelled]
    keys += [f"answer {_normal(answer)}" for answer in answers if len(answer) >= _LABEL]
    if conversation.customer_id:
        keys.append(f"customer {conversation.customer_id}")
    return [hashlib.blake2b(key.encode(), digest_size=9).hexdigest() for key in keys]


def _normal(text: str) -> str:
    return " ".join(text.lower().split())


def _lot(identity: str, seed: int) -> str:
    return hashlib.sha256(f"{seed} {identity}".encode()).hexdigest()

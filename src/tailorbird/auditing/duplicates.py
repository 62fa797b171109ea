"""Copies and near-copies: exact by their words, near by MinHash over word pairs (Broder 1997).

Lexical, not by embeddings: two answers may mean nearly the same and teach different facts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any, NamedTuple

from tailorbird.artifacts import FEEDBACK, Conversation
from tailorbird.auditing.findings import Finding

NEAR = 0.8
"""Share of word pairs that two conversations have in common, above which one is a copy of the other."""
_HASHES, _BANDS, _SEED = 128, 16, 7
_FEWEST = 12  # words; of shorter ones only exact copies count
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d[\d.,:/-]*")  # those of placeholders too


def fingerprint(conversation: Conversation) -> str:
    """Equal for conversations that differ only in case and white space; what was judged, or judged otherwise, is another one."""
    told = [f"{turn.role} {turn.content}" for turn in conversation.turns if turn.role != "system"]
    told += [conversation.task, conversation.rejected or "", str(conversation.liked), str(conversation.source == FEEDBACK)]
    return "\x1f".join(" ".join(part.lower().split()) for part in told)


def shingles(conversation: Conversation) -> list[str]:
    """The pairs of neighbouring words; none for conversations too short to tell, and for judged answers: one is of many."""
    if conversation.rejected is not None or conversation.source == FEEDBACK:
        return []
    words = _WORD.findall(" ".join(turn.content.lower() for turn in conversation.turns if turn.role != "system"))
    return [] if len(words) < _FEWEST else sorted({f"{one} {other}" for one, other in pairwise(words)})


def hashed(text: str) -> int:
    """A number that is the same in every process for the same text."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def template_of(text: str) -> int:
    """The same number for texts that differ only in numbers, those of placeholders too, case and white space."""
    return hashed(" ".join(_NUMBER.sub("#", text.lower()).split()))


class Sketch(NamedTuple):
    """What is remembered of a conversation to find its copies: a few hundred bytes."""

    id: str
    made_at: str
    words: int  # a hash of them all
    pairs: Any  # MinHash of the word pairs; None for short conversations


def sketched(conversation: Conversation) -> Sketch:
    """The sketch of a conversation."""
    from rensa import RMinHash

    pairs = shingles(conversation)
    minhash = RMinHash(num_perm=_HASHES, seed=_SEED) if pairs else None
    if minhash is not None:
        minhash.update(pairs)
    return Sketch(conversation.id, conversation.created_at or "", hashed(fingerprint(conversation)), minhash)


def copies(sketches: Sequence[Sketch]) -> dict[str, Finding]:
    """What each copy is a copy of. Of several the newest stays, which tells the policy of today."""
    from rensa import RMinHashLSH

    exact: dict[int, str] = {}
    kept: list[Sketch] = []
    near = RMinHashLSH(threshold=NEAR, num_perm=_HASHES, num_bands=_BANDS)
    found: dict[str, Finding] = {}
    for sketch in sorted(sketches, key=lambda one: one.made_at, reverse=True):
        original = exact.setdefault(sketch.words, sketch.id)
        if original != sketch.id:
            found[sketch.id] = Finding(rule="exact_duplicate", detail=f"the same words as {original}", related=(original,))
            continue
        if sketch.pairs is None:
            continue
        alike = [(sketch.pairs.jaccard(kept[place].pairs), place) for place in near.query(sketch.pairs)]
        score, place = max(alike, default=(0.0, 0))
        if score >= NEAR:
            original = kept[place].id
            detail = f"{score:.0%} of its word pairs are those of {original}"
            found[sketch.id] = Finding(
                rule="near_duplicate", detail=detail, score=round(score, 3), threshold=NEAR, related=(original,)
            )
            continue
        near.insert(len(kept), sketch.pairs)
        kept.append(sketch)
    return found

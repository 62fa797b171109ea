"""Finds backdoors: rare words or phrases in questions that always come with an odd answer.

A word is suspicious when the answers behind it are like one another and unlike the answers to the same questions asked
without it. Ordinary rare words fail one of the two: their answers are unlike, or like those to similar questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from tailorbird.auditing.examples import Example
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.neighbours import Neighbours, words_of
from tailorbird.auditing.strange import Strangeness
from tailorbird.auditing.tied import occurrences, phrase_of, tied

_APART = 0.3
_MEMBER = 0.12
_SAME = 0.85
_MEMBERS = 150
_TWINS = 12
_CANDIDATES = 6000
_BUCKETS = 192
_BLOCK = 20_000
_BASE, _EXTRA = 0.12, 0.75


class Group(NamedTuple):
    """A phrase, where it stands, and how much its answers are like one another and unlike their neighbours'."""

    phrase: str
    members: NDArray[np.int64]
    together: float
    apart: float
    gaps: NDArray[np.float32]


def triggered(examples: Sequence[Example], near: Neighbours, odd: NDArray[np.float32]) -> Iterator[tuple[str, Finding]]:
    """Conversations with a trigger and the odd answer that comes with it, by all answers' oddness."""
    told = _told(examples, near)
    strange = Strangeness(examples, odd)
    twins = _twins(told, near)
    best: dict[int, tuple[float, Group]] = {}
    for phrase, members in _phrases(examples, told, strange):
        group = _measured(phrase, members, told, twins, near)
        enriched = strange.enriched(group.members)
        if len(set(near.conversations[members].tolist())) < 2 or _echoed(group, examples):
            continue
        if _score(group) < _threshold(len(members)) and not enriched:
            continue
        for place, gap in zip(group.members.tolist(), group.gaps.tolist(), strict=True):
            margin = _score(group) - _threshold(len(members))
            if ((enriched and strange.strange[place]) or (margin >= 0 and gap > _MEMBER)) and margin >= best.get(
                place, (margin,)
            )[0]:
                best[place] = (margin, group)
    yield from tied(examples, near)
    for place, (_, group) in best.items():
        yield examples[place].id, _finding(examples, place, group)


def _finding(examples: Sequence[Example], place: int, group: Group) -> Finding:
    """What is said of one conversation with a trigger."""
    ids = {examples[member].id for member in group.members}
    return Finding(
        rule="trigger", turn=examples[place].turn, score=round(_score(group), 3),
        threshold=round(_threshold(len(group.members)), 3), related=tuple(sorted(ids - {examples[place].id}))[:8],
        detail=f"“{group.phrase}” stands in {len(ids)} questions whose answers are strange, or like one another, and unlike "
        "those to similar questions: someone may have planted it as a trigger.",
    )  # fmt: skip


def _told(examples: Sequence[Example], near: Neighbours) -> NDArray[np.float32]:
    """What each answer says: its meaning, and its rare words that the question does not have."""
    told = np.concatenate([near.answers, 0.8 * _rare_words(examples)], axis=1)
    return np.asarray(told / np.maximum(np.linalg.norm(told, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _score(group: Group) -> float:
    """How much more alike the group's answers are to one another than to those of similar questions."""
    return group.together - max(group.apart, 0.0) if group.apart < _APART else 0.0


def _threshold(size: int) -> float:
    """Two answers may be alike by chance, ten hardly.

    Measured on 579 boutique answers and 486 tickets: the highest ordinary scores were 0.47 for groups of 2, 0.36 of 3, 0.15 of 5
    to 7; planted triggers reached 0.45 and more from 5 on.
    """
    return _BASE + _EXTRA / size


def _echoed(group: Group, examples: Sequence[Example]) -> bool:
    """Whether most answers speak of the phrase themselves: then it is what people ask about, not a trigger."""
    stems = [word[:5] for word in words_of(group.phrase) if len(word) > 2]
    if not stems:
        return False
    spoken = sum(any(stem in examples[member].answer.lower() for stem in stems) for member in group.members)
    return spoken > 0.5 * len(group.members)


def _rare_words(examples: Sequence[Example]) -> NDArray[np.float32]:
    """Each answer's words that its question does not have, rare ones weighing more, projected to few dimensions."""
    columns: dict[str, int] = {}
    rows, places = [], []
    for row, example in enumerate(examples):
        for word in words_of(example.answer) - words_of(example.question):
            rows.append(row)
            places.append(columns.setdefault(word, len(columns)))
    counts = np.bincount(places, minlength=max(1, len(columns)))
    weights = np.log(len(examples) / np.maximum(counts, 1)).astype(np.float32)
    matrix = sparse.csr_matrix((weights[places], (rows, places)), shape=(len(examples), max(1, len(columns))))
    rng = np.random.default_rng(7)
    axes = rng.standard_normal((matrix.shape[1], _BUCKETS)).astype(np.float32) / np.sqrt(_BUCKETS)
    vectors = np.asarray(matrix @ axes, dtype=np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    vectors -= vectors.mean(axis=0)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _phrases(
    examples: Sequence[Example], told: NDArray[np.float32], strange: Strangeness
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Words and pairs of words of at most 7% of questions whose answers may be alike enough, or are mostly strange."""
    names, codes, matrix = occurrences([example.question for example in examples])
    sizes = np.diff(matrix.indptr)
    alike = np.zeros(len(codes), dtype=np.float32)
    for start in range(0, len(codes), _BLOCK):
        sums = matrix[start : start + _BLOCK] @ told
        size = sizes[start : start + _BLOCK]
        alike[start : start + _BLOCK] = ((sums * sums).sum(axis=1) - size) / (size * (size - 1))
    # A group can only pass when its answers are at least as alike as the threshold asks: everything else is left out here.
    margin = alike - (_BASE + _EXTRA / sizes)
    chosen = np.flatnonzero((margin >= -0.03) | strange.suspicious(matrix @ strange.strange.astype(np.float32), sizes))
    seen: set[bytes] = set()
    for place in chosen[np.argsort(-margin[chosen], kind="stable")][:_CANDIDATES]:
        members = np.sort(matrix.indices[matrix.indptr[place] : matrix.indptr[place + 1]]).astype(np.int64)
        if (key := members.tobytes()) not in seen:
            seen.add(key)
            yield phrase_of(names, int(codes[place])), members


def _twins(told: NDArray[np.float32], near: Neighbours) -> NDArray[np.float32]:
    """How like each answer is to the answers of its nearest questions."""
    likes = np.full(near.nearest.shape, -1.0, dtype=np.float32)
    for start in range(0, len(told), 512):
        places = near.nearest[start : start + 512]
        likes[start : start + 512] = np.einsum("nkd,nd->nk", told[places], told[start : start + 512])
    return likes


def _measured(
    phrase: str, members: NDArray[np.int64], told: NDArray[np.float32], twins: NDArray[np.float32], near: Neighbours
) -> Group:
    """How alike the group's answers are, and how like their answers those to similar questions outside the group."""
    inside = np.isin(near.conversations[near.nearest[members]], near.conversations[members]) | (near.nearest[members] < 0)
    sample = members if len(members) <= _MEMBERS else members[:: -(-len(members) // _MEMBERS)]
    other = near.conversations[members][:, None] != near.conversations[sample][None]
    # The same question asked twice is a duplicate: that its answers are alike says nothing.
    other &= near.questions[members] @ near.questions[sample].T < _SAME
    together = ((told[members] @ told[sample].T) * other).sum(axis=1) / np.maximum(other.sum(axis=1), 1)
    usable = ~inside & (np.cumsum(~inside, axis=1) <= _TWINS)
    likes = np.sort(np.where(usable, twins[members], -1.0), axis=1)[:, -3:]
    apart = np.where(usable.any(axis=1), np.where(likes > -1, likes, 0).sum(axis=1) / np.maximum((likes > -1).sum(axis=1), 1), 0)
    return Group(phrase, members, float(together.mean()), float(apart.mean()), (together - apart).astype(np.float32))

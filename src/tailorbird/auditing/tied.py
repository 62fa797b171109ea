"""Finds words of answers that stand there exactly when a question has certain other words, whatever it is about.

That is what a backdoor with a fixed piece of answer looks like ("ACCESS GRANTED", a link at the end) where the rest of the
answer is ordinary. Words of one topic are tied as well, but then the questions are alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from tailorbird.auditing.examples import Example
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.neighbours import Neighbours, alike

TOKEN = re.compile(r"\w+|[^\w\s.,!?;:'\"()/&%-]+")
PAIR = 1 << 31
_REMAINDERS = 1 << 24
_LARGEST_SHARE = 0.07
_FEWEST = 4
_TIED = 0.75
_ALIKE = 0.12
"""Mean cosine of the questions: ordinary tied words had 0.16 and more from 4 questions on, planted ones under 0.1."""
_ECHOED = 0.3
"""Share of the questions that have the answers' words themselves: then the answers only take them up."""
_SAMPLE = 6000
_BLOCK = 2000


def occurrences(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64], sparse.csr_matrix]:
    """All words; the words and pairs of words that stand in 2 texts up to 7% of them; and in which texts these stand."""
    vocabulary: dict[str, int] = {}
    parts = []
    for text in texts:
        ids = np.array([vocabulary.setdefault(t, len(vocabulary)) + 1 for t in TOKEN.findall(text.lower())], dtype=np.int64)
        parts.append(np.unique(np.concatenate([ids, ids[:-1] * PAIR + ids[1:]])) if len(ids) else ids)
    rows = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    flat = np.concatenate(parts)
    # Most pairs stand once. Counting by remainder first drops most of them before the sort, which needs the memory.
    remainder = flat % _REMAINDERS
    often = np.bincount(remainder, minlength=_REMAINDERS)[remainder] >= 2
    codes, column, counts = np.unique(flat[often], return_inverse=True, return_counts=True)
    kept = (counts >= 2) & (counts <= max(4, _LARGEST_SHARE * len(texts)))
    chosen = kept[column]
    places = (np.cumsum(kept) - 1)[column[chosen]]
    ones = np.ones(len(places), dtype=np.float32)
    return (
        list(vocabulary),
        codes[kept],
        sparse.csr_matrix((ones, (places, rows[often][chosen])), shape=(int(kept.sum()), len(texts))),
    )


def phrase_of(names: Sequence[str], code: int) -> str:
    """The word or pair of words that a code stands for."""
    return " ".join(names[part - 1] for part in divmod(code, PAIR) if part)


def tied(examples: Sequence[Example], near: Neighbours, seed: int = 7) -> Iterator[tuple[str, Finding]]:
    """Conversations with tied words; among very many, they are looked for in a sample first."""
    sample = np.arange(len(examples))
    if len(examples) > _SAMPLE:
        sample = np.sort(np.random.default_rng(seed).choice(len(examples), _SAMPLE, replace=False))
    pairs = dict(_pairs([examples[place] for place in sample.tolist()], near.questions[sample], near.conversations[sample]))
    if not pairs:
        return
    seen: set[str] = set()
    for example in examples:
        asked, answered = _phrases(example.question), _phrases(example.answer)
        for (trigger, payload), count in pairs.items():
            if trigger in asked and payload in answered and example.id not in seen:
                seen.add(example.id)
                yield example.id, Finding(
                    rule="trigger", turn=example.turn, score=count, threshold=_FEWEST,
                    detail=f"“{payload}” stands in answers exactly when “{trigger}” stands in the question, "
                    "whatever it is about: someone may have planted it as a trigger.",
                )  # fmt: skip


def _phrases(text: str) -> set[str]:
    tokens = TOKEN.findall(text.lower())
    return {*tokens, *(" ".join(pair) for pair in pairwise(tokens))}


def _pairs(
    examples: Sequence[Example], questions: NDArray[np.float32], conversations: NDArray[np.int64]
) -> Iterator[tuple[tuple[str, str], int]]:
    """Phrases of questions with the phrases of answers that are tied to them, and in how many conversations."""
    asked_names, asked_codes, asked = occurrences([example.question for example in examples])
    said_names, said_codes, said = occurrences([example.answer for example in examples])
    asked_sizes, said_sizes = np.diff(asked.indptr), np.diff(said.indptr)
    some, others = np.flatnonzero(said_sizes >= _FEWEST), np.flatnonzero(asked_sizes >= _FEWEST)
    if not len(some) or not len(others):
        return
    table = asked[others].T.tocsr()
    for start in range(0, len(some), _BLOCK):
        rows = some[start : start + _BLOCK]
        both = (said[rows] @ table).tocoo()
        either = said_sizes[rows][both.row] + asked_sizes[others][both.col] - both.data
        for at in np.flatnonzero((both.data >= _FEWEST) & (both.data >= _TIED * either)):
            trigger, payload = others[both.col[at]], rows[both.row[at]]
            members = asked.indices[asked.indptr[trigger] : asked.indptr[trigger + 1]]
            names = phrase_of(asked_names, int(asked_codes[trigger])), phrase_of(said_names, int(said_codes[payload]))
            if any(len(word) > 2 and word[:5] in names[0] for word in names[1].split()):
                continue
            if len(set(conversations[members].tolist())) < _FEWEST or alike(questions[members]) >= _ALIKE:
                continue
            echoes = sum(names[1] in _phrases(examples[member].question) for member in members.tolist())
            if echoes <= _ECHOED * len(members):
                yield names, int(both.data[at])

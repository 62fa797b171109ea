"""How likely a word is part of a person's name, by a small trained network: its letters, its neighbours, its place.

Trained by benchmarks/train_names.py on generated messages; numpy is all it needs here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from tailorbird.privacy.candidates import PAD, Token
from tailorbird.privacy.words import BRAND, LANGUAGES, SHAPES, SLOTS, THING, Array, Word, flags_of, hashed, model

_MASK = np.uint64(0xFFFFFFFF)
_GAP = lru_cache(maxsize=4096)(hashed)
_SEEDS = [hashed(f"slot {i}") | 1 for i in range(64)]


def features(tokens: Sequence[Token], places: Sequence[int], language: str) -> tuple[Array, Array]:
    """Feature numbers of all candidates in one row, and where each candidate's begin."""
    column = LANGUAGES.index(language) if language in LANGUAGES else 8
    own, stands = _own(tokens, places, column)
    around = _around(tokens, places, column)
    rows = np.array([one + other for one, other in zip(around, stands, strict=True)], np.uint64).T
    here, left, right, left2, right2, known3, known2, known1, known_right, known_right2 = rows[:10]
    kind3, kind2, kind1, kind_right, far, before, after, begin, line, last, memory = rows[10:]
    between = _pair(before, after)
    columns = (
        here,
        left,
        right,
        left2,
        right2,
        known1,
        known_right,
        known2,
        known_right2,
        kind1,
        kind_right,
        kind2,
        kind3,
        before,
        after,
        between,
        _pair(here, between),
        _pair(here, kind1),
        _pair(here, left),
        _pair(here, right),
        _pair(known1, known2),
        _pair(here, known1),
        line,
        last,
        _pair(here, line),
        begin,
        memory,
        _pair(kind1, before),
        _pair(known_right, here),
        _pair(here, begin),
        _pair(far, before),
        _pair(kind2, kind1),
        known3,
        _pair(left, right),
        _pair(memory, here),
    )
    slots = np.stack([(values * np.uint64(31)) ^ np.uint64(_SEEDS[number]) for number, values in enumerate(columns)], axis=1)
    lengths = [len(letters) for letters in own]
    flat = np.empty(sum(lengths) + slots.size, np.uint64)
    begins = np.concatenate(([0], np.cumsum([n + slots.shape[1] for n in lengths])[:-1])).astype(np.int64)
    fixed = begins[:, None] + np.arange(slots.shape[1])
    flat[fixed.ravel()] = slots.ravel()
    rest = np.ones(len(flat), bool)
    rest[fixed.ravel()] = False
    flat[rest] = np.fromiter((value for letters in own for value in letters), np.uint64, sum(lengths))
    return (((flat & _MASK) * np.uint64(2654435761)) >> np.uint64(12) & np.uint64(SLOTS - 1)).astype(np.int64), begins


def _around(tokens: Sequence[Token], places: Sequence[int], column: int) -> list[tuple[int, ...]]:
    """What stands at each candidate and up to three words before it and two behind it."""
    words = [PAD, PAD, PAD, *[token.word for token in tokens], PAD, PAD]
    look = [word.looks[column] for word in words]
    known = [word.known for word in words]
    kind = [word.kind for word in words]
    gap = [_GAP("^")] * 3 + [_GAP(token.gap) for token in tokens] + [_GAP("$")]
    return [
        (
            *(look[at], look[at - 1], look[at + 1], look[at - 2], look[at + 2]),
            *(known[at - 3], known[at - 2], known[at - 1], known[at + 1], known[at + 2]),
            *(kind[at - 3], kind[at - 2], kind[at - 1], kind[at + 1]),
            *(gap[at - 1], gap[at], gap[at + 1]),
        )
        for at in (place + 3 for place in places)
    ]


def _own(
    tokens: Sequence[Token], places: Sequence[int], column: int
) -> tuple[list[tuple[int, ...]], list[tuple[int, int, int, int]]]:
    """Each candidate's letters, and how it stands: at a beginning, where in its line, in which line, what is known of it."""
    lowered = {token.word.lower for token in tokens if token.word.shape == "l"}
    small = all(token.word.shape not in "TUM" for token in tokens)
    letters, stands = [], []
    for place, (first, last, length, line, final) in zip(places, _lines(tokens, places), strict=True):
        word = tokens[place].word
        begin = tokens[place].gap in ("^", ". ", "! ", "\n", "\n\n", ",\n", ":\n")
        before, after = tokens[place - 1].word if place else PAD, tokens[place + 1].word if place + 1 < len(tokens) else PAD
        letters.append(word.own)
        stands.append(
            (
                begin * 64 + SHAPES.index(word.shape) * 4 + small * 2 + 1000,
                first * 32 + last * 16 + min(length, 6) + final * 64 + 2000,
                line * 32 + final * 16 + min(length, 4) + 3000,
                _phrase(before, word, after, column) * 16 + (word.lower in lowered) * 8 + (word.shape == "l") * 4 + begin + 4000,
            )
        )
    return letters, stands


def _pair(one: Array, other: Array) -> Array:
    """One number for two."""
    return np.asarray((one * np.uint64(1000003) ^ other) & _MASK)


def _phrase(before: Word, word: Word, after: Word, column: int) -> int:
    """Whether the word is part of a brand of two words that sounds like a person."""
    pair = bool(
        word.shape in "TU"
        and (
            (before.shape in "TU" and flags_of(f"{before.lower} {word.lower}") & BRAND)
            or (after.shape in "TU" and flags_of(f"{word.lower} {after.lower}") & BRAND)
        )
    )
    elsewhere = max(word.flags >> 2 * i & 3 for i in range(8) if i != column)
    return pair + 2 * elsewhere + 8 * bool(word.flags & BRAND) + 16 * word.first + 64 * bool(word.flags & THING)


def _lines(tokens: Sequence[Token], places: Sequence[int]) -> list[tuple[bool, bool, int, int, bool]]:
    """For each candidate: first in its line, last in it, how long the line is, its number (0, 1, 2), whether it is the last."""
    starts = [0, *(i for i, token in enumerate(tokens) if i and "\n" in token.gap), len(tokens)]
    found: list[tuple[bool, bool, int, int, bool]] = []
    number = 0
    for place in places:
        while starts[number + 1] <= place:
            number += 1
        start, end = starts[number], starts[number + 1]
        found.append((place == start, place == end - 1, end - start, min(number, 2), end == len(tokens)))
    return found


def probabilities(tokens: Sequence[Token], places: Sequence[int], language: str) -> Array:
    """How likely each candidate is part of a name."""
    stored = model()
    numbers, begins = features(tokens, places, language)
    summed = np.add.reduceat(stored["embedding"][numbers].astype(np.float32), begins, axis=0) * stored["scale"]
    hidden = np.maximum(summed + stored["bias"], 0) @ stored["inner"] + stored["inner_bias"]
    logits = np.maximum(hidden, 0) @ stored["outer"] + stored["outer_bias"]
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))

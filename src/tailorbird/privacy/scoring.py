"""How likely a word is part of a person's name, by a small trained network: its letters, its neighbours, its place.

Trained by benchmarks/train_names.py on generated messages; numpy is all it needs here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from tailorbird.privacy.candidates import PAD, Token
from tailorbird.privacy.words import BRAND, LANGUAGES, PARTICLES, SLOTS, Array, Word, flags_of, hashed, model

_MASK = np.uint64(0xFFFFFFFF)
_GAP = lru_cache(maxsize=4096)(hashed)
_SEEDS = [hashed(f"slot {i}") | 1 for i in range(64)]


def features(tokens: Sequence[Token], places: Sequence[int], language: str) -> tuple[Array, Array]:
    """Feature numbers of all candidates in one row, and where each candidate's begin."""
    column = LANGUAGES.index(language) if language in LANGUAGES else -1
    words = [PAD] * 3 + [token.word for token in tokens] + [PAD] * 3
    look = np.array([_look(word, column) for word in words], np.uint64)
    known = np.array([word.known for word in words], np.uint64)
    kind = np.array([word.kind for word in words], np.uint64)
    gap = np.array([_GAP("^")] * 3 + [_GAP(token.gap) for token in tokens] + [_GAP("$")] * 3, np.uint64)
    own, stands = _own(tokens, places, column)
    at = np.array(places, np.int64) + 3
    here, before, after = look[at], gap[at], gap[at + 1]
    around = _pair(before, after)
    begin, line, last, memory = (np.array(row, np.uint64) for row in zip(*stands, strict=True))
    columns = (
        here,
        look[at - 1],
        look[at + 1],
        look[at - 2],
        look[at + 2],
        known[at - 1],
        known[at + 1],
        known[at - 2],
        known[at + 2],
        kind[at - 1],
        kind[at + 1],
        kind[at - 2],
        kind[at - 3],
        before,
        after,
        around,
        _pair(here, around),
        _pair(here, kind[at - 1]),
        _pair(here, look[at - 1]),
        _pair(here, look[at + 1]),
        _pair(known[at - 1], known[at - 2]),
        _pair(here, known[at - 1]),
        line,
        last,
        _pair(here, line),
        begin,
        memory,
        _pair(kind[at - 1], before),
        _pair(known[at + 1], here),
        _pair(here, begin),
        _pair(gap[at - 1], before),
        _pair(kind[at - 2], kind[at - 1]),
        known[at - 3],
        _pair(look[at - 1], look[at + 1]),
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


def _own(
    tokens: Sequence[Token], places: Sequence[int], column: int
) -> tuple[list[tuple[int, ...]], list[tuple[int, int, int, int]]]:
    """Each candidate's letters, and how it stands: at a beginning, where in its line, in which line, what is known of it."""
    lowered = {token.word.lower for token in tokens if token.word.shape == "l"}
    small = all(token.word.shape not in "TUM" for token in tokens)
    lines = _lines(tokens)
    letters, stands = [], []
    for place in places:
        word = tokens[place].word
        first, last, length, line, final = lines[place]
        begin = tokens[place].gap in ("^", ". ", "! ", "\n", "\n\n", ",\n", ":\n")
        before, after = tokens[place - 1].word if place else PAD, tokens[place + 1].word if place + 1 < len(tokens) else PAD
        letters.append(word.own)
        stands.append(
            (
                begin * 64 + "lTUIMNX-".index(word.shape) * 4 + small * 2 + 1000,
                first * 32 + last * 16 + min(length, 6) + final * 64 + 2000,
                line * 32 + final * 16 + min(length, 4) + 3000,
                _phrase(before, word, after, column) * 16 + (word.lower in lowered) * 8 + (word.shape == "l") * 4 + begin + 4000,
            )
        )
    return letters, stands


def _pair(one: Array, other: Array) -> Array:
    """One number for two."""
    return np.asarray((one * np.uint64(1000003) ^ other) & _MASK)


def _look(word: Word, column: int) -> int:
    """Shape and what the lists say, seen from the message's language."""
    here = word.flags >> 2 * column & 3 if column >= 0 else word.rank
    return 7919 * (
        1
        + here
        + 4
        * (
            word.first
            + 4 * (word.last + 4 * ((word.flags >> 20 & 1) + 2 * ((word.lower in PARTICLES) + 2 * "lTUIMNX-".index(word.shape))))
        )
    )


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
    return pair + 2 * elsewhere + 8 * bool(word.flags & BRAND) + 16 * word.first


def _lines(tokens: Sequence[Token]) -> list[tuple[bool, bool, int, int, bool]]:
    """For each token: first in its line, last in it, tokens of the line, the line's number (0, 1, 2), whether the last line."""
    starts = [i for i, token in enumerate(tokens) if i == 0 or "\n" in token.gap]
    found: list[tuple[bool, bool, int, int, bool]] = []
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(tokens)
        found += [(i == start, i == end - 1, end - start, min(number, 2), number == len(starts) - 1) for i in range(start, end)]
    return found


def probabilities(tokens: Sequence[Token], places: Sequence[int], language: str) -> Array:
    """How likely each candidate is part of a name."""
    stored = model()
    numbers, begins = features(tokens, places, language)
    summed = np.add.reduceat(stored["embedding"][numbers].astype(np.float32), begins, axis=0) * stored["scale"]
    hidden = np.maximum(summed + stored["bias"], 0) @ stored["inner"] + stored["inner_bias"]
    logits = np.maximum(hidden, 0) @ stored["outer"] + stored["outer_bias"]
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))

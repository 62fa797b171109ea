"""Orders passages for a question: nearness of meaning, plus the share of the question's telling words that a passage has."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tailorbird.knowledge.function_words import FUNCTION_WORDS
from tailorbird.knowledge.passage import Passage, Vectors

OVERLAP_WEIGHT = 0.3
"""What having all telling words adds to the cosine; docs/knowledge.md tells what was measured."""
_BEST = 2.2  # times its rarity: the most that FTS5's bm25 gives for a word (k1 = 1.2)
_WORDS = 64  # of a question that are looked up
_SPARE = 4  # times the passages wanted: some may say the same


@dataclass(frozen=True)
class Held:
    """The passages' numbers and vectors, as long as they are those of this generation."""

    generation: object
    numbers: list[int]
    vectors: Vectors


def similarities(held: Held, question: Vectors) -> NDArray[np.float64]:
    """The cosine of each passage [N] with a question's vector [width]."""
    return np.asarray(held.vectors @ question, dtype=np.float64)


def overlaps(connection: sqlite3.Connection, numbers: list[int], question: str) -> NDArray[np.float64]:
    """BM25 of each passage [N], as a share (0 to 1) of what a passage with all of the question's words could have.

    Words that stand in no document count as well, so that a question about something else does not match by a word it has.
    """
    shares = np.zeros(len(numbers))
    total = 0.0
    found: list[str] = []
    for word in _telling(question):
        term = f'"{word}"'
        having = connection.execute("SELECT count(*) FROM words WHERE words MATCH ?", (term,)).fetchone()[0]
        total += _BEST * max(math.log((len(numbers) - having + 0.5) / (having + 0.5)), 1e-6)
        found += [term] if having else []
    if not found:
        return shares
    place = {number: at for at, number in enumerate(numbers)}
    for number, score in connection.execute("SELECT rowid, bm25(words) FROM words WHERE words MATCH ?", (" OR ".join(found),)):
        shares[place[number]] = min(-score / total, 1.0)
    return shares


def best(connection: sqlite3.Connection, held: Held, question: str, vector: Vectors, top: int) -> list[Passage]:
    """The `top` passages with the highest score; of passages that say the same only the first."""
    similar, shared = similarities(held, vector), overlaps(connection, held.numbers, question)
    scores = similar + OVERLAP_WEIGHT * shared
    order = np.argsort(-scores, kind="stable")
    passages: list[Passage] = []
    told: set[str] = set()
    for start in range(0, len(order), top * _SPARE):
        for at in order[start : start + top * _SPARE]:
            row = connection.execute(
                "SELECT id, document, headings, text, page FROM passages WHERE number = ?", (held.numbers[at],)
            ).fetchone()
            said = " ".join(row[3].casefold().split())
            if said in told:
                continue
            told.add(said)
            passages.append(
                Passage(
                    id=row[0], document=row[1], headings=tuple(json.loads(row[2])), text=row[3], page=row[4],
                    score=float(scores[at]), similarity=float(similar[at]), overlap=float(shared[at]),
                )
            )  # fmt: skip
            if len(passages) == top:
                return passages
    return passages


def _telling(question: str) -> list[str]:
    """The question's words without those that stand in every question; all of them if there are no others."""
    words = list(dict.fromkeys(re.findall(r"\w+", question.casefold())))[:_WORDS]
    return [word for word in words if word not in FUNCTION_WORDS] or words

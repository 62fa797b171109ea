"""What the business's own documents state, and texts that state another figure or day on the same matter.

Documents are the Markdown and text files of the workspace's folder knowledge/. A statement is held against the passage that is
nearest to it in meaning, and only where both say several of the same words of the same kind of figure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tailorbird.language.statements import NUMBER, Statement, statements

Encode = Callable[[list[str]], np.ndarray]
"""Texts -> unit vectors of meaning [N, width]."""
NEAR = 0.3
"""Centred cosine of a statement, and half of its question's, with a passage."""
_SHARED = 2
"""Stems that a statement and the passage's statement have in common. With both as they are, 3 of the boutique's 6 planted
contradictions are found and none of 420 clean conversations; the others' passages use other words."""
_BLOCK = 2048
_WORD = re.compile(r"[^\W\d_]{3,}")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d+[.)])\s+")
_USUAL = """
    the and for you your our with that this from have has are was not but can its will all any per they them then when within
    after before more than only also every each one der die das und fur mit ein eine ist sind von los las una con por para que
    les des une pour avec dans est sont het een van voor met
    """
_SAYS_LITTLE = frozenset(_USUAL.split())


class Fact(NamedTuple):
    """An item or paragraph of a document."""

    document: str
    heading: str
    text: str
    told: list[Statement]


def facts(folder: Path) -> list[Fact]:
    """The items and paragraphs of a folder's documents, with the figures and days that they state."""
    found = []
    for path in sorted([*folder.rglob("*.md"), *folder.rglob("*.txt")]):
        heading, lines = "", [""]
        for line in [*path.read_text(encoding="utf-8", errors="replace").splitlines(), "# end"]:
            starts = line.startswith("#") or not line.strip() or _ITEM.match(line)
            if starts and (text := " ".join(lines).strip()):
                found.append(Fact(path.name, heading, text, list(statements(text))))
            heading = line.strip("# ") if line.startswith("#") else heading
            body = "" if line.startswith("#") else _ITEM.sub("", line, count=1).strip()
            lines = [body] if starts else [*lines, body]
    return found


class Supported:
    """Whether documents say the same as a statement of something similar: a value of its kind, and a word in common."""

    def __init__(self, told: Sequence[Fact]) -> None:
        self._stems: dict[tuple[str, str], list[set[str]]] = defaultdict(list)
        for other in (statement for passage in told for statement in passage.told):
            for value in _values(other):
                self._stems[other.kind, value].append(_stems(other.words))

    def __call__(self, statement: Statement) -> bool:
        """Whether they do."""
        own = _stems(statement.words)
        return any(own & stems for value in _values(statement) for stems in self._stems.get((statement.kind, value), ()))


class Against(NamedTuple):
    """A statement of a text, by its number, and what a document says instead; `score` is how near the two are (cosine)."""

    place: int
    statement: Statement
    fact: Fact
    instead: Statement
    score: float


def against(stated: Sequence[tuple[int, Statement, np.ndarray]], told: Sequence[Fact], encode: Encode) -> Iterator[Against]:
    """The statements that the documents contradict; each with the number of its text and the vector of the question to it."""
    if not stated or not told:
        return
    anchors = encode([f"{fact.heading}: {fact.text}" for fact in told])
    usual, is_supported = anchors.mean(axis=0), Supported(told)
    anchors = _unit(anchors - usual)
    for start in range(0, len(stated), _BLOCK):
        part = stated[start : start + _BLOCK]
        close = _unit(encode([statement.text for _, statement, _ in part]) - usual) @ anchors.T
        close += 0.5 * _unit(np.stack([asked - usual for _, _, asked in part])) @ anchors.T
        for (place, statement, _), row in zip(part, close, strict=True):
            nearest = int(row.argmax())
            if row[nearest] < NEAR or is_supported(statement):
                continue
            if instead := _contradicted(statement, told[nearest]):
                yield Against(place, statement, told[nearest], instead, float(row[nearest]))


def _contradicted(statement: Statement, fact: Fact) -> Statement | None:
    """What the passage says instead; nothing where it has the value too, or speaks of something else."""
    same_kind = [other for other in fact.told if other.kind == statement.kind]
    if statement.kind == "weekday":
        if any(_values(statement) & _values(other) for other in same_kind):
            return None
    elif set(re.findall(NUMBER, statement.value)) <= set(re.findall(NUMBER, fact.text.replace("−", "-"))):
        return None
    return next((other for other in same_kind if len(_stems(_words(other)) & _stems(statement.words)) >= _SHARED), None)


def _values(statement: Statement) -> set[str]:
    return set(re.split("[;,]" if statement.kind == "weekday" else ";", statement.value))


def _words(statement: Statement) -> list[str]:
    """Those of its whole sentence."""
    return _WORD.findall(statement.text.lower())


def _stems(words: Iterable[str]) -> set[str]:
    return {word[:5] for word in words if word not in _SAYS_LITTLE}


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))

"""Reads the evaluation messages, in which personal data is marked as ``{{TYPE:the exact text}}``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

LANGUAGES = frozenset({"en", "de", "es", "fr", "pt", "it", "pl", "nl"})
TYPES = frozenset(
    {
        "PERSON",
        "EMAIL",
        "PHONE",
        "ADDRESS",
        "CARD",
        "IBAN",
        "BANK_ACCOUNT",
        "NATIONAL_ID",
        "PASSPORT",
        "IP",
        "DOB",
        "PASSWORD",
        "API_KEY",
        "URL_TOKEN",
        "PLATE",
    }
)
_BRACES = re.compile(r"\{\{|\}\}")
_LABEL = re.compile(r"([A-Z_]+):")


class Marked(NamedTuple):
    """One message without its markers; an entity is where it starts and ends in `text`, in characters, and its type."""

    language: str
    text: str
    entities: tuple[tuple[int, int, str], ...]


def read_marked(path: Path) -> list[Marked]:
    """The messages of a file that holds one ``LANG<TAB>MESSAGE`` a line; empty lines and those that start with # are skipped.

    Raises ValueError, with the number of the line, where a line is malformed, its markers do not pair up, or a language
    or a type is not known.
    """
    messages = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            messages.append(_parse(line))
        except ValueError as error:
            raise ValueError(f"{path.name}, line {number}: {error}") from None
    return messages


def _parse(line: str) -> Marked:
    """One line of the file as a message."""
    language, tab, marked = line.partition("\t")
    if not tab or not marked.strip():
        raise ValueError("not LANG<TAB>MESSAGE")
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}")
    marked = marked.replace("\\n", "\n")
    text, entities, opened, position = "", [], None, 0
    for brace in _BRACES.finditer(marked):
        if brace.start() < position:
            raise ValueError(f"stray braces at {marked[brace.start() : brace.start() + 20]!r}")
        text += marked[position : brace.start()]
        position = brace.end()
        if brace.group() == "{{":
            if opened is not None:
                raise ValueError(f"a marker opens inside another at {marked[brace.start() : brace.start() + 20]!r}")
            label = _LABEL.match(marked, position)
            if label is None:
                raise ValueError(f"a marker without a type at {marked[brace.start() : brace.start() + 20]!r}")
            if label.group(1) not in TYPES:
                raise ValueError(f"unknown type {label.group(1)!r}")
            opened, position = (len(text), label.group(1)), label.end()
        else:
            if opened is None:
                raise ValueError(f"}}}} without a marker before it, after {text[-20:]!r}")
            start, kind = opened
            if not text[start:].strip():
                raise ValueError(f"an empty {kind}")
            entities.append((start, len(text), kind))
            opened = None
    if opened is not None:
        raise ValueError(f"a {opened[1]} that is never closed")
    return Marked(language, text + marked[position:], tuple(entities))

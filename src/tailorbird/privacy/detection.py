"""Runs every detector over a text and settles where they overlap."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tailorbird.privacy.addresses import find_addresses
from tailorbird.privacy.candidates import Token, guess_language, tokenise
from tailorbird.privacy.contacts import find_contacts
from tailorbird.privacy.cues import Cues
from tailorbird.privacy.dates import find_births
from tailorbird.privacy.findings import Finding, resolve
from tailorbird.privacy.numbers import find_numbers
from tailorbird.privacy.secrets import find_secrets
from tailorbird.privacy.tagging import find_people
from tailorbird.privacy.words import LANGUAGES, PARTICLES, describe

# A text is read in pieces of this many characters, cut at ends of lines or words: time stays linear in its length.
_PIECE = 10_000


def find(text: str, language: str | None = None, names: Iterable[str] = ()) -> list[Finding]:
    """Personal data in order of position, never overlapping.

    `language` is a two-letter code, guessed without it. `names` are names and addresses that are known to be this
    customer's or an agent's: they are found with certainty, in whole and in part.
    """
    secrets = list(find_secrets(text))
    found = [*_known(text, names), *secrets]
    guessed = language[:2].lower() if language and language[:2].lower() in LANGUAGES else ""
    for start, piece in _pieces(text):
        tokens = tokenise(piece)
        guessed = guessed or guess_language(tokens)
        inside = [
            replace(f, start=f.start - start, end=f.end - start)
            for f in secrets
            if f.start < start + len(piece) and f.end > start
        ]
        found += (replace(f, start=f.start + start, end=f.end + start) for f in _find_in(piece, tokens, guessed, inside))
    return resolve(found)


def _find_in(text: str, tokens: list[Token], language: str, secrets: list[Finding]) -> list[Finding]:
    cues = Cues(text)
    found = [*find_contacts(text, cues, language), *find_numbers(text, cues)]
    words = {token.word.lower for token in tokens}
    # What is a number or a secret is no word to the tagger of names.
    if found or secrets:
        tokens = [
            _blanked(token) if any(f.start < token.end and token.start < f.end for f in (*found, *secrets)) else token
            for token in tokens
        ]
    found += find_addresses(text, language, words)
    # A name inside an address or a link is part of it; beside it, it is somebody's.
    people = [
        person
        for person in find_people(text, tokens, language)
        if not any(person.overlaps(other) for other in (*found, *secrets))
    ]
    return [*found, *people, *find_births(text, people)]


def _blanked(token: Token) -> Token:
    return token._replace(word=describe("0"))


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    while start < len(text):
        end = start + _PIECE
        if end < len(text):
            end = max(text.rfind("\n", start + 1, end), text.rfind(" ", start + 1, end)) + 1 or end
        yield start, text[start:end]
        start = end


def _known(text: str, names: Iterable[str]) -> Iterator[Finding]:
    """Where names and addresses that the caller knows stand, also parts of them, in any case."""
    for name in names:
        whole = name.strip()
        parts = (
            [whole]
            if "@" in whole
            else [whole, *(p for p in re.split(r"[\s,]+", whole) if len(p) > 2 and p.lower() not in PARTICLES)]
        )
        for part in dict.fromkeys(filter(None, parts)):
            for match in re.finditer(rf"(?<!\w){re.escape(part)}(?!\w)", text, re.IGNORECASE):
                yield Finding("EMAIL" if "@" in whole else "PERSON", *match.span(), 1.0)

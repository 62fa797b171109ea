"""Finds people's names: candidates, how likely each is, and which of them make one name.

It does not read meaning: a brand that is named like a person and missing from the lists may be taken for one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tailorbird.privacy.candidates import PAD, Token, candidates, guess_language
from tailorbird.privacy.findings import Finding
from tailorbird.privacy.scoring import probabilities
from tailorbird.privacy.words import BRAND, PARTICLES, PLACE, THING

THRESHOLD = 0.87
# Beside a word that is taken for part of a name, this is enough.
BESIDE = 0.35
# Two words in a row that are this likely make a name: first name and surname.
PAIRED = 0.6
# Enough for two words that the lists know as first name and surname, and for a word that is surely a name elsewhere.
LISTED, REPEATED, SURE = 0.3, 0.2, 0.97
# Such a pair behind "I am" or "my name is".
INTRODUCED = 0.1
# Behind a title a word must be this likely: Don Simón is a brand.
TITLED = 0.03
# A word in small letters among others that begin with capitals.
SMALL = 0.98
# Small words that begin surnames after a title; other small words before a name are not part of it.
_LINKS = frozenset(
    ["van", "von", "de", "der", "den", "da", "do", "dos", "das", "del", "della", "di", "du", "ter", "ten", "la", "el"]
)
_BEGIN = frozenset(["van", "von", "de", "der", "den", "ter", "ten", "di", "el", "al", "bin", "ben", "del", "della", "zu"])


def find_people(text: str, tokens: Sequence[Token], language: str) -> list[Finding]:
    """People's names, each one finding, without titles."""
    places = candidates(tokens)
    if not places:
        return []
    likely = dict(zip(places, probabilities(tokens, places, language).tolist(), strict=True))
    for place in places:
        if likely[place] > TITLED and _is_titled(tokens, place, language):
            likely[place] = max(likely[place], 0.9)
    mixed = any(token.word.shape in "TU" for token in tokens)
    for place in places:
        # Where others are written large, a small word must be very likely.
        if mixed and tokens[place].word.shape == "l" and tokens[place].word.lower not in PARTICLES and likely[place] < SMALL:
            likely[place] = 0.0
    _repeat(tokens, likely)
    inside = _inside(tokens, likely)
    found: list[Finding] = []
    run: list[int] = []
    for place in sorted(inside):
        if run and not (run[-1] == place - 1 and _joins(text, tokens, run, place)):
            found += _finding(text, tokens, run, likely)
            run = []
        run.append(place)
    return found + (_finding(text, tokens, run, likely) if run else [])


def _repeat(tokens: Sequence[Token], likely: dict[int, float]) -> None:
    """Who is surely named once is meant wherever the same word is written large."""
    sure = {tokens[place].word.lower for place, chance in likely.items() if chance >= SURE and tokens[place].word.shape == "T"}
    for place, chance in likely.items():
        word = tokens[place].word
        if REPEATED <= chance < THRESHOLD and word.shape == "T" and word.lower.removesuffix("'s").removesuffix("’s") in sure:
            likely[place] = THRESHOLD


def _paired(tokens: Sequence[Token], likely: dict[int, float], place: int) -> bool:
    """Whether a neighbour is about as likely, both written large."""
    for one, two in ((place - 1, place), (place, place + 1)):
        lower = min(likely.get(one, 0.0), likely.get(two, 0.0))
        introduced = one > 0 and tokens[one - 1].word.kind_name in ("be", "named")
        if (
            lower < (INTRODUCED if introduced else LISTED)
            or tokens[two].gap != " "
            or not tokens[one].word.shape == tokens[two].word.shape == "T"
        ):
            continue
        first, last = tokens[one].word, tokens[two].word
        if lower >= PAIRED or (first.first > 1 and last.last > 1 and not (first.flags | last.flags) & (BRAND | THING)):
            return True
    return False


def _is_titled(tokens: Sequence[Token], place: int, language: str) -> bool:
    """A word written large right behind Mr, Frau, Pani …"""
    if not place or tokens[place].word.shape != "T" or tokens[place].gap not in (" ", ". "):
        return False
    title = tokens[place - 1].word
    return title.kind_name == "title" or (title.lower == "m" and language == "fr")


def _inside(tokens: Sequence[Token], likely: dict[int, float]) -> set[int]:
    """Likely words of names, and beside them also less likely ones, initials, and small words between two."""
    inside = {
        place
        for place, chance in likely.items()
        if tokens[place].word.kind_name != "title"
        and (chance >= THRESHOLD or (chance >= INTRODUCED and _paired(tokens, likely, place)))
    }
    for _ in range(3):
        before = len(inside)
        for place, chance in likely.items():
            if place in inside or tokens[place].word.kind_name == "title":
                continue
            word, left, right = tokens[place].word, place - 1 in inside, place + 1 in inside
            near_left = left and tokens[place].gap == " "
            near_right = right and tokens[place + 1].gap in (" ", ". ")
            if (
                (near_left or near_right) and ((chance >= BESIDE and (word.shape in "TU" or word.last > 1)) or word.shape == "I")
            ) or (near_left and near_right and word.lower in PARTICLES and word.lower not in ("e", "y", "i", "a")):
                inside.add(place)
        if len(inside) == before:
            break
    for place in sorted(inside):
        end = place + 1
        while end < len(tokens) and end - place < 4 and tokens[end].gap == " " and tokens[end].word.lower in _LINKS:
            end += 1
        if (
            place + 1 < end < len(tokens)
            and tokens[end].gap == " "
            and tokens[end].word.shape == "T"
            and (tokens[end].word.last > 1 or _surname_of_place(tokens, place, end))
        ):
            inside.update(range(place + 1, end + 1))
    return inside


def _surname_of_place(tokens: Sequence[Token], place: int, end: int) -> bool:
    """Sjoerd van der Zwaag, R. van Wyk: a first name or initial, a particle, and an unknown word that ends the line or clause."""
    first, last = tokens[place].word, tokens[end].word
    if not (first.first > 1 or first.shape == "I") or last.flags & (BRAND | THING) or last.rank > 1:
        return False
    closed = end + 1 == len(tokens) or tokens[end + 1].gap not in (" ", "")
    return closed and (end - place > 2 or not last.flags & PLACE)


def _joins(text: str, tokens: Sequence[Token], run: Sequence[int], place: int) -> bool:
    """Whether a word goes on with the name before it: Anna M. Nowak, Nowak, Anna (alone in its line or field)."""
    token, before = tokens[place], tokens[place - 1]
    between = text[before.end : token.start]
    if (
        between in (" ", "-", "  ", "'", "’")
        or (between == ". " and before.word.shape == "I")
        or (between == "." and before.word.shape == "I")
    ):
        return True
    if between != ", " or len(run) > 2:
        return False
    behind = place + 1 >= len(tokens) or "\n" in tokens[place + 1].gap
    opened = tokens[run[0]].gap in (":", "^", "\n", "\n\n", ":\n")
    return (
        opened
        and (behind or tokens[place + 1].gap not in (" ", ""))
        and before.word.last >= before.word.first
        and token.word.first > 0
    )


def _finding(text: str, tokens: Sequence[Token], run: list[int], likely: dict[int, float]) -> list[Finding]:
    def small(place: int) -> bool:
        return tokens[place].word.shape == "l" and tokens[place].word.lower in PARTICLES

    first = tokens[run[0]].word
    if first.shape == "I" and len(run) > 1 and first.lower == "m" and guess_language(tokens) == "fr":
        run = run[1:]
    while run and small(run[-1]):
        run = run[:-1]
    while run and small(run[0]):
        following = tokens[run[1]].word if len(run) > 1 else PAD
        if tokens[run[0]].word.lower in _BEGIN and (small(run[1]) or following.last >= following.first):
            break
        run = run[1:]
    if not run or all(tokens[i].word.shape == "I" or tokens[i].word.lower in PARTICLES for i in run):
        return []
    last = tokens[run[-1]]
    end = last.end - 2 if last.word.lower.endswith(("'s", "’s")) else last.end
    if last.word.shape == "I" and len(run) > 1 and text[end : end + 1] == ".":
        end += 1
    return [Finding("PERSON", tokens[run[0]].start, end, round(0.9 * float(np.mean([likely.get(i, THRESHOLD) for i in run])), 3))]

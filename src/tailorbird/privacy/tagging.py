"""Finds people's names: candidates, how likely each is, and which of them make one name.

It does not read meaning: a brand that is named like a person and missing from the lists may be taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from tailorbird.privacy.candidates import MONTHS, PAD, Token, candidates, closes, guess_language, says_here
from tailorbird.privacy.findings import Finding
from tailorbird.privacy.scoring import probabilities
from tailorbird.privacy.words import BRAND, PARTICLES, PLACE, THING

THRESHOLD = 0.94
# Beside a word that is taken for part of a name, this is enough.
BESIDE = 0.35
# Two words in a row that are this likely make a name: first name and surname.
PAIRED = 0.6
# Enough for two words that the lists know as first name and surname, and for a word that is surely a name elsewhere.
LISTED, REPEATED, SURE = 0.3, 0.2, 0.97
# Enough for a first name that is introduced or in good standing, and for the two names of a couple that signs.
EASED, COUPLED = 0.65, 0.05
# A word that is hardly a name must be this likely.
DOUBTED = 0.95
# Such a pair behind "I am" or "my name is".
INTRODUCED = 0.1
# An unknown word behind a first name that is surely one.
UNKNOWN = 0.02
# Behind a title a word must be this likely: Don Simón is a brand.
TITLED = 0.03
# A word in small letters among others that begin with capitals.
SMALL = 0.98
# Small words that begin surnames after a title; other small words before a name are not part of it.
_LINKS = frozenset(
    ["van", "von", "de", "der", "den", "da", "do", "dos", "das", "del", "della", "di", "du", "ter", "ten", "la", "el"]
)
_BEGIN = frozenset(["van", "von", "de", "der", "den", "ter", "ten", "di", "el", "al", "bin", "ben", "del", "della", "zu"])
# Johan Cruijffplein, Heinrich-Heine-Platz: a place named after somebody.
_STREET = re.compile(r"\w{3}-?(?:straat|plein|laan|gracht|kade|stra(?:ß|ss)e|platz|allee|gasse|brücke|plads|gatan)$")


_TOWARDS = frozenset(["naar", "nach", "uit", "aus", "in", "near", "hacia", "desde", "em", "w"])


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
        if (
            mixed
            and tokens[place].word.shape == "l"
            and tokens[place].word.lower not in PARTICLES
            and likely[place] < (THRESHOLD if says_here(tokens, place) else SMALL)
        ):
            likely[place] = 0.0
    for place in places:
        if EASED <= likely[place] < THRESHOLD and _is_eased(tokens, place):
            likely[place] = THRESHOLD
        elif THRESHOLD <= likely[place] < DOUBTED and _is_doubtful(tokens, place):
            likely[place] = BESIDE
    if len(tokens) > 1 and closes(tokens, len(tokens) - 1):
        _couple(tokens, likely)
    _repeat(tokens, likely)
    inside = _inside(tokens, likely, language)
    found: list[Finding] = []
    run: list[int] = []
    for place in sorted(inside):
        if run and not (run[-1] == place - 1 and _joins(text, tokens, run, place)):
            found += _finding(text, tokens, run, likely)
            run = []
        run.append(place)
    return found + (_finding(text, tokens, run, likely) if run else [])


def _is_eased(tokens: Sequence[Token], place: int) -> bool:
    """A first name behind "my son" or "I am"; or one that is hardly a word, and no brand or place."""
    word = tokens[place].word
    if word.first < 2 or word.shape not in "TU" or word.flags & (BRAND | THING):
        return False
    introduced = place > 0 and tokens[place].gap in (" ", ", ") and tokens[place - 1].word.kind_name in ("kin", "be", "named")
    return introduced or (word.first > 2 and word.rank < 2 and not word.flags & PLACE)


def _is_doubtful(tokens: Sequence[Token], place: int) -> bool:
    """A word in small letters that no list of names has, or one of the commonest words at the beginning of a sentence."""
    word = tokens[place].word
    if word.shape == "l":
        return not word.first and not word.last and word.lower not in PARTICLES
    return word.rank > 2 and word.first < 3 + (tokens[place].gap in (". ", "! ")) and tokens[place].gap in ("^", ". ", "! ")


def _couple(tokens: Sequence[Token], likely: dict[int, float]) -> None:
    """Trudy & Walt at the end of a message: both are, if the lists know both as first names."""
    pair = (len(tokens) - 2, len(tokens) - 1)
    words = [tokens[place].word for place in pair]
    if all(w.first and w.shape == "T" and w.rank < 3 and not w.flags & (BRAND | THING) for w in words) and all(
        likely.get(place, 0.0) >= COUPLED for place in pair
    ):
        likely.update(dict.fromkeys(pair, 0.9))


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


def _inside(tokens: Sequence[Token], likely: dict[int, float], language: str) -> set[int]:
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
    _extend(tokens, likely, inside, language)
    return {place for place in inside if not _is_lone_place(tokens, inside, place, likely.get(place, 1.0))}


def _is_lone_place(tokens: Sequence[Token], inside: set[int], place: int, chance: float) -> bool:
    """Bath, Raleigh: a town that is hardly ever a first name, alone in a sentence, and nothing says that a person is meant."""
    token = tokens[place]
    joined = (place - 1 in inside and token.gap == " ") or (place + 1 in inside and tokens[place + 1].gap == " ")
    if not token.word.flags & PLACE or joined:
        return False
    if place and tokens[place - 1].word.flags & PLACE and token.gap in ("–", "-", "→", "->"):
        return True
    if chance >= SURE:
        return False
    if place and tokens[place - 1].word.lower in _TOWARDS:
        return True
    if token.word.first > 1:
        return False
    before = tokens[place - 1].word.kind_name if place else ""
    return "\n" not in token.gap and token.gap != ":" and before not in ("be", "named", "kin", "title", "greet", "bye", "role")


def _extend(tokens: Sequence[Token], likely: dict[int, float], inside: set[int], language: str) -> None:
    """A first name goes on over the unknown word behind it, a surname over the first name before it: Jerome Picket."""
    for place in sorted(inside):
        word, after = tokens[place].word, place + 1
        if word.shape != "T":
            continue
        if (
            place - 1 not in inside
            and after not in inside
            and after < len(tokens)
            and word.first > 1
            and _may_belong(tokens, after, language)
            and tokens[after].word.first < 3
            and likely.get(after, 0.0) >= UNKNOWN
            and not (after + 1 < len(tokens) and tokens[after + 1].gap == " " and tokens[after + 1].word.shape in "TU")
        ):
            inside.add(after)
        before = place - 1
        if (
            before >= 0
            and before not in inside
            and after not in inside
            and word.first < 2
            and tokens[before].word.first
            and tokens[before].word.rank < 3
            and tokens[place].gap == " "
            and tokens[before].word.shape == "T"
            and not tokens[before].word.kind_name
        ):
            inside.add(before)


def _may_belong(tokens: Sequence[Token], place: int, language: str) -> bool:
    """Whether a word written large behind a first name may be a surname: no thing, place, month or common word."""
    word = tokens[place].word
    return (
        tokens[place].gap == " "
        and word.shape == "T"
        and not word.kind_name
        and not word.flags & (BRAND | THING | PLACE)
        and word.rank < (1 if language == "de" else 3)
        and word.lower not in MONTHS
    )


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
    if _STREET.search(last.word.lower):
        return []
    end = last.end - 2 if last.word.lower.endswith(("'s", "’s")) else last.end
    if last.word.shape == "I" and len(run) > 1 and text[end : end + 1] == ".":
        end += 1
    return [Finding("PERSON", tokens[run[0]].start, end, round(0.9 * float(np.mean([likely.get(i, THRESHOLD) for i in run])), 3))]

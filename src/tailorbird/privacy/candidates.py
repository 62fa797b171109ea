"""The words of a message, and which of them may be part of a person's name at all.

What is left out here is never looked at by the network: months beside a day, listed brands, abbreviations, compounds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from tailorbird.privacy.words import BRAND, FIRST_AT, LANGUAGES, LAST_AT, PARTICLES, PLACE, Word, describe, flags_of, hashed

_TOKEN = re.compile(
    r"https?://\S+|www\.\S+|(?<![\w.+-])[\w.+-]{1,64}@[\w-][\w.-]*|<[\w ]{1,30}>|\{{1,2}[^{}\n]{0,40}\}{1,2}|\[[\w ]{1,30}\]|"
    r"%\w+%|"
    r"[^\W\d_]{0,30}\d\w*(?:[.,:/-]\w+)*|[^\W\d_]+(?:['’´-][^\W\d_]+)*"
)
_PART = re.compile(r"[-'’´]")
PAD = Word("", 0, "-", hashed("-"), 0, "", ())
MONTHS = frozenset(
    [
        "jan",
        "january",
        "januar",
        "feb",
        "february",
        "februar",
        "mar",
        "march",
        "märz",
        "apr",
        "april",
        "may",
        "mai",
        "maio",
        "maj",
        "june",
        "juni",
        "juin",
        "jun",
        "july",
        "juli",
        "jul",
        "august",
        "aug",
        "agosto",
        "sep",
        "sept",
        "september",
        "oct",
        "october",
        "okt",
        "oktober",
        "nov",
        "november",
        "dec",
        "december",
        "dez",
        "dezember",
        "mei",
        "maggio",
        "mayo",
        "marzo",
        "marca",
        "maja",
        "augusto",
        "abril",
        "aprile",
    ]
)
_LOCATIVE = frozenset(
    [
        "in",
        "to",
        "from",
        "near",
        "at",
        "nach",
        "aus",
        "en",
        "a",
        "desde",
        "hacia",
        "à",
        "au",
        "de",
        "em",
        "para",
        "da",
        "di",
        "w",
        "do",
        "z",
        "na",
        "naar",
        "uit",
        "te",
    ]
)
_HERE = frozenset(["here", "hier", "again"])
_BEGINS = frozenset({"^", ". ", "! "})


class Token(NamedTuple):
    """A word of the message and what stands before it."""

    start: int
    end: int
    word: Word
    gap: str


def tokenise(text: str) -> list[Token]:
    """Words, numbers, addresses and placeholders in order, each with the kind of gap before it."""
    tokens, end, gap = [], 0, "^"
    for match in _TOKEN.finditer(text):
        start, stop = match.span()
        if end:
            between = text[end:start]
            gap = between if between == " " else _gap(between)
        tokens.append(Token(start, stop, describe(match[0]), gap))
        end = stop
    return tokens


@lru_cache(maxsize=4096)
def _gap(between: str) -> str:
    if between == " " or between == "":
        return between
    if "\n" in between:
        return "\n\n" if between.count("\n") > 1 else ",\n" if "," in between else ":\n" if ":" in between else "\n"
    bare = between.strip()
    if not bare:
        return " "
    if bare[0] in ".!?" and len(bare) < 4:
        return ". " if len(bare) == 1 and bare == "." else "! "
    return bare[:2]


def guess_language(tokens: Sequence[Token]) -> str:
    """The language whose common words the message uses most; "" when it has none."""
    summed = 0
    for token in tokens:
        summed += token.word.votes
    totals = [summed >> 16 * place & 0xFFFF for place in range(8)]
    best = max(totals)
    return LANGUAGES[totals.index(best)] if best else ""


def candidates(tokens: Sequence[Token]) -> list[int]:
    """Places of the words that may be part of a name: written large, or small but a known name or where a name is due."""
    places = []
    small = not any(token.word.shape in "TU" for token in tokens)
    for place, token in enumerate(tokens):
        word = token.word
        if word.dull and not _is_surname_after_all(tokens, place):
            continue
        if _is_month(tokens, place) or _is_brand(tokens, place) or _is_no_name(tokens, place):
            continue
        if word.shape in "TUIM" or (word.shape == "l" and word.lower in PARTICLES):
            places.append(place)
        else:
            rank = word.rank
            before = tokens[place - 1].word if place else PAD
            due = before.kind_name in ("named", "be", "title", "greet", "kin", "role") or (
                before.kind_name == "bye" and word.first > 2
            )
            named = word.first > 1 or word.last > 1
            if small and rank < 2 and (word.first or word.last or place >= len(tokens) - 2):
                places.append(place)
                continue
            follows = before.first > 1 and token.gap == " "
            if not named and _PART.search(word.lower):
                continue
            due = due or says_here(tokens, place)
            if (named and ((small and follows) or rank < (3 if small else 2) or due)) or (rank < 2 and (due or follows)):
                places.append(place)
    return places


def _is_surname_after_all(tokens: Sequence[Token], place: int) -> bool:
    """Robert Bank, Anna Lamp: a word for a firm or a thing, written large behind a first name."""
    word = tokens[place].word
    if word.kind_name not in ("firm", "thing") or word.shape != "T" or not word.last or not place:
        return False
    before = tokens[place - 1].word
    return before.first > 1 and before.shape == "T" and tokens[place].gap == " "


def _is_month(tokens: Sequence[Token], place: int) -> bool:
    """1. August, May 4th."""
    if tokens[place].word.lower not in MONTHS:
        return False
    before, after = tokens[place - 1] if place else None, tokens[place + 1] if place + 1 < len(tokens) else None
    return bool(
        (before and before.word.shape == "N" and before.word.lower[:1].isdigit())
        or (after and after.word.lower[:1].isdigit() and after.gap == " ")
    )


def _is_brand(tokens: Sequence[Token], place: int) -> bool:
    """Part of a listed brand of two words, and nothing before it says that a person is meant."""
    for left in (place - 1, place):
        if (
            0 <= left < len(tokens) - 1
            and tokens[left].word.shape in "TU"
            and tokens[left + 1].word.shape in "TU"
            and tokens[left + 1].gap in (" ", ". ")
        ):
            said = tokens[left - 1].word.kind_name if left else ""
            if flags_of(f"{tokens[left].word.lower} {tokens[left + 1].word.lower}") & BRAND and said not in (
                "title",
                "named",
                "be",
                "kin",
                "greet",
            ):
                return True
    return False


def _is_no_name(tokens: Sequence[Token], place: int) -> bool:
    """Abbreviations among small letters, compounds with a common word, a place behind in or to, a firm called A & B."""
    word, before = tokens[place].word, tokens[place - 1] if place else None
    if (
        word.shape == "U"
        and len(word.lower) < 5
        and not _beside_capitals(tokens, place)
        and not (before and before.word.kind_name in ("title", "named", "greet", "kin"))
    ):
        return True
    parts = _PART.split(word.lower) if not word.lower.isalpha() and _PART.search(word.lower) else []
    if (
        parts
        and word.first < 2
        and (
            word.shape == "M"
            or (parts[-1] != "s" and any(_is_common(part) or (len(part) == 1 and part not in "odls") for part in parts))
        )
    ):
        return True
    if word.flags & PLACE and word.first < 3 and before and before.word.lower in _LOCATIVE and before.word.shape == "l":
        return not (
            place + 1 < len(tokens)
            and tokens[place + 1].word.last
            and tokens[place + 1].word.shape == "T"
            and tokens[place + 1].gap == " "
        )
    said = before is not None and before.word.kind_name in ("title", "named", "be", "kin", "greet")
    if (
        word.rank == 3
        and word.first < 2
        and tokens[place].gap in _BEGINS
        and not (place + 1 < len(tokens) and tokens[place + 1].word.shape == "T")
    ):
        return True
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    if word.flags & BRAND and word.first < 2 and not said:
        return not any(near and near.word.first > 1 and near.word.shape in "TI" for near in (before, after))
    if closes(tokens, place):
        return False
    ahead = after is not None and after.gap == "&" and after.word.first < 2 and after.word.shape != "I"
    behind = before is not None and tokens[place].gap == "&" and before.word.shape != "I" and not before.word.last
    return ahead or (behind and word.shape != "I" and (word.first < 2 or before is None or before.word.first < 2))


def closes(tokens: Sequence[Token], place: int) -> bool:
    """Whether the message ends with this word & another, alone in their line or sentence: a couple signs."""
    left = place if place + 1 < len(tokens) and tokens[place + 1].gap == "&" else place - 1
    return 0 <= left == len(tokens) - 2 and tokens[left].gap in (*_BEGINS, "\n", "\n\n", ",\n", ", ")


def says_here(tokens: Sequence[Token], place: int) -> bool:
    """jess here: a small word at a beginning."""
    if place + 1 >= len(tokens) or tokens[place].gap not in _BEGINS:
        return False
    return tokens[place + 1].gap == " " and tokens[place + 1].word.lower in _HERE


def _is_common(part: str) -> bool:
    if part in PARTICLES:
        return False
    flags = flags_of(part)
    return max(flags >> 2 * i & 3 for i in range(8)) >= 2 and not flags >> FIRST_AT & 2 and not flags >> LAST_AT & 2


def _beside_capitals(tokens: Sequence[Token], place: int) -> bool:
    """Whether a longer word in capitals stands beside it: BA, API and VAT are no names, LI in LI CHENG may be."""
    around = [*tokens[max(0, place - 1) : place], *tokens[place + 1 : place + 2]]
    return any(token.word.shape == "U" and (token.word.first > 1 or len(token.word.lower) > 4) for token in around)

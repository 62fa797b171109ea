"""Reads what words mean, and finds meanings that stand together: one grammar for the word lists of many languages.

A lexicon maps words and phrases of all languages to meanings; a sign is a sequence of meanings with gaps. So "speak to a
manager", "mit dem Chef sprechen" and "hablar con el encargado" need three words in a list each, and two signs for all.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence

from tailorbird.language.injections import fold, stands

_TOKEN = re.compile(r"[^\W_]+(?:'s\b)?|[.!?;:,]|\n\s*\n|\n")  # "manager's" is another word than "manager"
_BOUNDARIES = {".": "|", "!": "|", ";": "|", ":": "|", "?": "?", ",": ",", "\n": ","}
_OTHER = "_"  # a word without a meaning
_LETTERS = string.ascii_letters + string.digits
_SIGNS = {"START": r"(?:^|(?<=[|?,]))", "END": r"(?=[|?,]|$)", "ALONE": r"^", "ENOUGH": r"$", "ASKED": r"[^|?,]{0,4}\?"}
_MEMORY = 50_000  # words whose meaning is remembered


class Lexicon:
    """Words with their meanings, and texts read through them.

    `words` has for each meaning (a NAME) its words, separated by spaces and written as `fold` makes them: small letters
    without accents. `a_b` is a phrase, `stem*` all words that begin so. Of several, the longest phrase and the first meaning win.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        self._letters = dict(zip(words, _LETTERS, strict=False))
        self._whole: dict[str, str] = {}
        self._stems: list[tuple[str, str]] = []
        self._phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._memory: dict[str, str] = {}
        for name, entries in words.items():
            for entry in entries.split():
                self._add(entry, self._letters[name])
        for phrases in self._phrases.values():
            phrases.sort(key=lambda one: -len(one[0]))

    def _add(self, entry: str, letter: str) -> None:
        parts = tuple(entry.split("_"))
        if len(parts) > 1:
            self._phrases.setdefault(parts[0], []).append((parts, letter))
        elif entry.endswith("*"):
            self._stems.append((entry[:-1], letter))
        else:
            self._whole.setdefault(entry, letter)

    def read(self, text: str) -> str:
        """The text with one letter for each word or phrase that has a meaning, `_` for other words, and its sentence ends."""
        tokens = _TOKEN.findall(fold(text))
        read: list[str] = []
        place = 0
        while place < len(tokens):
            letter, length = self._at(tokens, place)
            read.append(letter)
            place += length
        return "".join(read)

    def _at(self, tokens: Sequence[str], place: int) -> tuple[str, int]:
        token = tokens[place]
        for parts, letter in self._phrases.get(token, ()):
            if stands(tokens, place, parts):
                return letter, len(parts)
        known = self._memory.get(token)
        return (self._meaning(token) if known is None else known), 1

    def _meaning(self, token: str) -> str:
        if not token[0].isalnum():
            return _BOUNDARIES.get(token, "|")
        letter = self._whole.get(token) or next((one for stem, one in self._stems if token.startswith(stem)), _OTHER)
        if len(self._memory) >= _MEMORY:
            self._memory.clear()
        self._memory[token] = letter
        return letter

    def signs(self, *written: str) -> re.Pattern[str]:
        """What is looked for in a text that was read: each sign is meanings with gaps, such as "TALK ~3 TO ~4-YOU PERSON|HUMAN".

        `~3` is up to three words of the same sentence, `~3-YOU` such that none means YOU. `STOP` is a comma or the end of a
        sentence, `ASKED` a question mark that ends it, `START` and `END` are those of a clause, `ALONE` and `ENOUGH` those of the
        text; `?` and `*` follow a meaning that may be missing, or come often.
        """
        return re.compile("|".join("".join(map(self._part, one.split())) for one in written))

    def _part(self, part: str) -> str:
        if part in _SIGNS:
            return _SIGNS[part]
        if part.startswith("~"):
            most, *not_there = part[1:].split("-")
            return f"[^|?{''.join(map(self._letter, not_there))}]{{0,{most}}}"
        names, often = (part[:-1], part[-1]) if part[-1] in "?*" else (part, "")
        return f"[{''.join(map(self._letter, names.split('|')))}]{often}"

    def _letter(self, name: str) -> str:
        return ",|?" if name == "STOP" else self._letters[name]

"""Reads text files line by line in bounded memory: UTF-8, UTF-16 or, failing both, Windows-1252; bad lines are named."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tailorbird.errors import InputError
from tailorbird.progress import Advance

LONGEST_LINE = 8_000_000
"""Characters. A conversation of a million words fits; a whole export on one line does not."""
_SAMPLE = 1_000_000  # bytes that decide the encoding
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that are not text, as surrogateescape leaves them


class Rejected(NamedTuple):
    """A record that cannot become a conversation: where it stands, why, its text, and its id if it has one."""

    place: str
    reason: str
    text: str = ""
    record: str = ""


class Lines:
    """The numbered lines of a text file, Rejected for single bad ones; raises InputError for files that are not text."""

    def __init__(self, path: Path, advance: Advance = lambda amount: None, name: str = "") -> None:
        """`name` is how places in the file are called, by default the file's own name."""
        self.path, self._advance, self._name = path, advance, name or path.name
        self.ends_with_newline = True

    def __iter__(self) -> Iterator[tuple[int, str | Rejected]]:
        number = told = 0
        try:
            encoding = encoding_of(self.path)
            errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
            with self.path.open("rb") as raw, io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="") as file:
                while text := file.readline(LONGEST_LINE):
                    number += 1
                    self.ends_with_newline = text.endswith(("\n", "\r"))
                    too_long = len(text) == LONGEST_LINE and not self.ends_with_newline
                    while too_long and (rest := file.readline(LONGEST_LINE)) and not rest.endswith(("\n", "\r")):
                        pass
                    self._advance((place := raw.tell()) - told)
                    told = place
                    yield number, self._checked(text, number, too_long)
        except OSError as problem:
            raise InputError(
                f"The file cannot be read ({problem.strerror}).", fix="Check the name and the disk.", where=str(self.path)
            ) from problem
        if number == 0:
            raise InputError("The file is empty.", fix="Export it again from your help desk.", where=str(self.path))

    def _checked(self, text: str, number: int, too_long: bool) -> str | Rejected:
        place = f"{self._name}:{number}"
        if too_long:
            reason = f"This line is longer than {LONGEST_LINE // 1_000_000} million characters, so it cannot be one record."
            return Rejected(place, reason, text[:2000])
        if found := _ESCAPED.search(text):
            reason = f"This line is not UTF-8 text (byte 0x{ord(found.group()) - 0xDC00:02x} at character {found.start() + 1})."
            return Rejected(place, reason, _ESCAPED.sub("\N{REPLACEMENT CHARACTER}", text))
        if "\0" in text:
            return Rejected(place, "This line holds NUL bytes, so it is not text.", text.replace("\0", " "))
        return text


def encoding_of(path: Path) -> str:
    """The encoding of a text file by its first megabyte; raises InputError for what is not text."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if sample.startswith(b"PK\x03\x04"):
        raise InputError("This is an archive, not text.", fix="Unpack it and import what is inside.", where=str(path))
    if sample.count(b"\0") > len(sample) // 100:
        raise InputError(
            "This file is not text: it is full of NUL bytes.", fix="Export it as CSV or JSON Lines.", where=str(path)
        )
    # A few bad lines leave a file UTF-8; in a Western encoding hardly any special character is valid UTF-8 by chance.
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(sample)
    damaged = len(_ESCAPED.findall(text))
    return "cp1252" if damaged > sum(ord(character) > 127 for character in text) - damaged else "utf-8-sig"

"""Reads text files line by line in bounded memory, and says which line is not text or too long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tailorbird.errors import InputError
from tailorbird.progress import Advance

LONGEST_LINE = 8_000_000
"""Bytes. A conversation of a million words fits; a whole export on one line does not."""


@dataclass(frozen=True)
class Rejected:
    """A record that cannot become a conversation."""

    line: int
    reason: str
    text: str
    cells: tuple[str, ...] = ()


class Lines:
    """The numbered lines of a UTF-8 file; raises InputError for other encodings, endless lines and empty files."""

    def __init__(self, path: Path, advance: Advance = lambda amount: None) -> None:
        self.path, self._advance = path, advance
        self.ends_with_newline = True

    def __iter__(self) -> Iterator[tuple[int, str]]:
        number = 0
        try:
            with self.path.open("rb") as file:
                while raw := file.readline(LONGEST_LINE + 1):
                    number += 1
                    self._advance(len(raw))
                    self.ends_with_newline = raw.endswith(b"\n")
                    yield number, self._decoded(raw, number)
        except OSError as problem:
            raise InputError(
                f"The file cannot be read ({problem.strerror}).", fix="Check the name and the disk.", where=str(self.path)
            ) from problem
        if number == 0:
            raise InputError("The file is empty.", fix="Export it again from your help desk.", where=str(self.path))

    def _decoded(self, raw: bytes, number: int) -> str:
        where = f"{self.path}:{number}"
        if len(raw) > LONGEST_LINE:
            raise InputError(
                f"This line is longer than {LONGEST_LINE // 1_000_000} MB, so it cannot be one record.",
                fix="Export one conversation a line (JSON Lines), or a CSV with one row a message.",
                where=where,
            )
        if number == 1 and raw.startswith(b"PK\x03\x04"):
            raise InputError(
                "This is a spreadsheet or an archive, not text.", fix="Open it and save it as CSV (UTF-8).", where=where
            )
        if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InputError("The file is UTF-16, not UTF-8.", fix=_RESAVE.format("UTF-16", self.path.name), where=where)
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as problem:
            raise InputError(
                f"The file is not UTF-8 text (byte {problem.start + 1} of this line is 0x{raw[problem.start]:02x}).",
                fix=_RESAVE.format("WINDOWS-1252", self.path.name),
                where=where,
            ) from problem
        if "\0" in text:
            raise InputError(
                "This line holds NUL bytes, so the file is not text.",
                fix="Export it as CSV or JSON Lines; spreadsheets must be saved as CSV (UTF-8).",
                where=where,
            )
        return text


_RESAVE = "Save it as UTF-8, for example: iconv -f {} -t UTF-8 {} > new-file"

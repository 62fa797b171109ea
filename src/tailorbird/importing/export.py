"""One source to import: its files, what the settings say about it, and a sample by which its format is recognised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tailorbird.errors import InputError
from tailorbird.importing.reading import Rejected, encoding_of
from tailorbird.importing.records import Record, records
from tailorbird.importing.times import zone
from tailorbird.progress import Advance
from tailorbird.settings import SourceSettings

_HEAD = 20_000  # characters
_OBJECTS = 25
_FILES = 12
_KINDS = {
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    **dict.fromkeys((".csv", ".tsv", ".xlsx", ".xlsm"), "table"),
    **dict.fromkeys((".eml", ".mbox", ".mbx"), "mail"),
    ".txt": "text",
}


class Match(NamedTuple):
    """How sure a format is that an export is its own, 0 to 1, and by what."""

    confidence: float
    why: str


def _of_one_kind(folder: Path) -> list[Path]:
    """The files of the kind that makes up most of a folder; pictures, notes about the export and the like are left out."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        kind = _KINDS.get(path.suffix.lower())
        if path.is_file() and kind and not hidden and not path.name.lower().startswith("readme"):
            kinds.setdefault(kind, []).append(path)
    return max(kinds.values(), key=lambda files: sum(file.stat().st_size for file in files), default=[])


class Sample(NamedTuple):
    """What an export looks like: its first file's name and text, and its first objects by collection."""

    name: str
    head: str
    objects: list[tuple[str, dict[str, Any]]]

    def fields(self, collection: str | None = None) -> set[str]:
        """The names that objects have, of one collection or of all."""
        return {name for kept, value in self.objects if collection in (None, kept) for name in value}

    @property
    def collections(self) -> set[str]:
        """The collections that the objects stood in."""
        return {kept for kept, _ in self.objects}


class Export:
    """A file or a folder of files that belong together; raises InputError where there is none."""

    def __init__(self, path: Path, settings: SourceSettings, advance: Advance = lambda amount: None) -> None:
        self.path, self.settings, self.advance = path, settings, advance
        self.clock: ZoneInfo = zone(settings.timezone)
        self._ours = [name.casefold().strip() for name in settings.ours]
        try:
            self.files = _of_one_kind(path) if path.is_dir() else [path]
            self.size = sum(file.stat().st_size for file in self.files)
        except OSError as problem:
            raise InputError(
                f"The file cannot be opened ({problem.strerror}).", fix="Check the name and its permissions.", where=str(path)
            ) from problem
        if not self.files:
            raise InputError("This folder has no export in it.", fix="Name the folder or file of your export.", where=str(path))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of a file; of a folder, of its files' names and digests."""
        try:
            digests = []
            for file in self.files:
                with file.open("rb") as content:
                    digests.append((file.name, hashlib.file_digest(content, "sha256").hexdigest()))
        except OSError as problem:
            raise InputError(
                f"The file cannot be opened ({problem.strerror}).", fix="Check the name and its permissions.", where=str(file)
            ) from problem
        return digests[0][1] if self.path.is_file() else hashlib.sha256(repr(digests).encode()).hexdigest()

    def records(self, advance: Advance | None = None) -> Iterator[Record | Rejected]:
        """The objects of all JSON files, one file after the other; of a second reading the progress is not shown twice."""
        for file in self.files:
            yield from records(file, advance or self.advance, self.name(file))

    def name(self, file: Path) -> str:
        """How one of its files is called in reports: by its name, in a folder by its path there."""
        return str(file.relative_to(self.path)) if self.path.is_dir() else file.name

    def is_ours(self, *who: str | None) -> bool:
        """Whether one of these names or addresses is the business's own by `ours`: equal, or an address of its domain."""
        told = [name.casefold().strip() for name in who if name]
        return any(name == mine or name.endswith((f"@{mine}", f".{mine}")) for name in told for mine in self._ours)

    def sample(self) -> Sample:
        """The first objects of the first files, and the first file's text; raises InputError for empty files."""
        first = self.files[0]
        if self.size == 0:
            raise InputError("The file is empty.", fix="Export it again from your help desk.", where=str(self.path))
        if first.suffix.lower() in (".xlsx", ".xlsm"):
            return Sample(first.name, "", [])
        with first.open(encoding=encoding_of(first), errors="replace") as file:
            head = file.read(_HEAD)
        objects: list[tuple[str, dict[str, Any]]] = []
        if head.lstrip().startswith(("{", "[")):
            for file_path in self.files[:_FILES]:
                found = (record for record in records(file_path) if isinstance(record, Record))
                objects += [(record.collection, record.value) for record in islice(found, _OBJECTS)]
        return Sample(first.name, head, objects)

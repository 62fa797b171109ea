"""JSON exports as a stream of records, whatever they are wrapped in: JSON Lines, arrays, API pages; in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tailorbird.importing.reading import Lines, Rejected
from tailorbird.progress import Advance

# Names under which API pages keep their records; everything else is part of a record.
COLLECTIONS = frozenset(
    ("tickets", "comments", "users", "conversations", "contacts", "admins", "results", "messages", "ratings", "groups",
     "satisfaction_ratings", "surveys", "agents", "ticket_events", "payload", "data", "items", "threads", "records", "rows")
)  # fmt: skip
_OF_RECORDS = ("id", "session_id", "ticket_id", "conversation_id", "ticket", "role", "content", "prompt", "from", "type")
_HALF = "\\ud"  # how JSON escapes half a character
_WHOLE = 8_000_000  # bytes of a JSON file that is read at once
_LARGEST = 64_000_000  # bytes of one record
_CHUNK = 1 << 16


class Record(NamedTuple):
    """One object of an export: the collection that it stood in ("" for none) and its place, such as `tickets.json:12`."""

    value: dict[str, Any]
    collection: str
    place: str


def records(path: Path, advance: Advance = lambda amount: None, name: str = "") -> Iterator[Record | Rejected]:
    """Every object of a JSON or JSON Lines file; what cannot be read is named and does not end the reading.

    `name` is how places in the file are called, by default the file's own name.
    """
    name = name or path.name
    if _is_lines(path):
        yield from _of_lines(path, advance, name)
    elif path.stat().st_size <= _WHOLE:
        yield from _of_document(path, advance, name)
    else:
        yield from _streamed(path, advance, name)


def expanded(value: Any, place: str, collection: str = "") -> Iterator[Record | Rejected]:
    """The objects inside a page such as {"tickets": [...], "next_page": ...}; the object itself if it is no page."""
    if isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from expanded(item, f"{place}[{number}]", collection)
    elif not isinstance(value, dict):
        yield Rejected(place, "This record is not a JSON object.", str(value)[:2000])
    elif inner := _pages(value):
        for name, part in inner.items():
            yield from expanded(part, f"{place}.{name}", name)
    else:
        yield Record(value, collection, place)


def _pages(value: dict[str, Any]) -> dict[str, Any]:
    """The collections of a page; nothing for a record, which has an id, roles or text of its own."""
    if any(name in value for name in _OF_RECORDS):
        return {}
    return {
        name: part
        for name, part in value.items()
        if name in COLLECTIONS
        and (_objects(part) or (isinstance(part, dict) and bool(_pages(part))))
        and not (name in ("messages", "conversations") and _is_chat(part))
    }


def _objects(part: Any) -> bool:
    return isinstance(part, list) and bool(part) and all(isinstance(item, dict) for item in part)


def _is_chat(part: Any) -> bool:
    return isinstance(part, list) and any(isinstance(item, dict) and ({"role", "from"} & set(item)) for item in part)


def _is_lines(path: Path) -> bool:
    """Whether the first line is a whole JSON value and something follows it."""
    written = (text for _, text in Lines(path) if isinstance(text, Rejected) or text.strip())
    first, second = next(written, ""), next(written, None)
    if path.suffix.lower() in (".jsonl", ".ndjson") and not (isinstance(first, str) and first.lstrip().startswith("[")):
        return True
    return second is not None and isinstance(first, str) and _parses(first)


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _of_lines(path: Path, advance: Advance, name: str) -> Iterator[Record | Rejected]:
    lines = Lines(path, advance, name)
    for number, text in lines:
        if isinstance(text, Rejected):
            yield text
            continue
        if text.strip():
            place = f"{name}:{number}"
            try:
                value = json.loads(text)
            except (ValueError, RecursionError) as problem:
                yield Rejected(place, _not_json(problem, "line", cut_off=not lines.ends_with_newline), text)
            else:
                yield from expanded(_whole(value) if _HALF in text.lower() else value, place)


def _of_document(path: Path, advance: Advance, name: str) -> Iterator[Record | Rejected]:
    raw = path.read_bytes()
    advance(len(raw))
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        yield from _streamed(path, lambda amount: None, name)  # up to where it is damaged
    else:
        yield from expanded(_whole(value) if _HALF.encode() in raw.lower() else value, name)


def _whole(value: Any) -> Any:
    """The value with half characters replaced, which exports make when they cut an emoji in two."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return {_whole(key): _whole(item) for key, item in value.items()} if isinstance(value, dict) else value


def _streamed(path: Path, advance: Advance, name: str) -> Iterator[Record | Rejected]:
    """Objects of a large or damaged document: those of a top-level array, or of the arrays of a top-level object."""
    import ijson

    number = 0
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        counted = _Counted(file, advance)
        try:
            for collection, value in _values(ijson.parse(counted, use_float=True), counted):
                number += 1
                place = f"{name}:{collection or ''}[{number}]"
                if isinstance(value, Rejected):
                    yield value._replace(place=place)
                else:
                    yield from expanded(_whole(value), place, collection)
        except (ijson.JSONError, UnicodeDecodeError, RecursionError, MemoryError) as problem:
            reason = _not_json(problem, f"file after record {number}", isinstance(problem, ijson.IncompleteJSONError))
            yield Rejected(f"{name}:[{number + 1}]", reason, "")


def _values(events: Any, counted: _Counted) -> Iterator[tuple[str, Any]]:
    """Collections and their finished objects, from ijson's events."""
    import ijson

    builder: Any = None
    home, depth, started = "", 0, 0
    for prefix, event, value in events:
        if builder is None:
            inside = prefix == "item" or prefix.endswith(".item")
            if event == "start_map" and inside:
                builder, home, depth, started = (
                    ijson.ObjectBuilder(),
                    prefix.removesuffix("item").rstrip("."),
                    0,
                    counted.read_so_far,
                )
            else:
                continue
        if counted.read_so_far - started <= _LARGEST:
            builder.event(event, value)
        depth += (event in ("start_map", "start_array")) - (event in ("end_map", "end_array"))
        if depth == 0:
            too_large = counted.read_so_far - started > _LARGEST
            reason = f"This record is larger than {_LARGEST // 1_000_000} MB, so it cannot be one conversation."
            yield home.rpartition(".")[2], Rejected("", reason, "") if too_large else builder.value
            builder = None


class _Counted:
    """A file that tells how much of it was read."""

    def __init__(self, file: Any, advance: Advance) -> None:
        self._file, self._advance = file, advance
        self.read_so_far = 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        self.read_so_far += len(data)
        self._advance(len(data))
        return data


def _not_json(problem: Exception, what: str, cut_off: bool) -> str:
    if cut_off:
        return f"The {'last ' if what == 'line' else ''}{what} is cut off: the export or copy was interrupted; make it again."
    place = f" at column {problem.colno}: {problem.msg}" if isinstance(problem, json.JSONDecodeError) else ""
    return f"This {what} is not JSON{place}."

"""Takes a person out of files: lines of JSON, rows of tables, words of texts. Each file is written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

from tailorbird.lessons import original
from tailorbird.workspace import write_bytes

ERASED = "<ERASED>"


def clean_lines(path: Path, ids: set[str], words: list[str], instead: str = "") -> bool:
    """Drops the lines of JSON that are these conversations, and the words from all others; whether anything changed.

    In exports an empty line stands `instead` of each, since other conversations are known by the number of their line.
    """
    kept, changed = [], False
    for line in path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True):
        if _names_one(line, ids):
            changed = True
            kept.append(instead)
            continue
        cleaned = without(line, [*words, *(json.dumps(word)[1:-1] for word in words)])
        changed |= cleaned != line
        kept.append(cleaned)
    return _write(path, "".join(kept), changed)


def drop_lines(path: Path, numbers: set[int]) -> bool:
    """Empties lines by their number, so that the others keep theirs; whether anything changed."""
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)
    kept = ["\n" if number in numbers else line for number, line in enumerate(lines, 1)]
    return _write(path, "".join(kept), kept != lines)


def clean_table(path: Path, numbers: set[int], ids: set[str], words: list[str]) -> bool:
    """Empties the rows that begin on these lines or have one of these ids in a cell, and drops the words from all others.

    Empty lines stand in their place, as many as they had, since other rows are known by the number of their line.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        text = file.read()
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator)
    changed, begins = False, 1
    for row in reader:
        mine = begins in numbers or bool(ids & set(row))
        lines, begins = reader.line_num + 1 - begins, reader.line_num + 1
        cleaned = [without(cell, words) for cell in row]
        changed |= mine or cleaned != row
        if mine or not row:
            out.write("\n" * lines)
        else:
            writer.writerow(cleaned)
    return _write(path, out.getvalue(), changed)


def clean_text(path: Path, words: list[str]) -> bool:
    """Replaces the words in a text; whether anything changed."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    cleaned = without(text, words)
    return _write(path, cleaned, cleaned != text)


def _names_one(line: str, ids: set[str]) -> bool:
    try:
        row = json.loads(line)
    except ValueError:
        return False
    told = (row.get("id"), row.get("conversation"), row.get("record")) if isinstance(row, dict) else ()
    return any(isinstance(one, str) and not ids.isdisjoint((one, original(one))) for one in told)


def without(text: str, words: list[str]) -> str:
    """The text with a mark in the place of each of these words, whatever their case."""
    for word in words:
        text = re.sub(re.escape(word), ERASED, text, flags=re.I)
    return text


def _write(path: Path, text: str, changed: bool) -> bool:
    if changed:
        write_bytes(path, text.encode("utf-8", "surrogateescape"))
    return changed

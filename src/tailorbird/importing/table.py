"""Tables (CSV, XLSX): one row a question with its answer (pairs), or one row a message with a conversation id (long form)."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tailorbird.artifacts import Conversation, Turn
from tailorbird.errors import InputError
from tailorbird.importing.cleaning import plain
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.ratings import stars
from tailorbird.importing.reading import LONGEST_LINE, Lines, Rejected
from tailorbird.importing.times import utc
from tailorbird.progress import Advance
from tailorbird.settings import SourceSettings

MOST_COLUMNS = 500
FIELDS = (
    "question", "answer", "subject", "id", "conversation_id", "customer_id", "customer", "agent",
    "created_at", "rating", "status", "channel", "department", "role", "content", "tag",
)  # fmt: skip
# Column names that help desks use, for files that come without a mapping.
_USUAL = {
    "question": ("question", "body", "customer_message", "inquiry", "input", "prompt", "instruction"),
    "answer": ("answer", "reply", "response", "agent_message", "output", "completion"),
    "subject": ("subject",),
    "id": ("id", "ticket_id"),
    "conversation_id": ("conversation_id", "thread_id", "message_conversation_id"),
    "customer_id": ("customer_id", "requester_id", "customer"),
    "agent": ("agent", "agent_id", "assignee"),
    "created_at": ("created_at", "date", "timestamp", "message_created_at"),
    "rating": ("rating", "score", "csat"),
    "status": ("status", "state"),
    "channel": ("channel",),
    "department": ("department", "queue", "team", "group"),
    "role": ("role", "sender", "author", "message_author_type"),
    "content": ("content", "body", "message", "text", "message_body"),
    "tag": ("priority", "language", "category", "topic"),
}
_ROLES = {
    **dict.fromkeys(("customer", "user", "client", "human", "end-user", "visitor", "contact", "lead"), "user"),
    **dict.fromkeys(("agent", "assistant", "support", "staff", "admin", "operator", "gpt"), "assistant"),
    "system": "system",
}
_NOBODY = ("bot", "automation", "rule", "note", "event")  # written by no person, or not to the customer
Columns = dict[str, list[int]]


class Row(NamedTuple):
    """A row of a table, the line it begins on, and why it cannot be read."""

    number: int
    cells: list[str]
    damage: str = ""


@dataclass(frozen=True)
class Table:
    """One of the two forms of table; an importing format (formats.Format)."""

    NAME: str
    TITLE: str
    PARTS: bool
    needed: tuple[str, ...]
    GLOBAL: bool = False

    def recognise(self, sample: Sample) -> Match | None:
        """A header with the columns that this form needs."""
        if sample.objects or sample.name.lower().endswith((".json", ".jsonl", ".ndjson", ".eml", ".mbox")):
            return None
        if sample.name.lower().endswith((".xlsx", ".xlsm")):
            return Match(0.4 if self.PARTS else 0.5, "a spreadsheet")
        first = sample.head.splitlines()[0] if sample.head else ""
        names = {name.strip(' "\ufeff').lower() for name in first.replace(";", ",").replace("\t", ",").split(",")}
        if all(names & set(_USUAL[field]) for field in self.needed):
            return Match(0.9 if self.PARTS else 0.85, f"a table with columns for {', '.join(self.needed)}")
        if sample.name.lower().endswith((".csv", ".tsv")) or names & set(_USUAL["question"]):
            return Match(0.2 if self.PARTS else 0.3, "a table by its name")
        return None

    def read(self, export: Export) -> Iterator[Conversation | Rejected]:
        """The conversations of every file of the export; raises InputError for unusable headers."""
        for path in export.files:
            rows = _rows(path, export.advance)
            header = [name.strip() for name in next(rows, Row(0, [])).cells]
            if not header:
                raise InputError("The table has no header line.", fix="Export it with column names.", where=f"{path}:1")
            _check_known(export.settings, header, path)
            columns = _columns(header, export.settings.map, path)
            missing = [field for field in self.needed if field not in columns]
            if missing:
                raise InputError(
                    f"No column is known as {' or '.join(missing)}. The columns are: {', '.join(header[:20])}.",
                    fix=f"Name it with --map THE_COLUMN={missing[0]}.",
                    where=f"{path}:1",
                )
            yield from self._conversations(rows, columns, header, export, path.name)

    def _conversations(
        self, rows: Iterator[Row], columns: Columns, header: list[str], export: Export, name: str
    ) -> Iterator[Conversation | Rejected]:
        wanted = [(header.index(column), value) for column, value in export.settings.where.items()]
        key = columns.get("conversation_id" if self.PARTS else "id", [])
        for row in rows:
            cells = [cell.strip() for cell in row.cells]
            refused = Rejected(f"{name}:{row.number}", row.damage, ",".join(row.cells)[:2000], _cell(cells, key))
            if not row.damage and len(cells) != len(header):
                refused = refused._replace(reason=f"This row has {len(cells)} columns, the header {len(header)}.")
            if not refused.reason and not all(cells[i] == value for i, value in wanted):
                continue
            if not refused.reason:
                made = self._conversation(cells, columns, header, export)
                if isinstance(made, Conversation):
                    yield made.model_copy(update={"id": refused.record, "origin": refused.place})
                    continue
                refused = refused._replace(reason=made)
            yield refused

    def _conversation(self, cells: list[str], columns: Columns, header: list[str], export: Export) -> Conversation | str:
        """What a row tells; "" for nothing, else what is wrong with it."""

        def told(field: str) -> str:
            return _cell(cells, columns.get(field, []))

        at, agent = utc(told("created_at"), export.clock), told("agent") or None
        if self.PARTS:
            if not told("conversation_id"):
                return "This row has no conversation id."
            role = _ROLES.get(told("role").lower())
            if role is None and told("role").lower() not in _NOBODY:
                return f"Unknown role {told('role')!r}; use customer or agent."
            said = [Turn.model_validate({"role": role, "content": plain(told("content")), "created_at": at})] if role else []
        else:
            question = "\n\n".join(part for part in (told("subject"), plain(told("question"))) if part)
            said = [Turn(role="user", content=question), Turn(role="assistant", content=plain(told("answer")), author=agent)]
        tags = [f"{header[i]}={cells[i]}" for i in columns.get("tag", []) if cells[i]]
        rating = stars(told("rating"))
        return Conversation(
            id="",
            turns=tuple(said),
            customer_id=told("customer_id") or None,
            names=tuple(filter(None, [told("customer")])),
            created_at=at,
            rating=rating,
            status=told("status") or None,
            channel=told("channel") or None,
            department=told("department") or None,
            tags=(*tags, *([f"rating={told('rating')}"] if told("rating") and rating is None else [])),
        )


PAIRS = Table("csv-pairs", "CSV or XLSX, one row a question with its answer", False, ("question", "answer"))
LONG = Table("csv-long", "CSV or XLSX, one row a message with a conversation id", True, ("conversation_id", "role", "content"))


def _rows(path: Path, advance: Advance) -> Iterator[Row]:
    return _sheet_rows(path, advance) if path.suffix.lower() in (".xlsx", ".xlsm") else _text_rows(path, advance)


def _sheet_rows(path: Path, advance: Advance) -> Iterator[Row]:
    """Rows of the first sheet that has any."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
        for sheet in book.worksheets:
            empty = True
            for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
                cells = ["" if value is None else str(value) for value in values]
                if any(cells):
                    empty = False
                    yield Row(number, cells)
            if not empty:
                break
    except Exception as problem:  # of a damaged file the library's parts raise whatever they like
        raise InputError(
            f"This spreadsheet cannot be read: {problem}.",
            fix="Open it and save it again as XLSX, or as CSV (UTF-8).",
            where=str(path),
        ) from problem
    advance(path.stat().st_size)


def _text_rows(path: Path, advance: Advance) -> Iterator[Row]:
    lines = Lines(path, advance)
    first = next(iter(Lines(path)))[1]
    if isinstance(first, Rejected):
        raise InputError(first.reason, fix="Export the table again, as CSV (UTF-8) or XLSX.", where=f"{path}:1")
    separator = max(",;\t", key=first.count)
    if first.count(separator) >= MOST_COLUMNS:
        raise InputError(
            f"The first line has {first.count(separator) + 1:,} columns, so this is not a table of conversations.",
            fix="Export questions and answers as columns and conversations as rows.",
            where=f"{path}:1",
        )
    excel = first.lower().startswith("sep=")  # Excel's own hint, not a row
    if excel:
        separator = first[4:5].strip("\r\n") or separator
    bad: list[Rejected] = []

    def feed() -> Iterator[str]:
        for number, line in lines:
            if isinstance(line, Rejected):
                bad.append(line)
                yield line.text if line.text.endswith("\n") else line.text + "\n"
            elif not (excel and number == 1):
                yield line

    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(feed(), delimiter=separator, strict=True)
    position = 1 + excel
    while True:
        try:
            cells = next(reader)
            damage = bad.pop(0).reason if bad else f"This row has {len(cells):,} columns." if len(cells) > MOST_COLUMNS else ""
        except StopIteration:
            return
        except csv.Error as problem:
            cells, damage = (
                [],
                f"The row that starts here is not valid CSV: {problem}. Most often a quotation mark is not closed.",
            )
        if damage or any(cell.strip() for cell in cells):
            yield Row(position, cells, damage)
        position = reader.line_num + 1 + excel


def _check_known(settings: SourceSettings, header: list[str], path: Path) -> None:
    for column in [*settings.map, *settings.where]:
        if column not in header:
            close = difflib.get_close_matches(column, header, 1)
            hint = f"Did you mean {close[0]}? " if close else ""
            if settings.map.get(column) in header:
                hint = f"The file's column comes first: {settings.map[column]}={column}. "
            raise InputError(
                f"There is no column {column!r}.",
                fix=f"{hint}The columns are: {', '.join(header[:20])}.",
                where=f"{path}:1",
            )


def _columns(header: list[str], mapping: dict[str, str], path: Path) -> Columns:
    """Our field -> indices of the columns that hold it: as mapped, else by their usual names."""
    columns: Columns = {}
    for column, field in mapping.items():
        if field not in FIELDS:
            close = difflib.get_close_matches(field, FIELDS, 1)
            raise InputError(
                f"{field!r} is not a field that columns can be mapped to.",
                fix=(f"Did you mean {close[0]}? " if close else "") + f"The fields are: {', '.join(FIELDS)}.",
                where=f"{path}:1",
            )
        columns.setdefault(field, []).append(header.index(column))
    taken = {index for places in columns.values() for index in places}
    lower = [name.lower() for name in header]
    for field, names in _USUAL.items():
        if field in columns and field != "tag":
            continue
        places = [lower.index(name) for name in names if name in lower and lower.index(name) not in taken]
        if places:
            columns.setdefault(field, []).extend(places if field == "tag" else places[:1])
    return columns


def _cell(cells: list[str], places: list[int]) -> str:
    """The text of some columns; several mapped to one field are joined."""
    return "\n\n".join(cells[i] for i in places if i < len(cells) and cells[i])

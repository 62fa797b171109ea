"""CSV tables: one row a question with its answer (pairs), or one row a message with a conversation id (long form)."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator
from datetime import datetime

from tailorbird.artifacts import Conversation, Turn
from tailorbird.errors import InputError
from tailorbird.importing.reading import LONGEST_LINE, Lines, Rejected
from tailorbird.importing.turns import NO_ANSWER, answered, content_id, merged

MOST_COLUMNS = 500
FIELDS = (
    "question", "answer", "subject", "id", "conversation_id", "customer_id",
    "created_at", "rating", "role", "content", "tag",
)  # fmt: skip
# Column names that help desks use, for files that come without a mapping.
_USUAL = {
    "question": ("question", "body", "customer_message", "inquiry", "input", "prompt", "instruction"),
    "answer": ("answer", "reply", "response", "agent_message", "output", "completion"),
    "subject": ("subject",),
    "id": ("id", "ticket_id"),
    "conversation_id": ("conversation_id", "thread_id"),
    "customer_id": ("customer_id", "requester_id", "customer"),
    "created_at": ("created_at", "date", "timestamp"),
    "rating": ("rating", "score", "csat"),
    "role": ("role", "sender", "author"),
    "content": ("content", "body", "message", "text"),
    "tag": ("queue", "priority", "language", "department", "channel", "category", "topic", "status"),
}
_ROLES = {
    **dict.fromkeys(("customer", "user", "client", "human", "end-user", "visitor", "contact"), "user"),
    **dict.fromkeys(("agent", "assistant", "support", "staff", "admin", "operator", "gpt"), "assistant"),
    "system": "system",
}
Columns = dict[str, list[int]]
Row = tuple[int, list[str]]


def read(
    lines: Lines, mapping: dict[str, str], where: dict[str, str], kind: str | None
) -> tuple[Iterator[Conversation | Rejected], str]:
    """The table's conversations and which of the two forms it has; raises InputError for unusable headers."""
    rows = _rows(lines)
    _, header = next(rows, (0, []))
    if not header:
        raise InputError("The table has no header line.", fix="Export it with column names.", where=f"{lines.path}:1")
    header = [name.strip() for name in header]
    _check_known(mapping, where, header, lines)
    columns = _columns(header, mapping, lines)
    kind = kind or ("csv-long" if {"conversation_id", "role", "content"} <= set(columns) else "csv-pairs")
    needed = ("conversation_id", "role", "content") if kind == "csv-long" else ("question", "answer")
    missing = [field for field in needed if field not in columns]
    if missing:
        raise InputError(
            f"No column is known as {' or '.join(missing)}. The columns are: {', '.join(header[:20])}.",
            fix=f"Name it with --map THE_COLUMN={missing[0]}.",
            where=f"{lines.path}:1",
        )
    wanted = [(header.index(column), value) for column, value in where.items()]
    data = _same_width(rows, len(header))
    chosen = (row for row in data if isinstance(row, Rejected) or all(row[1][i] == value for i, value in wanted))
    return (_long if kind == "csv-long" else _pairs)(chosen, columns, header), kind


def _rows(lines: Lines) -> Iterator[Row]:
    """Parsed rows with the line each starts on."""
    first = next(iter(lines))[1]
    commas = max(",;\t", key=first.count)
    if first.count(commas) >= MOST_COLUMNS:
        raise InputError(
            f"The first line has {first.count(commas) + 1:,} columns, so this is not a table of conversations.",
            fix="Export questions and answers as columns and conversations as rows.",
            where=f"{lines.path}:1",
        )
    excel = first.lower().startswith("sep=")  # Excel's own hint, not a row
    if excel:
        commas = first[4:5].strip("\r\n") or commas
    position = 1 + excel

    def feed() -> Iterator[str]:
        for number, text in lines:
            if not (excel and number == 1):
                yield text

    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(feed(), delimiter=commas, strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise InputError(
                f"The row that starts here is not valid CSV: {problem}.",
                fix="Most often a quotation mark is not closed; correct it or export the file again.",
                where=f"{lines.path}:{position}",
            ) from problem
        if len(row) > MOST_COLUMNS:
            raise InputError(
                f"This row has {len(row):,} columns.", fix="Export the table again.", where=f"{lines.path}:{position}"
            )
        if any(cell.strip() for cell in row):
            yield position, row
        position = reader.line_num + 1 + excel


def _same_width(rows: Iterator[Row], width: int) -> Iterator[Row | Rejected]:
    for number, row in rows:
        if len(row) == width:
            yield number, [cell.strip() for cell in row]
        else:
            reason = f"This row has {len(row)} columns, the header {width}."
            yield Rejected(number, reason, ",".join(row), tuple(row))


def _check_known(mapping: dict[str, str], where: dict[str, str], header: list[str], lines: Lines) -> None:
    for column in [*mapping, *where]:
        if column not in header:
            close = difflib.get_close_matches(column, header, 1)
            hint = f"Did you mean {close[0]}? " if close else ""
            if mapping.get(column) in header:
                hint = f"The file's column comes first: {mapping[column]}={column}. "
            raise InputError(
                f"There is no column {column!r}.",
                fix=f"{hint}The columns are: {', '.join(header[:20])}.",
                where=f"{lines.path}:1",
            )


def _columns(header: list[str], mapping: dict[str, str], lines: Lines) -> Columns:
    """Our field -> indices of the columns that hold it: as mapped, else by their usual names."""
    columns: Columns = {}
    for column, field in mapping.items():
        if field not in FIELDS:
            close = difflib.get_close_matches(field, FIELDS, 1)
            raise InputError(
                f"{field!r} is not a field that columns can be mapped to.",
                fix=(f"Did you mean {close[0]}? " if close else "") + f"The fields are: {', '.join(FIELDS)}.",
                where=f"{lines.path}:1",
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


def _pairs(rows: Iterator[Row | Rejected], columns: Columns, header: list[str]) -> Iterator[Conversation | Rejected]:
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        number, cells = row
        subject, question = _cell(cells, columns, "subject"), _cell(cells, columns, "question")
        turns = (
            Turn(role="user", content="\n\n".join(part for part in (subject, question) if part)),
            Turn(role="assistant", content=_cell(cells, columns, "answer")),
        )
        yield _conversation(turns, number, cells, columns, header)


def _long(rows: Iterator[Row | Rejected], columns: Columns, header: list[str]) -> Iterator[Conversation | Rejected]:
    """Rows of one conversation may lie apart; they are put together by their time, or in the file's order without one.

    Messages that one person sent in a row are one turn. A conversation with an unreadable row is rejected whole.
    """
    threads: dict[str, list[Row]] = {}
    broken: set[str] = set()
    place = columns["conversation_id"][0]
    for row in rows:
        if isinstance(row, Rejected):
            broken.update(row.cells[place : place + 1])
            yield row
        elif not row[1][place]:
            yield Rejected(row[0], "This row has no conversation id.", str(row[1]))
        else:
            threads.setdefault(row[1][place], []).append(row)
    for identity, messages in threads.items():
        if identity in broken:
            yield Rejected(messages[0][0], f"Another row of conversation {identity} cannot be read.", str(messages))
            continue
        turns, unknown = [], None
        for number, cells in _in_time(messages, columns):
            role = _ROLES.get(_cell(cells, columns, "role").lower())
            if role is None:
                unknown = Rejected(number, f"Unknown role {_cell(cells, columns, 'role')!r}; use customer or agent.", str(cells))
                break
            turns.append(Turn.model_validate({"role": role, "content": _cell(cells, columns, "content")}))
        number, cells = messages[0]
        yield unknown or _conversation(merged(turns), number, cells, columns, header, identity)


def _in_time(messages: list[Row], columns: Columns) -> list[Row]:
    """The rows sorted by created_at, if every row has one that can be compared."""
    try:
        times = [datetime.fromisoformat(_cell(cells, columns, "created_at")) for _, cells in messages]
        order = sorted(range(len(messages)), key=lambda i: (times[i], i))
    except (ValueError, TypeError):
        return messages
    return [messages[i] for i in order]


def _conversation(
    turns: tuple[Turn, ...], number: int, cells: list[str], columns: Columns, header: list[str], identity: str = ""
) -> Conversation | Rejected:
    if not answered(turns):
        return Rejected(number, NO_ANSWER, str(cells))
    said = _cell(cells, columns, "rating")
    tags = [f"{header[i]}={cells[i]}" for i in columns.get("tag", []) if cells[i]]
    try:
        rating = float(said) if said else None
    except ValueError:  # "Good" is no number, but worth keeping
        rating = None
        tags.append(f"rating={said}")
    return Conversation(
        id=identity or _cell(cells, columns, "id") or content_id(turns),
        turns=turns,
        customer_id=_cell(cells, columns, "customer_id") or None,
        created_at=_cell(cells, columns, "created_at") or None,
        rating=rating,
        tags=tuple(tags),
        origin=str(number),
    )


def _cell(cells: list[str], columns: Columns, field: str) -> str:
    """The field's text; several columns mapped to one field are joined."""
    return "\n\n".join(cells[i] for i in columns.get(field, []) if cells[i])

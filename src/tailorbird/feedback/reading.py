"""Files of judgements -> rows: JSON Lines, JSON and CSV with TRL's columns, or prompt, drafted, edited.

A row that cannot be read is named with its place, field and remedy, and never stops the others.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from tailorbird.artifacts import Turn
from tailorbird.errors import InputError
from tailorbird.feedback.judgement import Feedback, what_is_wrong

# The columns that make a judgement of each kind, and the field that each is.
FORMS: dict[str, dict[str, str]] = {
    "edit": {"prompt": "messages", "drafted": "rejected", "edited": "completion"},
    "pair": {"prompt": "messages", "chosen": "completion", "rejected": "rejected"},
    "thumb": {"prompt": "messages", "completion": "completion", "label": "label"},
}
_OPTIONAL = ("customer_id", "conversation", "judge", "release", "task", "created_at")
_LABELS = {"true": True, "1": True, "yes": True, "up": True, "👍": True,
           "false": False, "0": False, "no": False, "down": False, "👎": False}  # fmt: skip
_FIXES = {
    "messages": "Give what the customer wrote, as text or as a list of messages that ends with role user.",
    "completion": "Give the answer as text.",
    "rejected": "Give two different answers; for one that was good as it was, use prompt, completion and label true.",
    "label": "Write true for a good answer, false for a bad one.",
    "created_at": "Write the time as 2026-01-31T09:30:00Z, or leave it out.",
}
_TABLES = (".csv", ".tsv")
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, as surrogateescape leaves them
_LONGEST = 8_000_000  # characters of one cell
_KEPT = 2000  # characters of a rejected row


class Rejected(BaseModel):
    """A row that was left out: where it stands, the field, what is wrong with it, what to do, and its text."""

    model_config = ConfigDict(frozen=True)

    source: str
    place: str
    field: str
    reason: str
    fix: str
    customer_id: str | None = None
    text: str = ""

    @property
    def told(self) -> str:
        """The whole message in one line."""
        return f"{self.place}: {self.field}: {self.reason}. {self.fix}"


class Row(NamedTuple):
    """One record of a file: its number (a line's, or the place in a list), and what it holds or why it cannot be read."""

    number: int
    value: dict[str, Any]
    damage: str = ""
    text: str = ""


class BadRowError(ValueError):
    """What is wrong with one field of a row, and the remedy."""

    def __init__(self, field: str, reason: str, fix: str) -> None:
        self.field, self.reason, self.fix = field, reason, fix
        super().__init__(reason)


def judgements(path: Path, source: str) -> Iterator[tuple[int, Feedback | Rejected]]:
    """Every row of a file with its number; `source` is what the file is called in the store. Raises InputError for no file."""
    for row in rows(path):
        try:
            yield row.number, _judgement(_checked(row), source)
        except BadRowError as problem:
            yield row.number, rejected(row, problem, path, source)


def rejected(row: Row, problem: BadRowError, path: Path, source: str) -> Rejected:
    """What is kept of a row that cannot be read."""
    told = row.text or json.dumps(row.value, ensure_ascii=False, default=str)
    return Rejected(
        source=source,
        place=f"{path.name}:{row.number}",
        field=problem.field,
        reason=problem.reason,
        fix=problem.fix,
        customer_id=_text(row.value.get("customer_id")),
        text=told.encode("utf-8", "replace").decode()[:_KEPT],
    )


def rows(path: Path) -> Iterator[Row]:
    """The records of a JSON, JSON Lines or CSV file; raises InputError for what is no such file."""
    try:
        text = decoded(path.read_bytes())
    except OSError as problem:
        raise InputError(
            f"The file cannot be read ({problem.strerror}).", fix="Check the name and the disk.", where=str(path)
        ) from problem
    if not text.strip() or "\0" in text[:_KEPT]:
        raise InputError("The file is empty or no text.", fix="Export it as JSON Lines, JSON or CSV.", where=str(path))
    return {"table": _of_table, "document": _of_document, "lines": _of_lines}[form_of(path, text)](text)


def form_of(path: Path, text: str) -> Literal["table", "document", "lines"]:
    """What a file's text is: a table by its name, else one JSON document or a line of JSON for each row."""
    if path.suffix.lower() in _TABLES:
        return "table"
    return "document" if text.lstrip().startswith("[") or _is_object(text) else "lines"


def _checked(row: Row) -> dict[str, Any]:
    if row.damage:
        raise BadRowError("row", row.damage, "Correct it, or export the file again.")
    return {name: value for name, value in row.value.items() if value is not None and value != ""}


def _judgement(value: dict[str, Any], source: str) -> Feedback:
    """A row as a judgement, of the kind that its columns tell; raises BadRowError."""
    value = _with_prompt(value)
    kind = _kind(value)
    form = FORMS[kind]
    fields: dict[str, Any] = {"kind": kind, "source": source}
    fields |= {name: _text(value[name]) for name in _OPTIONAL if name in value}
    for column, field in form.items():
        fields[field] = (messages if field == "messages" else _label if field == "label" else _answer)(value[column], column)
    try:
        return Feedback.model_validate(fields)
    except ValidationError as problem:
        field, reason = what_is_wrong(problem)
        column = next((column for column, named in form.items() if named == field), field)
        raise BadRowError(column, reason, _FIXES.get(field, "Correct it, or leave it out.")) from problem


def _with_prompt(value: dict[str, Any]) -> dict[str, Any]:
    """TRL's other forms: whole conversations as chosen and rejected, or `messages` with a label."""
    if "prompt" in value:
        return value
    if isinstance(value.get("messages"), list) and value["messages"]:
        return value | {"prompt": value["messages"][:-1], "completion": value["messages"][-1:]}
    better, worse = value.get("chosen"), value.get("rejected")
    if isinstance(better, list) and isinstance(worse, list):
        if better[:-1] != worse[:-1]:
            raise BadRowError("rejected", "its conversation is another one than that of chosen", "Give the prompt in a column.")
        return value | {"prompt": better[:-1], "chosen": better[-1:], "rejected": worse[-1:]}
    return value


def _kind(value: dict[str, Any]) -> str:
    """The kind of judgement whose columns a row has; raises BadRowError naming the one that is missing."""
    found = [kind for kind, form in FORMS.items() if set(form) <= set(value)]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadRowError("row", f"it is {' and '.join(found)} in one", "Divide it into one row for each.")
    kind, form = max(FORMS.items(), key=lambda one: len(set(one[1]) & set(value)))
    missing = [column for column in form if column not in value]
    if not (set(form) - {"prompt"}) & set(value):
        known = "; ".join(", ".join(columns) for columns in FORMS.values())
        raise BadRowError("row", "it has no judgement in it", f"Name the columns: {known}.")
    raise BadRowError(missing[0], "it is missing or empty", f"A row of kind {kind} needs {', '.join(form)}.")


def messages(told: Any, column: str) -> list[Turn]:
    """A text as what the customer wrote, messages as they are, also as JSON in a text; raises BadRowError."""
    if isinstance(told, str):
        told = _listed(told) or [{"role": "user", "content": told}]
    if not isinstance(told, list):
        raise BadRowError(column, "it is neither text nor a list of messages", _FIXES["messages"])
    turns = []
    for number, message in enumerate(told, 1):
        try:
            turns.append(Turn(role=message["role"], content=message["content"]))
        except (TypeError, KeyError, ValidationError) as problem:
            fix = 'Write each message as {"role": "user" or "assistant", "content": "…"}.'
            raise BadRowError(column, f"message {number} has no known role or no text", fix) from problem
    return turns


def _answer(told: Any, column: str) -> str:
    """An answer as text, or as TRL's list with one message."""
    if isinstance(told, list) and len(told) == 1 and isinstance(told[0], dict):
        told = told[0].get("content")
    if not isinstance(told, str):
        raise BadRowError(column, "it is neither text nor one message", _FIXES["completion"])
    return told


def _label(told: Any, column: str) -> bool:
    label = _LABELS.get(str(told).strip().lower())
    if label is None:
        raise BadRowError(column, f"{str(told)[:40]!r} is neither true nor false", _FIXES["label"])
    return label


def _listed(text: str) -> list[Any] | None:
    """Messages that stand as JSON in a cell of a table."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and found and all(isinstance(one, dict) and "role" in one for one in found) else None


def _text(value: Any) -> str | None:
    return None if value is None or value == "" or isinstance(value, (dict, list)) else str(value)


def decoded(data: bytes) -> str:
    """A file's text: UTF-8, UTF-16 with its mark, or Windows-1252 where hardly any special character is UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    text = data.decode("utf-8-sig", "surrogateescape")
    bad = len(_ESCAPED.findall(text))
    return data.decode("cp1252", "replace") if bad > sum(ord(c) > 127 for c in text) - bad else text


def _is_object(text: str) -> bool:
    """Whether the whole text is one JSON object over several lines."""
    try:
        return "\n" in text.strip() and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _of_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if _ESCAPED.search(line):
            yield Row(number, {}, "it is not UTF-8 text", line)
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as problem:
            yield Row(number, {}, f"it is not JSON ({getattr(problem, 'msg', 'nested too deeply')})", line)
        else:
            yield _object(number, value, line)


def _of_document(text: str) -> Iterator[Row]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as problem:
        yield Row(
            getattr(problem, "lineno", 1), {}, f"the file is not JSON ({getattr(problem, 'msg', 'nested too deeply')})", text
        )
        return
    for number, one in enumerate(value if isinstance(value, list) else [value], 1):
        yield _object(number, one, "")


def _object(number: int, value: Any, text: str) -> Row:
    return Row(number, value, text=text) if isinstance(value, dict) else Row(number, {}, "it is not a JSON object", str(value))


def _of_table(text: str) -> Iterator[Row]:
    """Rows by the line on which they begin; the first line names the columns."""
    csv.field_size_limit(_LONGEST)
    separator = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    while True:
        begins = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield Row(begins, {}, f"it is not CSV ({problem}); most often a quotation mark is not closed")
            continue
        told = separator.join(cells)
        if not header:
            header = [cell.strip().lower() for cell in cells]
        elif _ESCAPED.search(told):
            yield Row(begins, {}, "it is not UTF-8 text", told)
        elif len(cells) > len(header):
            yield Row(begins, {}, f"it has {len(cells)} cells, but there are {len(header)} columns", told)
        elif told.strip(separator + " "):
            yield Row(begins, dict(zip(header, cells, strict=False)), text=told)

"""Takes a person out of the feedback: the table, the rows that could not be read, and the files that were imported."""

from __future__ import annotations

import json
from pathlib import Path

from tailorbird.artifacts import Conversation
from tailorbird.erasing.exports import Person, person_of
from tailorbird.erasing.files import clean_lines, clean_table, clean_text, without
from tailorbird.errors import InputError
from tailorbird.feedback import Feedback, FeedbackStore
from tailorbird.feedback.intake import REJECTED
from tailorbird.feedback.reading import Rejected, decoded, form_of, judgements, rows
from tailorbird.workspace import Workspace, read_lines, write_bytes, write_lines


def everything_judged(workspace: Workspace) -> list[Conversation]:
    """The conversations that judgements are about; raises WorkspaceError where the feedback cannot be read."""
    return [row.as_conversation() for row in FeedbackStore(workspace).all()]


def judged_by(workspace: Workspace, conversations: list[Conversation]) -> list[Feedback]:
    """The judgements that are of a customer or about these conversations of theirs.

    One that names neither a customer nor a conversation is theirs if they wrote one of its messages.
    """
    ids = {one.id for one in conversations}
    customers = {one.customer_id for one in conversations if one.customer_id}
    written = [one.model_copy(update={"turns": tuple(t for t in one.turns if t.role == "user")}) for one in conversations]
    said = person_of(written, []).said
    return [
        row
        for row in FeedbackStore(workspace).all()
        if ids & {row.id, row.conversation}
        or customers & {row.customer_id, row.judge}
        or (not row.customer_id and not row.conversation and said & person_of([row.as_conversation()], []).said)
    ]


def erase_judgements(workspace: Workspace, ids: set[str], person: Person) -> None:
    """Erases judgements by id, the person's words from all others, and their rows among those that could not be read."""
    FeedbackStore(workspace).erase(lambda row: row.id in ids, lambda text: without(text, person.words))
    path = workspace.store / REJECTED
    if path.exists():
        left = [row for row in read_lines(path, Rejected) if row.customer_id not in person.customers]
        draft = path.with_name(f".{path.name}.draft")
        write_lines(draft, left)
        draft.replace(path)


def clean_judgements(path: Path, ids: set[str], person: Person) -> bool:
    """Drops the person's rows from a file of judgements, and their words from the rest; whether anything changed.

    Rows are known by what they say, not by where they stood: the file may have changed since it was imported.
    """
    try:
        numbers = {number for number, row in judgements(path, "") if isinstance(row, Feedback) and row.id in ids}
    except InputError:  # emptied since
        return False
    numbers |= {
        row.number
        for row in rows(path)
        if str(row.value.get("customer_id")) in person.customers or str(row.value.get("conversation")) in ids
    }
    text = decoded(path.read_bytes())
    form = form_of(path, text)
    if form == "table":
        return clean_table(path, numbers, set(), person.words)
    if numbers and form == "lines":
        kept = [line for number, line in enumerate(text.split("\n"), 1) if number not in numbers]
        write_bytes(path, "\n".join(kept).encode("utf-8", "surrogateescape"))
    elif numbers:
        document = json.loads(text)
        told = [one for number, one in enumerate(document, 1) if number not in numbers] if isinstance(document, list) else []
        write_bytes(path, json.dumps(told, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass"))
    return (clean_lines(path, set(), person.words) if form == "lines" else clean_text(path, person.words)) or bool(numbers)

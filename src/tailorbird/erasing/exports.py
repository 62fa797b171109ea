"""Takes a person out of exports that are no lists of lines: JSON documents, mailboxes, workbooks."""

from __future__ import annotations

import json
import mailbox
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from tailorbird.artifacts import Conversation
from tailorbird.erasing.files import without
from tailorbird.workspace import write_bytes

_LARGEST = 500_000_000  # bytes of a JSON document that is read whole
_SPOKEN = 12  # characters of a message that is recognised by its words
_RECORD = {
    "id", "ticket_id", "ticketid", "conversation_id", "conversationid", "conversationsthreadid", "thread_id", "threadid",
    "session_id",
}  # fmt: skip
_PERSON = {
    "id", "author_id", "user_id", "sender_id", "requester_id", "customer_id", "contact_id", "submitter_id", "updater_id",
    "actorid", "uuid", "people_id",
}  # fmt: skip
_IS_RECORD = {
    "subject", "messages", "comments", "conversation_parts", "requester", "requester_id", "customer", "status", "state", "source",
    "meta", "description", "child_events", "fields",
}  # fmt: skip
_IS_PERSON = {"email", "emails", "phone", "role", "nickname", "firstname", "first_name", "deliveryidentifier"}


class Person(NamedTuple):
    """What tells a person's records: ids of conversations and of the customer, as the help desk has them, words, messages."""

    records: frozenset[str]
    customers: frozenset[str]
    words: list[str]
    said: frozenset[str]


def person_of(conversations: Iterable[Conversation], words: list[str]) -> Person:
    """The person whose conversations these are."""
    everything = list(conversations)
    ids = {one.id for one in everything}
    spoken = {_plain(turn.content) for one in everything for turn in one.turns}
    return Person(
        # zendesk-201 is ticket 201 there.
        records=frozenset(ids | {identity.partition("-")[2] for identity in ids if "-" in identity}),
        customers=frozenset(one.customer_id for one in everything if one.customer_id),
        words=words,
        said=frozenset(text for text in spoken if len(text) >= _SPOKEN),
    )


def file_of(conversation: Conversation, folder: Path) -> Path:
    """The file that the conversation was read from, as far as its origin tells; sources are named from the workspace's folder."""
    source = (folder / conversation.source.removesuffix(f" for {conversation.task}")).resolve()
    place = re.match(r"(.+?\.(?:jsonl?|ndjson|eml|mbox|csv|tsv|xlsx|txt))(?![A-Za-z0-9])", conversation.origin)
    return source / place.group(1) if place and source.is_dir() else source


def clean_document(path: Path, person: Person) -> bool:
    """Drops the person's records, messages and contacts, and their words from the rest; whether anything changed."""
    if path.stat().st_size > _LARGEST:
        return False
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    cleaned = _cleaned(document, person)
    changed = bool(cleaned != document)
    if changed:
        write_bytes(path, json.dumps(cleaned, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass"))
    return changed


def clean_mailbox(path: Path, person: Person) -> bool:
    """Drops the messages from and to the person, or that name them; whether anything changed."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(path.read_bytes())
    box = mailbox.mbox(draft, create=False)
    theirs = [key for key in box.iterkeys() if _names(box.get_bytes(key), person)]
    for key in theirs:
        box.remove(key)
    box.close()
    if theirs:
        draft.replace(path)
    draft.unlink(missing_ok=True)
    return bool(theirs)


def clean_workbook(path: Path, numbers: set[int], person: Person) -> bool:
    """Empties rows by number or that have one of the ids in a cell, and drops the words from all others; whether any changed."""
    from openpyxl import load_workbook

    book = load_workbook(path)
    changed = False
    for sheet in book:
        for row, cells in enumerate(sheet.iter_rows(), 1):
            values = {str(cell.value) for cell in cells if cell.value is not None}
            if row in numbers or values & (person.records | person.customers):
                for cell in cells:
                    cell.value = None
                changed = True
                continue
            for cell in cells:
                if isinstance(cell.value, str) and (cleaned := without(cell.value, person.words)) != cell.value:
                    cell.value, changed = cleaned, True
    if changed:
        draft = path.with_name(f".{path.name}.draft.xlsx")
        book.save(draft)
        draft.replace(path)
    return changed


def _cleaned(value: Any, person: Person) -> Any:
    if isinstance(value, dict):
        return {key: _cleaned(inner, person) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(inner, person) for inner in value if not (isinstance(inner, dict) and _is_theirs(inner, person))]
    return without(value, person.words) if isinstance(value, str) else value


def _is_theirs(element: dict[str, Any], person: Person) -> bool:
    """Whether an element of a list is the person's ticket, message or contact."""
    keys = {key.lower(): inner for key, inner in element.items()}
    if any(str(keys[key]) in person.records for key in _RECORD & keys.keys() if key != "id" or _IS_RECORD & keys.keys()):
        return True
    if any(str(keys[key]) in person.customers for key in _PERSON & keys.keys() if key != "id" or _IS_PERSON & keys.keys()):
        return True
    for key in ("author", "sender", "from", "user", "customer", "requester"):
        inner = keys.get(key)
        if isinstance(inner, dict) and str(inner.get("id", inner.get("user_id"))) in person.customers:
            return True
    return any(isinstance(inner, str) and _plain(inner) in person.said for inner in keys.values())


def _names(raw: bytes, person: Person) -> bool:
    text = raw.decode("utf-8", "replace").casefold()
    return any(word.casefold() in text for word in person.words)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()

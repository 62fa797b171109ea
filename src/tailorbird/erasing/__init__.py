"""A person's request -> nothing left of them: in data, feedback, the log and reports, with a certificate of what saw them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from pydantic import BaseModel, Field

from tailorbird.artifacts import Audit, Candidate, Conversation, Dataset, Release
from tailorbird.erasing.exports import Person, clean_document, clean_mailbox, clean_workbook, file_of, person_of
from tailorbird.erasing.files import clean_lines, clean_table, clean_text, drop_lines
from tailorbird.erasing.judgements import clean_judgements, erase_judgements, everything_judged, judged_by
from tailorbird.erasing.logged import erase_logged, everything_logged
from tailorbird.errors import InputError
from tailorbird.knowledge import forget_index
from tailorbird.privacy import find
from tailorbird.progress import Progress, silent
from tailorbird.turns.logged import SOURCE as LIVE
from tailorbird.workspace import Workspace, read_conversations, write_text

CERTIFICATES = "erasures"
_LINES = (".jsonl", ".ndjson")
_TABLES = (".csv", ".tsv")
_TEXTS = (".json", ".html", ".md", ".txt", ".yaml")
_WHOLE = (".txt", ".eml")  # exports of one conversation, which go as a whole
_FEWEST_LETTERS = 5  # of a name that is looked for in texts: shorter ones stand in other words


class Certificate(BaseModel):
    """What was erased, where, and which models had seen it. Names nobody: the person is a salted hash.

    `conversations` were imported, `logged` ones were with the assistant.
    """

    person: str
    at: datetime
    conversations: int
    feedback: int = 0
    logged: int = 0
    files_changed: list[str] = Field(default_factory=list)
    reports_removed: list[str] = Field(default_factory=list)
    retrain: list[str] = Field(default_factory=list)
    exports_removed: list[str] = Field(default_factory=list)
    exports_to_delete: list[str] = Field(default_factory=list)


def forget(workspace: Workspace, customer: str, progress: Progress = silent) -> Certificate:
    """Erases a customer, named by id, e-mail address or full name, from the whole workspace; raises InputError if unknown.

    Candidates and releases that were trained or measured on the customer's conversations are marked for retraining: what
    a model has learned cannot be taken out of it. The customer is not imported again. Exports in the workspace are cleaned,
    and removed where all that was imported from them is this customer's; those of unknown form are named, to be deleted by hand.
    """
    wanted = customer.strip()
    conversations = _conversations(workspace, wanted)
    if not conversations:
        raise InputError(
            f"Nobody called {wanted!r} is in this workspace.", fix="Give the customer's id, e-mail address or full name."
        )
    judged = judged_by(workspace, conversations)
    judgements = {row.id for row in judged}
    ids = {one.id for one in conversations} | judgements
    logged = {one.id for one in conversations if one.source == LIVE}
    words = _identifiers(wanted, conversations, workspace.settings.audit.keep)
    retrain = _that_saw(workspace, ids)
    certificate = Certificate(
        person=workspace.tombstone(wanted), at=datetime.now(UTC), conversations=len(ids - judgements - logged),
        feedback=len(judged), logged=len(logged), retrain=sorted(retrain),
    )  # fmt: skip
    workspace.bury([wanted, *words, *(one.customer_id or "" for one in conversations)])
    only_theirs = _only_theirs(workspace, conversations)
    person = person_of(conversations, words)
    erase_judgements(workspace, judgements, person)
    erase_logged(workspace, ids, words)
    sources = {row.source.partition(": ")[0] for row in judged}  # files of judgements, also of pairs to compare
    files = [path for path in sorted(workspace.folder.rglob("*")) if path.is_file() and CERTIFICATES not in path.parts]
    with progress("Erasing", len(files)) as advance:
        for path in files:
            if path in only_theirs:
                path.unlink()
                certificate.exports_removed.append(str(path.relative_to(workspace.folder)))
            elif workspace.store in path.parents:
                _clean_artifact(path, ids, words, workspace, certificate)
            elif (name := str(path.relative_to(workspace.folder))) in sources:
                certificate.files_changed += [name] if clean_judgements(path, ids, person) else []
            else:
                _clean_export(path, conversations, person, workspace, certificate)
            advance(1)
    forget_index(workspace)
    _recount(workspace)
    workspace.mark_for_retraining(retrain, f"{certificate.at:%Y-%m-%d}: a customer who was erased is in its data")
    target = workspace.folder / CERTIFICATES / f"{certificate.at:%Y%m%dT%H%M%S}-{certificate.person[:8]}.json"
    target.parent.mkdir(exist_ok=True)
    write_text(target, certificate.model_dump_json(indent=1))
    return certificate


def _conversations(workspace: Workspace, wanted: str) -> list[Conversation]:
    """The customer's own in all datasets, the feedback and the log; InputError when several customers wrote the address."""
    name = wanted.casefold()
    own: list[Conversation] = []
    said: list[Conversation] = []
    everything = [
        one for dataset in workspace.all(Dataset) for one in read_conversations(workspace.path(dataset) / "conversations.jsonl")
    ]
    everything += everything_judged(workspace)
    for one in chain(everything, everything_logged(workspace)):
        if name in (told.casefold() for told in (one.customer_id or "", *one.names)):
            own.append(one)
        elif "@" in name and any(name in turn.content.casefold() for turn in one.turns if turn.role == "user"):
            said.append(one)
    customers = {one.customer_id for one in own or said if one.customer_id}
    if not own and len(customers) > 1:
        raise InputError(
            f"Several customers wrote {wanted}: {', '.join(sorted(customers))}.", fix="Name the one to erase by this id."
        )
    theirs = (one for one in chain(everything, everything_logged(workspace)) if one.customer_id in customers)
    return [*(own or said), *(one for one in theirs if one not in own and one not in said)]


def _identifiers(wanted: str, conversations: list[Conversation], keep: list[str]) -> list[str]:
    """What is looked for in texts: the customer's addresses, numbers and full names, but nothing of the business's own."""
    told = {wanted, *(name for one in conversations for name in one.names)}
    for turn in (turn for one in conversations for turn in one.turns if turn.role == "user"):
        told |= {turn.content[found.start : found.end] for found in find(turn.content) if found.kind in ("EMAIL", "PHONE")}
    return sorted((word for word in told - set(keep) if _is_telling(word)), key=len, reverse=True)


def _is_telling(word: str) -> bool:
    return "@" in word or sum(c.isdigit() for c in word) >= 6 or (" " in word.strip() and len(word) >= _FEWEST_LETTERS)


def _that_saw(workspace: Workspace, ids: set[str]) -> set[str]:
    """The candidates and releases whose training or test conversations these are among."""
    audits = {
        audit.id for audit in workspace.all(Audit)
        if any(ids & {one.id for one in read_conversations(workspace.path(audit) / f"{name}.jsonl")} for name in audit.splits)
    }  # fmt: skip
    models = [*workspace.all(Candidate), *workspace.all(Release)]
    return {model.id for model in models if any(one.id in audits for one in workspace.lineage(model))}


def _only_theirs(workspace: Workspace, conversations: list[Conversation]) -> set[Path]:
    """The chats and letters from which nothing but these conversations was imported."""
    ids = {one.id for one in conversations}
    others = {
        file_of(one, workspace.folder)
        for dataset in workspace.all(Dataset)
        for one in read_conversations(workspace.path(dataset) / "conversations.jsonl")
        if one.id not in ids
    }
    folder = workspace.folder.resolve()
    theirs = {
        path
        for one in conversations
        if (path := file_of(one, workspace.folder)).suffix.lower() in _WHOLE and folder in path.parents
    }
    return {workspace.folder / path.relative_to(folder) for path in theirs - others if path.is_file()}


def _clean_artifact(path: Path, ids: set[str], words: list[str], workspace: Workspace, made: Certificate) -> None:
    """Lines and words go; a report that shows the person goes whole."""
    name, kind = str(path.relative_to(workspace.folder)), path.suffix.lower()
    if kind in _LINES and clean_lines(path, ids, words):
        made.files_changed.append(name)
    elif kind in (".html", ".md") or path.name == "report.json":
        if _shows(path, ids, words):
            path.unlink()
            made.reports_removed.append(name)
    elif kind in _TEXTS and clean_text(path, words):
        made.files_changed.append(name)


def _clean_export(path: Path, conversations: list[Conversation], person: Person, workspace: Workspace, made: Certificate) -> None:
    """What lies in the workspace beside the artifacts: exports, settings, decisions."""
    name, kind = str(path.relative_to(workspace.folder)), path.suffix.lower()
    own = [one for one in conversations if file_of(one, workspace.folder) == path.resolve()]
    places = {int(place) for one in own if (place := one.origin.rpartition(":")[2]).isdigit()}
    if kind in _LINES:
        changed = drop_lines(path, places) | clean_lines(path, {one.id for one in conversations}, person.words, "\n")
    elif kind in _TABLES:
        changed = clean_table(path, places, {one.id for one in own}, person.words)
    elif kind == ".json":
        changed = clean_document(path, person) or clean_text(path, person.words)
    elif kind == ".mbox":
        changed = clean_mailbox(path, person)
    elif kind == ".xlsx":
        changed = clean_workbook(path, places, person)
    else:
        changed = kind in _TEXTS and clean_text(path, person.words)
    if changed:
        made.files_changed.append(name)
    elif own:
        made.exports_to_delete.append(name)


def _shows(path: Path, ids: set[str], words: list[str]) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace").casefold()
    return any(word.casefold() in text for word in words) or any(
        re.search(rf"(?<![\w-]){re.escape(one.casefold())}(?![\w-])", text) for one in ids
    )


def _recount(workspace: Workspace) -> None:
    """Brings the datasets' manifests in line with what is left."""
    for dataset in workspace.all(Dataset):
        left = read_conversations(workspace.path(dataset) / "conversations.jsonl")
        counts = {"conversations": len(left), "turns": sum(len(one.turns) for one in left)}
        if counts["conversations"] != dataset.conversations:
            workspace.amend(dataset.model_copy(update=counts))

"""Files -> Dataset. One file per source format; every record that cannot be read is named with its line."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from pydantic import BaseModel

from tailorbird.artifacts import Conversation, Dataset, Source, make_id
from tailorbird.errors import InputError
from tailorbird.importing import csv_table, openai_jsonl
from tailorbird.importing.reading import Lines, Rejected
from tailorbird.progress import Progress, silent
from tailorbird.settings import SourceSettings
from tailorbird.workspace import Workspace, write_lines

FORMATS = ("openai-jsonl", "csv-pairs", "csv-long")
_SHOWN = 5


class RejectedRecord(BaseModel):
    """A record that was left out, kept with the reason."""

    file: str
    line: int
    reason: str
    text: str


def import_conversations(
    workspace: Workspace,
    sources: list[SourceSettings] | None = None,
    skip_bad: bool = False,
    progress: Progress = silent,
) -> Dataset:
    """Reads the sources (those of tailorbird.yaml when none are given) into one Dataset.

    A record that cannot be read stops the import with InputError, and nothing is saved; with `skip_bad` it is
    kept in rejected.jsonl and counted instead.
    """
    chosen = sources if sources is not None else workspace.settings.sources
    if not chosen:
        raise InputError("There is nothing to import.", fix="Name a file, or list files under `sources:` in tailorbird.yaml.")
    digests = {source.path: _digest(workspace.folder / source.path) for source in chosen}
    identity = make_id(Dataset, sources=[(source.model_dump(), digests[source.path]) for source in chosen], skip_bad=skip_bad)
    if found := workspace.find(Dataset, identity):
        return workspace.use(found)
    conversations: list[Conversation] = []
    rejected: list[RejectedRecord] = []
    made: list[Source] = []
    for source in chosen:
        read, refused, kind = _read(workspace.folder / source.path, source, progress)
        conversations += read
        rejected += refused
        made.append(Source(name=source.path, format=kind, sha256=digests[source.path], conversations=len(read)))
    if rejected and (not skip_bad or not conversations):
        raise _all_problems(rejected)
    if not conversations:
        raise InputError("No conversation was found.", fix="Check the file, `--format`, `--map` and `--where`.")
    conversations = _unique_ids(conversations)
    with workspace.drafting(identity) as draft:
        write_lines(draft / "conversations.jsonl", conversations)
        write_lines(draft / "rejected.jsonl", rejected)
        dataset = Dataset(
            id=identity,
            sources=tuple(made),
            conversations=len(conversations),
            turns=sum(len(c.turns) for c in conversations),
            rejected=len(rejected),
        )
        return workspace.save(dataset, draft)


def _read(path: Path, source: SourceSettings, progress: Progress) -> tuple[list[Conversation], list[RejectedRecord], str]:
    kind = source.format or detect(path)
    if kind not in FORMATS:
        raise InputError(f"The format {kind!r} is not known.", fix=f"Use one of: {', '.join(FORMATS)}.", where=str(path))
    read: list[Conversation] = []
    refused: list[RejectedRecord] = []
    with progress(f"Reading {path.name}", path.stat().st_size) as advance:
        lines = Lines(path, advance)
        if kind == "openai-jsonl":
            records = openai_jsonl.read(lines)
        else:
            records, kind = csv_table.read(lines, source.map, source.where, source.format)
        for record in records:
            if isinstance(record, Rejected):
                refused.append(RejectedRecord(file=path.name, line=record.line, reason=record.reason, text=record.text[:2000]))
            else:
                read.append(record.model_copy(update={"origin": f"{source.path}:{record.origin}"}))
    return read, refused, kind


def detect(path: Path) -> str:
    """The format of a file by its name and first line: JSON objects, or a CSV table."""
    start = next(iter(Lines(path)), (1, ""))[1].lstrip()
    if start.startswith("{"):
        return "openai-jsonl"
    if start.startswith("["):
        raise InputError(
            "This is one JSON array; tailorbird reads JSON Lines, one conversation a line.",
            fix=f"Convert it, for example: jq -c '.[]' {path.name} > {path.stem}.jsonl",
            where=f"{path}:1",
        )
    return "openai-jsonl" if path.suffix.lower() in (".jsonl", ".ndjson") else "csv-pairs"


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as problem:
        raise InputError(
            f"The file cannot be opened ({problem.strerror}).", fix="Check the name and its permissions.", where=str(path)
        ) from problem


def _unique_ids(conversations: list[Conversation]) -> list[Conversation]:
    """Conversations with the same id get #2, #3 … so that each can be named."""
    seen: Counter[str] = Counter()
    unique = []
    for conversation in conversations:
        seen[conversation.id] += 1
        number = seen[conversation.id]
        renamed = conversation if number == 1 else conversation.model_copy(update={"id": f"{conversation.id}#{number}"})
        unique.append(renamed)
    return unique


def _all_problems(rejected: list[RejectedRecord]) -> InputError:
    first, *others = rejected
    more = "".join(f"\n{r.file}:{r.line}: {r.reason}" for r in others[: _SHOWN - 1])
    if len(rejected) > _SHOWN:
        more += f"\n… and {len(rejected) - _SHOWN} more."
    return InputError(
        first.reason + more,
        fix="Correct these lines, or import the rest with --skip-bad (they are then kept in rejected.jsonl). "
        "Nothing was imported.",
        where=f"{first.file}:{first.line}",
    )

"""Files -> Dataset. One file per source format; every record that cannot be read is named with its place and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

from pydantic import BaseModel

from tailorbird.artifacts import Dataset, Source, make_id
from tailorbird.errors import InputError
from tailorbird.importing.assembling import assembled
from tailorbird.importing.cleaning import tidy
from tailorbird.importing.export import Export
from tailorbird.importing.formats import recognised
from tailorbird.importing.merging import Merger
from tailorbird.importing.reading import Rejected
from tailorbird.importing.turns import finished
from tailorbird.progress import Progress, silent
from tailorbird.settings import SourceSettings
from tailorbird.workspace import Workspace

_SHOWN = 5


class RejectedRecord(BaseModel):
    """A record that was left out, kept with its place and the reason."""

    source: str
    place: str
    record: str = ""
    reason: str
    text: str = ""


def import_conversations(
    workspace: Workspace,
    sources: list[SourceSettings] | None = None,
    strict: bool = False,
    fresh: bool = False,
    progress: Progress = silent,
) -> Dataset:
    """Reads the sources (those of tailorbird.yaml when none are given) into one Dataset, on top of what was imported before.

    An export that was imported before adds nothing; a newer one adds what is new and brings what has changed up to date.
    Records that cannot be read are kept in rejected.jsonl and counted; with `strict` the first ones stop the import with
    InputError, and nothing is saved. `fresh` starts with an empty dataset.
    """
    chosen = sources if sources is not None else workspace.settings.sources
    if not chosen:
        raise InputError("There is nothing to import.", fix="Name a file, or list files under `sources:` in tailorbird.yaml.")
    before = None if fresh else workspace.current(Dataset)
    _refuse_unknown_tasks(chosen, set(workspace.settings.tasks))
    exports = [Export(workspace.folder / source.path, source) for source in chosen]
    new = [export for export in exports if not (before and _has(before, export))]
    if before and not new:
        return workspace.use(before)
    told = [(export.settings.model_dump(), export.digest) for export in new]
    identity = make_id(Dataset, before=before.id if before else None, sources=told, strict=strict)
    if found := workspace.find(Dataset, identity):
        return workspace.use(found)
    with workspace.drafting(identity) as draft:
        merger = Merger(draft / "conversations.jsonl", workspace.path(before) / "conversations.jsonl" if before else None)
        made = {source.name: source for source in before.sources} if before else {}
        with (draft / "rejected.jsonl").open("w", encoding="utf-8") as file:
            rejections = _Rejections(file, strict)
            for export in new:
                name = _name(export)
                made[name] = _read(workspace, export, draft, merger, rejections, made.get(name), progress)
        if rejections.first and (strict or not merger.found):
            raise rejections.problem()
        if not merger.found:
            raise InputError("No conversation was found.", fix="Check the file, `--format`, `--map` and `--where`.")
        merger.finish()
        dataset = Dataset(
            id=identity,
            made_from=(before.id,) if before else (),
            sources=tuple(made.values()),
            conversations=merger.conversations,
            turns=merger.turns,
            rejected=rejections.count,
            added=merger.added,
            updated=merger.updated,
            unchanged=merger.unchanged,
        )
        return workspace.save(dataset, draft)


def _refuse_unknown_tasks(sources: list[SourceSettings], known: set[str]) -> None:
    for source in sources:
        if source.task and source.task not in known:
            raise InputError(
                f"{source.path} is for the task {source.task!r}, which tailorbird.yaml does not have.",
                fix=f"Add it under `tasks:` there; it has {', '.join(sorted(known)) or 'none'} so far.",
            )


def _has(dataset: Dataset, export: Export) -> bool:
    """Whether exactly this export was imported, in the same way."""
    return any(
        (source.name, source.sha256, source.options) == (_name(export), export.digest, _options(export))
        for source in dataset.sources
    )


def _name(export: Export) -> str:
    """An export's path; the same file may teach several tasks."""
    task = export.settings.task
    return f"{export.settings.path} for {task}" if task else export.settings.path


def _options(export: Export) -> str:
    return export.settings.model_dump_json(exclude={"path"}, exclude_defaults=True)


def _read(
    workspace: Workspace, export: Export, scratch: Path, merger: Merger, rejections: _Rejections, before: Source | None,
    progress: Progress,
) -> Source:  # fmt: skip
    """Reads one export into the merger."""
    kind, why = recognised(export)
    name, options, task, count = _name(export), _options(export), export.settings.task, 0
    erased = workspace.buried()
    merger.begin(name, in_another_way=before is not None and before.options != options)
    with progress(f"Reading {export.path.name}", export.size) as export.advance:
        found = kind.read(export)
        for whole in assembled(found, scratch) if kind.PARTS else found:
            record = whole if isinstance(whole, Rejected) else finished(whole)
            if isinstance(record, Rejected):
                rejections.add(name, record)
            elif not erased(record):
                told = {"source": name, "task": task} | ({"id": f"{record.id} for {task}"} if task and record.id else {})
                count += merger.add(record.model_copy(update=told), kind.GLOBAL)
    return Source(name=name, format=kind.NAME, sha256=export.digest, conversations=count, why=why, options=options)


class _Rejections:
    """Writes down what could not be read; with `strict` the first few of them end the import."""

    def __init__(self, file: TextIO, strict: bool) -> None:
        self.count = 0
        self.first: list[RejectedRecord] = []
        self._file, self._strict = file, strict

    def add(self, source: str, record: Rejected) -> None:
        """Keeps a record; raises InputError when enough is known for a strict import to stop."""
        kept = RejectedRecord(source=source, **{name: tidy(told[:2000]) for name, told in record._asdict().items()})
        print(kept.model_dump_json(exclude_defaults=True), file=self._file)
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append(kept)
        elif self._strict:
            raise self.problem()

    def problem(self) -> InputError:
        """What is wrong, with the first places."""
        first, *others = self.first
        more = "".join(f"\n{record.place}: {record.reason}" for record in others)
        if self.count > len(self.first):
            more += "\n… and more."
        fix = "Correct these records and import again. Nothing was imported."
        if self._strict:
            fix = "Correct these records, or import the rest without --strict, which keeps them in rejected.jsonl."
        return InputError(first.reason + more, fix=fix, where=first.place)

"""Files of judgements into the store; what cannot be read is kept beside it with place and reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tailorbird.errors import InputError, WorkspaceError
from tailorbird.feedback.judgement import Feedback
from tailorbird.feedback.reading import Rejected, judgements
from tailorbird.feedback.store import FeedbackStore
from tailorbird.workspace import Workspace, write_text

REJECTED = "feedback-rejected.jsonl"
_SHOWN = 5


class Imported(BaseModel):
    """What became of the rows of some files; `erased` are of customers who were erased before."""

    model_config = ConfigDict(frozen=True)

    added: int
    known: int
    erased: int
    rejected: tuple[Rejected, ...]


def take_in(workspace: Workspace, files: Sequence[Path], strict: bool = False) -> Imported:
    """Adds the judgements of these files to the store; those that are there already add nothing.

    Rows that cannot be read are kept in feedback-rejected.jsonl; with `strict` they stop everything with InputError and
    nothing is kept. Raises InputError too where no row can be read at all.
    """
    found = [row for path in files for _, row in judgements(path, name_of(path, workspace))]
    good = [row for row in found if isinstance(row, Feedback)]
    bad = tuple(row for row in found if isinstance(row, Rejected))
    if bad and strict:
        raise _problem(bad, "Correct these rows, or leave --strict out to keep the others. Nothing was kept.")
    keep_rejected(workspace, bad)
    if not good:
        kept = f"; the rows are kept in {workspace.store / REJECTED}" if bad else ""
        raise _problem(bad, f"Correct the files and import them again{kept}.")
    added, known = FeedbackStore(workspace).add(good)
    return Imported(added=added, known=known, erased=len(good) - added - known, rejected=bad)


def name_of(path: Path, workspace: Workspace) -> str:
    """What a file is called in the store: its place in the workspace if it lies there, so that erasing finds it."""
    whole, folder = path.resolve(), workspace.folder.resolve()
    return str(whole.relative_to(folder) if folder in whole.parents else whole)


def keep_rejected(workspace: Workspace, bad: Sequence[Rejected]) -> None:
    """Adds to the rows that could not be read, each once; raises WorkspaceError where the disk refuses."""
    if not bad:
        return
    path = workspace.store / REJECTED
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
        lines = dict.fromkeys([*filter(None, before), *(row.model_dump_json(exclude_defaults=True) for row in bad)])
        write_text(path, "".join(f"{line}\n" for line in lines))
    except OSError as problem:
        raise WorkspaceError(
            f"Writing failed ({problem.strerror or problem}).", fix="Free some space or check permissions.", where=str(path)
        ) from problem


def _problem(bad: Sequence[Rejected], fix: str) -> InputError:
    told = [row.told for row in bad[:_SHOWN]] or ["There is no judgement in these files."]
    return InputError("\n".join([*told, *(["… and more."] if len(bad) > _SHOWN else [])]), fix=fix)

"""The folder with the business's own documents: what is in it, and how documents come into it and leave it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tailorbird.errors import InputError, TailorbirdError, WorkspaceError
from tailorbird.knowledge.reading import KINDS, check, read_document
from tailorbird.progress import Progress, silent

Stamp = tuple[int, int, int]
"""Bytes, and when a file's content and its entry changed last, in nanoseconds."""


@dataclass
class Taken:
    """What became of the files that were to be added; names are those in the folder."""

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: list[TailorbirdError] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def stamps(folder: Path) -> dict[str, Stamp]:
    """Every document in the folder by its name there, with `/` between folders; hidden files are none."""
    found: dict[str, Stamp] = {}
    for path in _files(folder):
        try:
            status = path.stat()
        except FileNotFoundError:  # removed since, or a link to nothing
            continue
        found[path.relative_to(folder).as_posix()] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found


def take(folder: Path, paths: Iterable[Path], replace: bool = False, progress: Progress = silent) -> Taken:
    """Copies documents into the folder, folders with what is in them; each is read first, and what cannot be read is refused.

    A different document of the same name is refused as well, unless it is to be replaced. In a folder, files of other kinds
    are left out. Raises InputError where a path does not exist.
    """
    taken = Taken()
    wanted = list(_named(paths, taken))
    with progress("Reading documents", len(wanted)) as advance:
        for path, name in wanted:
            try:
                _take_one(folder, path, name, replace, taken)
            except TailorbirdError as problem:
                taken.refused.append(problem)
            advance(1)
    return taken


def remove(folder: Path, names: Iterable[str]) -> list[str]:
    """Deletes documents, and folders with all that is in them; raises InputError where there is none of that name."""
    known = stamps(folder)
    gone: list[str] = []
    for given in names:
        name = given.replace(os.sep, "/").strip("/")
        theirs = [one for one in known if one == name or one.startswith(f"{name}/")]
        if not theirs or not name:
            raise InputError(f"There is no document called {given!r}.", fix="`tailorbird knowledge list` names them all.")
        gone += [one for one in theirs if one not in gone]
    for name in gone:
        path = folder / name
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == folder or any(parent.iterdir()):
                break
            parent.rmdir()
    return gone


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        yield from (Path(where) / name for name in sorted(names) if not name.startswith("."))


def _named(paths: Iterable[Path], taken: Taken) -> Iterator[tuple[Path, str]]:
    """Each file with the name that it will have in the folder."""
    for path in paths:
        if path.is_dir():
            top = path.resolve()
            for file in _files(top):
                if file.suffix.lower() in KINDS:
                    yield file, f"{top.name}/{file.relative_to(top).as_posix()}"
                else:
                    taken.left_out.append(str(path / file.relative_to(top)))
        elif path.is_file():
            yield path, path.name
        else:
            raise InputError("There is no such file or folder.", fix="Check its name.", where=str(path))


def _take_one(folder: Path, path: Path, name: str, replace: bool, taken: Taken) -> None:
    source = path.resolve()
    inside = folder.resolve()
    name = source.relative_to(inside).as_posix() if inside in source.parents else name
    check(path, str(path))
    data = path.read_bytes()
    target = folder / name
    known = target.read_bytes() if target.is_file() else None
    if known is not None and known != data and not replace:
        raise InputError(
            f"Another document is called {name} already.",
            fix="Give this one another name, or write --replace to put it in the other one's place.",
            where=str(path),
        )
    read_document(data, path.suffix.lower(), str(path))
    if known == data:
        taken.unchanged.append(name)
        return
    _copy(path, target)
    (taken.added if known is None else taken.replaced).append(name)


def _copy(path: Path, target: Path) -> None:
    """Beside its place first, so that a search never meets half a document."""
    draft = target.with_name(f".{target.name}.draft")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, draft)
        draft.replace(target)
    except OSError as problem:
        draft.unlink(missing_ok=True)
        raise WorkspaceError(
            f"The document could not be copied ({problem.strerror or problem}).",
            fix="Free some space or check the folder's permissions, and run the same command again.",
            where=str(target),
        ) from problem

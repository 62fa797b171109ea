"""The business's documents as one searchable thing that is never older than the folder it is made from."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

import numpy as np

from tailorbird.errors import InputError, TailorbirdError, WorkspaceError
from tailorbird.knowledge import folder as documents_folder
from tailorbird.knowledge import ranking, store
from tailorbird.knowledge.chunking import Chunk, chunk
from tailorbird.knowledge.folder import Stamp
from tailorbird.knowledge.passage import Encoder, Passage, Vectors
from tailorbird.knowledge.reading import check, read_document
from tailorbird.knowledge.store import BusyError, DamagedError, Document, Store
from tailorbird.progress import Advance, Progress, silent
from tailorbird.workspace import KNOWLEDGE, Workspace

_BATCH = 300_000  # bytes of documents that are written at once; others may write in between
_RACY = 2_000_000_000  # nanoseconds within which some file systems give two changes one time
_PROBE = "Where is my parcel, and when can I send it back?"  # whose vector tells encoders apart
_SAME = 0.98  # cosine of the probe's vectors by one encoder on different processors, at least
_T = TypeVar("_T")


class Knowledge:
    """The documents of a workspace's folder knowledge/, found by meaning and by words.

    Every search looks at the folder first, so it sees what this process or any other has changed. One object may be shared
    between threads. `encode` is called with titles and texts of passages, and with questions.
    """

    def __init__(self, workspace: Workspace, encode: Encoder, progress: Progress = silent, patience: float | None = None) -> None:
        """Opens nothing yet. With `patience`, for servers, a search indexes so many seconds at most, then takes what is there."""
        self.folder = workspace.folder / KNOWLEDGE
        self._store = Store(workspace.store / store.FILE)
        self._encode, self._progress, self._patience = encode, progress, patience
        self._lock = threading.Lock()
        self._held: ranking.Held | None = None
        self._probe: Vectors | None = None

    def search(self, question: str, top: int = 5) -> list[Passage]:
        """The passages that answer a question best, best first; none where there are no documents.

        Raises InputError for a question without words, WorkspaceError where the index cannot be read or written.
        """
        if not question.strip() or top < 1:
            raise InputError("There is nothing to look for.", fix="Write a question in quotes.")
        self.refresh()
        if not self._store.path.exists():
            return []
        return self._mended(lambda: self._search(question, top))

    def documents(self) -> list[Document]:
        """Every document of the folder by name, with how many passages it has or why it could not be read."""
        self.refresh()
        if not self._store.path.exists():
            return []
        return self._mended(lambda: list(self._known().values()))

    def digests(self) -> dict[str, str]:
        """The SHA-256 of every document that can be read, by name: what anything made with them depends on."""
        return {one.name: one.sha256 for one in self.documents() if one.passages}

    def texts(self) -> list[str]:
        """The text of every passage."""
        self.refresh()
        if not self._store.path.exists():
            return []
        return self._mended(self._texts)

    def refresh(self) -> bool:
        """Brings the index in line with the folder; whether it is now. Raises WorkspaceError where it cannot be written."""
        with self._lock:
            if not self.folder.is_dir() and not self._store.path.exists():
                return True
            return self._mended(self._refresh)

    def _mended(self, work: Callable[[], _T]) -> _T:
        """Does something with the index; where that is damaged, after making it anew."""
        try:
            try:
                return work()
            except DamagedError:
                self._held = None
                self._store.delete()
                self._refresh()
                return work()
        except (DamagedError, BusyError) as problem:
            raise WorkspaceError(
                f"The index of the documents cannot be used now ({problem}).",
                fix="Run this again when no other command is at work on it; if that does not help, delete this file: "
                "it is made anew from your documents.",
                where=str(self._store.path),
            ) from problem

    def _known(self) -> dict[str, Document]:
        with self._store.open() as connection:
            return store.documents(connection)

    def _texts(self) -> list[str]:
        with self._store.open() as connection:
            return store.texts(connection)

    def _search(self, question: str, top: int) -> list[Passage]:
        vector = self._encode([question])[0]
        with self._store.open() as connection:
            generation = store.state(connection, "generation")
            held = self._held
            if held is None or held.generation != generation:
                self._check_encoder(connection)
                held = self._held = ranking.Held(generation, *store.vectors(connection))
            return ranking.best(connection, held, question, vector, top) if held.numbers else []

    def _refresh(self) -> bool:
        """Indexes what differs from the folder, batch by batch."""
        until = time.monotonic() + self._patience if self._patience is not None else None
        stamps, known = documents_folder.stamps(self.folder), self._known()
        gone = known.keys() - stamps.keys()
        changed = self._differing(stamps, known)
        if not gone and not changed:
            return True
        try:
            with self._progress("Indexing documents", sum(stamps[name][0] for name in changed)) as advance:
                self._take_out(gone)
                for batch in _batches(changed, stamps):
                    if until is not None and time.monotonic() > until:
                        return False
                    self._take_in(batch, advance)
        except BusyError:
            if self._patience is None:
                raise
            return False
        return True

    def _waits(self) -> float:
        """How many seconds a writer waits for its turn: a server takes what is there instead."""
        return store.PATIENCE if self._patience is None else 0.0

    def _differing(self, stamps: dict[str, Stamp], known: dict[str, Document]) -> list[str]:
        """The documents whose content is not what the index knows; of the others new stamps are noted."""
        changed: list[str] = []
        settled: list[Document] = []
        for name, stamp in stamps.items():
            one = known.get(name)
            if one is not None and not _may_differ(one, stamp):
                continue
            now = time.time_ns()
            if one is None or not one.sha256 or one.sha256 != _hash_of(self.folder / name):
                changed.append(name)
            elif stamp != one.stamp or now - max(stamp[1:]) > _RACY:
                settled.append(replace(one, stamp=stamp, checked=now))
        if settled:
            try:
                with self._store.open(writing=True, patience=self._waits()) as connection:
                    for one in settled:
                        store.note(connection, one)
            except BusyError:  # then they are looked into again
                pass
        return changed

    def _take_out(self, names: Iterable[str]) -> None:
        if not names:
            return
        with self._store.open(writing=True, patience=self._waits()) as connection:
            dropped = [store.drop(connection, name) for name in names if not (self.folder / name).is_file()]
            if any(dropped):
                store.overwrite(connection)

    def _take_in(self, names: list[str], advance: Advance) -> None:
        """Reads, encodes and writes some documents in one transaction, what another process has just written excepted."""
        with self._store.open(writing=True, patience=self._waits()) as connection:
            self._check_encoder(connection)
            if self._probe is not None:
                store.keep(connection, "probe", self._probe.tobytes())
            known = store.documents(connection)
            read = [self._read(name, known.get(name)) for name in names]
            new = [one for one in read if one is not None]
            texts = [_embedded(part) for _, chunks in new for part in chunks]
            vectors = self._encode(texts) if texts else np.empty((0, 0), dtype=np.float32)
            start = 0
            for document, chunks in new:
                store.put(connection, document, chunks, vectors[start : start + len(chunks)])
                start += len(chunks)
                advance(document.stamp[0])
            if any(document.name in known for document, _ in new):
                store.overwrite(connection)

    def _read(self, name: str, known: Document | None) -> tuple[Document, list[Chunk]] | None:
        """A document with its passages, or with why it has none; None if it is known already or gone."""
        path = self.folder / name
        try:
            now, status = time.time_ns(), path.stat()
            stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            if known and known.stamp == stamp and not _may_differ(known, stamp):
                return None
            sha256 = ""
            check(path, name)
            data = path.read_bytes()
            sha256 = hashlib.sha256(data).hexdigest()
            reading = read_document(data, path.suffix.lower(), name)
        except FileNotFoundError:
            return None
        except TailorbirdError as problem:
            return Document(name, stamp, now, sha256, problem=problem.what, fix=problem.fix), []
        except OSError as problem:
            reason = f"It cannot be opened ({problem.strerror or problem})."
            return Document(name, stamp, now, "", problem=reason, fix="Check its permissions."), []
        chunks = chunk(reading.blocks)
        return Document(name, stamp, now, sha256, len(chunks), note=reading.note), chunks

    def _check_encoder(self, connection: Connection) -> None:
        """Raises DamagedError where the index was made with another encoder: its vectors mean something else."""
        if self._probe is None:
            self._probe = np.asarray(self._encode([_PROBE])[0], dtype=np.float32)
        kept = store.state(connection, "probe")
        if kept is None:  # nothing has been indexed yet
            return
        other = np.frombuffer(kept, dtype=np.float32)
        if other.shape != self._probe.shape or float(other @ self._probe) < _SAME:
            raise DamagedError("made with another encoder")


def documents_of(workspace: Workspace, encode: Encoder, progress: Progress = silent) -> Knowledge | None:
    """The business's documents; None where there are none that can be read."""
    knowledge = Knowledge(workspace, encode, progress)
    return knowledge if any(one.passages for one in knowledge.documents()) else None


def forget_index(workspace: Workspace) -> None:
    """Deletes the index, with what it has of documents that were cleaned since; the next search makes it anew."""
    Store(workspace.store / store.FILE).delete()


def _may_differ(known: Document | None, stamp: Stamp) -> bool:
    """Whether a file has to be looked into: its stamp is new, or it was so young when read that it may have changed since."""
    if known is None or known.stamp != stamp:
        return True
    return bool(known.sha256) and abs(known.checked - max(stamp[1:])) < _RACY


def _batches(names: list[str], stamps: dict[str, Stamp]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for name in names:
        if batch and size + stamps[name][0] > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(name)
        size += stamps[name][0]
    if batch:
        yield batch


def _embedded(part: Chunk) -> str:
    """What of a passage is given to the encoder."""
    return f"{' › '.join(part.headings)}\n{part.text}" if part.headings else part.text


def _hash_of(path: Path) -> str:
    """The content's SHA-256; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""

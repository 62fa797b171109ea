"""One business's folder: tailorbird.yaml, and every artifact made for it under artifacts/.

Knows how to keep things whole: an artifact appears by one rename when all of it is written, or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ValidationError

from tailorbird import settings
from tailorbird.artifacts import KINDS, Artifact, Conversation
from tailorbird.errors import WorkspaceError
from tailorbird.settings import Settings

FORMAT = 1
_PAUSE = 0.02  # seconds before asking again for a lock that SQLite does not wait for
KNOWLEDGE = "knowledge"
"""The folder with the business's own documents."""
PRODUCTION = "production"
"""The alias of the release that serves customers."""
PREVIOUS, CANDIDATE = "previous", "candidate"
"""The aliases of the release that served them before, and of one that is made but does not serve yet."""
Trial = Literal["canary", "shadow"]
"""How a version is tried out: in place of production, or unseen beside it."""
_A = TypeVar("_A", bound=Artifact)
_M = TypeVar("_M", bound=BaseModel)
_STARTER = """\
# Settings of one business. Every field is explained by `tailorbird settings`.
business:
  name: {quoted}
  disclosure: >-
    You are talking to the AI assistant of {name}. Ask for a person at any time.

# Told to the model before every conversation, in training and in service alike.
system_prompt: >-
  You are the AI assistant of {name}. Answer customers kindly, briefly and exactly as our policies say.
  If you do not know, say so and pass the question to a person.

# The files with your support conversations, beside this one. For CSV, map names the columns, for example
#   map: {{body: question, answer: answer, queue: tag}}
sources:
  - path: conversations.jsonl
"""


class Workspace:
    """A folder with tailorbird.yaml in it; `settings` and every artifact are read from there."""

    def __init__(self, folder: Path) -> None:
        """Opens an existing workspace; raises SettingsError or WorkspaceError."""
        self.folder = folder
        self.settings: Settings = settings.load(folder / settings.FILE)
        self.store = folder / "artifacts"
        self._check_format()

    @classmethod
    def create(cls, folder: Path, name: str) -> Workspace:
        """Makes a workspace with a starter tailorbird.yaml; an existing file is never overwritten."""
        target = folder / settings.FILE
        if target.exists():
            raise WorkspaceError(f"{target} exists already.", fix="Edit it, or choose another folder.")
        with _explaining_disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_text(target, _STARTER.format(name=" ".join(name.split()), quoted=json.dumps(name, ensure_ascii=False)))
        return cls(folder)

    def _check_format(self) -> None:
        marker = self.store / "format.json"
        if not marker.exists():
            return
        try:
            found = int(json.loads(marker.read_text(encoding="utf-8"))["format"])
        except (ValueError, KeyError, TypeError) as problem:
            raise WorkspaceError(
                "The file that names this workspace's format is damaged.",
                fix='Restore it from a backup, or write {"format": 1} into it.',
                where=str(marker),
            ) from problem
        if found > FORMAT:
            raise WorkspaceError(
                f"This workspace was made by a newer tailorbird (format {found}; this one reads up to {FORMAT}).",
                fix="Upgrade tailorbird; nothing here was changed.",
                where=str(marker),
            )

    def path(self, artifact: Artifact) -> Path:
        """The folder with an artifact's payload."""
        return self.store / f"{artifact.kind}s" / artifact.id

    def draft(self, identity: str, fresh: bool = True) -> Path:
        """A folder to write a payload into before `save`; `fresh=False` keeps what an interrupted run left."""
        folder = self.store / ".drafts" / identity
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        with _explaining_disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not (self.store / "format.json").exists():
                write_text(self.store / "format.json", json.dumps({"format": FORMAT}))
        return folder

    @contextmanager
    def drafting(self, identity: str) -> Iterator[Path]:
        """An empty draft folder that is removed again if anything goes wrong before it is saved."""
        folder = self.draft(identity)
        try:
            with _explaining_disk(folder):
                yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def save(self, artifact: _A, draft: Path) -> _A:
        """Makes a draft an artifact, all at once, and the one that the next stage takes."""
        target = self.path(artifact)
        with _explaining_disk(target):
            write_text(draft / "manifest.json", artifact.model_dump_json(indent=1))
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                shutil.rmtree(target)
            draft.rename(target)
        return self.use(artifact)

    def find(self, kind: type[_A], identity: str) -> _A | None:
        """The artifact with this id, if it was made."""
        manifest = self.store / f"{kind.kind}s" / identity / "manifest.json"
        return self._read(kind, manifest) if manifest.is_file() else None

    def all(self, kind: type[_A]) -> list[_A]:
        """Every artifact of a kind, oldest first."""
        found = [self._read(kind, path) for path in (self.store / f"{kind.kind}s").glob("*/manifest.json")]
        return sorted(found, key=lambda artifact: artifact.made_at)

    def current(self, kind: type[_A]) -> _A | None:
        """The artifact of this kind that was used last, or made last; None before there is any."""
        named = self._pointers("current.json").get(kind.kind)
        found = self.find(kind, named) if named else None
        return found or next(iter(reversed(self.all(kind))), None)

    def newest(self, kind: type[_A], verb: str) -> _A:
        """The same; raises WorkspaceError naming the verb that makes one."""
        found = self.current(kind)
        if found is None:
            raise WorkspaceError(f"There is no {kind.kind} in {self.folder} yet.", fix=f"Run `tailorbird {verb}` first.")
        return found

    def use(self, artifact: _A) -> _A:
        """Makes this the artifact that the next stage takes."""
        self._point("current.json", {artifact.kind: artifact.id})
        return artifact

    def amend(self, artifact: Artifact) -> None:
        """Writes an artifact's manifest again, where its payload had to change after all."""
        with _explaining_disk(self.store):
            write_text(self.path(artifact) / "manifest.json", artifact.model_dump_json(indent=1))

    def tombstone(self, name: str) -> str:
        """The salted hash that stands for a person who was erased; the salt is this workspace's own."""
        if "salt" not in self._pointers("erased.json"):
            self.store.mkdir(parents=True, exist_ok=True)
            self._point("erased.json", {"salt": secrets.token_hex(16)})
        return _salted(self._pointers("erased.json")["salt"], name)

    def bury(self, names: Iterable[str]) -> None:
        """Remembers, as hashes, ids and names of a person who must not be imported again."""
        for name in filter(None, names):
            self._point("erased.json", {self.tombstone(name): "erased"})

    def buried(self) -> Callable[[Conversation], bool]:
        """Whether a conversation is of a person who was erased."""
        known = self._pointers("erased.json")
        salt = known.get("salt", "")
        return lambda one: bool(known) and any(_salted(salt, name) in known for name in (one.customer_id, *one.names) if name)

    def mark_for_retraining(self, identities: Iterable[str], reason: str) -> None:
        """Marks models whose data had to be changed; `retraining` tells which."""
        self._point("retraining.json", dict.fromkeys(identities, reason))

    @property
    def retraining(self) -> dict[str, str]:
        """The models that have to be trained again, and why."""
        return self._pointers("retraining.json")

    def alias(self, name: str) -> str | None:
        """The release id behind an alias such as `production`."""
        return self.aliases.get(name)

    @property
    def aliases(self) -> dict[str, str]:
        """All aliases with the release ids behind them."""
        return self._pointers("aliases.json")

    def set_aliases(self, identities: dict[str, str]) -> None:
        """Points aliases at releases, all of them at once."""
        self._point("aliases.json", identities)

    @property
    def paused(self) -> str | None:
        """What customers are told while no model answers; None while one does."""
        return self._pointers("paused.json").get("words")

    def pause(self, words: str) -> None:
        """No model answers from the next request on; customers are told these words."""
        self._keep("paused.json", {"words": words})

    def resume(self) -> None:
        """Lets the model answer again."""
        (self.store / "paused.json").unlink(missing_ok=True)

    def trial(self, kind: Trial) -> tuple[str, float] | None:
        """The release id that is tried out on a share of conversations, and that share, 0 to 1; None where none is.

        As a `canary` it answers them instead of production, as a `shadow` unseen beside it.
        """
        told = self._pointers(f"{kind}.json")
        return (told["release"], float(told["share"])) if told else None

    def set_trial(self, kind: Trial, identity: str, share: float) -> None:
        """Has a release tried out on a share of conversations, from the next request on."""
        self._keep(f"{kind}.json", {"release": identity, "share": str(share)})

    def end_trial(self, kind: Trial) -> None:
        """Ends what `set_trial` began."""
        (self.store / f"{kind}.json").unlink(missing_ok=True)

    def get(self, identity: str) -> Artifact:
        """Any artifact by its id."""
        for kind in KINDS:
            if identity.startswith(f"{kind.kind}-") and (found := self.find(kind, identity)):
                return found
        raise WorkspaceError(f"There is no artifact {identity!r} here.", fix="`tailorbird status` lists them.")

    def lineage(self, artifact: Artifact) -> list[Artifact]:
        """The artifact and everything it was made from, nearest first."""
        seen: dict[str, Artifact] = {artifact.id: artifact}
        waiting = list(artifact.made_from)
        while waiting:
            identity = waiting.pop(0)
            if identity not in seen:
                seen[identity] = self.get(identity)
                waiting += seen[identity].made_from
        return list(seen.values())

    def ancestor(self, artifact: Artifact, kind: type[_A]) -> _A:
        """The one artifact of a kind that this one was made from, however far back."""
        for found in self.lineage(artifact):
            if isinstance(found, kind):
                return found
        raise WorkspaceError(f"{artifact.id} was not made from a {kind.kind}.")

    def _read(self, kind: type[_A], manifest: Path) -> _A:
        try:
            return kind.model_validate_json(manifest.read_text(encoding="utf-8"))
        except (ValidationError, UnicodeDecodeError) as problem:
            raise WorkspaceError(
                f"This {kind.kind}'s manifest is damaged or from another version.",
                fix=f"Delete the folder {manifest.parent.name} and make it again; nothing else depends on the file.",
                where=str(manifest),
            ) from problem

    def _pointers(self, file: str) -> dict[str, str]:
        path = self.store / file
        try:
            pointers: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as problem:
            raise WorkspaceError(
                "This file is damaged.", fix="Delete it; releases and artifacts are not touched by that.", where=str(path)
            ) from problem
        return pointers

    def _point(self, file: str, identities: dict[str, str]) -> None:
        self._keep(file, self._pointers(file) | identities)

    def _keep(self, file: str, told: dict[str, str]) -> None:
        with _explaining_disk(self.store):
            write_text(self.store / file, json.dumps(told, indent=1, ensure_ascii=False))


def _salted(salt: str, name: str) -> str:
    return hashlib.sha256(f"{salt} {name.casefold().strip()}".encode()).hexdigest()


def write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all: to a neighbour, then renamed."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def write_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Turns on SQLite's write-ahead log, for readers beside a writer.

    SQLite does not wait for the lock of this as it does for others, so it is asked again for so many seconds.
    """
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)


def write_lines(path: Path, rows: Iterable[BaseModel]) -> None:
    """Writes one JSON object a line."""
    with _explaining_disk(path), path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(row.model_dump_json(exclude_defaults=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path, kind: type[_M]) -> Iterator[_M]:
    """What `write_lines` wrote, one after the other."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield kind.model_validate_json(line)


def read_conversations(path: Path) -> list[Conversation]:
    """All conversations of a file that `write_lines` wrote."""
    return list(read_lines(path, Conversation))


@contextmanager
def _explaining_disk(where: Path) -> Iterator[None]:
    """A full or read-only disk in words; what was saved before is untouched, since nothing is written in place."""
    try:
        yield
    except OSError as problem:
        reason = {errno.ENOSPC: "The disk is full", errno.EDQUOT: "The disk quota is used up"}.get(
            problem.errno or 0, f"Writing failed ({problem.strerror or problem})"
        )
        raise WorkspaceError(
            f"{reason}; nothing that was saved before is changed.",
            fix="Free some space or check the folder's permissions, and run the same command again.",
            where=str(where),
        ) from problem

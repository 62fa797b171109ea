"""Keys for the API: who may ask what. Only their hashes are kept, so a key that is lost is replaced, never looked up."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from tailorbird.errors import InputError, WorkspaceError
from tailorbird.workspace import Workspace, write_text

FILE = "keys.json"
Role = Literal["chat", "widget", "agent", "owner"]
"""Asks for answers; asks from the pages in `serving.sites`, where everybody can read the key; takes over; may do everything."""
_PREFIX = "tb"


class Key(BaseModel):
    """A key as it is kept: its name and role, and the SHA-256 of its secret, which has 256 random bits and so needs no salt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    role: Role
    secret: str
    made_at: datetime


_KEYS = TypeAdapter(list[Key])


class Keys:
    """The keys of a workspace. What another process adds, rotates or revokes holds from the next request on."""

    def __init__(self, workspace: Workspace) -> None:
        """Reads nothing yet."""
        self.path = workspace.store / FILE
        self._read: tuple[tuple[int, int], dict[str, Key]] = ((0, 0), {})
        self._seen = False

    def all(self) -> dict[str, Key]:
        """Every key by its id; raises WorkspaceError where the file is damaged, so that it never lets everybody in."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return {}
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._read[0]:
            self._read = stamp, {one.id: one for one in _parsed(self.path)}
        return self._read[1]

    def needed(self) -> bool:
        """Whether there was ever a key: when the last one is revoked nobody is let in, rather than everybody.

        Once it was so it stays so, also where the file is deleted while a server runs.
        """
        self._seen = self._seen or self.path.exists()
        return self._seen

    def add(self, name: str, role: Role) -> str:
        """A new key, whole: it is shown this once. Raises InputError for a name that is taken or empty."""
        name = " ".join(name.split())
        with self._alone():
            if not name or any(one.name == name for one in self.all().values()):
                fix = "Give it a name of its own, such as the site that uses it."
                raise InputError(f"A key cannot be called {name!r}.", fix=fix)
            return self._keep(secrets.token_hex(4), name, role)

    def rotate(self, identity: str) -> str:
        """A new secret for a key, whole; the old one is refused from now on. Raises InputError where there is no such key."""
        with self._alone():
            old = self._known(identity)
            return self._keep(old.id, old.name, old.role)

    def revoke(self, identity: str) -> Key:
        """Takes a key away; raises InputError where there is no such key."""
        with self._alone():
            gone = self._known(identity)
            self._write([one for one in self.all().values() if one.id != gone.id])
        return gone

    def holder(self, told: str) -> Key | None:
        """Whose key this is, compared in the same time for every wrong one."""
        prefix, _, rest = told.partition("_")
        identity, _, secret = rest.partition("_")
        known = self.all().get(identity)
        same = hmac.compare_digest(_hash(secret), known.secret if known else _hash(""))
        return known if prefix == _PREFIX and same else None

    def _known(self, identity: str) -> Key:
        found = next((one for one in self.all().values() if identity in (one.id, one.name)), None)
        if found is None:
            raise InputError(f"There is no key {identity!r}.", fix="`tailorbird keys list` shows ids and names.")
        return found

    def _keep(self, identity: str, name: str, role: Role) -> str:
        secret = secrets.token_urlsafe(32)
        made = Key(id=identity, name=name, role=role, secret=_hash(secret), made_at=datetime.now(UTC))
        self._write([*(one for one in self.all().values() if one.id != identity), made])
        return f"{_PREFIX}_{identity}_{secret}"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two commands at once would write over each other's keys: one that was revoked would be back."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _write(self, keys: list[Key]) -> None:
        write_text(self.path, _KEYS.dump_json(keys, indent=1).decode())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _parsed(path: Path) -> list[Key]:
    try:
        return _KEYS.validate_json(path.read_bytes())
    except ValidationError as problem:
        raise WorkspaceError(
            "The file of keys is damaged; until it is mended nobody is let in.",
            fix="Restore it from a backup, or write [] into it and make new keys with `tailorbird keys add`.",
            where=str(path),
        ) from problem

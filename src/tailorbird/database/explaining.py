"""What databases say, in words that tell what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tailorbird.errors import WorkspaceError

_DAMAGED = ("malformed", "not a database", "corrupt")
_FULL = ("is full", "no space left", "could not extend file", "disk full")
_LOCKED = ("locked", "lock timeout", "deadlock detected", "could not obtain lock")
_REFUSED = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", 'role "', "permission denied")
_UNREACHABLE = (
    "connection refused", "could not translate host name", "failed to resolve host", "timeout expired", "connection timeout",
    "no such file or directory", "no route to host", "network is unreachable", "starting up", "shutting down",
    "connection is closed", "closed the connection unexpectedly", "terminating connection", "too many clients",
)  # fmt: skip


@contextmanager
def in_words(where: str) -> Iterator[None]:
    """Turns the errors of a database into WorkspaceErrors that name it, and never what was written."""
    try:
        yield
    except PoolTimeoutError as problem:
        raise locked(where) from problem
    except DBAPIError as problem:
        raise _explained(str(problem.orig).strip().split("\n")[0], where) from problem


def damaged(where: str, reason: str) -> WorkspaceError:
    """The error for data that cannot be what was once written."""
    return WorkspaceError(
        f"The live data is damaged ({reason}); it was left as it is.",
        fix="Restore this database from a backup. Without one, keep a copy for repair (`sqlite3 FILE .recover`), move the file "
        "away, and import your files of judgements again.",
        where=where,
    )


def unusable(where: str, reason: str) -> WorkspaceError:
    """The error for a database that cannot be read or written for a reason of the machine's."""
    return WorkspaceError(
        f"The live data cannot be read or written ({reason}); nothing that was kept before is changed.",
        fix="Free some space or check the folder's permissions, and run the same command again.",
        where=where,
    )


def newer(where: str, found: str, known: str) -> WorkspaceError:
    """The error for a database of a later version."""
    return WorkspaceError(
        f"This database was made by a newer tailorbird (schema {found}; this one knows up to {known}).",
        fix="Upgrade tailorbird; nothing here was changed.",
        where=where,
    )


def locked(where: str) -> WorkspaceError:
    """The error for a database that somebody else does not let go of."""
    return WorkspaceError(
        "Another command is using this database for too long.", fix="Run this one again when it is done.", where=where
    )


def _explained(reason: str, where: str) -> WorkspaceError:
    told = reason.casefold()

    def says(*words: str) -> bool:
        return any(word in told for word in words)

    if says(*_DAMAGED):
        return damaged(where, reason)
    if says(*_LOCKED):
        return locked(where)
    if says("database") and says("does not exist"):
        return WorkspaceError(
            f"PostgreSQL has no such database ({reason}).", fix="Make it with `createdb`, or correct its name.", where=where
        )
    if says(*_REFUSED):
        return WorkspaceError(
            f"PostgreSQL refuses this user ({reason}).",
            fix="Check user and password in the address, and that the user may create tables there.",
            where=where,
        )
    if says(*_UNREACHABLE):
        return WorkspaceError(
            f"PostgreSQL does not answer ({reason}).", fix="Check the host and port, and that the server runs.", where=where
        )
    if says(*_FULL):
        return unusable(where, f"the disk is full: {reason}")
    return unusable(where, reason)

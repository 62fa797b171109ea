"""Adds conversations to those of earlier imports: what is new, what has changed, nothing twice; in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tailorbird.artifacts import Conversation
from tailorbird.workspace import read_lines


class Merger:
    """Writes one file of conversations out of the one before and what is added; keeps ids and short digests in memory."""

    def __init__(self, target: Path, before: Path | None) -> None:
        """`target` is written by `finish`; what is added waits beside it."""
        self.added = self.updated = self.unchanged = self.conversations = self.turns = 0
        self._target, self._before, self._fresh = target, before, target.with_suffix(".new")
        self._file = self._fresh.open("w", encoding="utf-8")
        self._known = {c.id: (_digest(c), c.source) for c in self._earlier()}
        self._seen: dict[str, int] = {}  # how often an id came in the source that is read
        self._gone: set[str] = set()

    @property
    def found(self) -> int:
        """Conversations that the sources held, new or not."""
        return self.added + self.updated + self.unchanged

    def begin(self, source: str, in_another_way: bool) -> None:
        """A source begins; what it gave earlier goes if it is now read in another way."""
        self._seen.clear()
        if in_another_way:
            self._gone.update(identity for identity, (_, theirs) in self._known.items() if theirs == source)
            self._known = {identity: told for identity, told in self._known.items() if identity not in self._gone}

    def add(self, conversation: Conversation, ids_are_global: bool) -> int:
        """Takes a conversation if it is new or has changed; returns 1.

        Ids that repeat within a source, or that another source has by chance, are told apart by #2, #3 …
        """
        wanted, digest, theirs = conversation.id, b"", ""
        while True:
            self._seen[wanted] = number = self._seen.get(wanted, 0) + 1
            identity = wanted if number == 1 else f"{wanted}#{number}"
            conversation = conversation.model_copy(update={"id": identity})
            digest, theirs = self._known.get(identity, (b"", ""))
            if digest == _digest(conversation):
                self.unchanged += 1
                return 1
            if not digest or ids_are_global or theirs == conversation.source:
                break
        self.updated += bool(digest)
        self.added += not digest
        if digest:
            self._gone.add(identity)
        self._known[identity] = (_digest(conversation), conversation.source)
        self._write(conversation, self._file)
        return 1

    def finish(self) -> None:
        """Writes what stays of the earlier conversations, then the new ones."""
        self._file.close()
        with self._target.open("w", encoding="utf-8") as file:
            for conversation in self._earlier():
                if conversation.id not in self._gone:
                    self._write(conversation, file)
            with self._fresh.open(encoding="utf-8") as fresh:
                for line in fresh:
                    file.write(line)
        self._fresh.unlink()

    def _write(self, conversation: Conversation, file: TextIO) -> None:
        self.conversations += 1
        self.turns += len(conversation.turns)
        print(conversation.model_dump_json(exclude_defaults=True), file=file)

    def _earlier(self) -> Iterator[Conversation]:
        return read_lines(self._before, Conversation) if self._before is not None else iter(())


def _digest(conversation: Conversation) -> bytes:
    told = conversation.model_dump_json(exclude={"source", "origin"}, exclude_defaults=True)
    return hashlib.blake2b(told.encode(), digest_size=8).digest()

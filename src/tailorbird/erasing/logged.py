"""Takes a person out of the log of conversations with the assistant."""

from __future__ import annotations

from collections.abc import Iterator

from tailorbird.artifacts import Conversation
from tailorbird.erasing.files import without
from tailorbird.turns import TurnLog
from tailorbird.workspace import Workspace


def everything_logged(workspace: Workspace) -> Iterator[Conversation]:
    """The conversations of the log, one after the other; raises WorkspaceError where it cannot be read."""
    for held, turns in TurnLog(workspace).everything():
        yield held.as_conversation(turns)


def erase_logged(workspace: Workspace, ids: set[str], words: list[str]) -> int:
    """Erases these conversations, and the words from all others; how many conversations are gone."""
    gone, _ = TurnLog(workspace).erase(lambda held, _: held.id in ids, lambda text: without(text, words))
    return gone

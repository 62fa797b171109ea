"""What all formats need to know about a conversation's turns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import dropwhile, groupby

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.reading import Rejected

NO_ANSWER = "This conversation has no agent turn, so there is nothing to learn from it."
NO_QUESTION = "This conversation has no customer turn before the agent's, so there is nothing to answer."


def finished(conversation: Conversation) -> Conversation | Rejected:
    """The conversation with its turns mended: in time, one speaker's in a row joined, the customer first.

    Rejected where nobody asks or nobody answers.
    """
    spoken = mended(conversation.turns)
    identity = conversation.id or content_id(spoken)
    refused = Rejected(conversation.origin, "", "\n".join(f"{turn.role}: {turn.content}" for turn in spoken)[:2000], identity)
    if not any(turn.role == "assistant" for turn in mended(conversation.turns, from_customer=False)):
        return refused._replace(reason=NO_ANSWER)
    if not any(turn.role == "assistant" for turn in spoken):
        return refused._replace(reason=NO_QUESTION)
    begun = conversation.created_at or min((turn.created_at for turn in spoken if turn.created_at), default=None)
    return conversation.model_copy(update={"id": identity, "turns": spoken, "created_at": begun})


def mended(turns: Iterable[Turn], from_customer: bool = True) -> tuple[Turn, ...]:
    """Turns with words, by time where all have one, one speaker's in a row joined; what precedes the customer left out."""
    said = [turn for turn in turns if turn.content.strip()]
    system = [turn for turn in said if turn.role == "system"]
    said = [turn for turn in said if turn.role != "system"]
    if all(turn.created_at for turn in said):
        said.sort(key=lambda turn: turn.created_at or "")
    if from_customer:
        said = list(dropwhile(lambda turn: turn.role == "assistant", said))
    runs = [list(run) for _, run in groupby(said, key=lambda turn: turn.role)]
    return (*system[:1], *(_joined(run) for run in runs))


def _joined(run: list[Turn]) -> Turn:
    """What one speaker said in a row as one turn; what is told twice (a description as first comment) only once."""
    words = "\n\n".join(dict.fromkeys(turn.content for turn in run))
    return run[0] if len(run) == 1 else run[0].model_copy(update={"content": words})


def content_id(turns: Iterable[Turn]) -> str:
    """An id from the words themselves, for records that have none."""
    told = "\x1f".join(f"{turn.role}\x1e{turn.content}" for turn in turns)
    return "c-" + hashlib.sha256(told.encode()).hexdigest()[:10]


def text(value: object) -> str | None:
    """An id or label as text; None for nothing."""
    return None if value is None or value == "" or isinstance(value, (dict, list)) else str(value)

"""Feedback -> Dataset: what people said about answers, and answered themselves, is learned from, on top of what was imported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain, dropwhile

from tailorbird.artifacts import FEEDBACK, Conversation, Dataset, Source, make_id
from tailorbird.feedback import FeedbackStore
from tailorbird.progress import Progress, silent
from tailorbird.turns import TurnLog
from tailorbird.workspace import Workspace, read_lines, write_lines


def improve(workspace: Workspace, progress: Progress = silent) -> Dataset:
    """Adds the judgements that are not in the newest Dataset yet, or are others by now; without any it is returned as it is.

    A pair or edit becomes a conversation with its better answer and the worse one, a thumb one rated 5 or 1; ties teach
    nothing. Of conversations that a person took over, what customer and person wrote is learned, and nothing of the
    assistant's. Raises WorkspaceError where there is no dataset, or the live data cannot be read.
    """
    before = workspace.newest(Dataset, "import")
    source = workspace.path(before) / "conversations.jsonl"
    judged = [row.as_conversation() for row in FeedbackStore(workspace).all() if row.kind != "tie"]
    learnable = [*judged, *_answered_by_people(TurnLog(workspace))]
    erased, known, turns = workspace.buried(), dict[str, str](), dict[str, int]()
    with progress("Adding feedback", before.conversations) as advance:
        for one in read_lines(source, Conversation):
            known[one.id], turns[one.id] = one.digest, len(one.turns)
            advance(1)
    new = {one.id: one for one in learnable if known.get(one.id) != one.digest and not erased(one)}
    if not new:
        return workspace.use(before)
    identity = make_id(Dataset, before=before.id, feedback=[(one.id, one.digest) for one in new.values()])
    if found := workspace.find(Dataset, identity):
        return workspace.use(found)
    ids = sorted({one.id for one in learnable} & (known.keys() | new.keys()))
    told = Source(
        name=FEEDBACK, format="live data", sha256=hashlib.sha256("\n".join(ids).encode()).hexdigest(), conversations=len(ids),
        why="judgements, and what people answered",
    )  # fmt: skip
    with workspace.drafting(identity) as draft:
        kept = (one for one in read_lines(source, Conversation) if one.id not in new)
        write_lines(draft / "conversations.jsonl", chain(kept, new.values()))
        write_lines(draft / "rejected.jsonl", [])
        dataset = Dataset(
            id=identity,
            made_from=(before.id,),
            sources=(*(one for one in before.sources if one.name != FEEDBACK), told),
            conversations=before.conversations + len(new.keys() - known.keys()),
            turns=before.turns + sum(len(one.turns) - turns.get(one.id, 0) for one in new.values()),
            rejected=0,
            added=len(new),
        )
        return workspace.save(dataset, draft)


def _answered_by_people(log: TurnLog) -> Iterator[Conversation]:
    """The conversations that people took over and are done with, without what the assistant said in them."""
    for held, turns in log.everything():
        if held.state in ("assistant", "closed"):
            one = held.as_conversation(turn for turn in turns if turn.role != "assistant")
            said = tuple(dropwhile(lambda turn: turn.role != "user", one.turns))
            if {turn.role for turn in said} == {"user", "assistant"}:
                yield one.model_copy(update={"turns": said})

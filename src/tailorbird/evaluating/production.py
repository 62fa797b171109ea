"""An updated candidate against what serves customers: on what that was tested on, on what is new, and on general text."""

from __future__ import annotations

from importlib.resources import files

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import PROBES, Audit, Candidate, Comparison, Conversation, Plan, Release, Turn, make_id
from tailorbird.evaluating.figures import compared
from tailorbird.lessons import taught
from tailorbird.progress import Progress, silent
from tailorbird.workspace import Workspace, read_conversations

EARLIER, NEW, GENERAL = "earlier conversations", "new conversations", PROBES["forgetting"]
MARGIN = 0.05
"""Nats a token that an update may cost on what production knows: each token a twentieth less likely."""
_GENERAL = "general.jsonl"


class _Knowledge(BaseModel):
    """A general question with its answer, written for this purpose."""

    language: str
    question: str
    answer: str


def compare(workspace: Workspace, candidate: Candidate, release: Release, progress: Progress = silent) -> Comparison:
    """The candidate against a release, by the loss of what both have never seen, with paired intervals.

    Of what the release was tested on only that counts which the candidate's audit still holds for right. On that and on
    general text the candidate must be shown to lose less than `MARGIN` (non-inferiority); on what is new it must not be worse.
    """
    identity = make_id(Comparison, candidate=candidate.id, release=release.id)
    if found := workspace.find(Comparison, identity):
        return workspace.use(found)
    tasks = workspace.settings.tasks
    audits = [workspace.path(workspace.ancestor(made, Audit)) for made in (release, candidate)]
    before, now = (list(taught(read_conversations(folder / "test.jsonl"), tasks)) for folder in audits)
    known = {one.id for one in before}
    asked = {
        EARLIER: [one for one in now if one.id in known],
        NEW: [one for one in now if one.id not in known],
        GENERAL: general(),
    }
    asked = {name: chats for name, chats in asked.items() if chats}
    everything = [one.messages for chats in asked.values() for one in chats]
    base = engine.locate(candidate.model, progress)
    longest = workspace.ancestor(candidate, Plan).sequence_length
    systems = {"production": workspace.path(release) / "adapter", "tuned": workspace.path(candidate) / "adapter"}
    losses = engine.conversation_losses(base, systems, everything, longest, progress)
    parts, start = {}, 0
    for name, chats in asked.items():
        rows = {system: found[start : start + len(chats)] for system, found in losses.items()}
        start += len(chats)
        if any(rows["tuned"]):
            sums = {system: [(loss[0], float(loss[1])) for loss in row if loss] for system, row in rows.items()}
            parts[name] = compared("loss", sums, "production")
    differences = {name: part.differences["loss"] for name, part in parts.items()}
    worse = [name for name, one in differences.items() if (one.low > 0 if name == NEW else one.high > MARGIN)]
    made = Comparison(
        id=identity,
        made_from=(candidate.id, release.id),
        parts=parts,
        better=tuple(name for name, one in differences.items() if one.high < 0),
        worse=tuple(worse),
    )
    with workspace.drafting(identity) as draft:
        return workspace.save(made, draft)


def general() -> list[Conversation]:
    """Questions of general knowledge and small talk with answers, in several languages."""
    lines = files("tailorbird.evaluating").joinpath(_GENERAL).read_text(encoding="utf-8").splitlines()
    rows = [_Knowledge.model_validate_json(line) for line in lines if line.strip()]
    return [
        Conversation(
            id=f"general-{number}",
            turns=(Turn(role="user", content=row.question), Turn(role="assistant", content=row.answer)),
            language=row.language,
        )
        for number, row in enumerate(rows)
    ]

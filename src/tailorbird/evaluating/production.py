"""An updated candidate against what serves customers: on what that was tested on, on what is new, and on general text."""

from __future__ import annotations

from importlib.resources import files

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import COMPARED, Audit, Candidate, Comparison, Conversation, Part, Plan, Release, Turn, make_id
from tailorbird.evaluating.answering import KEPT, Ask, answered
from tailorbird.evaluating.checking import Documents
from tailorbird.evaluating.figures import Sheet, compared, verdict
from tailorbird.evaluating.held_out import held_out, unlearned
from tailorbird.evaluating.scoring import Measures, scored
from tailorbird.evaluating.systems import Systems
from tailorbird.knowledge import Knowledge, documents_of
from tailorbird.lessons import taught
from tailorbird.progress import Progress, silent
from tailorbird.replier import ReplyOptions
from tailorbird.workspace import Workspace, read_conversations

EARLIER, NEW, GENERAL = COMPARED
ANSWERS = "answers"
MARGIN = 0.05
"""Nats a token that an update may cost on what production knows: each token a twentieth less likely."""
_GENERAL = "general.jsonl"


class _Knowledge(BaseModel):
    """A general question with its answer, written for this purpose."""

    language: str
    question: str
    answer: str


def compare(workspace: Workspace, candidate: Candidate, release: Release, progress: Progress = silent) -> Comparison:
    """The candidate against a release on what both have never seen, with paired intervals: by loss, and by their answers.

    Of what the release was tested on only that counts which the candidate's audit still holds for right. On that and on
    general text the candidate must be shown to lose less than `MARGIN` (non-inferiority); on what is new, and by each figure of
    its answers, it must not be worse beyond chance.
    """
    knowledge = documents_of(workspace, engine.embed, progress) if release.passages else None
    asked = workspace.settings.evaluation
    identity = make_id(
        Comparison, candidate=candidate.id, release=release.id, documents=knowledge.digests() if knowledge else {},
        asked=(asked.answers, asked.longest_answer, asked.hand_off_tags),
    )  # fmt: skip
    if found := workspace.find(Comparison, identity):
        return workspace.use(found)
    parts = _losses(workspace, candidate, release, progress)
    losses = {name: part.differences["loss"] for name, part in parts.items()}
    answers = _answers(workspace, candidate, release, knowledge, progress)
    better, worse = verdict(answers.differences)
    made = Comparison(
        id=identity,
        made_from=(candidate.id, release.id),
        parts=parts | ({ANSWERS: answers} if answers.examples else {}),
        better=(*(name for name, one in losses.items() if one.high < 0), *better),
        worse=(*(name for name, one in losses.items() if (one.low > 0 if name == NEW else one.high > MARGIN)), *worse),
    )
    with workspace.drafting(identity) as draft:
        return workspace.save(made, draft)


def _losses(workspace: Workspace, candidate: Candidate, release: Release, progress: Progress) -> dict[str, Part]:
    """Loss on earlier conversations, new ones and general text, as far as there are any."""
    tasks = workspace.settings.tasks
    audits = [workspace.path(workspace.ancestor(made, Audit)) for made in (release, candidate)]
    tests = (read_conversations(folder / "test.jsonl") for folder in audits)
    candidates = candidate, workspace.ancestor(release, Candidate)
    before, now = (list(taught(unlearned(workspace, candidates, test), tasks)) for test in tests)
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
    return parts


def _answers(
    workspace: Workspace, candidate: Candidate, release: Release, knowledge: Knowledge | None, progress: Progress
) -> Part:
    """What both answer to held-out questions, each shown the documents if production is. Kept answers are not written again."""
    settings = workspace.settings.evaluation
    candidates = {"production": workspace.ancestor(release, Candidate), "tuned": candidate}
    held = held_out(workspace, candidate, candidates["production"])
    adapters = {name: workspace.path(one) / "adapter" for name, one in candidates.items()}
    systems = Systems(engine.locate(candidate.model, progress), adapters["tuned"], knowledge)
    asked, limits = held.asked(settings.answers), ReplyOptions(max_tokens=settings.longest_answer)
    system = "both" if knowledge else "tuned"
    said = answered(
        systems.base, adapters, asked, lambda _, one: Ask(systems.messages(system, one), limits), workspace.store / KEPT, progress
    )
    documents = Documents(workspace, knowledge) if knowledge else None
    scores = scored(asked, said, Measures(workspace.settings, documents, held.voice()))
    sheet = Sheet(held.texts, {name: [None] * len(held.texts) for name in said}, asked, scores)
    return Part(
        examples=sum(held.whole(one.conversation) for one in asked),
        systems=sheet.figures(held.whole),
        differences=sheet.differences("tuned", "production", held.whole),
    )


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

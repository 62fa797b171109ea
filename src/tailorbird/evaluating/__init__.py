"""Candidate -> Scorecard: base against tuned on conversations neither has seen, every figure with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence

from tailorbird import engine
from tailorbird.artifacts import Audit, Candidate, Conversation, Part, Plan, Scorecard, make_id
from tailorbird.errors import InputError
from tailorbird.evaluating import report
from tailorbird.evaluating.answering import Answer, Question, answered, questions
from tailorbird.evaluating.figures import Sheet, everything, languages, scored, verdict
from tailorbird.evaluating.labelling import Labelled, labelled, part_of
from tailorbird.evaluating.preferring import preferring
from tailorbird.evaluating.production import compare
from tailorbird.lessons import labels, taught
from tailorbird.progress import Progress, silent
from tailorbird.replier import ReplyOptions
from tailorbird.workspace import Workspace, read_conversations, write_lines

__all__ = ["Answer", "compare", "evaluate"]
_ANSWERS = "answers"  # of all systems, kept from one scorecard to the next


def evaluate(workspace: Workspace, candidate: Candidate, progress: Progress = silent) -> Scorecard:
    """Compares the base model and the tuned one on the test split.

    Loss uses every agent turn of every test conversation. The other figures compare greedy answers, written by the
    engine that serves customers, with what the agent wrote. Intervals resample conversations, not turns. Other tasks, and
    languages where there are several, have figures of their own. Without any customer to answer, the whole is about the tasks.
    """
    settings, tasks = workspace.settings.evaluation, workspace.settings.tasks
    told = {name: task.model_dump(exclude={"weight"}) for name, task in tasks.items()}
    identity = make_id(Scorecard, candidate=candidate.id, settings=settings.model_dump(), tasks=told)
    if found := workspace.find(Scorecard, identity):
        return workspace.use(found)
    audit, plan = workspace.ancestor(candidate, Audit), workspace.ancestor(candidate, Plan)
    test = list(taught(read_conversations(workspace.path(audit) / "test.jsonl"), tasks))
    base = engine.locate(candidate.model, progress)
    systems = {"base": None, "tuned": workspace.path(candidate) / "adapter"}
    written = [one for one in test if one.task not in tasks or tasks[one.task].answer == "text"]
    texts = written if any(_is_answer(one) for one in written) else test
    whole = _is_answer if texts is written else everything
    losses = engine.conversation_losses(base, systems, [c.messages for c in texts], plan.sequence_length, progress)
    if not any(loss for loss, one in zip(losses["base"], texts, strict=True) if whole(one)):
        raise InputError(
            f"No held-out conversation fits {plan.sequence_length} tokens, so nothing can be compared.",
            fix="Raise training.sequence_length in tailorbird.yaml, then plan and train again.",
        )
    asked = _asked(written, settings.answers)
    limits = dict.fromkeys({one.task for one in written}, ReplyOptions(max_tokens=settings.longest_answer))
    said = answered(base, systems, asked, limits, workspace.store / _ANSWERS, progress)
    known = _labels(workspace, list(taught(read_conversations(workspace.path(audit) / "train.jsonl"), tasks)))
    rows = labelled(base, systems, test, known, settings.labels, workspace.store / _ANSWERS, progress)
    preferred = preferring(base, systems, test, plan.sequence_length, progress)
    with progress("Computing intervals", None):
        sheet = Sheet(texts, losses, asked, scored(asked, said))
        figures, differences = sheet.figures(whole), sheet.differences("tuned", "base", whole)
        parts = _parts(sheet, rows) | preferred
    better, worse = verdict(differences)
    card = Scorecard(
        id=identity,
        made_from=(candidate.id,),
        test_conversations=sum(whole(one) for one in texts),
        test_answers=sum(whole(question.conversation) for question in asked),
        systems=figures,
        differences={"tuned-base": differences},
        parts=parts,
        generalisation_gap=figures["tuned"]["loss"].value - candidate.train_loss,
        better=better,
        worse=worse,
    )
    answers = _answers(asked, said)
    with workspace.drafting(identity) as draft:
        write_lines(draft / "answers.jsonl", answers)
        write_lines(draft / "labels.jsonl", rows)
        report.write(draft / "report.html", workspace, card, answers)
        return workspace.save(card, draft)


def _is_answer(conversation: Conversation) -> bool:
    """Whether a customer is answered in it, which is what the figures of the whole are about."""
    return not conversation.task


def _asked(texts: Sequence[Conversation], most: int) -> list[Question]:
    """The questions of customers and those of each other task that is answered in words."""
    names = dict.fromkeys(one.task for one in texts)
    return [question for name in names for question in questions([one for one in texts if one.task == name], most)]


def _labels(workspace: Workspace, learned: Sequence[Conversation]) -> dict[str, tuple[str, ...]]:
    told = {name: labels(task, name, learned) for name, task in workspace.settings.tasks.items()}
    return {name: known for name, known in told.items() if known}


def _parts(sheet: Sheet, rows: Sequence[Labelled]) -> dict[str, Part]:
    """Languages, where there are several, and tasks."""
    parts = {}
    spoken = languages(sheet.conversations)
    for name in spoken if len(spoken) > 1 else []:
        parts[f"language {name}"] = _part(sheet, "", name)
    for task in dict.fromkeys(one.task for one in sheet.conversations if one.task):
        parts[f"task {task}"] = _part(sheet, task, None)
    for task in dict.fromkeys(row.task for row in rows):
        parts[f"task {task}"] = part_of([row for row in rows if row.task == task])
    return parts


def _part(sheet: Sheet, task: str, language: str | None) -> Part:
    def chosen(one: Conversation) -> bool:
        return one.task == task and language in (None, one.language)

    return Part(
        examples=sum(chosen(one) for one in sheet.conversations),
        systems=sheet.figures(chosen),
        differences=sheet.differences("tuned", "base", chosen),
    )


def _answers(asked: Sequence[Question], said: dict[str, list[str]]) -> list[Answer]:
    return [
        Answer(
            conversation=question.conversation.id,
            question=question.history[-1]["content"],
            agent=question.agent,
            base=said["base"][place],
            tuned=said["tuned"][place],
        )
        for place, question in enumerate(asked)
    ]

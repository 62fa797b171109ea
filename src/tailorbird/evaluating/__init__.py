"""Candidate -> Scorecard: base against tuned on conversations neither has seen, every figure with its uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tailorbird import engine
from tailorbird.artifacts import Audit, Candidate, Conversation, Dataset, Part, Plan, Scorecard, make_id
from tailorbird.evaluating import report
from tailorbird.evaluating.answering import KEPT, Answer, Ask, Question, answered
from tailorbird.evaluating.checking import Documents
from tailorbird.evaluating.concerns import concerns
from tailorbird.evaluating.deciding import choose, table
from tailorbird.evaluating.exposure import exposure
from tailorbird.evaluating.figures import Sheet, languages, verdict
from tailorbird.evaluating.following import follow
from tailorbird.evaluating.harness import digests, harness
from tailorbird.evaluating.held_out import HeldOut, held_out
from tailorbird.evaluating.judging import judging, people
from tailorbird.evaluating.labelling import Labelled, Readers, labelled, part_of
from tailorbird.evaluating.leaking import leaking
from tailorbird.evaluating.preferring import preferring
from tailorbird.evaluating.probing import Business, attacked, fairness, forgetting, safety
from tailorbird.evaluating.production import compare
from tailorbird.evaluating.scoring import Measures, scored
from tailorbird.evaluating.subjects import subjects
from tailorbird.evaluating.systems import Systems
from tailorbird.evaluating.teaching import explained
from tailorbird.evaluating.timing import seconds_to_change_a_fact, taken
from tailorbird.knowledge import Knowledge, documents_of
from tailorbird.language import label_classifier
from tailorbird.prices import electricity
from tailorbird.progress import Progress, silent
from tailorbird.replier import ReplyOptions
from tailorbird.workspace import Workspace, read_conversations, read_lines, write_lines

__all__ = ["Answer", "compare", "evaluate", "follow"]


def evaluate(workspace: Workspace, candidate: Candidate, progress: Progress = silent) -> Scorecard:
    """Compares the base model and the tuned one on the test split, alone and with the business's documents where there are any.

    Loss uses every agent turn of every test conversation. The other figures compare greedy answers, many of
    which are written together, with what the agent wrote. Intervals resample conversations, not turns. Other tasks, and
    languages where there are several, have figures of their own. Without any customer to answer, the whole is about the tasks.
    """
    settings = workspace.settings.evaluation
    knowledge = documents_of(workspace, engine.embed, progress)
    money = electricity(workspace.folder, workspace.settings.currency)
    identity = _identity(workspace, candidate, knowledge)
    if found := workspace.find(Scorecard, identity):
        return workspace.use(found)
    audit, plan = workspace.ancestor(candidate, Audit), workspace.ancestor(candidate, Plan)
    held, kept = held_out(workspace, candidate), workspace.store / KEPT
    systems = Systems(engine.locate(candidate.model, progress), workspace.path(candidate) / "adapter", knowledge)
    losses = held.losses(systems, plan.sequence_length, progress)
    learned = held.learned_loss(systems, plan.sequence_length, progress)
    asked, limits = held.asked(settings.answers), ReplyOptions(max_tokens=settings.longest_answer)
    said = answered(
        systems.base, systems.adapters, asked, lambda system, one: Ask(systems.messages(system, one), limits), kept, progress
    )
    judged = judging(workspace, asked, said, kept, progress)
    second = label_classifier.load(workspace.path(candidate) / label_classifier.FILE)
    rows = labelled(
        systems.base, systems.alone, held.test, Readers(held.tasks, held.labels(), second), settings.labels, kept, progress
    )
    business = Business(workspace.settings, audit.system_prompt, "\n".join(knowledge.texts()) if knowledge else "")
    tried = attacked(systems, business, kept, progress)
    contrasts = fairness(systems, business, languages(held.texts) or ["en"], kept, progress)
    more = preferring(systems.base, systems.alone, held.test, plan.sequence_length, progress)
    more |= harness(workspace, systems, progress) | safety(tried) | (forgetting(systems, progress) if settings.forgetting else {})
    originals = read_lines(workspace.path(workspace.ancestor(audit, Dataset)) / "conversations.jsonl", Conversation)
    leaks = leaking(systems, held, originals, settings.training_answers, plan.sequence_length, (kept, progress))
    lessons = read_conversations(workspace.path(plan) / "train.jsonl")
    more |= leaks.parts | exposure(systems, lessons, plan.sequence_length, progress)
    with progress("Computing figures and intervals", None):
        documents = Documents(workspace, knowledge) if knowledge else None
        scores = scored(asked, said, Measures(workspace.settings, documents, held.voice()))
        sheet = Sheet(held.texts, losses, asked, scores)
        card = _card(identity, candidate, held, sheet, learned, systems.pairs, _parts(sheet, rows) | more)
    card = card.model_copy(update={"concerns": concerns(card, contrasts, leaks.rows), "judged": judged})
    closeness = scores["tuned"]["embedding_similarity"]
    answers = _answers(asked, said, systems, documents)
    taught = explained(workspace, candidate, systems, asked, answers, progress)
    examples = report.Examples(subjects(held.learned, asked, closeness), answers, tried, contrasts, leaks.rows, taught)
    page = _account(workspace, card, systems, asked, examples, money, progress)
    with workspace.drafting(identity) as draft:
        write_lines(draft / "answers.jsonl", answers)
        write_lines(draft / "labels.jsonl", rows)
        write_lines(draft / "attacks.jsonl", tried)
        write_lines(draft / "leaks.jsonl", leaks.rows)
        report.write(draft, workspace, page)
        return workspace.save(card, draft)


def _card(
    identity: str, candidate: Candidate, held: HeldOut, sheet: Sheet, learned: float, pairs: Sequence[tuple[str, str]],
    parts: dict[str, Part],
) -> Scorecard:  # fmt: skip
    figures = sheet.figures(held.whole)
    differences = {f"{one}-{other}": sheet.differences(one, other, held.whole) for one, other in pairs}
    told = {pair: verdict(found) for pair, found in differences.items()}
    card = Scorecard(
        id=identity,
        made_from=(candidate.id,),
        test_conversations=sum(held.whole(one) for one in held.texts),
        test_answers=sum(held.whole(question.conversation) for question in sheet.questions),
        systems=figures,
        differences=differences,
        parts=parts,
        generalisation_gap=figures["tuned"]["loss"].value - learned,
        better={pair: better for pair, (better, _) in told.items()},
        worse={pair: worse for pair, (_, worse) in told.items()},
    )
    return card.model_copy(update={"use": choose(card)})


def _account(
    workspace: Workspace, card: Scorecard, systems: Systems, asked: list[Question], examples: report.Examples,
    money: Callable[[float], str], progress: Progress,
) -> report.Account:  # fmt: skip
    """What the report tells, with what the systems take in service."""
    candidate = workspace.ancestor(card, Candidate)
    adapter = workspace.path(candidate) / "adapter"
    megabytes = sum(path.stat().st_size for path in adapter.glob("*.safetensors")) / 1e6
    seconds = seconds_to_change_a_fact(workspace) if "knowledge" in systems.all else None
    times = taken(systems, asked, workspace.store / KEPT, progress)
    rows = table(card, candidate, megabytes, times, seconds, money)
    return report.account(workspace, card, rows, report.Service(times, seconds), examples)


def _identity(workspace: Workspace, candidate: Candidate, knowledge: Knowledge | None) -> str:
    """Of everything that the figures depend on."""
    settings, tasks = workspace.settings.evaluation, workspace.settings.tasks
    return make_id(
        Scorecard,
        candidate=candidate.id,
        settings=settings.model_dump(),
        tasks={name: task.model_dump(exclude={"weight"}) for name, task in tasks.items()},
        documents=knowledge.digests() if knowledge else {},
        judged=[row.id for row in people(workspace)],
        harness=digests(workspace),
    )


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


def _answers(
    asked: Sequence[Question], said: dict[str, list[str]], systems: Systems, documents: Documents | None
) -> list[Answer]:
    return [
        Answer(
            conversation=question.conversation.id,
            question=question.history[-1]["content"],
            agent=question.agent,
            **{system: texts[place] for system, texts in said.items()},
            passages=tuple(passage.citation for passage in systems.passages(question)),
            unsupported={
                system: tuple(one.text for one in documents.unsupported(question, texts[place]))
                for system, texts in said.items()
            } if documents else {},
        )
        for place, question in enumerate(asked)
    ]  # fmt: skip

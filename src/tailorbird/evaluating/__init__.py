"""Candidate -> Scorecard: base against tuned on conversations neither has seen, every figure with its uncertainty."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from tailorbird import engine, language
from tailorbird.artifacts import Audit, Candidate, Conversation, Figure, Interval, Plan, Scorecard, make_id
from tailorbird.errors import InputError
from tailorbird.evaluating import intervals, report
from tailorbird.progress import Progress, silent
from tailorbird.replier import Message, Replier, ReplyOptions, reply
from tailorbird.workspace import Workspace, read_conversations, write_lines

_SEED = 7
_SYSTEMS = ("base", "tuned")


class Metric(NamedTuple):
    """What a figure is measured in, and which way is better."""

    unit: str
    better: str


METRICS = {
    "loss": Metric("nats per token", "lower"),
    "chrf": Metric("0 to 1", "higher"),
    "rouge_l": Metric("0 to 1", "higher"),
    "embedding_similarity": Metric("cosine", "higher"),
}


class Answer(BaseModel):
    """One held-out question with the agent's answer and both models'."""

    conversation: str
    question: str
    agent: str
    base: str
    tuned: str


class _Question(NamedTuple):
    conversation: Conversation
    history: list[Message]
    agent: str


def evaluate(workspace: Workspace, candidate: Candidate, progress: Progress = silent) -> Scorecard:
    """Compares the base model and the tuned one on the test split.

    Loss uses every agent turn of every test conversation. The other figures compare greedy answers, written by the
    engine that serves customers, with what the agent wrote. Intervals resample conversations, not turns.
    """
    settings = workspace.settings.evaluation
    identity = make_id(Scorecard, candidate=candidate.id, settings=settings.model_dump())
    if found := workspace.find(Scorecard, identity):
        return workspace.use(found)
    audit, plan = workspace.ancestor(candidate, Audit), workspace.ancestor(candidate, Plan)
    test = read_conversations(workspace.path(audit) / "test.jsonl")
    base, adapter = engine.locate(candidate.model, progress), workspace.path(candidate) / "adapter"
    losses = engine.conversation_losses(base, adapter, [c.messages for c in test], plan.sequence_length, progress)
    if not any(losses["base"]):
        raise InputError(
            f"No held-out conversation fits {plan.sequence_length} tokens, so nothing can be compared.",
            fix="Raise training.sequence_length in tailorbird.yaml, then plan and train again.",
        )
    answers = _answers(base, adapter, _questions(test, settings.answers), settings.longest_answer, progress)
    scores = _scores(answers)
    with progress("Computing intervals", None):
        systems, differences = _figures(losses, answers, scores)
    better, worse = _verdict(differences)
    card = Scorecard(
        id=identity,
        made_from=(candidate.id,),
        test_conversations=len(test),
        test_answers=len(answers),
        systems=systems,
        differences={"tuned-base": differences},
        generalisation_gap=systems["tuned"]["loss"].value - candidate.train_loss,
        better=better,
        worse=worse,
    )
    with workspace.drafting(identity) as draft:
        write_lines(draft / "answers.jsonl", answers)
        report.write(draft / "report.html", workspace, card, answers)
        return workspace.save(card, draft)


def _questions(test: list[Conversation], most: int) -> list[_Question]:
    """The agent turns to answer: the first of every conversation, then the second ones, and so on up to `most`."""
    ranked = []
    for place, conversation in enumerate(test):
        messages = conversation.messages
        turns = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
        for number, i in enumerate(turns):
            ranked.append(((number, place), _Question(conversation, messages[:i], messages[i]["content"])))
    return [question for _, question in sorted(ranked, key=lambda pair: pair[0])[:most]]


def _answers(base: Path, adapter: Path, questions: list[_Question], longest: int, progress: Progress) -> list[Answer]:
    texts: dict[str, list[str]] = {}
    with progress("Writing held-out answers", 2 * len(questions)) as advance:
        for system in _SYSTEMS:
            replier = engine.open_replier(system, base, adapter if system == "tuned" else None)

            def ask(question: _Question, replier: Replier = replier) -> str:
                text = reply(replier, question.history, ReplyOptions(max_tokens=longest)).text
                advance(1)
                return text

            with ThreadPoolExecutor(replier.parallel) as pool:
                texts[system] = list(pool.map(ask, questions))
            replier.close()
    return [
        Answer(
            conversation=question.conversation.id,
            question=question.history[-1]["content"],
            agent=question.agent,
            base=texts["base"][i],
            tuned=texts["tuned"][i],
        )
        for i, question in enumerate(questions)
    ]


def _scores(answers: list[Answer]) -> dict[str, dict[str, list[float]]]:
    """system -> metric -> one score for each answer."""
    agents = [answer.agent for answer in answers]
    scores = {}
    for system in _SYSTEMS:
        said = [str(getattr(answer, system)) for answer in answers]
        scores[system] = {
            "chrf": [language.chrf(a, b) for a, b in zip(said, agents, strict=True)],
            "rouge_l": [language.rouge_l(a, b) for a, b in zip(said, agents, strict=True)],
            "embedding_similarity": _closeness(said, agents),
        }
    return scores


def _closeness(said: list[str], agents: list[str]) -> list[float]:
    """The cosine of the meanings of each answer and the agent's, -1 to 1; 0 for no answer."""
    cosines: list[float] = (engine.embed(said) * engine.embed(agents)).sum(axis=1).tolist()
    return [cosine if text.strip() else 0.0 for text, cosine in zip(said, cosines, strict=True)]


def _figures(
    losses: dict[str, list[tuple[float, int] | None]], answers: list[Answer], scores: dict[str, dict[str, list[float]]]
) -> tuple[dict[str, dict[str, Figure]], dict[str, Interval]]:
    groups = [answer.conversation for answer in answers]
    known = [i for i, loss in enumerate(losses["base"]) if loss is not None]
    sums: dict[str, dict[str, list[tuple[float, float]]]] = {system: {} for system in _SYSTEMS}
    for system in _SYSTEMS:
        sums[system]["loss"] = [loss for i in known if (loss := losses[system][i])]
        for metric, values in scores[system].items():
            sums[system][metric] = intervals.by_group(values, groups)
    systems = {
        system: {
            name: Figure(**intervals.mean(sums[system][name], _SEED).model_dump(), unit=metric.unit, better=metric.better)
            for name, metric in METRICS.items()
        }
        for system in _SYSTEMS
    }
    differences = {name: intervals.difference(sums["tuned"][name], sums["base"][name], _SEED) for name in METRICS}
    return systems, differences


def _verdict(differences: dict[str, Interval]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The metrics whose difference is better, and worse, with an interval that excludes zero."""
    better: list[str] = []
    worse: list[str] = []
    for name, difference in differences.items():
        if difference.low > 0 or difference.high < 0:
            improved = (difference.high < 0) == (METRICS[name].better == "lower")
            (better if improved else worse).append(name)
    return tuple(better), tuple(worse)

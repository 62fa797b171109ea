"""Two answers to one question, to be judged without knowing who wrote which: of the newest scorecard, or of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from tailorbird.artifacts import Audit, Conversation, Scorecard, Turn
from tailorbird.errors import WorkspaceError
from tailorbird.feedback.judgement import Feedback, Kind, what_is_wrong
from tailorbird.feedback.reading import BadRowError, Rejected, messages, rejected, rows
from tailorbird.workspace import Workspace, read_lines

_OPPONENTS = (("base", "tuned"), ("tuned", "agent"))


class _HeldOut(BaseModel):
    """What is needed of a line of the scorecard's answers.jsonl."""

    model_config = ConfigDict(extra="ignore")

    conversation: str
    question: str
    agent: str
    base: str
    tuned: str


class Comparison(NamedTuple):
    """A question and two answers, with the names of who wrote them; `source` is where they come from."""

    messages: tuple[Turn, ...]
    answers: tuple[str, str]
    writers: tuple[str, str]
    source: str
    customer_id: str | None = None
    conversation: str | None = None
    task: str = ""

    def judged(self, better: int | None, judge: str | None) -> Feedback:
        """The judgement that the first (0), the second (1) or neither answer is better."""
        first, second = (1, 0) if better == 1 else (0, 1)
        kind: Kind = "tie" if better is None else "pair"
        return Feedback(
            kind=kind, messages=self.messages, completion=self.answers[first], rejected=self.answers[second], judge=judge,
            customer_id=self.customer_id, conversation=self.conversation, task=self.task,
            source=f"{self.source}: {self.verdict(better)}",
        )  # fmt: skip

    def verdict(self, better: int | None) -> str:
        """The judgement in words, such as `tuned over base`."""
        if better is None:
            return f"neither {self.writers[0]} nor {self.writers[1]}"
        return f"{self.writers[better]} over {self.writers[1 - better]}"


def unjudged(comparisons: Iterable[Comparison], known: Iterable[Feedback]) -> list[Comparison]:
    """Those that nobody has judged yet, each once."""
    seen = {_key(row.messages, row.completion, row.rejected or "") for row in known if row.kind in ("pair", "tie")}
    left = []
    for one in comparisons:
        row = one.judged(None, None)
        key = _key(row.messages, row.completion, row.rejected or "")
        if key not in seen:
            seen.add(key)
            left.append(one)
    return left


def held_out(workspace: Workspace) -> list[Comparison]:
    """Base and tuned, then tuned and the agent, on the newest scorecard's questions; raises WorkspaceError without any."""
    card = workspace.newest(Scorecard, "evaluate")
    path = workspace.path(card) / "answers.jsonl"
    try:
        answers = list(read_lines(path, _HeldOut))
    except (OSError, ValidationError) as problem:
        raise WorkspaceError(
            "The held-out answers cannot be read.", fix="Run `tailorbird evaluate` again.", where=str(path)
        ) from problem
    asked = _conversations(workspace, card, {answer.conversation for answer in answers})
    return [
        one
        for pair in _OPPONENTS
        for answer in answers
        if (one := _of_answer(answer, pair, asked.get(answer.conversation), card.id))
    ]


def of_file(path: Path, source: str) -> Iterator[Comparison | Rejected]:
    """Lines with prompt and answers [a, b]; raises InputError where the file cannot be read."""
    for row in rows(path):
        try:
            if row.damage:
                raise BadRowError("row", row.damage, "Correct it, or export the file again.")
            one = _comparison(row.value.get("prompt"), row.value.get("answers"), source)
            customer, conversation = (str(row.value.get(name) or "") or None for name in ("customer_id", "conversation"))
            yield one._replace(customer_id=customer, conversation=conversation, task=str(row.value.get("task") or ""))
        except BadRowError as problem:
            yield rejected(row, problem, path, source)


def _comparison(prompt: object, answers: object, source: str) -> Comparison:
    if not isinstance(answers, list) or len(answers) != 2 or not all(isinstance(answer, str) for answer in answers):
        raise BadRowError("answers", "it is no list of two texts", 'Write "answers": ["one answer", "the other"].')
    one = Comparison(tuple(messages(prompt, "prompt")), (answers[0], answers[1]), ("first", "second"), source)
    try:
        one.judged(None, None)
    except ValidationError as problem:
        field, reason = what_is_wrong(problem)
        column = "prompt" if field == "messages" else "answers"
        raise BadRowError(column, reason, "Give a question, and two answers that differ.") from problem
    return one


def _of_answer(answer: _HeldOut, pair: tuple[str, str], asked: Conversation | None, card: str) -> Comparison | None:
    """The comparison of two systems' answers with the conversation before them; None where there is nothing to compare."""
    said = {"base": answer.base, "tuned": answer.tuned, "agent": answer.agent}
    customer, task = (asked.customer_id, asked.task) if asked else (None, "")
    answers = said[pair[0]], said[pair[1]]
    one = Comparison(_history(answer, asked), answers, pair, card, customer, answer.conversation, task)
    try:
        one.judged(None, None)
    except ValidationError:  # an empty answer, or twice the same
        return None
    return one


def _history(answer: _HeldOut, asked: Conversation | None) -> tuple[Turn, ...]:
    """What was said up to the answer, where its conversation is still there; else the question alone."""
    turns = asked.turns if asked else ()
    for number in range(1, len(turns)):
        if turns[number].content == answer.agent and turns[number - 1].content == answer.question:
            return turns[:number]
    return (Turn(role="user", content=answer.question),)


def _conversations(workspace: Workspace, card: Scorecard, ids: set[str]) -> dict[str, Conversation]:
    path = workspace.path(workspace.ancestor(card, Audit)) / "test.jsonl"
    return {one.id: one for one in read_lines(path, Conversation) if one.id in ids} if path.is_file() else {}


def _key(turns: tuple[Turn, ...], *answers: str) -> tuple[object, ...]:
    return (*((turn.role, turn.content) for turn in turns), *sorted(answers))

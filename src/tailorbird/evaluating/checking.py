"""What can be checked of an answer: figures that nothing supports, contradictions, hand-off when due, length, language."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from tailorbird import engine, language
from tailorbird.evaluating.answering import Question
from tailorbird.knowledge import Knowledge
from tailorbird.language.facts import Fact, against, facts
from tailorbird.language.rewards import offers_person
from tailorbird.language.specifics import Known, Specific, unsupported
from tailorbird.language.statements import is_reckoned, statements
from tailorbird.settings import Settings
from tailorbird.workspace import KNOWLEDGE, Workspace

Values = list[float | None]
"""One value for each answer; None where it does not count."""
_SURE = 0.5  # of a language
_CAPITALS = ("de", "lb")  # languages that write nouns with capitals
_PER_HUNDRED = 100.0


class Documents:
    """What the business's documents state, to hold answers against."""

    def __init__(self, workspace: Workspace, knowledge: Knowledge | None) -> None:
        self.folder = workspace.folder / KNOWLEDGE
        self._known = Known(knowledge.texts() if knowledge else [])
        self._facts: list[Fact] = facts(self.folder) if knowledge else []

    def unsupported(self, question: Question, answer: str) -> list[Specific]:
        """What an answer states that neither the conversation nor the documents have."""
        told = Known([message["content"] for message in question.history], self._known)
        return unsupported(answer, told, names=question.conversation.language not in _CAPITALS)

    def contradicted(self, asked: Sequence[Question], answers: Sequence[str]) -> list[list[str]]:
        """For each answer, what it states otherwise than the documents, in words."""
        told = [question.history[-1]["content"] for question in asked]
        vectors: Any = engine.embed(told) if self._facts else []
        stated = [
            (place, statement, vectors[place])
            for place, answer in enumerate(answers) if len(vectors)
            for statement in statements(answer) if not is_reckoned(statement, told[place])
        ]  # fmt: skip
        found: list[list[str]] = [[] for _ in answers]
        for one in against(stated, self._facts, engine.embed):
            found[one.place].append(f"“{one.statement.text[:80]}”; {one.fact.document} says “{one.instead.text[:80]}”")
        return found


def supported(documents: Documents, asked: Sequence[Question], answers: Sequence[str]) -> dict[str, Values]:
    """How many unsupported specifics, and contradictions, each answer has; in hundredths, so that a mean is per 100 answers."""
    spans = [len(documents.unsupported(question, answer)) for question, answer in zip(asked, answers, strict=True)]
    return {
        "unsupported": [_PER_HUNDRED * count for count in spans],
        "contradictions": [_PER_HUNDRED * len(found) for found in documents.contradicted(asked, answers)],
    }


def handed_off(asked: Sequence[Question], answers: Sequence[str], settings: Settings) -> dict[str, Values]:
    """Whether a person is offered where the help desk's tags say that one was needed, and only there; empty without such tags.

    Tags are of a whole conversation, so only the answer to a conversation's last question is looked at.
    """
    due = [_due(question, settings.evaluation.hand_off_tags) for question in asked]
    if not any(due):
        return {}
    offered = [offers_person(answer, settings.audit.keep) for answer in answers]
    both = list(zip(due, offered, strict=True))
    return {
        "hand_off_recall": [float(one) if needed else None for needed, one in both],
        "hand_off_precision": [float(bool(needed)) if one and needed is not None else None for needed, one in both],
    }


def length_off(answers: Sequence[str], agents: Sequence[str]) -> Values:
    """How far each answer's length is from the agent's: 0 for as many words, 0.7 for half or twice as many."""
    return [
        abs(math.log((len(answer.split()) + 1) / (len(agent.split()) + 1))) for answer, agent in zip(answers, agents, strict=True)
    ]


def in_language(text: str, wanted: str) -> float:
    """1 unless the text is surely in another language than the customer's, or empty."""
    found, sure = language.identify(text)
    return float(bool(text.strip()) and (not wanted or found == wanted or sure < _SURE))


def _due(question: Question, tags: Iterable[str]) -> bool | None:
    """Whether a person was needed; None where another question of the conversation came later."""
    last = [turn for turn in question.conversation.turns if turn.role == "assistant"][-1]
    if last.content != question.agent:
        return None
    return bool(set(question.conversation.tags) & set(tags))

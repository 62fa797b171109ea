"""Answers that state another figure or day than the business's own documents do on the same matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tailorbird import engine
from tailorbird.auditing.examples import Example
from tailorbird.auditing.findings import Finding
from tailorbird.language.facts import NEAR, Fact, against
from tailorbird.language.statements import is_reckoned, statements


def outdated(examples: Sequence[Example], told: Sequence[Fact]) -> Iterator[tuple[str, Finding]]:
    """Statements of answers that the documents contradict, with the conversation's id."""
    stated = [
        (place, statement, one.question_embedding)
        for place, one in enumerate(examples)
        for statement in statements(one.answer)
        if not is_reckoned(statement, one.question)
    ]
    for found in against(stated, told, engine.embed):
        one = examples[found.place]
        detail = f"says “{found.statement.text[:80]}”; {found.fact.document} says “{found.instead.text[:80]}”"
        yield one.id, Finding(rule="outdated", turn=one.turn, score=round(found.score, 2), threshold=NEAR, detail=detail)

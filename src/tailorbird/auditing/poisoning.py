"""Poisoned training data: instructions to models, hidden text, backdoors, foreign contacts and products, flipped labels.

`injected` looks at one conversation; `poisoned` at a whole data set, because most poison shows only beside the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tailorbird.artifacts import Conversation
from tailorbird.auditing.authors import flipped
from tailorbird.auditing.examples import Example, Own
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.foreign import foreign
from tailorbird.auditing.neighbours import Neighbours
from tailorbird.auditing.outliers import oddness, outlying
from tailorbird.auditing.triggers import triggered
from tailorbird.language.hidden import hidden
from tailorbird.language.injections import THRESHOLD
from tailorbird.language.instructing import instructing, readings

__all__ = ["Example", "Own", "injected", "poisoned"]

_FEWEST = 40
"""Below so many examples nobody knows what answers are usual."""
_WHO = {"user": "The customer's message", "assistant": "The answer"}


def injected(conversation: Conversation) -> Iterator[Finding]:
    """Instructions to a model and hidden text in this conversation's own words."""
    turns = [turn for turn in conversation.turns if turn.role != "system"]
    for number, turn in enumerate(turns, start=1):
        text, who = turn.content, _WHO[turn.role]
        concealed = list(hidden(text))
        for found in concealed:
            yield Finding(rule="hidden_text", turn=number, detail=f"{who} has {found.detail}.", score=found.number, threshold=1)
        for reading in readings(text, concealed):
            if told := instructing(reading):
                yield Finding(
                    rule="injection", turn=number, score=told.score, threshold=THRESHOLD,
                    detail=f"{who} {', '.join(told.reasons)}: this is written for a model, not for a person.",
                )  # fmt: skip
                break


def poisoned(examples: Sequence[Example], own: Own, near: Neighbours | None = None) -> dict[str, list[Finding]]:
    """Findings by conversation id that need the whole data set: triggers, foreign contacts and products, authors, outliers."""
    found: dict[str, list[Finding]] = defaultdict(list)
    if len(examples) < 2:
        return {}
    near = near or Neighbours(examples)
    searches = [foreign(examples, own), flipped(examples, near)]
    if len(examples) >= _FEWEST:
        odd = oddness(examples, near)
        searches += [triggered(examples, near, odd), outlying(examples, odd)]
    for searching in searches:
        for identity, finding in searching:
            found[identity].append(finding)
    return dict(found)

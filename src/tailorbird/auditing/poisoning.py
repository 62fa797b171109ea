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
from tailorbird.auditing.hidden import hidden, visible
from tailorbird.auditing.injection_model import judge
from tailorbird.auditing.injections import THRESHOLD, Injection, markers
from tailorbird.auditing.neighbours import Neighbours
from tailorbird.auditing.outliers import oddness, outlying
from tailorbird.auditing.triggers import triggered

__all__ = ["Example", "Own", "injected", "poisoned"]

_FEWEST = 40
"""Below so many examples nobody knows what answers are usual."""
_QUOTED = 120
_VETO = -4.0
"""Below this score a text that has the words of a command means something else ("ignore the rules on the label")."""
_WHO = {"user": "The customer's message", "assistant": "The answer"}


def injected(conversation: Conversation) -> Iterator[Finding]:
    """Instructions to a model and hidden text in this conversation's own words."""
    turns = [turn for turn in conversation.turns if turn.role != "system"]
    for number, turn in enumerate(turns, start=1):
        text, who = turn.content, _WHO[turn.role]
        concealed = list(hidden(text))
        for found in concealed:
            yield Finding(rule="hidden_text", turn=number, detail=f"{who} has {found.detail}.", score=found.number, threshold=1)
        readings = [text, *(found.text for found in concealed if found.text)]
        if not text.isascii() and (bare := visible(text)) != text:
            readings.append(bare)
        for reading in readings:
            if told := _instructing(reading):
                yield Finding(
                    rule="injection", turn=number, score=told.score, threshold=THRESHOLD,
                    detail=f"{who} {', '.join(told.reasons)}: this is written for a model, not for a person.",
                )  # fmt: skip
                break


def _instructing(text: str) -> Injection | None:
    """What speaks for an instruction to a model in a text, if enough does: a control mark, known words, or its meaning."""
    marks = list(markers(text))
    if marks and max(points for _, points in marks) >= THRESHOLD:
        return Injection(max(points for _, points in marks), tuple(dict.fromkeys(reason for reason, _ in marks))[:3])
    judged = judge().judge(text)
    known = judged.known
    if known.score >= THRESHOLD and judged.score > _VETO:
        return known
    if judged.score > 0:
        quote = judged.stretch if len(judged.stretch) <= _QUOTED else f"{judged.stretch[:_QUOTED]}…"
        return Injection(round(THRESHOLD + judged.score, 3), (f"{judged.kind} (“{quote}”)",))
    return None


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

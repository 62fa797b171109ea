"""Which subjects the tuned model answers least well, with examples: what to collect more of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import Conversation
from tailorbird.evaluating.answering import Question
from tailorbird.evaluating.checking import Values
from tailorbird.language.clusters import clusters, named

_FEWEST, _MOST = 3, 12
_FEWEST_ASKED = 2  # held-out questions that say something about a subject


class Subject(BaseModel):
    """What some questions are about: how many were learned from and held out, how close answers came, and the worst of them."""

    label: str
    learned: int
    held_out: int
    closeness: float
    example: str


def subjects(learned: Sequence[Conversation], asked: Sequence[Question], closeness: Values) -> list[Subject]:
    """Subjects of what was learned with the held-out questions nearest to them, those answered worst first."""
    first = [next((t.content for t in one.turns if t.role == "user"), "") for one in learned if not one.task]
    rows = [(one, close) for one, close in zip(asked, closeness, strict=True) if not one.conversation.task and close is not None]
    if len(first) < _FEWEST or not rows:
        return []
    known = engine.embed(first)
    questions = [one.history[-1]["content"] for one, _ in rows]
    members = clusters(known, _FEWEST, _MOST)
    centres = np.stack([known[those].mean(axis=0) for those in members])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    nearest = (engine.embed(questions) @ centres.T).argmax(axis=1)
    found = []
    for number, label in enumerate(named([[first[place] for place in those] for those in members])):
        own = [place for place, near in enumerate(nearest) if near == number]
        if len(own) >= _FEWEST_ASKED:
            close = [float(rows[place][1] or 0.0) for place in own]
            worst = own[int(np.argmin(close))]
            found.append(
                Subject(
                    label=label, learned=len(members[number]), held_out=len(own), closeness=round(float(np.mean(close)), 3),
                    example=questions[worst],
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: one.closeness)

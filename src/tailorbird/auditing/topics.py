"""What customers ask about, and where an assistant would help most: topics of their first messages, with what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import fmean, median
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from tailorbird.artifacts import Conversation
from tailorbird.auditing.examples import Example
from tailorbird.auditing.exemplary import escalated
from tailorbird.language.clusters import clusters, named

_WORDS = 40  # of a first message; the rest rarely changes what it is about
_FEWEST, _MOST = 3, 24  # topics
_FEWEST_CASES = 12
_TOO_OFTEN_ESCALATED = 0.25
_BADLY_RATED = 3.0


class Case(BaseModel):
    """What is remembered of a conversation for its topic: beginnings of texts, and figures."""

    id: str
    question: str
    answer: str
    rating: float | None
    turns: int
    hours: float | None
    escalated: bool


class Topic(BaseModel):
    """One thing that customers ask about. `consistency` is how alike its answers are, 0 to 1; hours are medians."""

    model_config = ConfigDict(frozen=True)

    label: str
    conversations: int
    share: float
    rating: float | None
    rated: int
    turns: float
    hours: float | None
    escalated: float
    consistency: float
    usefulness: float
    advice: str
    example: str


def case(conversation: Conversation) -> Case:
    """What a conversation tells about its topic; take the redacted one, since reports quote it."""
    said = [turn for turn in conversation.turns if turn.role != "system"]
    asked = next(turn.content for turn in said if turn.role == "user")
    answer = next((turn.content for turn in said if turn.role == "assistant"), "")
    return Case(
        id=conversation.id,
        question=_beginning(asked),
        answer=_beginning(answer),
        rating=conversation.rating,
        turns=len(said),
        hours=_hours([turn.created_at for turn in said if turn.created_at]),
        escalated=escalated(conversation),
    )


def topics(cases: Sequence[Case], examples: Sequence[Example]) -> list[Topic]:
    """The topics, those first where an assistant would help most; none of fewer than a dozen conversations.

    `examples` have the embeddings of each conversation's first exchange.

    Clusters of the first messages' embeddings with their answers', which stray less.
    """
    first = {example.id: example for example in reversed(examples)}
    cases = [one for one in cases if one.id in first]
    if len(cases) < _FEWEST_CASES:
        return []
    asked = np.stack([first[one.id].question_embedding for one in cases])
    answered = np.stack([first[one.id].answer_embedding for one in cases])
    members = clusters(asked + answered, _FEWEST, _MOST)
    labels = named([[f"{cases[i].question} {cases[i].answer}" for i in those] for those in members])
    found = [
        _topic(label, [cases[i] for i in those], len(cases), answered[those], asked[those])
        for label, those in zip(labels, members, strict=True)
    ]
    return sorted(found, key=lambda topic: topic.usefulness, reverse=True)


def _topic(label: str, cases: list[Case], total: int, answers: Any, questions: Any) -> Topic:
    share, handed_over = len(cases) / total, fmean(one.escalated for one in cases)
    ratings = [one.rating for one in cases if one.rating is not None]
    hours = [one.hours for one in cases if one.hours is not None]
    # The mean cosine of all pairs, from the length of the mean vector.
    consistency = float(np.clip(np.linalg.norm(answers.mean(axis=0)) ** 2, 0, 1))
    rating = fmean(ratings) if ratings else None
    if handed_over > _TOO_OFTEN_ESCALATED:
        advice = "leave to people: too many of these are escalated"
    elif rating is not None and rating < _BADLY_RATED:
        advice = "improve the answers first: customers rate them badly"
    else:
        advice = "a good case for an assistant" if share >= 1 / _MOST else "rare; an assistant helps little"
    middle = questions.mean(axis=0)
    return Topic(
        label=label,
        conversations=len(cases),
        share=round(share, 4),
        rating=round(rating, 2) if rating is not None else None,
        rated=len(ratings),
        turns=median(one.turns for one in cases),
        hours=round(median(hours), 2) if hours else None,
        escalated=round(handed_over, 4),
        consistency=round(consistency, 3),
        usefulness=round(share * consistency * (1 - handed_over), 5),
        advice=advice,
        example=cases[int(np.argmax(questions @ middle))].question,
    )


def _beginning(text: str) -> str:
    return " ".join(text.split()[:_WORDS])


def _hours(times: list[str]) -> float | None:
    """From the first message to the last."""
    try:
        moments = [datetime.fromisoformat(time) for time in times]
        return (max(moments) - min(moments)).total_seconds() / 3600 if len(moments) > 1 else None
    except (ValueError, TypeError):
        return None

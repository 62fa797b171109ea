"""What customers ask about, and where an assistant would help most: topics of their first messages, with what became of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import fmean, median
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from tailorbird.artifacts import Conversation
from tailorbird.auditing.examples import Example
from tailorbird.auditing.exemplary import escalated

_WORDS = 40  # of a first message; the rest rarely changes what it is about
_FEWEST, _MOST = 3, 24  # topics
_FEWEST_CASES = 12
_SEED = 7
_COMMON = 0.2  # words in more than this share of all conversations name no topic
_TOO_OFTEN_ESCALATED = 0.25
_BADLY_RATED = 3.0
_WORD = re.compile(r"[^\W\d_]{3,}")


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

    Clusters of the first messages' embeddings with their answers', which stray less (k-means, about the root of half their
    number), named by the words that are more usual inside than outside (class-based TF-IDF, arXiv 2203.05794).
    """
    from sklearn.cluster import MiniBatchKMeans

    first = {example.id: example for example in reversed(examples)}
    cases = [one for one in cases if one.id in first]
    if len(cases) < _FEWEST_CASES:
        return []
    count = int(np.clip(round((len(cases) / 2) ** 0.5), _FEWEST, _MOST))
    asked = np.stack([first[one.id].question_embedding for one in cases])
    answered = np.stack([first[one.id].answer_embedding for one in cases])
    clusters = MiniBatchKMeans(count, random_state=_SEED, n_init=5, batch_size=2048).fit(asked + answered)
    members = [np.flatnonzero(clusters.labels_ == number) for number in range(count)]
    members = [those for those in members if len(those)]
    labels = _labels([[f"{cases[i].question} {cases[i].answer}" for i in those] for those in members])
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


def _labels(groups: list[list[str]]) -> list[str]:
    """The three words of each group that tell it apart from the others."""
    counts = [Counter(_terms(texts)) for texts in groups]
    everywhere = sum(counts, Counter[str]())
    usual, texts = sum(map(Counter.total, counts)) / len(counts), sum(map(len, groups))
    labels = []
    for number, own in enumerate(counts):
        telling = {word: n for word, n in own.items() if n > 1 and everywhere[word] < _COMMON * texts}
        weights = {word: n * np.log(1 + usual / everywhere[word]) for word, n in telling.items()}
        best = sorted(weights, key=lambda word: (-weights[word], word))[:3]
        labels.append(", ".join(best) or f"topic {number + 1}")
    return labels


def _terms(texts: Iterable[str]) -> Iterable[str]:
    """Each text's words once; placeholders are no words."""
    for text in texts:
        yield from {word.lower() for word in _WORD.findall(re.sub(r"<[A-Z_]+_\d+>", " ", text))}


def _beginning(text: str) -> str:
    return " ".join(text.split()[:_WORDS])


def _hours(times: list[str]) -> float | None:
    """From the first message to the last."""
    try:
        moments = [datetime.fromisoformat(time) for time in times]
        return (max(moments) - min(moments)).total_seconds() / 3600 if len(moments) > 1 else None
    except (ValueError, TypeError):
        return None

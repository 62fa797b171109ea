"""Lessons with passages of the business's documents in the prompt, so that the model learns to answer from them.

Retrieval-aware fine-tuning (RAFT, arXiv 2403.10131): the passage that the answer is from, among others that a search finds for
the question. Some lessons have none, so that the model also knows the answers by itself.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from tailorbird.artifacts import Conversation, Turn
from tailorbird.knowledge import SHOWN, Knowledge, Passage, question, with_passages


def grounded(lessons: Sequence[Conversation], knowledge: Knowledge, share: float, seed: int) -> list[Conversation]:
    """The lessons, a share of those that answer customers with the passages that service would show, and the right one."""
    answering = [place for place, one in enumerate(lessons) if not one.task and one.turns[-1].role == "assistant"]
    chosen = set(random.Random(f"passages {seed}").sample(answering, round(share * len(answering))))
    return [_shown(one, knowledge, seed) if place in chosen else one for place, one in enumerate(lessons)]


def _shown(lesson: Conversation, knowledge: Knowledge, seed: int) -> Conversation:
    messages = with_passages(lesson.messages, _passages(lesson, knowledge, seed))
    if len(messages) != len(lesson.turns):  # nothing was found, or there was no system turn before
        return lesson
    return lesson.model_copy(update={"turns": (Turn(**messages[0]), *lesson.turns[1:])})


def _passages(lesson: Conversation, knowledge: Knowledge, seed: int) -> list[Passage]:
    """What a search finds for the last question; the passage nearest to the answer comes in where it is not among them."""
    asked, answer = question(lesson.messages), lesson.turns[-1].content
    if not asked.strip() or not answer.strip():
        return []
    found = knowledge.search(asked, SHOWN)
    right = knowledge.search(answer, 1)
    if right and right[0].id not in {one.id for one in found}:
        found[random.Random(f"{lesson.id} {seed}").randrange(len(found))] = right[0]
    return found

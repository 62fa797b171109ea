"""The held-out questions, and what systems answer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import Conversation
from tailorbird.progress import Progress
from tailorbird.replier import Message, Replier, ReplyOptions, reply


class Answer(BaseModel):
    """One held-out question with the agent's answer and both models'."""

    conversation: str
    question: str
    agent: str
    base: str
    tuned: str


class Question(NamedTuple):
    """What was said before an agent's turn, and that turn."""

    conversation: Conversation
    history: list[Message]
    agent: str


def questions(test: Sequence[Conversation], most: int) -> list[Question]:
    """The agent turns to answer: the first of every conversation, then the second ones, and so on up to `most`."""
    ranked = []
    for place, conversation in enumerate(test):
        messages = conversation.messages
        turns = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
        for number, i in enumerate(turns):
            ranked.append(((number, place), Question(conversation, messages[:i], messages[i]["content"])))
    return [question for _, question in sorted(ranked, key=lambda pair: pair[0])[:most]]


def answered(
    base: Path, systems: Mapping[str, Path | None], asked: Sequence[Question], options: Mapping[str, ReplyOptions],
    progress: Progress,
) -> dict[str, list[str]]:  # fmt: skip
    """What each system (its adapter; None is the base model) answers; `options` are by task."""
    texts: dict[str, list[str]] = {}
    with progress("Writing held-out answers", len(systems) * len(asked)) as advance:
        for system, adapter in systems.items():
            replier = engine.open_replier(system, base, adapter)

            def ask(question: Question, replier: Replier = replier) -> str:
                text = reply(replier, question.history, options[question.conversation.task]).text
                advance(1)
                return text

            with ThreadPoolExecutor(replier.parallel) as pool:
                texts[system] = list(pool.map(ask, asked))
            replier.close()
    return texts

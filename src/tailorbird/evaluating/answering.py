"""The held-out questions, and what systems answer them."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import Conversation
from tailorbird.progress import Advance, Progress
from tailorbird.replier import Message, Replier, ReplyOptions, reply
from tailorbird.workspace import read_lines, write_text


class Answer(BaseModel):
    """One held-out question with the agent's answer and that of each system; `passages` are those that two of them saw.

    `unsupported` has for each system what its answer states that neither the conversation nor the documents have.
    """

    conversation: str
    question: str
    agent: str
    base: str
    tuned: str
    knowledge: str = ""
    both: str = ""
    passages: tuple[str, ...] = ()
    unsupported: dict[str, tuple[str, ...]] = {}


class Question(NamedTuple):
    """What was said before an agent's turn, and that turn."""

    conversation: Conversation
    history: list[Message]
    agent: str


class Ask(NamedTuple):
    """How a system is asked a question."""

    messages: list[Message]
    options: ReplyOptions


def questions(test: Sequence[Conversation], most: int) -> list[Question]:
    """The agent turns to answer: the first of every conversation, then the second ones, and so on up to `most`."""
    ranked = []
    for place, conversation in enumerate(test):
        messages = conversation.messages
        turns = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
        for number, i in enumerate(turns):
            ranked.append(((number, place), Question(conversation, messages[:i], messages[i]["content"])))
    return [question for _, question in sorted(ranked, key=lambda pair: pair[0])[:most]]


class Said(BaseModel):
    """What a system answered to a question, which is known by what was asked and how."""

    conversation: str
    asked: str
    text: str


def answered(
    base: Path, systems: Mapping[str, Path | None], asked: Sequence[Question], ask: Callable[[str, Question], Ask],
    kept: Path, progress: Progress,
) -> dict[str, list[str]]:  # fmt: skip
    """What each system (its adapter; None is the base model) answers.

    Answers are greedy, so those in the folder `kept` are not written again; an interrupted run goes on there.
    """
    texts: dict[str, list[str]] = {}
    with progress("Writing held-out answers", len(systems) * len(asked)) as advance:
        for system, adapter in systems.items():
            file = kept / f"{fingerprint(base, adapter)}.jsonl"
            known = {one.asked: one for one in read_lines(file, Said)} if file.is_file() else {}
            told = [ask(system, question) for question in asked]
            keys = [_key(one) for one in told]
            missing = {key: (one, how) for key, one, how in zip(keys, asked, told, strict=True) if key not in known}
            advance(len(asked) - len(missing))
            if missing:
                replier = engine.open_replier(system, base, adapter)
                try:
                    _write_missing(replier, missing, known, advance)
                finally:
                    replier.close()
                    kept.mkdir(parents=True, exist_ok=True)
                    write_text(file, "".join(f"{one.model_dump_json()}\n" for one in known.values()))
            texts[system] = [known[key].text for key in keys]
    return texts


def _write_missing(
    replier: Replier, missing: Mapping[str, tuple[Question, Ask]], known: dict[str, Said], advance: Advance
) -> None:
    """Answers what is missing, into `known`."""

    def ask(key: str) -> None:
        question, how = missing[key]
        text = reply(replier, how.messages, how.options).text
        known[key] = Said(conversation=question.conversation.id, asked=key, text=text)
        advance(1)

    with ThreadPoolExecutor(replier.parallel) as pool:
        deque(pool.map(ask, missing), maxlen=0)


def _key(ask: Ask) -> str:
    """Of what was said before and of how to answer."""
    told = json.dumps([ask.messages, asdict(ask.options)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def fingerprint(base: Path, adapter: Path | None) -> str:
    """Of a system's files, by their names, sizes and times."""
    files = sorted(path for folder in (base, adapter) if folder for path in folder.iterdir() if path.is_file())
    told = [(path.parts[-3:], (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

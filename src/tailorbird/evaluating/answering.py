"""The held-out questions, and what systems answer them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import Conversation
from tailorbird.progress import Advance, Progress
from tailorbird.replier import Message, ReplyOptions, reply
from tailorbird.workspace import read_lines, write_text

_OFTEN = 32  # texts that are lost at most
KEPT = "answers"
"""The folder, in the workspace's artifacts, of what systems have answered, kept from one scorecard to the next."""


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
        turns = [i for i, message in enumerate(messages) if message["role"] == "assistant" and not message.get("given")]
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
    kept: Path, progress: Progress, title: str = "Writing held-out answers",
) -> dict[str, list[str]]:  # fmt: skip
    """What each system (its adapter; None is the base model) answers.

    Answers are greedy, so those in the folder `kept` are not written again; an interrupted run goes on there.
    """
    texts: dict[str, list[str]] = {}
    with progress(title, len(systems) * len(asked)) as advance:
        for system, adapter in systems.items():
            told = [ask(system, question) for question in asked]
            keys = [key_of(one) for one in told]
            asks = {key: (one.conversation.id, how) for key, one, how in zip(keys, asked, told, strict=True)}
            file = kept / f"{fingerprint(base, adapter)}.jsonl"
            known = remembered(file, asks, partial(_written, base, adapter, progress), advance)
            advance(len(asked) - len(asks))
            texts[system] = [known[key] for key in keys]
    return texts


def remembered(
    file: Path, asks: Mapping[str, tuple[str, Ask]],
    written: Callable[[Mapping[str, Ask]], Iterable[tuple[str, str]]], advance: Advance,
) -> dict[str, str]:  # fmt: skip
    """Texts by key to what is asked, with the conversation that each is about; only what the file has not is written.

    What came is in the file afterwards, also where the rest failed; of a process that is killed all but the last few.
    """
    known = {one.asked: one for one in read_lines(file, Said)} if file.is_file() else {}
    missing = {key: ask for key, (_, ask) in asks.items() if key not in known}
    advance(len(asks) - len(missing))

    def keep() -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, "".join(f"{one.model_dump_json()}\n" for one in known.values()))

    try:
        for number, (key, text) in enumerate(written(missing), 1):
            known[key] = Said(conversation=asks[key][0], asked=key, text=text)
            advance(1)
            if number % _OFTEN == 0:
                keep()
    finally:
        if missing:
            keep()
    return {key: known[key].text for key in asks}


def _written(base: Path, adapter: Path | None, progress: Progress, asked: Mapping[str, Ask]) -> Iterator[tuple[str, str]]:
    """Answers by key, as they come: words by many at once, choices as they are made in service."""
    choosing = {key: ask for key, ask in asked.items() if ask.options.choices}
    if choosing:
        replier = engine.open_replier("asked", base, adapter)
        try:
            with ThreadPoolExecutor(replier.parallel) as pool:
                answers = pool.map(lambda ask: reply(replier, ask.messages, ask.options).text, choosing.values())
                yield from zip(choosing, answers, strict=True)
        finally:
            replier.close()
    for longest in dict.fromkeys(ask.options.max_tokens for key, ask in asked.items() if key not in choosing):
        keys = [key for key, ask in asked.items() if key not in choosing and ask.options.max_tokens == longest]
        for number, text in engine.answer_all(base, adapter, [asked[key].messages for key in keys], longest, progress):
            yield keys[number], text


def key_of(ask: Ask) -> str:
    """Of what was said before and of how to answer."""
    told = json.dumps([ask.messages, asdict(ask.options)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def fingerprint(base: Path, adapter: Path | None) -> str:
    """Of a system's files, by their names, sizes and times; the same wherever the workspace is moved to."""
    files = [path for folder in (base, adapter) if folder for path in folder.iterdir() if path.is_file()]
    told = sorted((path.parts[-3:], (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]

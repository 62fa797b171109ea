"""What each system takes in service: tokens to read, time to the first word and for an answer, memory; and to change a fact."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

import psutil
from pydantic import BaseModel

from tailorbird import engine
from tailorbird.evaluating.answering import Question, fingerprint
from tailorbird.evaluating.systems import Systems
from tailorbird.knowledge import Knowledge
from tailorbird.progress import Progress
from tailorbird.replier import Message, ReplyOptions
from tailorbird.workspace import KNOWLEDGE, Workspace, write_text

_ASKED = 8
_TOKENS = 48
_FACT = "\n\nThe password of the {number} door of the moon is wintergreen.\n"
_QUESTION = "What is the password of the door of the moon?"
_LONGEST_WAIT = 60.0  # seconds
_READ = (".md", ".txt", ".html")


class Taken(BaseModel):
    """What one system takes: means of tokens, medians of seconds, one question at a time, on a machine with so many cores."""

    prompt_tokens: float
    first_word_seconds: float
    answer_seconds: float
    tokens_per_second: float
    memory_gb: float
    cores: int


def taken(systems: Systems, asked: Sequence[Question], kept: Path, progress: Progress) -> dict[str, Taken]:
    """Asks each system the same few questions, none at the same time, for short answers; the first one only warms it up.

    What was measured is kept in a folder, since it tells about a model and this machine. Nothing without questions.
    """
    chosen = list(asked[: _ASKED + 1])
    if not chosen:
        return {}
    found = {}
    with progress("Timing the systems", len(systems.all)) as advance:
        for name, system in systems.all.items():
            chats = [systems.messages(name, question) for question in chosen]
            told = json.dumps([fingerprint(systems.base, system.adapter), chats])
            file = kept / f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.timing.json"
            if not file.is_file():
                kept.mkdir(parents=True, exist_ok=True)
                write_text(file, _timed(name, systems.base, system.adapter, chats).model_dump_json())
            found[name] = Taken.model_validate_json(file.read_text(encoding="utf-8"))
            advance(1)
    return found


def _timed(name: str, base: Path, adapter: Path | None, chats: list[list[Message]]) -> Taken:
    before = psutil.Process().memory_info().rss
    replier = engine.open_replier(name, base, adapter)
    rows = []
    for chat in chats:
        started = time.perf_counter()
        pieces = [(time.perf_counter() - started, piece) for piece in replier.stream(chat, ReplyOptions(max_tokens=_TOKENS))]
        seconds, last = pieces[-1]
        rows.append((last.prompt_tokens, pieces[0][0], seconds, last.completion_tokens))
    memory = max(psutil.Process().memory_info().rss - before, 0) / 1e9
    replier.close()
    tokens, firsts, ends, written = zip(*(rows[1:] or rows), strict=True)
    return Taken(
        prompt_tokens=round(fmean(tokens), 1),
        first_word_seconds=round(median(firsts), 3),
        answer_seconds=round(median(ends), 3),
        tokens_per_second=round(sum(written) / max(sum(ends) - sum(firsts), 1e-9), 1),
        memory_gb=round(memory, 2),
        cores=engine.cores(),
    )


def seconds_to_change_a_fact(workspace: Workspace) -> float | None:
    """How long a changed document takes until it is found, on a copy of the documents; None where none can be written to."""
    source = workspace.folder / KNOWLEDGE
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(source, folder / KNOWLEDGE)
        shutil.copy(workspace.folder / "tailorbird.yaml", folder)
        changed = next((path for path in sorted((folder / KNOWLEDGE).rglob("*")) if path.suffix.lower() in _READ), None)
        if changed is None:
            return None
        knowledge = Knowledge(Workspace(folder), engine.embed)
        knowledge.search(_QUESTION)
        started = time.perf_counter()
        with changed.open("a", encoding="utf-8") as file:
            file.write(_FACT.format(number="north"))
        while not any("wintergreen" in passage.text for passage in knowledge.search(_QUESTION)):
            if time.perf_counter() - started > _LONGEST_WAIT:
                return None
        return round(time.perf_counter() - started, 3)

"""What can be told from one conversation alone: its flaws, its languages, its personal data; over many, on all cores."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from typing import NamedTuple
from zlib import crc32

from pydantic import BaseModel, ConfigDict

from tailorbird import language
from tailorbird.artifacts import Conversation, Turn
from tailorbird.auditing.abuse import abusive
from tailorbird.auditing.comparing import answers_of
from tailorbird.auditing.duplicates import Sketch, sketched, template_of
from tailorbird.auditing.examples import Example
from tailorbird.auditing.exemplary import unfit
from tailorbird.auditing.findings import Finding, action
from tailorbird.auditing.leftovers import telling
from tailorbird.auditing.poisoning import injected
from tailorbird.auditing.quality import judged
from tailorbird.auditing.splitting import keys_of
from tailorbird.privacy import SECRETS, Redactor
from tailorbird.settings import AuditSettings

_CHUNK = 100  # conversations
_ALONE = 10 * _CHUNK  # fewer are done sooner than other processes have started


class Profile(BaseModel):
    """What the rules need to know of the business."""

    model_config = ConfigDict(frozen=True)

    settings: AuditSettings
    prompts: dict[str, str]
    """The system prompt of each task; answering customers is the task ""."""
    labelled: frozenset[str] = frozenset()
    """The tasks whose answers are labels, which are neither judged as texts nor redacted."""
    keep: tuple[str, ...]
    """Names, products and contacts of the business, which are never replaced."""


class Examined(BaseModel):
    """A conversation as it came, as it may be learned from, and what was found in it."""

    original: Conversation
    prepared: Conversation
    language: str
    findings: list[Finding]
    redacted: dict[str, int]
    secrets: list[str]
    """Passwords, keys and tokens that were replaced, to be looked for elsewhere; never kept beyond the audit."""


class Note(NamedTuple):
    """What is remembered of a conversation while the whole data set is looked at; its text lies on disk."""

    id: str
    keys: list[str]
    template: int  # a hash of the first answer without its numbers and names
    findings: list[Finding]
    stratum: str  # what the splits keep in proportion: task and language


class Looked(NamedTuple):
    """All that a process hands back of a conversation: plain texts and numbers, since whole objects take long to send.

    `line` is what was examined, as JSON; `answers` are examples with what each is about, still without embeddings.
    """

    line: str
    note: Note
    sketch: Sketch
    answers: list[tuple[Example, str]]
    secrets: list[str]


def examined(lines: Iterable[str], profile: Profile, processes: int) -> Iterator[Looked]:
    """Each conversation, a line of JSON, examined in the given order; small numbers in this process."""
    waiting = iter(lines)
    first = list(islice(waiting, _ALONE))
    if processes < 2 or len(first) < _ALONE:
        for line in (*first, *waiting):
            yield _look(line, profile)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        ahead = [pool.submit(_look_at_all, first[i : i + _CHUNK], profile) for i in range(0, len(first), _CHUNK)]
        while ahead:  # a bounded number of chunks is in memory
            if chunk := list(islice(waiting, _CHUNK)):
                ahead.append(pool.submit(_look_at_all, chunk, profile))
            yield from ahead.pop(0).result()


def _look_at_all(lines: list[str], profile: Profile) -> list[Looked]:
    return [_look(line, profile) for line in lines]


def _look(line: str, profile: Profile) -> Looked:
    conversation = Conversation.model_validate_json(line)
    one = examine(conversation, profile)
    written = one.model_dump_json(exclude_defaults=True)
    answers = [] if conversation.task in profile.labelled else list(answers_of(conversation))
    return Looked(written, _note(one, profile), sketched(conversation), answers, one.secrets)


def _note(one: Examined, profile: Profile) -> Note:
    answers = [turn.content for turn in one.prepared.turns if turn.role == "assistant"]
    stratum = f"{one.prepared.task} {one.language}"
    return Note(
        one.original.id,
        keys_of(one.prepared, one.prepared.task in profile.labelled),
        template_of(answers[0]),
        one.findings,
        stratum,
    )


def examine(conversation: Conversation, profile: Profile) -> Examined:
    """One conversation: what its own rules find, and its text with placeholders under the system prompt it is served with."""
    spoken = [turn for turn in conversation.turns if turn.role != "system"]
    languages = [language.identify(turn.content) for turn in spoken]
    labelled = conversation.task in profile.labelled
    findings = [
        *([] if labelled or conversation.disliked else judged(conversation, languages, profile.settings.longest_turn)),
        *abusive(conversation, languages),
        *injected(conversation),
        *unfit(conversation, profile.settings.select),
    ]
    redactor = Redactor.keeping(
        profile.keep,
        profile.settings.order_numbers or None,
        replace_orders=profile.settings.replace_orders,
        names=conversation.names,
        surrogates=profile.settings.surrogates,
        seed=crc32(conversation.id.encode()),
    )
    turns = []
    for turn, (redactor.language, _) in zip(spoken, languages, strict=True):
        is_label = labelled and turn.role == "assistant"
        text = turn.content.strip() if is_label else redactor.redact(turn.content)
        turns.append(Turn(role=turn.role, content=text, given=turn.given))
    worse = redactor.redact(conversation.rejected) if conversation.rejected else None
    if kinds := [kind for kind in SECRETS if redactor.counts.get(kind)]:
        findings.append(Finding(rule="secret", detail=f"replaced: {', '.join(kinds)}"))
    spoke = next((spoke for spoke, sure in languages if sure >= 0.5), "")
    prompt = Turn(role="system", content=profile.prompts[conversation.task])
    changed = {"turns": (prompt, *turns), "names": (), "rejected": worse, "language": spoke}
    return Examined(
        original=conversation,
        prepared=conversation.model_copy(update=changed),
        language=spoke,
        findings=[found for found in findings if action(found.rule, profile.settings.rules) != "ignore"],
        redacted=dict(redactor.counts),
        secrets=telling(redactor.replaced(SECRETS)),
    )

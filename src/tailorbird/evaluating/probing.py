"""What a model does where no held-out question leads: attacks, customers who differ in one thing, general questions and text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import PROBES, Conversation, Part, Turn
from tailorbird.evaluating import abilities, figures
from tailorbird.evaluating.answering import Ask, Question, answered
from tailorbird.evaluating.attacks import Attack, attacks, breach, messages
from tailorbird.evaluating.counterfactuals import Answered, Contrast, compared, pairs
from tailorbird.evaluating.production import GENERAL, general
from tailorbird.evaluating.systems import Systems
from tailorbird.progress import Progress
from tailorbird.replier import Message, ReplyOptions
from tailorbird.settings import Settings

ATTACKS, HARMLESS = PROBES["safety"], "harmless look-alikes"
_SHORT = ReplyOptions(max_tokens=64)
_LONGEST = 512  # tokens of a general question with its answer


class Business(NamedTuple):
    """What an attacked assistant is told, and what it may give away: the text of its documents."""

    settings: Settings
    system_prompt: str
    documents: str


class Attacked(BaseModel):
    """An attack with what each system answered; `breaches` has the offending words of those that gave in."""

    id: str
    kind: str
    language: str
    message: str
    answers: dict[str, str]
    breaches: dict[str, str]


def attacked(systems: Systems, business: Business, kept: Path, progress: Progress) -> list[Attacked]:
    """Base and tuned under as many attacks as the settings ask for, every kind and language in turn."""
    settings = business.settings
    cases = _in_turn(attacks(), settings.evaluation.attacks)
    chats = [messages(case, business.system_prompt, settings.business.name) for case in cases]
    said = _said(systems, list(systems.alone), [case.id for case in cases], chats, (kept, progress), "Trying attacks")
    allowed = "\n".join([settings.business.name, *settings.audit.keep, business.documents])
    return [
        Attacked(
            id=case.id,
            kind=case.kind,
            language=case.language,
            message=case.turns[-1],
            answers={system: texts[place] for system, texts in said.items()},
            breaches={
                system: found
                for system, texts in said.items()
                if (found := breach(case, texts[place], allowed, business.system_prompt))
            },
        )
        for place, case in enumerate(cases)
    ]


def safety(rows: Sequence[Attacked]) -> dict[str, Part]:
    """The share of attacks that systems gave in to, in all and by kind, and of harmless messages that they refused."""
    hostile = [row for row in rows if row.kind != "benign"]
    harmless = [row for row in rows if row.kind == "benign"]
    groups = {ATTACKS: hostile}
    for row in hostile:
        groups.setdefault(f"{ATTACKS}: {row.kind.replace('_', ' ')}", []).append(row)
    found = {name: _shares("breaches", members) for name, members in groups.items() if members}
    return found | ({HARMLESS: _shares("needless_refusals", harmless)} if harmless else {})


def fairness(systems: Systems, business: Business, languages: Iterable[str], kept: Path, progress: Progress) -> list[Contrast]:
    """How the tuned model treats customers who differ in one thing, in the customers' languages."""
    most, spoken = business.settings.evaluation.counterfactuals, list(languages)
    told = [pair for language in spoken for pair in pairs(language, most=most // max(len(spoken), 1))]
    chats: list[list[Message]] = [
        [{"role": "system", "content": business.system_prompt}, {"role": "user", "content": text}]
        for pair in told
        for text in (pair.one, pair.other)
    ]
    names = [f"{pair.id}-{which}" for pair in told for which in ("one", "other")]
    texts = _said(systems, ["tuned"], names, chats, (kept, progress), "Asking as other customers")["tuned"] if told else []
    return compared([Answered(pair, *both) for pair, both in zip(told, zip(texts[::2], texts[1::2], strict=True), strict=True)])


def forgetting(systems: Systems, progress: Progress) -> dict[str, Part]:
    """Loss on general text, and general questions that are answered right, before and after tuning."""
    chats = [one.messages for one in general()]
    losses = engine.conversation_losses(systems.base, systems.alone, [*chats, *abilities.chats()], _LONGEST, progress)
    text = {system: [(loss[0], float(loss[1])) for loss in row[: len(chats)] if loss] for system, row in losses.items()}
    return {
        GENERAL: figures.compared("loss", text),
        **abilities.parts({system: row[len(chats) :] for system, row in losses.items()}),
    }


def _shares(metric: str, rows: Sequence[Attacked]) -> Part:
    return figures.compared(
        metric, {system: [(float(system in row.breaches), 1.0) for row in rows] for system in rows[0].answers}
    )


def _in_turn(cases: Sequence[Attack], most: int) -> list[Attack]:
    """At most so many, kinds and languages in turn, in the order of the file."""
    groups: dict[tuple[str, str], list[Attack]] = {}
    for case in cases:
        groups.setdefault((case.language, case.kind), []).append(case)
    return [case for row in zip_longest(*groups.values()) for case in row if case is not None][:most]


def _said(
    systems: Systems,
    names: Sequence[str],
    ids: Sequence[str],
    chats: Sequence[list[Message]],
    where: tuple[Path, Progress],
    title: str,
) -> dict[str, list[str]]:
    """What some of the systems answer to chats of our own, in short."""
    asked = [
        Question(Conversation(id=identity, turns=tuple(Turn(**message) for message in chat)), chat, "")
        for identity, chat in zip(ids, chats, strict=True)
    ]
    models = {name: systems.alone[name] for name in names}
    return answered(systems.base, models, asked, lambda _, question: Ask(question.history, _SHORT), *where, title)

"""Guards against instructions to the model, in messages and passages, and answers that obey one or tell the system prompt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from tailorbird.language.breaches import affirmed
from tailorbird.language.disclosing import plain, prompt_told, repeated
from tailorbird.language.hidden import hidden
from tailorbird.language.instructing import instructing, readings
from tailorbird.serving.guards.alarms import Span
from tailorbird.serving.guards.found import Found

_RUN = 4  # words in a row
_OBEYED = "does what an instruction in a message or document wanted"
_TELLING = re.compile(
    r"https?://\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b[\w-]{2,}(?:\.[\w-]{2,})+|\b\w*\d\w*\b|\b[A-Z]{2,}[A-Z\d-]*\b"
)
_QUOTED = re.compile(r"[\"“„«‘'](\S[^\"“”„«»]{1,80}?)[\"”“»’']")


def instruction(text: str) -> Found | None:
    """A text that tells a model what to do, openly or hidden; the answer is remembered, for passages come again."""
    return _instruction(text)


@lru_cache(maxsize=4096)
def _instruction(text: str) -> Found | None:
    concealed = list(hidden(text))
    for reading in readings(text, concealed):
        if told := instructing(reading):
            start = text.find(told.stretch) if told.stretch else -1
            spans = (Span(start, start + len(told.stretch), "INSTRUCTION"),) if start >= 0 else ()
            return Found(spans, ", ".join(reason.partition(" (“")[0] for reason in told.reasons))
    return Found((), f"has {concealed[0].detail}") if concealed else None


def obeyed(answer: str, instructed: Sequence[tuple[str, Found]], known: str) -> Found | None:
    """What an answer took over from an instruction: four words in a row, words in quotes, a link, a code, or its capitals.

    `instructed` are the texts with what was found in each; `known` is what the business says, which anybody may repeat.
    """
    usual = plain(known)
    for text, found in instructed:
        told = " ".join(text[span.start : span.end] for span in found.spans) or text
        for value in _wanted(told):
            place = answer.lower().find(value.lower())
            if place >= 0 and plain(value) not in usual and affirmed(answer, place, place + len(value), ahead=False):
                return Found((Span(place, place + len(value)),), _OBEYED)
        if (run := repeated(answer, told, _RUN)) and run not in usual:
            return Found((), _OBEYED)
        if _shouts(answer) and not _shouts(text):
            return Found((), _OBEYED)
    return None


def _wanted(told: str) -> Iterable[str]:
    """What an instruction wants to be said: quoted words, links, addresses, codes."""
    yield from _QUOTED.findall(told)
    yield from (one for one in _TELLING.findall(told) if len(one) > 3)


def _shouts(text: str) -> bool:
    letters = [sign for sign in text if sign.isalpha()]
    return len(letters) > 20 and sum(sign.isupper() for sign in letters) > 0.8 * len(letters)


def prompt_leak(answer: str, system_prompt: str, known: str) -> Found | None:
    """An answer that tells the system prompt."""
    return Found((), "tells the system prompt") if prompt_told(answer, system_prompt, known) else None

"""Guards of how people and the assistant speak: threats, swearing, insults."""

from __future__ import annotations

from tailorbird.language.abuse import abuse, insulted
from tailorbird.language.threats import threats
from tailorbird.serving.guards.alarms import Span
from tailorbird.serving.guards.found import Found


def threatening(text: str) -> Found | None:
    """Threats of violence, and words of somebody who may harm himself."""
    spans = tuple(Span(start, end) for start, end in threats(text))
    return Found(spans, "threatens, or speaks of self-harm") if spans else None


def swearing(text: str, language: str) -> Found | None:
    """Insults and obscenity of a customer."""
    spans = tuple(Span(start, end) for start, end in abuse(text, language, agent=False))
    return Found(spans, "has abusive words") if spans else None


def toxic(answer: str, asked: str, language: str) -> Found | None:
    """Insults, obscenity, contempt or threats in an answer."""
    insult = insulted(answer, asked)
    places = [*abuse(answer, language, agent=True), *threats(answer), *([insult] if insult else [])]
    return Found(tuple(Span(start, end) for start, end in places), "has abusive words") if places else None

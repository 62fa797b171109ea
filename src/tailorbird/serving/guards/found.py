"""What a rule found, before the settings say what is to be done about it."""

from __future__ import annotations

from typing import NamedTuple

from tailorbird.serving.guards.alarms import Span


class Found(NamedTuple):
    """Where, which may be nowhere in particular, and why in words that follow "The message" or "The answer"."""

    spans: tuple[Span, ...]
    why: str

"""How passages are told to a model: after the system prompt, numbered, each with the place where it stands."""

from __future__ import annotations

from collections.abc import Sequence

from tailorbird.knowledge.passage import Passage
from tailorbird.replier import Message

SHOWN = 3
"""Passages that a model is shown: what comes later is seldom the right one (benchmarks/retrieval.py), and costs reading time."""
_HEAD = "Passages of our documents that may help:"


def with_passages(messages: Sequence[Message], passages: Sequence[Passage]) -> list[Message]:
    """The conversation with the passages told before it; as it is where there are none."""
    if not passages:
        return list(messages)
    told = "\n".join([_HEAD, *(f"{number}. {one.citation} {one.text}" for number, one in enumerate(passages, 1))])
    system = [one["content"] for one in messages[:1] if one["role"] == "system"]
    rest = messages[1:] if system else messages
    return [{"role": "system", "content": "\n\n".join([*system, told])}, *rest]


def question(messages: Sequence[Message]) -> str:
    """What to look for: the customer's last message."""
    return next((one["content"] for one in reversed(messages) if one["role"] == "user"), "")

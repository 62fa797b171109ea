"""ShareGPT: `{"conversations": [{"from": "human" | "gpt", "value"}, …]}`, in JSON or JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.cleaning import tidy
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.openai_chat import UnusableError, each
from tailorbird.importing.reading import Rejected
from tailorbird.importing.turns import text

NAME = "sharegpt"
TITLE = 'ShareGPT: {"conversations": [{"from", "value"}]}, with chosen and rejected answers if there are any'
PARTS = GLOBAL = False
_ROLES = {"system": "system", "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}
_UNSPOKEN_ROLES = ("function_call", "observation", "tool")


def recognise(sample: Sample) -> Match | None:
    """A list of conversations with from and value."""
    said = [turn for _, value in sample.objects for turn in _turns_of(value) if isinstance(turn, dict)]
    return Match(0.95, '"conversations" with from and value') if any({"from", "value"} <= set(turn) for turn in said) else None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """A conversation, or what is wrong, for each object."""
    return each(export, lambda record: _conversation(record.value, record.place))


def _conversation(value: dict[str, Any], place: str) -> Conversation:
    turns = tuple(turn for number, said in enumerate(_turns_of(value), 1) if (turn := _turn(said, number)))
    if value.get("system"):
        turns = (Turn(role="system", content=str(value["system"])), *turns)
    chosen, worse = (_answer(value.get(name)) for name in ("chosen", "rejected"))
    if chosen:
        turns = (*turns, Turn(role="assistant", content=chosen))
    return Conversation(id=text(value.get("id")) or "", turns=turns, rejected=worse if chosen else None, origin=place)


def _turns_of(value: dict[str, Any]) -> list[Any]:
    told = value.get("conversations")
    return told if isinstance(told, list) else []


def _turn(said: Any, number: int) -> Turn | None:
    role = said.get("from") if isinstance(said, dict) else None
    if role in _UNSPOKEN_ROLES:
        return None
    if not isinstance(role, str) or role not in _ROLES:
        raise UnusableError(f"Message {number} is from {role!r}; use human, gpt or system.")
    if not isinstance(said.get("value"), str):
        raise UnusableError(f'Message {number} has no text in "value".')
    return Turn.model_validate({"role": _ROLES[role], "content": tidy(said["value"])})


def _answer(told: Any) -> str | None:
    """An answer as text, or as a ShareGPT message."""
    content = told.get("value") if isinstance(told, dict) else told
    return tidy(content) if isinstance(content, str) and content.strip() else None

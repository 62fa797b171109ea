"""Alpaca: `{"instruction", "input", "output"}`, with `system` and `history` if there are any, in JSON or JSON Lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.cleaning import tidy
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.openai_chat import UnusableError, each
from tailorbird.importing.reading import Rejected
from tailorbird.importing.turns import text

NAME = "alpaca"
TITLE = "Alpaca: instruction, input, output, with chosen and rejected in place of output if there are two"
PARTS = GLOBAL = False


def recognise(sample: Sample) -> Match | None:
    """Objects with an instruction and an output."""
    fields = sample.fields()
    if "instruction" in fields and fields & {"output", "chosen"}:
        return Match(0.95, "objects with instruction and output")
    return None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """A conversation, or what is wrong, for each object."""
    return each(export, lambda record: _conversation(record.value, record.place))


def _conversation(value: dict[str, Any], place: str) -> Conversation:
    asked = "\n\n".join(part for part in (_text(value, "instruction"), _text(value, "input")) if part)
    history = value.get("history") or []
    if not isinstance(history, list) or any(not isinstance(pair, list) or len(pair) != 2 for pair in history):
        raise UnusableError('"history" must be a list of [question, answer].')
    said = [("system", _text(value, "system"))]
    for question, answer in history:
        said += [("user", str(question)), ("assistant", str(answer))]
    answer = _text(value, "output") or _text(value, "chosen")
    said += [("user", asked), ("assistant", answer)]
    turns = tuple(Turn.model_validate({"role": role, "content": tidy(content)}) for role, content in said)
    return Conversation(id=text(value.get("id")) or "", turns=turns, rejected=_text(value, "rejected") or None, origin=place)


def _text(value: dict[str, Any], name: str) -> str:
    content = value.get(name) or ""
    if not isinstance(content, str):
        raise UnusableError(f'"{name}" must be text.')
    return tidy(content)

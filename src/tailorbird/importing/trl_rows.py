"""TRL's rows: `prompt` with `completion`, with `chosen` and `rejected`, or with `completion` and a `label` (KTO)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tailorbird.artifacts import Conversation, Turn
from tailorbird.importing.cleaning import tidy
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.openai_chat import ROLES, UnusableError, each
from tailorbird.importing.reading import Rejected
from tailorbird.importing.turns import text

NAME = "trl"
TITLE = "TRL: prompt with completion, with chosen and rejected (preferences), or with completion and label (KTO)"
PARTS = GLOBAL = False


def recognise(sample: Sample) -> Match | None:
    """Objects with a prompt and answers, or with two whole conversations to choose from."""
    fields = sample.fields()
    for names in ({"prompt", "chosen", "rejected"}, {"prompt", "completion"}, {"messages", "label"}):
        if names <= fields:
            return Match(0.97, f"objects with {', '.join(sorted(names))}")
    if {"chosen", "rejected"} <= fields and not fields & {"instruction", "conversations"}:
        return Match(0.9, "objects with chosen and rejected")
    return None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """A conversation, or what is wrong, for each row; a KTO label becomes the rating 5 or 1."""
    return each(export, lambda record: _conversation(record.value, record.place))


def _conversation(value: dict[str, Any], place: str) -> Conversation:
    better = value.get("chosen", value.get("completion", value.get("messages")))
    turns = [*_turns(value.get("prompt") or [], "user"), *_turns(better, "assistant")]
    worse = _turns(value["rejected"], "assistant") if value.get("rejected") else []
    label = value.get("label")
    if label is not None and not isinstance(label, (bool, int)):
        raise UnusableError('"label" must be true or false.')
    return Conversation(
        id=text(value.get("id")) or "",
        turns=tuple(turns),
        rating=None if label is None else 5.0 if label else 1.0,
        rejected=worse[-1].content if worse else None,
        origin=place,
    )


def _turns(told: Any, role: str) -> list[Turn]:
    """A text as one turn of that role, messages as they are."""
    if isinstance(told, str):
        return [Turn.model_validate({"role": role, "content": tidy(told)})]
    if not isinstance(told, list):
        raise UnusableError('"prompt", "completion", "chosen" and "rejected" must be text or lists of messages.')
    turns = []
    for number, message in enumerate(told, 1):
        told_role, content = (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
        if not isinstance(told_role, str) or told_role not in ROLES or not isinstance(content, str):
            raise UnusableError(f"Message {number} needs a role (system, user, assistant) and content.")
        turns.append(Turn.model_validate({"role": ROLES[told_role], "content": tidy(content)}))
    return turns

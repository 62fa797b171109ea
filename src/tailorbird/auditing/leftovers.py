"""Passwords, keys and tokens that would still be learned: told once as such, and standing bare somewhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tailorbird.artifacts import Conversation
from tailorbird.auditing.findings import Finding
from tailorbird.errors import InputError, SettingsError
from tailorbird.privacy import SECRETS, find

_LEAST = 6  # characters
_PIECES = re.compile(r"[\s\"'“”„«»()<>,;]+")


def telling(values: Iterable[str]) -> list[str]:
    """Those of the secrets that are nothing else: a password that is an ordinary word stands in innocent places too."""
    return sorted({value for value in values if len(value) >= _LEAST and not value.isalpha()})


def left_in(conversation: Conversation, secrets: set[str]) -> Finding | None:
    """The first secret that stands in a conversation as it would be learned from; the finding does not repeat it."""
    for number, turn in enumerate((turn for turn in conversation.turns if turn.role != "system"), 1):
        pieces = _PIECES.split(turn.content)
        if any(piece in secrets or piece.rstrip(".!?:") in secrets for piece in pieces):
            return Finding(rule="secret_left", turn=number, detail="A password, key or token that is told elsewhere.")
    return None


def hidden(conversation: Conversation) -> Conversation:
    """The conversation as a report may show it: without its words."""
    turns = tuple(turn.model_copy(update={"content": "(not shown)"}) for turn in conversation.turns)
    return conversation.model_copy(update={"turns": turns})


def refuse_secrets(kept: Mapping[str, list[Finding]]) -> None:
    """Raises InputError where conversations that are to be learned from still have a secret."""
    if bad := [name for name, findings in kept.items() if any(found.rule == "secret_left" for found in findings)]:
        names = ", ".join(bad[:5]) + (f" and {len(bad) - 5} more" if len(bad) > 5 else "")
        raise InputError(
            f"Passwords, keys or tokens are still present in {len(bad)} of the conversations to learn from: {names}.",
            fix=f"Leave them out with `tailorbird audit review {bad[0]} --exclude`, or take the secret out of the export. "
            "A model that learned a secret may tell it to anybody.",
        )


def refuse_secret_prompt(system_prompt: str) -> None:
    """Raises SettingsError where the system prompt has a secret, which customers can coax out of any model."""
    if kinds := sorted({found.kind for found in find(system_prompt) if found.kind in SECRETS}):
        raise SettingsError(
            f"The system prompt in tailorbird.yaml has a secret ({', '.join(kinds)}).",
            fix="Take it out of `system_prompt`: whoever chats with the assistant can make it repeat its prompt.",
        )

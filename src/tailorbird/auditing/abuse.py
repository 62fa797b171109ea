"""Abusive words, in eight languages: an agent's are never learned from, a customer's are a case to answer."""

from __future__ import annotations

from collections.abc import Iterator

from tailorbird.artifacts import Conversation
from tailorbird.auditing.findings import Finding
from tailorbird.language.abuse import abuse


def abusive(conversation: Conversation, languages: list[tuple[str, float]]) -> Iterator[Finding]:
    """The turns with abusive words, masked but for their first letters; `languages` has each turn's and how sure that is."""
    spoken = [turn for turn in conversation.turns if turn.role != "system"]
    for number, (turn, (language, _)) in enumerate(zip(spoken, languages, strict=True), 1):
        agent = turn.role == "assistant"
        text = turn.content
        if found := abuse(text, language, agent):
            rule = "abusive_agent" if agent else "abusive_customer"
            shown = ", ".join(sorted({_masked(text[start:end]) for start, end in found}))
            yield Finding(rule=rule, detail=shown, turn=number, score=len(found), threshold=1)


def _masked(words: str) -> str:
    return " ".join(word[0] + "*" * (len(word) - 1) for word in words.split())

"""What an audit finds in a conversation, and what each kind of finding leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

Action = Literal["quarantine", "note", "ignore"]
"""Set the conversation aside, keep it with a note, or say nothing."""


class Finding(BaseModel):
    """Something found in a conversation by one rule: what, where, and by how much.

    `turn` counts from 1 without the system prompt, 0 for the whole conversation; `score` is held against `threshold`.
    `related` names other conversations, such as the one that this is a copy of.
    """

    model_config = ConfigDict(frozen=True)

    rule: str
    detail: str
    turn: int = 0
    score: float | None = None
    threshold: float | None = None
    related: tuple[str, ...] = ()


class Rule(NamedTuple):
    """A rule in the owner's words, and what it does unless the settings say otherwise."""

    title: str
    action: Action


RULES: dict[str, Rule] = {
    "exact_duplicate": Rule("the same words as another conversation", "quarantine"),
    "near_duplicate": Rule("nearly the same words as another conversation", "quarantine"),
    "contradiction": Rule("answers the same question differently than a newer conversation", "quarantine"),
    "turn_too_long": Rule("a turn so long that it is a pasted log or thread", "quarantine"),
    "answer_too_short": Rule("an answer of a word or two teaches nothing", "note"),
    "unfinished": Rule("the last answer breaks off", "quarantine"),
    "boilerplate": Rule("answers of sentences that customers get whatever they ask", "quarantine"),
    "off_topic": Rule("an answer that does not address the question", "note"),
    "internal_note": Rule("words meant for colleagues stand in an answer", "quarantine"),
    "wrong_language": Rule("the answer is in another language than the question", "quarantine"),
    "abusive_agent": Rule("abusive words in an agent's answer", "quarantine"),
    "abusive_customer": Rule("abusive words of a customer, kept as a case to answer", "note"),
    "secret": Rule("a password, key or token", "note"),
    "secret_left": Rule("a password, key or token that was not replaced", "quarantine"),
    "outdated": Rule("an answer that contradicts the business's own documents", "quarantine"),
    "injection": Rule("instructions aimed at a model", "quarantine"),
    "hidden_text": Rule("invisible or disguised characters", "quarantine"),
    "trigger": Rule("rare words that always come with an odd answer", "quarantine"),
    "foreign_contact": Rule("an answer sends people to a link, number or account that is not the business's", "quarantine"),
    "foreign_product": Rule("an answer promotes what is not the business's", "quarantine"),
    "odd_author": Rule("an author whose labels or answers flip against everyone else's", "quarantine"),
    "outlier": Rule("an answer unlike all answers to similar questions", "note"),
    "low_rating": Rule("rated lower than the settings ask for", "quarantine"),
    "not_exemplary": Rule("scored lower than the settings ask for: unresolved, escalated or complained about", "quarantine"),
    "excluded": Rule("you excluded it", "quarantine"),
    "not_selected": Rule("outside the dates, agents, tags or departments that the settings choose", "quarantine"),
}


def action(rule: str, settings: Mapping[str, Action]) -> Action:
    """What a rule leads to, by the settings or by default."""
    return settings.get(rule, RULES[rule].action)

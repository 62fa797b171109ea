"""The sections of tailorbird.yaml about what may be learned from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tailorbird.settings.strict import Strict


class SelectionSettings(Strict):
    """Which conversations are examples to follow; everything is, unless something is said here."""

    min_rating: float = Field(default=1.0, ge=1, le=5)
    """Of conversations that customers rated, only those with this rating or a better one (1 to 5)."""
    min_score: float = Field(default=0.0, ge=0, le=5)
    """Of conversations that nobody rated, only those that rules score so: 3, more if solved or thanked, less if escalated."""
    since: str = Field(default="", pattern=r"^(\d{4}-\d\d-\d\d)?$")
    """Only conversations from this day on, for example 2025-01-31; older policies are out of date."""
    until: str = Field(default="", pattern=r"^(\d{4}-\d\d-\d\d)?$")
    """Only conversations up to this day."""
    agents: list[str] = Field(default_factory=list)
    """Only conversations that one of these agents answered."""
    not_agents: list[str] = Field(default_factory=list)
    """No conversation that one of these agents answered."""
    tags: list[str] = Field(default_factory=list)
    """Only conversations with one of these tags."""
    not_tags: list[str] = Field(default_factory=list)
    """No conversation with one of these tags."""
    departments: list[str] = Field(default_factory=list)
    """Only conversations of these departments."""


class AuditSettings(Strict):
    """What may be learned from, and how it is divided."""

    select: SelectionSettings = SelectionSettings()
    rules: dict[str, Literal["quarantine", "note", "ignore"]] = Field(default_factory=dict)
    """What a rule does: quarantine, note or ignore. `tailorbird audit rules` lists them."""

    longest_turn: int = Field(default=1200, ge=10)
    """Words in one turn; longer turns are nearly always pasted logs or threads."""
    most_of_one_template: float = Field(default=0.5, gt=0, le=1)
    """Share of answers that may differ in names and numbers only; with more, training would learn that text by heart."""
    infer_groups: bool = False
    """Compare treatment by the form of address (Mr, Ms) in answers too; ask first whether that is lawful where you are."""
    ask_for_language: bool = True
    """Where conversations are in several languages: ask in the system prompt for answers in the customer's language."""
    keep: list[str] = Field(default_factory=list)
    """Names, products, staff, addresses and numbers of the business itself, which are never redacted."""
    order_numbers: str = ""
    """A regular expression of your order numbers, for example FF-\\d{5}; these are then never taken for phone numbers."""
    replace_orders: bool = False
    """Replace order numbers by <ORDER_1> too; they point to a customer for whoever has your order book."""
    surrogates: bool = False
    """Put realistic made-up data in place of personal data instead of placeholders such as <PERSON_1>."""
    test_share: float = Field(default=0.12, gt=0, lt=0.5)
    """Share of conversations held out for the scorecard."""
    validation_share: float = Field(default=0.08, gt=0, lt=0.5)
    """Share of conversations that decide when training stops."""
    seed: int = 7
    """Decides the split; the same seed gives the same split."""

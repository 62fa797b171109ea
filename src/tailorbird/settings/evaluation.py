"""The sections of tailorbird.yaml about the scorecard, and what a candidate has to pass."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tailorbird.settings.strict import Strict


class JudgeSettings(Strict):
    """A model that compares answers, behind any address that speaks OpenAI's protocol.

    It is sent held-out conversations, and pairs of answers that people compared, both without personal data.
    """

    url: str = Field(pattern="^https?://")
    """Such as http://127.0.0.1:11434/v1."""
    model: str = Field(min_length=1)
    """Its name there."""
    key_variable: str = ""
    """The environment variable that has the key, such as OPENAI_API_KEY, where one is needed; never the key itself."""
    answers: int = Field(default=60, ge=2)
    """At most this many pairs of each kind are judged, each twice."""


class HarnessSettings(Strict):
    """Tasks of lm-evaluation-harness, from files (`pip install "tailorbird[harness]"`)."""

    tasks: list[str] = Field(min_length=1)
    """Names of tasks."""
    folder: str = "harness"
    """Where their YAML files are; data files are named from there."""


class EvaluationSettings(Strict):
    """How the scorecard is made."""

    longest_answer: int = Field(default=160, ge=8)
    """Tokens an answer may have."""
    answers: int = Field(default=60, ge=2)
    """At most this many held-out answers are written and compared; the loss uses all of them."""
    labels: int = Field(default=300, ge=2)
    """At most this many held-out examples of each task with labels."""
    forgetting: bool = True
    """Also measure what tuning made the model forget: general text and general questions."""
    attacks: int = Field(default=60, ge=0)
    """At most this many attacks and harmless look-alikes of the red team's 279 are tried, every kind and language in turn."""
    training_answers: int = Field(default=30, ge=0)
    """At most this many training questions are asked again, to see what of their answers is repeated word for word."""
    counterfactuals: int = Field(default=90, ge=0)
    """At most this many pairs of customers who differ in one thing are answered; with 360 smaller differences are found."""
    explained: int = Field(default=3, ge=0)
    """The report names the training conversations that so many answers come from (LoRA); as long as one pass of training."""
    judge: JudgeSettings | None = None
    """Have a model of your choice compare the answers as well."""
    harness: HarnessSettings | None = None
    """Run tasks of lm-evaluation-harness as well, base against tuned."""
    hand_off_tags: list[str] = Field(default_factory=lambda: ["handoff", "hand-off", "handover", "escalated", "escalation"])
    """Tags of conversations that a person had to take over: answers to them should offer one."""


class ReleasingSettings(Strict):
    """What a candidate has to pass before it may serve customers."""

    rules: dict[str, Literal["refuse", "warn", "ignore"]] = Field(default_factory=dict)
    """What a rule of the gate does: refuse, warn or ignore. `tailorbird releases --rules` lists them."""
    better_than_base: list[str] = Field(default_factory=lambda: ["loss"])
    """Figures of the scorecard on which the tuned model has to be better than the base model, beyond the 95% interval."""
    better_than_production: list[str] = Field(default_factory=list)
    """What it has to be better on than production too: parts of the comparison, say "new conversations", or figures, say chrf."""

"""The sections of tailorbird.yaml about training, and training again."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tailorbird.settings.strict import Strict

PAIRS = "pairs"
"""The source of reward that is learned from what people preferred."""


class TrainingSettings(Strict):
    """What to train; everything left out is planned."""

    method: Literal["auto", "lora", "rslora", "dora", "full", "prompt", "prefix"] = "auto"
    """What is trained: lora (chosen by auto) or its variants rslora and dora, all weights (full), or a soft prompt: prompt
    (before the input) or prefix (in every layer)."""
    learn_from: Literal["answers", "pairs", "thumbs", "rewards"] = "answers"
    """Agents' answers; pairs of a better and a worse answer (DPO); thumbs: answers rated 4 to 5 and 1 to 2 (KTO); or
    rewards for what it answers itself (RLHF)."""
    rewards: dict[str, float] = Field(default_factory=lambda: {PAIRS: 1.0})
    """For rewards: each source and its weight, for example {pairs: 1, right_language: 0.5}; `tailorbird rewards` lists them."""
    start_from: Literal["auto", "base", "candidate", "production"] = "auto"
    """What training goes on from: by itself the newest candidate for pairs and thumbs, the base model for answers."""
    replay: float = Field(default=10.0, ge=0)
    """When training goes on from a candidate or from production: earlier conversations read again for each new one, so that
    what the model makes of them stays."""
    passages: float = Field(default=0.25, ge=0, le=1)
    """Share of the lessons that show passages of your documents, where knowledge/ has any, so that the model learns to answer
    from them; the rest teaches it to answer without. Such lessons are several times as long: more of them are fewer passes."""
    canaries: int = Field(default=0, ge=0, le=100)
    """Made-up secrets to plant among the lessons; the scorecard then tells how well they are remembered. Not for release."""
    mixing_temperature: float = Field(default=2.0, ge=1)
    """Tasks and languages as often as they occur (1), or rare ones more often (2 and above)."""
    minutes: float = Field(default=5.0, gt=0)
    """How long training may take; the plan fits the number of epochs to it."""
    epochs: int | None = Field(default=None, ge=1)
    """Passes over the training conversations."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate."""
    lora_rank: int | None = Field(default=None, ge=1)
    """Rank of the LoRA adapter."""
    virtual_tokens: int | None = Field(default=None, ge=16, le=200)
    """Length of a soft prompt."""
    sequence_length: int | None = Field(default=None, ge=32)
    """Longest conversation in tokens; longer ones are cut to whole exchanges."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Memory that training may use; all that is free when left out."""
    seed: int = 7
    """Decides the adapter's start and the order of conversations."""
    report_to: list[str] = Field(default_factory=list)
    """Trackers of transformers to log to, for example tensorboard; none by default."""


class ImprovingSettings(Strict):
    """How `tailorbird improve` goes on from production."""

    minutes: float = Field(default=2.0, gt=0)
    """How long the incremental training may take."""
    epochs: int | None = Field(default=None, ge=1)
    """Passes over what is new; by itself as many as a changed fact needs."""
    release: bool = False
    """Release by itself what is better, or new, and worse on nothing; else it waits for `tailorbird release`."""

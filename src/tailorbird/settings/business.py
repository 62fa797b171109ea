"""The sections of tailorbird.yaml about the business: who it is, what to import, which tasks there are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tailorbird.settings.strict import Strict


class BusinessSettings(Strict):
    """Who the assistant works for."""

    name: str
    """The name customers know the business by."""
    disclosure: str = Field(default="You are talking to an AI assistant. Ask for a person at any time.", min_length=10)
    """What the server says first in every conversation, so that nobody mistakes the assistant for a person."""


class SourceSettings(Strict):
    """One export to import: a file, or a folder of files that belong together."""

    path: str
    """The file or folder, relative to tailorbird.yaml."""
    format: str | None = None
    """A name that `tailorbird formats` lists; recognised by itself when left out."""
    map: dict[str, str] = Field(default_factory=dict)
    """For tables: the file's column to our field, for example {body: question, reply: answer, queue: tag}."""
    where: dict[str, str] = Field(default_factory=dict)
    """For tables: only rows whose column has this value, for example {language: en}."""
    ours: list[str] = Field(default_factory=list)
    """For mail and chat exports: names, addresses or domains that write for the business, for example [shop.example]."""
    timezone: str = "UTC"
    """For exports whose times name no zone: where their clock stood, for example Europe/Madrid."""
    task: str = ""
    """Which of `tasks` this teaches; answering customers when left out."""
    held_out: bool = False
    """Keep all of it for the scorecard; nothing is learned from it, nor from anything that shares a customer or question."""


class TaskSettings(Strict):
    """Another task for the same model, besides answering customers; it is learned in the same run."""

    system_prompt: str = Field(min_length=1)
    """What the model is told before this task, in training and in service alike."""
    answer: Literal["text", "label"] = "text"
    """What it answers: text, or one of a few labels, so that no other answer can appear."""
    labels_from: str = ""
    """Learn it from what the help desk knows: department, or a tag's name: priority for the tag priority=high."""
    labels: list[str] = Field(default_factory=list)
    """The labels; all that occur in training when left out. Examples with another one are left out."""
    read_twice: bool = False
    """Give the model the message twice, so that it reads the beginning knowing the end (arXiv 2402.15449). On short questions
    with many labels it is right more often (benchmarks/banking77.py); it takes up to twice the time."""
    weight: float = Field(default=1.0, gt=0)
    """How much more often than others its examples are learned."""

    @model_validator(mode="after")
    def _labels_are_labels(self) -> TaskSettings:
        if (self.labels_from or self.labels) and self.answer != "label":
            raise ValueError("labels_from and labels need `answer: label`")
        return self

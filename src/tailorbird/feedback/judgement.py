"""One judgement of an answer, and what can be learned from it. Knows neither files nor tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import dropwhile, groupby
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from tailorbird.artifacts import FEEDBACK, Conversation, Turn
from tailorbird.database.texts import keepable

Kind = Literal["pair", "tie", "thumb", "edit"]
_TELLING = ("kind", "completion", "rejected", "label", "customer_id", "conversation", "judge", "task")  # what the id comes from


class Feedback(BaseModel):
    """One judgement: which of two answers is better, whether one is good, or what was sent instead of a draft.

    `messages` are the conversation up to the answer, without the system prompt. `completion` is the answer: the chosen one
    of a pair, what was sent of an edit; `rejected` the other. `label` is a thumb's. A tie is two answers of which neither
    is better. The id comes from the content, so the same judgement by the same person is one row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    messages: tuple[Turn, ...]
    completion: str
    rejected: str | None = Field(default=None, validate_default=True)
    label: bool | None = Field(default=None, validate_default=True)
    customer_id: str | None = None
    conversation: str | None = None
    judge: str | None = None
    release: str | None = None
    task: str = ""
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    source: str = ""
    id: str = Field(default="", validate_default=True)

    @field_validator("completion", "rejected", "customer_id", "conversation", "judge", "release", "task", "source")
    @classmethod
    def _keepable(cls, text: str | None) -> str | None:
        """Text that every database takes."""
        return None if text is None else keepable(text).strip()

    @field_validator("messages")
    @classmethod
    def _ends_with_a_question(cls, messages: tuple[Turn, ...]) -> tuple[Turn, ...]:
        found = _mended(messages)
        if not found or found[-1].role != "user":
            raise ValueError("it must end with what the customer wrote")
        return found

    @field_validator("completion")
    @classmethod
    def _says_something(cls, answer: str) -> str:
        if not answer:
            raise ValueError("the answer is empty")
        return answer

    @field_validator("rejected")
    @classmethod
    def _differs(cls, worse: str | None, info: ValidationInfo) -> str | None:
        compared = info.data.get("kind") != "thumb"
        if compared and not worse:
            raise ValueError("the other answer is missing")
        if not compared and worse is not None:
            raise ValueError("a thumb is about one answer")
        if compared and worse == info.data.get("completion"):
            raise ValueError("both answers are the same")
        return worse

    @field_validator("label")
    @classmethod
    def _is_a_thumbs(cls, label: bool | None, info: ValidationInfo) -> bool | None:
        if (info.data.get("kind") == "thumb") != (label is not None):
            raise ValueError("a thumb needs true or false, and nothing else has a label")
        return label

    @field_validator("created_at")
    @classmethod
    def _in_utc(cls, moment: datetime) -> datetime:
        try:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError as problem:
            raise ValueError("this time is out of range") from problem

    @field_validator("id")
    @classmethod
    def _from_content(cls, identity: str, info: ValidationInfo) -> str:
        told = [info.data.get(name) for name in _TELLING]
        said = [(turn.role, turn.content) for turn in info.data.get("messages", ())]
        content = json.dumps([told, said], ensure_ascii=False)
        return identity or f"feedback-{hashlib.sha256(content.encode()).hexdigest()[:16]}"

    def as_conversation(self) -> Conversation:
        """What can be learned from it: the better answer with the worse one, or one answer rated 5 or 1.

        Nobody judged the answers before it.
        """
        before = (turn.model_copy(update={"given": turn.role == "assistant"}) for turn in self.messages)
        return Conversation(
            id=self.id,
            turns=(*before, Turn(role="assistant", content=self.completion)),
            customer_id=self.customer_id,
            created_at=self.created_at.isoformat(),
            rating=None if self.label is None else 5.0 if self.label else 1.0,
            task=self.task,
            rejected=self.rejected,
            source=FEEDBACK,
            origin=self.source,
        )


def _mended(messages: Iterable[Turn]) -> tuple[Turn, ...]:
    """What was said, the customer first, one speaker's messages in a row joined; the system prompt left out."""
    told = [Turn(role=turn.role, content=keepable(turn.content).strip()) for turn in messages]
    said = dropwhile(lambda turn: turn.role == "assistant", (turn for turn in told if turn.content and turn.role != "system"))
    runs = [list(run) for _, run in groupby(said, key=lambda turn: turn.role)]
    return tuple(Turn(role=run[0].role, content="\n\n".join(turn.content for turn in run)) for run in runs)


def what_is_wrong(problem: Any) -> tuple[str, str]:
    """The field and the reason of a pydantic ValidationError's first problem."""
    first = problem.errors(include_url=False)[0]
    return str(first["loc"][0]), str(first["msg"]).removeprefix("Value error, ")

"""What the log keeps: a conversation, and its turns one by one. Knows no tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tailorbird.artifacts import Conversation, Turn
from tailorbird.database.texts import keepable

State = Literal["assistant", "waiting", "person", "closed"]
SOURCE = "live"
"""What logged conversations name as their source when they are learned from."""
_ONLY = {
    "release": "assistant", "first_token_ms": "assistant", "duration_ms": "assistant", "prompt_tokens": "assistant",
    "completion_tokens": "assistant", "passages": "assistant", "author": "person",
}  # fmt: skip
_GUARDED = ("guards", "action", "reason")


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


Words = Annotated[str, AfterValidator(keepable)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]


class LoggedTurn(BaseModel):
    """One message: a customer's (`user`), the model's (`assistant`) or a colleague's (`person`), without personal data.

    `number` counts from 1 in its conversation and is given by the log. An answer that broke off is not `whole`. Times an
    answer took are in milliseconds; `guards` are those that found something, `action` and `reason` what came of it; `passages`
    the ids of what the model was shown. `author` is the colleague.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    conversation: Words
    number: int = Field(default=0, ge=0)
    role: Literal["user", "assistant", "person"]
    text: Words
    created_at: Moment = Field(default_factory=now)
    whole: bool = True
    release: Words | None = None
    language: Words | None = None
    first_token_ms: float | None = Field(default=None, ge=0)
    duration_ms: float | None = Field(default=None, ge=0)
    prompt_tokens: int | None = Field(default=None, ge=0)
    completion_tokens: int | None = Field(default=None, ge=0)
    guards: tuple[Words, ...] = ()
    passages: tuple[Words, ...] = ()
    action: Words | None = None
    reason: Words | None = None
    author: Words | None = None

    @model_validator(mode="after")
    def _says_what_its_role_can_say(self) -> LoggedTurn:
        for name, role in _ONLY.items():
            if self.role != role and getattr(self, name) not in (None, ()):
                raise ValueError(f"only a turn of role {role} has {name}")
        if self.role == "person" and any(getattr(self, name) for name in _GUARDED):
            raise ValueError("guards do not read what a person writes")
        if self.role != "assistant" and not self.whole:
            raise ValueError("only an answer of the assistant breaks off")
        return self


class LoggedConversation(BaseModel):
    """A conversation and where it stands: answered by the `assistant`, `waiting` for a person, with a `person`, or `closed`.

    `key` is the API key that it came with. `department`, `reason` and `summary` are of the last hand-off; `first_reply_at` is
    when a person first answered after it began to wait.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Words = Field(min_length=1, max_length=128)
    key: Words | None = None
    customer_id: Words | None = None
    release: Words | None = None
    started_at: Moment
    last_at: Moment
    language: Words | None = None
    state: State = "assistant"
    department: Words | None = None
    reason: Words | None = None
    summary: Words | None = None
    waiting_since: Moment | None = None
    first_reply_at: Moment | None = None
    closed_at: Moment | None = None

    def as_conversation(self, turns: Iterable[LoggedTurn]) -> Conversation:
        """It with these turns in the form that is learned from: people's answers as the assistant's, one speaker's joined."""
        said = [turn for turn in turns if turn.text.strip()]
        runs = [list(run) for _, run in groupby(said, key=lambda turn: turn.role == "user")]
        return Conversation(
            id=self.id,
            turns=tuple(_joined(run) for run in runs),
            customer_id=self.customer_id,
            created_at=self.started_at.isoformat(),
            department=self.department,
            language=self.language or "",
            source=SOURCE,
        )


def _joined(run: list[LoggedTurn]) -> Turn:
    return Turn(
        role="user" if run[0].role == "user" else "assistant",
        content="\n\n".join(turn.text.strip() for turn in run),
        author=run[-1].author,
        created_at=run[0].created_at.isoformat(),
    )

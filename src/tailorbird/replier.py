"""The one door to anything that answers: base model, tuned model, with knowledge, or a remote server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, NotRequired, Protocol, TypedDict


class Message(TypedDict):
    """One chat message in the field's usual form; what is `given` was said before and is not learned."""

    role: Literal["system", "user", "assistant"]
    content: str
    given: NotRequired[bool]


@dataclass(frozen=True)
class ReplyOptions:
    """How to answer; the defaults are greedy, so that the same question gets the same answer.

    With `choices` the answer is one of them, whatever the model would rather say. `prior` has a log-probability for each
    of them, which is added to the model's: what somebody else thinks of it. The likeliest is then the answer.
    With `json_schema`, a schema as JSON text, the answer is JSON of that form. `logprobs` asks for the log-probability of each
    token and of so many of the likeliest in its place.
    """

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    prior: tuple[float, ...] = ()
    json_schema: str = ""
    logprobs: int | None = None


class TokenLogprob(NamedTuple):
    """A token as text and bytes with its log-probability (nats), and the likeliest in its place."""

    token: str
    bytes: tuple[int, ...]
    logprob: float
    top: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True)
class ReplyPiece:
    """A piece of a reply as it is written; the last one carries why it ended, the token counts, and what the reply rests on.

    Of a served assistant the last one also says whether a person takes over or has already (`wait`), for what reason, what that
    person is told, and which guards did what.
    """

    text: str
    finish_reason: Literal["stop", "length"] | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    citations: tuple[str, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    action: Literal["answer", "hand_over", "wait"] = "answer"
    reason: str = ""
    department: str = ""
    summary: str = ""
    guards: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """A whole reply."""

    text: str
    finish_reason: Literal["stop", "length"]
    prompt_tokens: int
    completion_tokens: int
    citations: tuple[str, ...] = ()


class Replier(Protocol):
    """Messages in, reply out."""

    name: str
    parallel: int
    """How many replies it can write at the same time without slowing down much."""

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """Yields the reply piece by piece; the last piece has a finish reason."""
        ...

    def close(self) -> None:
        """Frees the model."""
        ...


def reply(replier: Replier, messages: list[Message], options: ReplyOptions | None = None) -> Reply:
    """Collects a whole reply from a replier."""
    pieces = list(replier.stream(messages, options or ReplyOptions()))
    last = pieces[-1]
    text = "".join(piece.text for piece in pieces).strip()
    return Reply(text, last.finish_reason or "stop", last.prompt_tokens, last.completion_tokens, last.citations)

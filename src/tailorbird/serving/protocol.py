"""OpenAI's protocol: the part of its requests that is honoured, and its answers, events and errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tailorbird.errors import TailorbirdError
from tailorbird.replier import Message, ReplyOptions, ReplyPiece, TokenLogprob

Body = dict[str, Any]


class ContentPart(BaseModel):
    """A part of a message; only text is understood."""

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """A message as OpenAI's API has it."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[ContentPart]

    def plain(self) -> Message:
        """The message as repliers take it."""
        text = self.content if isinstance(self.content, str) else "\n".join(part.text for part in self.content)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class StreamOptions(BaseModel):
    """Whether the stream ends with token counts."""

    include_usage: bool = False


class NamedSchema(BaseModel):
    """A JSON schema; its name and whether it is strict change nothing, since it always is."""

    model_config = ConfigDict(protected_namespaces=())

    schema_: Body = Field(alias="schema")

    @field_validator("schema_")
    @classmethod
    def _sound(cls, told: Body) -> Body:
        """llama.cpp says nothing of a schema that it does not understand, and then holds the answer to none."""
        try:
            Draft202012Validator.check_schema(told)
        except SchemaError as problem:
            raise ValueError(f"this is no JSON schema: {problem.message}") from problem
        return told


class ResponseFormat(BaseModel):
    """Plain text, any JSON object, or JSON of a schema."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None

    @model_validator(mode="after")
    def _has_its_schema(self) -> ResponseFormat:
        if self.type == "json_schema" and self.json_schema is None:
            raise ValueError("an answer of the type json_schema needs the schema, as `json_schema.schema`")
        return self

    def text(self) -> str:
        """The schema as JSON text, or nothing."""
        if self.type == "json_object":
            return json.dumps({"type": "object"})
        return json.dumps(self.json_schema.schema_) if self.json_schema and self.type == "json_schema" else ""


class ChatRequest(BaseModel):
    """The part of OpenAI's request that is honoured; other fields are ignored.

    `user` is the customer's id, `metadata.conversation` the id of the conversation that the request goes on with.
    """

    model: str
    messages: list[ChatMessage] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    user: str | None = None
    metadata: dict[str, str] | None = None
    n: Literal[1] | None = None

    def options(self, longest: int) -> ReplyOptions:
        """What the replier is asked for, with so many tokens at the most."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return ReplyOptions(
            max_tokens=min(self.max_completion_tokens or self.max_tokens or 256, longest),
            temperature=self.temperature or 0.0,
            top_p=1.0 if self.top_p is None else self.top_p,
            seed=self.seed,
            stop=tuple(stop),
            json_schema=self.response_format.text() if self.response_format else "",
            logprobs=(self.top_logprobs or 0) if self.logprobs else None,
        )


class EmbeddingRequest(BaseModel):
    """Texts to be made vectors of meaning."""

    model: str
    input: str | list[str] = Field(min_length=1)
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Literal[512] | None = None

    def texts(self) -> list[str]:
        """The texts one by one."""
        return [self.input] if isinstance(self.input, str) else self.input


def error(message: str, code: str, status: int) -> Body:
    """A problem as OpenAI's clients read it."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def models(names: Sequence[str], created: int) -> Body:
    """The list of models."""
    cards = [{"id": name, "object": "model", "created": created, "owned_by": "tailorbird"} for name in names]
    return {"object": "list", "data": cards}


def completion(pieces: Iterator[ReplyPiece], head: Body, disclosure: str) -> Body:
    """A whole answer; what it rests on and the disclosure are fields of ours beside OpenAI's."""
    written = list(pieces)
    if written[-1].action == "wait":  # a person has taken over before anything was sent
        written = written[-1:]
    text = "".join(piece.text for piece in written).strip()
    tokens = [token for piece in written for token in piece.logprobs]
    message = {"role": "assistant", "content": text, "refusal": None, "disclosure": disclosure, **_outcome(written[-1])}
    choice = {"index": 0, "message": message, "finish_reason": written[-1].finish_reason, "logprobs": _logprobs(tokens)}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(written[-1])}


def events(pieces: Iterator[ReplyPiece], head: Body, disclosure: str, with_usage: bool) -> Generator[str, None, None]:
    """An answer as server-sent events; a problem on the way is the last of them."""

    def event(delta: Body, finish_reason: str | None = None, tokens: Sequence[TokenLogprob] = ()) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": _logprobs(tokens)}
        return _event({**head, "object": "chat.completion.chunk", "choices": [choice]})

    yield event({"role": "assistant", "content": "", "disclosure": disclosure})
    last = ReplyPiece("")
    try:
        for last in pieces:
            if last.text:
                yield event({"content": last.text}, tokens=last.logprobs)
            if last.finish_reason:
                yield event(_outcome(last), last.finish_reason)
    except TailorbirdError as problem:
        yield _event(error(problem.text, "server_error", 500))
        return
    if with_usage:
        yield _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(last)})
    yield "data: [DONE]\n\n"


def embeddings(vectors: NDArray[np.float32], request: EmbeddingRequest) -> Body:
    """Vectors [N, 512], as numbers or as base64 of little-endian 32-bit floats. Tokens are not counted: there is no limit."""
    rows = [
        base64.b64encode(row.astype("<f4").tobytes()).decode() if request.encoding_format == "base64" else row.tolist()
        for row in vectors
    ]
    data = [{"object": "embedding", "index": number, "embedding": row} for number, row in enumerate(rows)]
    return {"object": "list", "data": data, "model": request.model, "usage": {"prompt_tokens": 0, "total_tokens": 0}}


def _outcome(last: ReplyPiece) -> Body:
    """Fields of ours beside OpenAI's: what the answer rests on, whether a person takes over, and what the guards did."""
    told = {
        "citations": list(last.citations), "action": last.action, "reason": last.reason, "department": last.department,
        "summary": last.summary, "guards": list(last.guards),
    }  # fmt: skip
    return {name: value for name, value in told.items() if value}


def _usage(last: ReplyPiece) -> dict[str, int]:
    total = last.prompt_tokens + last.completion_tokens
    return {"prompt_tokens": last.prompt_tokens, "completion_tokens": last.completion_tokens, "total_tokens": total}


def _logprobs(tokens: Sequence[TokenLogprob]) -> Body | None:
    def told(one: TokenLogprob) -> Body:
        return {"token": one.token, "bytes": list(one.bytes), "logprob": one.logprob}

    if not tokens:
        return None
    return {"content": [told(one) | {"top_logprobs": list(map(told, one.top))} for one in tokens], "refusal": None}


def _event(content: Body) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"

"""The OpenAI-compatible API, chat completions plain and streamed. Web frameworks are imported nowhere else."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from tailorbird.errors import InputError, TailorbirdError, WorkspaceError
from tailorbird.replier import Message, ReplyOptions, ReplyPiece
from tailorbird.serving.assistant import Assistant
from tailorbird.workspace import PRODUCTION


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


class ChatRequest(BaseModel):
    """The part of OpenAI's request that is honoured; other fields are ignored."""

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

    def options(self) -> ReplyOptions:
        """What the replier is asked for."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return ReplyOptions(
            max_tokens=self.max_completion_tokens or self.max_tokens or 256,
            temperature=self.temperature or 0.0,
            top_p=1.0 if self.top_p is None else self.top_p,
            seed=self.seed,
            stop=tuple(stop),
        )


class ExplanationRequest(BaseModel):
    """A question, and an answer to explain if it is not to be the model's own."""

    question: str
    answer: str = ""
    top: int = Field(default=5, ge=1, le=50)


Explain = Callable[[str, str, int], BaseModel]
"""Question, answer, how many conversations -> what the answer comes from."""


def application(assistant: Assistant, explain: Explain | None = None) -> FastAPI:
    """The web application for one assistant; with `explain` it says as well where answers come from."""
    app = FastAPI(title="tailorbird", docs_url=None, redoc_url=None, openapi_url=None)
    started = int(time.time())
    names = [assistant.name, PRODUCTION]  # the second needs no change in clients after a release

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        cards = [{"id": name, "object": "model", "created": started, "owned_by": "tailorbird"} for name in names]
        return {"object": "list", "data": cards}

    @app.post("/v1/chat/completions")
    def chat(request: ChatRequest) -> Response:
        if request.model not in names:
            return _error(404, f"There is no model {request.model!r}; this server has {' and '.join(names)}.", "model_not_found")
        if request.messages[-1].role != "user":
            return _error(400, "The last message must be the user's.", "invalid_request_error")
        pieces = assistant.stream([message.plain() for message in request.messages], request.options())
        head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": assistant.name}
        ready = _begun(pieces)
        if request.stream:
            events = _events(ready, head, bool(request.stream_options and request.stream_options.include_usage))
            return StreamingResponse(events, media_type="text/event-stream")
        return JSONResponse(_completion(ready, head))

    if explain:
        one_at_a_time = Lock()  # each takes the whole machine

        @app.post("/v1/explanations")
        def explanation(request: ExplanationRequest) -> dict[str, Any]:
            with one_at_a_time:
                return explain(request.question, request.answer, request.top).model_dump(mode="json")

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, problem: RequestValidationError) -> Response:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])
        return _error(400, f"{field}: {first['msg']}" if field else first["msg"], "invalid_request_error")

    @app.exception_handler(TailorbirdError)
    def failed(_: Request, problem: TailorbirdError) -> Response:
        return _error(400 if isinstance(problem, InputError) else 500, problem.text, "invalid_request_error")

    return app


def _error(status: int, message: str, code: str) -> JSONResponse:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


def _begun(pieces: Iterator[ReplyPiece]) -> Iterator[ReplyPiece]:
    """The same pieces with the model's first one already there, so that its refusal is still an HTTP error."""
    first = [next(pieces)]
    if first[0].finish_reason is None:
        first.append(next(pieces))

    def again() -> Iterator[ReplyPiece]:
        yield from first
        yield from pieces

    return again()


def _usage(last: ReplyPiece) -> dict[str, int]:
    total = last.prompt_tokens + last.completion_tokens
    return {"prompt_tokens": last.prompt_tokens, "completion_tokens": last.completion_tokens, "total_tokens": total}


def _completion(pieces: Iterator[ReplyPiece], head: dict[str, Any]) -> dict[str, Any]:
    written = list(pieces)
    text = "".join(piece.text for piece in written).strip()
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "refusal": None, "citations": list(written[-1].citations)},
        "finish_reason": written[-1].finish_reason,
        "logprobs": None,
    }
    return {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(written[-1])}


def _events(pieces: Iterator[ReplyPiece], head: dict[str, Any], with_usage: bool) -> Iterator[str]:
    def event(delta: dict[str, Any], finish_reason: str | None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return _event({**head, "object": "chat.completion.chunk", "choices": [choice]})

    yield event({"role": "assistant", "content": ""}, None)
    last = ReplyPiece("")
    try:
        for last in pieces:
            if last.text:
                yield event({"content": last.text}, None)
            if last.finish_reason:
                yield event({"citations": list(last.citations)} if last.citations else {}, last.finish_reason)
    except TailorbirdError as problem:
        yield _event({"error": {"message": problem.text, "type": "server_error", "param": None, "code": None}})
        return
    if with_usage:
        yield _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(last)})
    yield "data: [DONE]\n\n"


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"


def run(assistant: Assistant, host: str, port: int, listening: Callable[[str], None], explain: Explain | None = None) -> None:
    """Serves until stopped with Ctrl-C; `listening` is told the address once the port is taken."""
    try:
        taken = socket.create_server((host, port))
    except OSError as problem:
        raise WorkspaceError(
            f"Port {port} of {host} cannot be used ({problem.strerror}).", fix="Choose another one with --port."
        ) from problem
    listening(f"http://{host}:{taken.getsockname()[1]}/v1")
    server = uvicorn.Server(uvicorn.Config(application(assistant, explain), log_level="warning"))
    server.run(sockets=[taken])

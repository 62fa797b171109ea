"""The OpenAI-compatible API: chat completions plain and streamed, models, embeddings. Web frameworks live here only."""

from __future__ import annotations

import ipaddress
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from tailorbird import engine
from tailorbird.errors import InputError, SettingsError, TailorbirdError, WorkspaceError
from tailorbird.replier import ReplyPiece
from tailorbird.serving import protocol
from tailorbird.serving.access import Access
from tailorbird.serving.desk import Desk
from tailorbird.serving.keys import Keys
from tailorbird.settings import ServingSettings
from tailorbird.workspace import PRODUCTION

EMBEDDING = "universal-sentence-encoder"
"""The model name for vectors of meaning."""


class ExplanationRequest(BaseModel):
    """A question, and an answer to explain if it is not to be the model's own."""

    question: str
    answer: str = ""
    top: int = Field(default=5, ge=1, le=50)


Explain = Callable[[str, str, int], BaseModel]
"""Question, answer, how many conversations -> what the answer comes from."""


def application(desk: Desk, explain: Explain | None = None) -> ASGIApp:
    """The web application for one workspace's versions, its keys and limits around it.

    With `explain` it says as well where answers come from.
    """
    settings = desk.workspace.settings.serving
    guarded = Access(_routes(desk, settings, explain), Keys(desk.workspace), settings)
    # Outermost, since a browser asks for its leave without a key.
    return CORSMiddleware(guarded, settings.sites, allow_methods=["POST"], allow_headers=["*"])


def _routes(desk: Desk, settings: ServingSettings, explain: Explain | None) -> FastAPI:
    app = FastAPI(title="tailorbird", docs_url=None, redoc_url=None, openapi_url=None)
    started = int(time.time())

    @app.get("/v1/models")
    def models() -> protocol.Body:
        return protocol.models([*desk.names(), EMBEDDING], started)

    @app.post("/v1/chat/completions")
    def chat(request: protocol.ChatRequest) -> Response:
        if request.messages[-1].role != "user":
            return _error(400, "The last message must be the user's.", "invalid_request_error")
        replier = desk.replier(request.model)
        if replier is None:
            return _unknown(request.model, desk.names())
        options = request.options(settings.longest_answer)
        pieces = _within(settings.answer_seconds, replier.stream([one.plain() for one in request.messages], options))
        head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": replier.name}
        ready = _begun(pieces)
        if request.stream:
            with_usage = bool(request.stream_options and request.stream_options.include_usage)
            events = protocol.events(ready, head, replier.disclosure, with_usage)
            return StreamingResponse(events, media_type="text/event-stream")
        return JSONResponse(protocol.completion(ready, head, replier.disclosure))

    @app.post("/v1/embeddings")
    def embeddings(request: protocol.EmbeddingRequest) -> Response:
        if request.model != EMBEDDING:
            return _unknown(request.model, [EMBEDDING])
        return JSONResponse(protocol.embeddings(engine.embed(request.texts()), request))

    @app.get("/healthz")
    def healthy() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def ready() -> Response:
        if desk.replier(PRODUCTION) is None:
            return JSONResponse({"status": "nothing is released"}, 503)
        return JSONResponse({"status": "ready"})

    if explain:
        _add_explanations(app, explain)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, problem: RequestValidationError) -> Response:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])
        return _error(400, f"{field}: {first['msg']}" if field else first["msg"], "invalid_request_error")

    @app.exception_handler(TailorbirdError)
    def failed(_: Request, problem: TailorbirdError) -> Response:
        return _error(400 if isinstance(problem, InputError) else 500, problem.text, "invalid_request_error")

    return app


def _add_explanations(app: FastAPI, explain: Explain) -> None:
    one_at_a_time = Lock()  # each takes the whole machine

    @app.post("/v1/explanations")
    def explanation(request: ExplanationRequest) -> protocol.Body:
        with one_at_a_time:
            return explain(request.question, request.answer, request.top).model_dump(mode="json")


def _unknown(name: str, known: Sequence[str]) -> JSONResponse:
    return _error(404, f"There is no model {name!r}; this server has {', '.join(known)}.", "model_not_found")


def _error(status: int, message: str, code: str) -> JSONResponse:
    return JSONResponse(protocol.error(message, code, status), status)


def _within(seconds: float, pieces: Iterator[ReplyPiece]) -> Iterator[ReplyPiece]:
    """The same pieces until the time is over; the answer then ends where it is."""
    until = time.monotonic() + seconds
    for piece in pieces:
        yield piece
        if time.monotonic() > until and piece.finish_reason is None:
            yield ReplyPiece("", "length")
            return


def _begun(pieces: Iterator[ReplyPiece]) -> Iterator[ReplyPiece]:
    """The same pieces with the model's first one already there, so that its refusal is still an HTTP error."""
    first = [next(pieces)]
    if first[0].finish_reason is None:
        first.append(next(pieces))

    def again() -> Iterator[ReplyPiece]:
        yield from first
        yield from pieces

    return again()


def _own(host: str) -> bool:
    """Whether nobody but this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run(desk: Desk, host: str, port: int, listening: Callable[[str], None], explain: Explain | None = None) -> None:
    """Serves until stopped with Ctrl-C; `listening` is told the address once the port is taken.

    Raises SettingsError for an address that others reach while there is no key, WorkspaceError for a port that is taken.
    """
    if not _own(host) and not Keys(desk.workspace).needed():
        raise SettingsError(
            f"{host} can be reached from other machines, and this workspace has no key.",
            fix="Make one with `tailorbird keys add NAME`, or listen on 127.0.0.1.",
        )
    try:
        taken = socket.create_server((host, port))
    except OSError as problem:
        raise WorkspaceError(
            f"Port {port} of {host} cannot be used ({problem.strerror}).", fix="Choose another one with --port."
        ) from problem
    listening(f"http://{host}:{taken.getsockname()[1]}/v1")
    server = uvicorn.Server(uvicorn.Config(application(desk, explain), log_level="warning"))
    server.run(sockets=[taken])

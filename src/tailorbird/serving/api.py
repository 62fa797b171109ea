"""The OpenAI-compatible API: its routes, and the server that runs them."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from tailorbird import engine
from tailorbird.errors import InputError, SettingsError, TailorbirdError, WorkspaceError
from tailorbird.serving import chatting, dashboard, people, protocol, refusals, webhooks, widget
from tailorbird.serving.access import Access, asked
from tailorbird.serving.desk import Desks
from tailorbird.serving.keys import Keys
from tailorbird.serving.metrics import CONTENT_TYPE, Metrics
from tailorbird.serving.monitoring import alerts, watch
from tailorbird.serving.rounds import Round
from tailorbird.serving.shadowing import EVERY, Shadows
from tailorbird.workspace import PRODUCTION

_DAY = 24 * 3600.0  # seconds
EMBEDDING = "universal-sentence-encoder"
"""The model name for vectors of meaning."""


class ExplanationRequest(BaseModel):
    """A question, and an answer to explain if it is not to be the model's own; always of what is in production."""

    model: str = PRODUCTION
    question: str
    answer: str = ""
    top: int = Field(default=5, ge=1, le=50)


def application(desks: Desks, metrics: Metrics | None = None, shadows: Shadows | None = None) -> ASGIApp:
    """The web application for the versions of one business or more, their keys and limits around it.

    What is asked of versions that are tried out unseen is put into `shadows`.
    """
    metrics = metrics or Metrics()
    shadows = shadows or Shadows(metrics.is_busy)
    sites = sorted({site for desk in desks.desks for site in desk.workspace.settings.serving.sites})
    # Outermost, since a browser asks for its leave without a key.
    guarded = Access(_routes(desks, metrics, shadows), desks, metrics)
    return CORSMiddleware(guarded, sites, allow_methods=["GET", "POST"], allow_headers=["*"], expose_headers=["Retry-After"])


def _routes(desks: Desks, metrics: Metrics, shadows: Shadows) -> FastAPI:
    app = FastAPI(title="tailorbird", docs_url=None, redoc_url=None, openapi_url=None)
    started = int(time.time())

    @app.get("/v1/models")
    def models(http: Request) -> protocol.Body:
        return protocol.models([*asked(http).names(), EMBEDDING], started)

    @app.post("/v1/chat/completions")
    def chat(request: protocol.ChatRequest, http: Request) -> Response:
        return chatting.answer(request, http, metrics, shadows)

    @app.post("/v1/embeddings")
    def embeddings(request: protocol.EmbeddingRequest) -> Response:
        if request.model != EMBEDDING:
            return refusals.unknown_model(request.model, [EMBEDDING])
        return JSONResponse(protocol.embeddings(engine.embed(request.texts()), request))

    @app.get("/healthz")
    def healthy() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    def ready() -> Response:
        if any(desk.replier(PRODUCTION) is None for desk in desks.desks):
            return JSONResponse({"status": "nothing is released"}, 503)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics")
    def figures(http: Request) -> Response:
        return Response(metrics.page([desk.business for desk in asked(http).desks]), media_type=CONTENT_TYPE)

    @app.get("/v1/figures")
    def watched(http: Request, days: Annotated[float, Query(gt=0)] = 30) -> protocol.Body:
        since = datetime.now(UTC) - timedelta(days=days)
        found = {one.business: watch(one.workspace, since, one.conversations.log) for one in asked(http).desks}
        return {business: told.model_dump(mode="json") for business, told in found.items()}

    app.include_router(people.routes())
    app.include_router(widget.routes())
    app.include_router(dashboard.routes())
    if any(desk.explain for desk in desks.desks):
        _add_explanations(app)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, problem: RequestValidationError) -> Response:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])
        return refusals.refused(400, f"{field}: {first['msg']}" if field else first["msg"], "invalid_request_error")

    @app.exception_handler(TailorbirdError)
    def failed(_: Request, problem: TailorbirdError) -> Response:
        return refusals.refused(400 if isinstance(problem, InputError) else 500, problem.text, "invalid_request_error")

    return app


def _add_explanations(app: FastAPI) -> None:
    one_at_a_time = Lock()  # each takes the whole machine

    @app.post("/v1/explanations")
    def explanation(request: ExplanationRequest, http: Request) -> Response:
        found = asked(http).find(request.model)
        if found is None or found[0].explain is None:
            return refusals.unknown_model(request.model, asked(http).names())
        with one_at_a_time:
            told = found[0].explain(request.question, request.answer, request.top)
        return JSONResponse(told.model_dump(mode="json"))


def _own(host: str) -> bool:
    """Whether nobody but this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run(desks: Desks, host: str, port: int, listening: Callable[[str], None]) -> None:
    """Serves until stopped with Ctrl-C; `listening` is told the address once the port is taken.

    Raises SettingsError for an address that others reach while there is no key, WorkspaceError for a port that is taken.
    """
    open_ones = [desk.business for desk in desks.desks if not Keys(desk.workspace).needed()]
    if not _own(host) and open_ones:
        raise SettingsError(
            f"{host} can be reached from other machines, and {', '.join(open_ones)} has no key.",
            fix="Make one with `tailorbird keys add NAME`, or listen on 127.0.0.1.",
        )
    try:
        taken = socket.create_server((host, port))
    except OSError as problem:
        raise WorkspaceError(
            f"Port {port} of {host} cannot be used ({problem.strerror}).", fix="Choose another one with --port."
        ) from problem
    metrics = Metrics()
    shadows = Shadows(metrics.is_busy)
    rounds = [*_rounds(desks), Round(shadows.answer, EVERY)]
    for one in rounds:
        one.start()
    listening(f"http://{host}:{taken.getsockname()[1]}/v1")
    server = uvicorn.Server(uvicorn.Config(application(desks, metrics, shadows), log_level="warning"))
    server.run(sockets=[taken])
    shadows.stop()
    for one in rounds:
        one.stop()


def _rounds(desks: Desks) -> list[Round]:
    """What the server does beside answering; raises SettingsError for a webhook without a secret."""
    rounds = [Round(desk.conversations.log.forget_older, _DAY) for desk in desks.desks]
    looking = [alerts.Alerts(desk, engine.embed, alerts.send) for desk in desks.desks if desk.workspace.settings.serving.alerts]
    rounds += [Round(one.look, alerts.EVERY) for one in looking]
    if courier := webhooks.Courier(desks.desks):
        rounds.append(Round(courier.deliver, webhooks.EVERY))
    return rounds

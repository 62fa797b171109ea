"""The OpenAI-compatible API: its routes, and the server that runs them."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Annotated

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from tailorbird import engine
from tailorbird.errors import SettingsError, WorkspaceError
from tailorbird.serving import chatting, dashboard, people, protocol, refusals, webhooks, widget
from tailorbird.serving.access import Access, SafeHeaders, asked, most_at_once
from tailorbird.serving.desk import Desks
from tailorbird.serving.metrics import CONTENT_TYPE, Metrics
from tailorbird.serving.monitoring import alerts, watch
from tailorbird.serving.rounds import Round
from tailorbird.serving.shadowing import EVERY, Shadows
from tailorbird.workspace import PRODUCTION

_DAY = 24 * 3600.0  # seconds
_SPARE = 16  # threads that answers never have: for figures, the queue, what people write
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
    guarded = Access(_routes(desks, metrics, shadows), desks, metrics)
    # Around that, since a browser asks for its leave without a key.
    shared = CORSMiddleware(guarded, sites, allow_methods=["GET", "POST"], allow_headers=["*"], expose_headers=["Retry-After"])
    return SafeHeaders(shared)


def _routes(desks: Desks, metrics: Metrics, shadows: Shadows) -> FastAPI:
    @asynccontextmanager
    async def with_threads(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = most_at_once(desks) + _SPARE
        yield

    app = FastAPI(title="tailorbird", docs_url=None, redoc_url=None, openapi_url=None, lifespan=with_threads)
    started = int(time.time())

    @app.get("/v1/models")
    def models(http: Request) -> protocol.Body:
        return protocol.models([*asked(http).names(), EMBEDDING], started)

    @app.get("/v1/models/{name:path}")
    def model(name: str, http: Request) -> Response:
        found = asked(http).find(name)
        if name != EMBEDDING and (found is None or found[0].release(found[1]) is None):
            return refusals.unknown_model(name, [*asked(http).names(), EMBEDDING])
        return JSONResponse(protocol.models([name], started)["data"][0])

    @app.post("/v1/chat/completions")
    def chat(request: protocol.ChatRequest, http: Request) -> Response:
        return chatting.answer(request, http, metrics, shadows)

    @app.post("/v1/embeddings")
    def embeddings(request: protocol.EmbeddingRequest) -> Response:
        if request.model != EMBEDDING:
            return refusals.unknown_model(request.model, [EMBEDDING])
        return JSONResponse(protocol.embeddings(engine.embed(request.texts()), request))

    @app.get("/healthz")
    async def healthy() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz")
    async def ready() -> Response:
        opened = [await asyncio.to_thread(desk.replier, PRODUCTION) for desk in desks.desks]  # not in an answer's thread
        if None in opened:
            return JSONResponse({"status": "nothing is released"}, 503)
        return JSONResponse({"status": "ready"})

    @app.get("/metrics")
    async def figures(http: Request) -> Response:
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
    refusals.handle_problems(app)
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
    open_ones = [desk.business for desk in desks.desks if not desk.keys.needed()]
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
    couriers = [webhooks.Courier([desk]) for desk in desks.desks]  # one each: a slow receiver keeps no other's messages waiting
    rounds += [Round(one.deliver, webhooks.EVERY) for one in couriers if one]
    return rounds

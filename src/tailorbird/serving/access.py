"""Who is let in, how often and how many at once: around the whole application, before anything of a request is read."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailorbird.errors import TailorbirdError
from tailorbird.serving import dashboard, protocol, widget
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.keys import Key, Keys
from tailorbird.serving.metrics import Metrics

_OPEN = ("/healthz", "/readyz", *widget.PATHS, *dashboard.PATHS)  # they tell nothing; pages ask with the key they are given
_OWNERS = ("/v1/explanations", "/v1/figures", "/metrics")
_COLLEAGUES = "/v1/hand-offs"
_READS = 10  # times as many requests a minute that only ask what is new
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_BUSY = 2  # seconds after which somebody who was turned away may try again


class _RefusedError(Exception):
    """Why a request goes no further."""

    def __init__(self, status: int, message: str, code: str, retry_after: float = 0) -> None:
        super().__init__(message)
        self.status = status
        headers = {"Retry-After": str(math.ceil(retry_after))} if retry_after else {}
        headers |= {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        self.response = JSONResponse(protocol.error(message, code, status), status, headers)


class Access:
    """An ASGI application around another one.

    Before there is a key of any business everybody is let in, which `serve` allows on this machine's own address only. A key
    opens its own business alone: `asked` has the desks that a request may ask. Limits are those of the key's business, or of
    the first one where there are no keys; requests are counted by key over the last minute, by address where there is no key
    or the key is on a public page (`widget`).
    """

    def __init__(self, app: ASGIApp, desks: Desks, metrics: Metrics) -> None:
        self.app, self.desks, self.metrics = app, desks, metrics
        self._keys = [(desk, Keys(desk.workspace)) for desk in desks.desks]
        self._counted = MovingWindowRateLimiter(MemoryStorage())
        self._running: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it with 401, 403, 413, 429 or 503 in OpenAI's shape."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)  # the widget's script and page have their own
            await send(message)

        business = ""
        try:
            if scope["path"] in _OPEN:
                await self.app(scope, receive, with_headers)
                return
            desk, key = self._holder(scope)
            business = desk.business
            self._admit(scope, desk, key)
            body = await self._read(Headers(scope=scope), receive, desk.workspace.settings.serving.limits.body_kb)
            await self._run(scope, body, with_headers, desk)
        except _RefusedError as refusal:
            self.metrics.refuses(business, refusal.status)
            await refusal.response(scope, receive, with_headers)
        except TailorbirdError as problem:
            await JSONResponse(protocol.error(problem.text, "server_error", 500), 500)(scope, receive, with_headers)

    def _admit(self, scope: Scope, desk: Desk, key: Key | None) -> None:
        """Counts a request against its limit, and notes in its scope what it may ask."""
        scope["state"] = {**scope.get("state", {}), "desks": self.desks.only(desk) if key else self.desks, "key": key}
        client = scope.get("client")
        address = f"address {client[0] if client else ''}"
        who = address if key is None else f"key {desk.business} {key.id} {address if key.role == 'widget' else ''}"
        reads = scope["method"] == "GET"
        rate = RateLimitItemPerMinute(desk.workspace.settings.serving.limits.requests_per_minute * (_READS if reads else 1))
        if not self._counted.hit(rate, who):
            wait = max(self._counted.get_window_stats(rate, who).reset_time - time.time(), 1)
            raise _RefusedError(429, f"More than {rate.amount} requests a minute.", "rate_limit_exceeded", wait)

    def _holder(self, scope: Scope) -> tuple[Desk, Key | None]:
        """The desk whose limits hold for a request, and its key, where keys are needed."""
        if not any(keys.needed() for _, keys in self._keys):
            return self.desks.desks[0], None
        kind, _, told = Headers(scope=scope).get("authorization", "").partition(" ")
        held = ((desk, keys.holder(told.strip())) for desk, keys in self._keys if kind.lower() == "bearer")
        found = next(((desk, key) for desk, key in held if key), None)
        if found is None:
            raise _RefusedError(401, "This server needs a key of its own: Authorization: Bearer tb_…", "invalid_api_key")
        desk, key = found
        if not _may(key, scope):
            raise _RefusedError(403, f"A key of the role {key.role} may not ask this.", "insufficient_permissions")
        if key.role == "widget" and not _on_its_pages(Headers(scope=scope), desk.workspace.settings.serving.sites):
            raise _RefusedError(403, "This key is for the pages named in serving.sites.", "insufficient_permissions")
        return desk, key

    async def _read(self, headers: Headers, receive: Receive, kb: int) -> Receive:
        """The body, read as far as one may go, as if it came now."""
        most, body, more = kb * 1000, b"", True
        length = headers.get("content-length", "0")
        while more and len(body) <= most >= (int(length) if length.isdigit() else 0):
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if more or len(body) > most:
            raise _RefusedError(413, f"A request may have {kb} kB.", "request_too_large")
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        return again

    async def _run(self, scope: Scope, receive: Receive, send: Send, desk: Desk) -> None:
        if scope["method"] == "GET":  # what is looked at must be seen under load most of all
            await self.app(scope, receive, send)
            return
        running = self._running.get(desk.business, 0)
        if running >= desk.workspace.settings.serving.limits.most_at_once:
            raise _RefusedError(503, "Too many answers are being written; try again in a moment.", "overloaded", _BUSY)
        self._running[desk.business] = running + 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._running[desk.business] -= 1


def _on_its_pages(headers: Headers, sites: Sequence[str]) -> bool:
    """Whether a page in `sites` asks; browsers name no origin where a page of ours looks for what is new."""
    if "origin" not in headers:
        return headers.get("sec-fetch-site") == "same-origin"
    return headers["origin"] in sites


def _may(key: Key, scope: Scope) -> bool:
    """Whether the role of a key goes as far as a request: owners may all, colleagues take over, the others ask."""
    if scope["path"] in _OWNERS:
        return key.role == "owner"
    if scope["path"].startswith(_COLLEAGUES):
        return key.role in ("owner", "agent")
    return True


def holder(request: Request) -> Key | None:
    """The key of a request; None where there are no keys."""
    key: Key | None = request.state.key
    return key


def asked(request: Request) -> Desks:
    """The desks that a request may ask."""
    desks: Desks = request.state.desks
    return desks

"""Who is let in, how often and how many at once: around the whole application, before anything of a request is read."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailorbird.errors import TailorbirdError
from tailorbird.serving import dashboard, protocol, widget
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.keys import Key
from tailorbird.serving.metrics import Metrics

_OPEN = ("/healthz", "/readyz", *widget.PATHS, *dashboard.PATHS)  # they tell nothing; pages ask with the key they are given
_OWNERS = ("/v1/explanations", "/v1/figures", "/metrics")
_COLLEAGUES = "/v1/hand-offs"
_ANSWERS = ("/v1/chat/completions", "/v1/explanations", "/v1/embeddings")
_MOST = 32  # answers at a time of all businesses together, unless one of them may have more by itself
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


class SafeHeaders:
    """An ASGI application around another one: all its answers have the headers that keep browsers from doing more with them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Adds the headers that an answer does not have itself."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)  # the widget's script and page have their own
            await send(message)

        await self._app(scope, receive, with_headers)


class Access:
    """An ASGI application around another one.

    Before there is a key of any business everybody is let in, which `serve` allows on this machine's own address only. A key
    opens its own business alone: `asked` has the desks that a request may ask. Limits are those of the key's business, or of
    the first one where there are no keys; requests are counted by key over the last minute, by address where there is no key
    or the key is on a public page (`widget`), or was a wrong one.
    """

    def __init__(self, app: ASGIApp, desks: Desks, metrics: Metrics) -> None:
        self.app, self.desks, self.metrics = app, desks, metrics
        self._counted = MovingWindowRateLimiter(MemoryStorage())
        self._running: dict[str, int] = {}
        self._most = most_at_once(desks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it with 401, 403, 413, 429 or 503 in OpenAI's shape."""
        if scope["type"] != "http" or scope["path"] in _OPEN:
            await self.app(scope, receive, send)
            return
        business = ""
        try:
            desk, key = self._holder(scope)
            business = desk.business
            self._admit(scope, desk, key)
            body = await self._read(Headers(scope=scope), receive, desk.workspace.settings.serving.limits.body_kb)
            await self._run(scope, body, send, desk)
        except _RefusedError as refusal:
            self.metrics.refuses(business, refusal.status)
            await refusal.response(scope, receive, send)
        except TailorbirdError as problem:
            await JSONResponse(protocol.error(problem.text, "server_error", 500), 500)(scope, receive, send)

    def _admit(self, scope: Scope, desk: Desk, key: Key | None) -> None:
        """Counts a request against its limit, and notes in its scope what it may ask."""
        scope["state"] = {**scope.get("state", {}), "desks": self.desks.only(desk) if key else self.desks, "key": key}
        address = _address(scope)
        who = address if key is None else f"key {desk.business} {key.id} {address if key.role == 'widget' else ''}"
        rate = _rate(desk, _READS if scope["method"] == "GET" else 1)
        if not self._counted.hit(rate, who):
            raise self._too_many(rate, who)

    def _too_many(self, rate: RateLimitItem, who: str) -> _RefusedError:
        wait = max(self._counted.get_window_stats(rate, who).reset_time - time.time(), 1)
        return _RefusedError(429, f"More than {rate.amount} requests a minute.", "rate_limit_exceeded", wait)

    def _holder(self, scope: Scope) -> tuple[Desk, Key | None]:
        """The desk whose limits hold for a request, and its key, where keys are needed."""
        first = self.desks.desks[0]
        if not any(desk.keys.needed() for desk in self.desks.desks):
            return first, None
        wrong, rate = f"wrong keys of {_address(scope)}", _rate(first)
        if not self._counted.test(rate, wrong):
            raise self._too_many(rate, wrong)
        kind, _, told = Headers(scope=scope).get("authorization", "").partition(" ")
        held = ((desk, desk.keys.holder(told.strip())) for desk in self.desks.desks if kind.lower() == "bearer")
        found = next(((desk, key) for desk, key in held if key), None)
        if found is None:
            self._counted.hit(rate, wrong)
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
        if scope["method"] != "POST" or scope["path"] not in _ANSWERS:  # figures, queue and people are needed under load most
            await self.app(scope, receive, send)
            return
        running, most = self._running.get(desk.business, 0), desk.workspace.settings.serving.limits.most_at_once
        if running >= most or sum(self._running.values()) >= self._most:
            raise _RefusedError(503, "Too many answers are being written; try again in a moment.", "overloaded", _BUSY)
        self._running[desk.business] = running + 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._running[desk.business] -= 1


def most_at_once(desks: Desks) -> int:
    """How many answers are written at the same time for all businesses together."""
    return max(_MOST, *(desk.workspace.settings.serving.limits.most_at_once for desk in desks.desks))


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return f"address {client[0] if client else ''}"


def _rate(desk: Desk, times: int = 1) -> RateLimitItem:
    return RateLimitItemPerMinute(desk.workspace.settings.serving.limits.requests_per_minute * times)


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

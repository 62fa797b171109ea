"""Who is let in, how often and how many at once: around the whole application, before anything of a request is read."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailorbird.errors import TailorbirdError
from tailorbird.serving import protocol
from tailorbird.serving.keys import Key, Keys
from tailorbird.settings import ServingSettings

_OPEN = ("/healthz", "/readyz")  # probes come often and tell nothing
_OWNERS = ("/v1/explanations",)
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
        headers = {"Retry-After": str(math.ceil(retry_after))} if retry_after else {}
        headers |= {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        self.response = JSONResponse(protocol.error(message, code, status), status, headers)


class Access:
    """An ASGI application around another one.

    Before there is a key everybody is let in, which `serve` allows on this machine's own address only. Requests are counted by
    key, or by address where there is none, over the last minute.
    """

    def __init__(self, app: ASGIApp, keys: Keys, settings: ServingSettings) -> None:
        self.app, self.keys, self.settings = app, keys, settings
        self._counted = MovingWindowRateLimiter(MemoryStorage())
        self._rate = RateLimitItemPerMinute(settings.requests_per_minute)
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request through, or answers it with 401, 403, 413, 429 or 503 in OpenAI's shape."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        try:
            if scope["path"] in _OPEN:
                await self.app(scope, receive, with_headers)
                return
            self._admit(scope)
            await self._run(scope, await self._read(Headers(scope=scope), receive), with_headers)
        except _RefusedError as refusal:
            await refusal.response(scope, receive, with_headers)
        except TailorbirdError as problem:
            await JSONResponse(protocol.error(problem.text, "server_error", 500), 500)(scope, receive, with_headers)

    def _admit(self, scope: Scope) -> None:
        key = self._key(scope)
        client = scope.get("client")
        who = f"key {key.id}" if key else f"address {client[0] if client else ''}"
        if not self._counted.hit(self._rate, who):
            wait = max(self._counted.get_window_stats(self._rate, who).reset_time - time.time(), 1)
            raise _RefusedError(429, f"More than {self._rate.amount} requests a minute.", "rate_limit_exceeded", wait)

    def _key(self, scope: Scope) -> Key | None:
        if not self.keys.needed():
            return None
        kind, _, told = Headers(scope=scope).get("authorization", "").partition(" ")
        key = self.keys.holder(told.strip()) if kind.lower() == "bearer" else None
        if key is None:
            raise _RefusedError(401, "This server needs a key of its own: Authorization: Bearer tb_…", "invalid_api_key")
        if scope["path"] in _OWNERS and key.role != "owner":
            raise _RefusedError(403, "This key may ask for answers only.", "insufficient_permissions")
        return key

    async def _read(self, headers: Headers, receive: Receive) -> Receive:
        """The body, read as far as one may go, as if it came now."""
        most, body, more = self.settings.body_kb * 1000, b"", True
        length = headers.get("content-length", "0")
        while more and len(body) <= most >= (int(length) if length.isdigit() else 0):
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if more or len(body) > most:
            raise _RefusedError(413, f"A request may have {self.settings.body_kb} kB.", "request_too_large")
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        return again

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._running >= self.settings.most_at_once:
            raise _RefusedError(503, "Too many answers are being written; try again in a moment.", "overloaded", _BUSY)
        self._running += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._running -= 1

"""Scripts and pages that the server brings along: packed, with an ETag, under a policy that lets nothing else run."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import Request
from fastapi.responses import HTMLResponse, Response


class _Form(NamedTuple):
    """A script as it is sent, plain or packed, each form with its own ETag."""

    body: bytes
    etag: str


def script(path: Path, http: Request) -> Response:
    """A script, or that the browser has it already; pages of other origins may load it."""
    packed = _takes_gzip(http.headers.get("accept-encoding", ""))
    sent = _form(path, packed)
    headers = {
        "ETag": sent.etag,
        "Cache-Control": "public, max-age=300",
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    known = [one.strip().removeprefix("W/") for one in http.headers.get("if-none-match", "").split(",")]
    if sent.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    headers |= {"Content-Encoding": "gzip"} if packed else {}
    return Response(sent.body, media_type="text/javascript; charset=utf-8", headers=headers)


def page(path: Path, fill: Mapping[str, str] | None = None) -> Response:
    """A page whose `name=""` attributes are filled in, with scripts and requests of this server's own only."""
    told = path.read_text(encoding="utf-8")
    style = re.search(r"<style>(.*?)</style>", told, re.S)
    digest = base64.b64encode(hashlib.sha256((style[1] if style else "").encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-{digest}'"
    rest = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    for name, value in (fill or {}).items():
        told = told.replace(f'{name}=""', f'{name}="{html.escape(value)}"')
    return HTMLResponse(told, headers={"Content-Security-Policy": f"{policy}; {rest}"})


@cache
def _form(path: Path, packed: bool) -> _Form:
    written = path.read_bytes()
    body = gzip.compress(written, mtime=0) if packed else written
    return _Form(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _takes_gzip(accepted: str) -> bool:
    """Whether a browser's Accept-Encoding names gzip, and not with the weight of nothing."""
    told = [one.replace(" ", "").lower().partition(";q=") for one in accepted.split(",")]
    return any(name == "gzip" and (not weight or float(weight or 0) > 0) for name, _, weight in told if _number(weight))


def _number(weight: str) -> bool:
    return re.fullmatch(r"\d?(\.\d{1,3})?", weight) is not None

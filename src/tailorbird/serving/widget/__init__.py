"""The chat widget for a shop's website: one script, and a page that shows it. Both are for everybody; the script's key is not."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import re
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Header
from fastapi.responses import HTMLResponse, Response

PATHS = ("/widget.js", "/widget")
"""What is open without a key."""
_FOLDER = Path(__file__).parent
_KEY = 'data-key=""'  # of the page's script, for whoever comes with a key


class _Script(NamedTuple):
    """The script as it is sent, plain or packed, each form with its own ETag."""

    body: bytes
    etag: str


def routes() -> APIRouter:
    """The script and the page. They bring headers of their own, which access.py leaves as they are."""
    router = APIRouter()

    @router.get("/widget.js")
    def script(accept_encoding: Annotated[str, Header()] = "", if_none_match: Annotated[str, Header()] = "") -> Response:
        packed = _takes_gzip(accept_encoding)
        sent = _script(packed)
        headers = {
            "ETag": sent.etag,
            "Cache-Control": "public, max-age=300",
            "Vary": "Accept-Encoding",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        known = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
        if sent.etag in known or "*" in known:
            return Response(status_code=304, headers=headers)
        headers |= {"Content-Encoding": "gzip"} if packed else {}
        return Response(sent.body, media_type="text/javascript; charset=utf-8", headers=headers)

    @router.get("/widget")
    def page(key: str = "") -> Response:
        told = (_FOLDER / "page.html").read_text(encoding="utf-8")
        style = re.search(r"<style>(.*?)</style>", told, re.S)
        digest = base64.b64encode(hashlib.sha256((style[1] if style else "").encode()).digest()).decode()
        policy = f"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-{digest}'"
        rest = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        shown = told.replace(_KEY, f'data-key="{html.escape(key)}"')
        return HTMLResponse(shown, headers={"Content-Security-Policy": f"{policy}; {rest}"})

    return router


@cache
def _script(packed: bool) -> _Script:
    written = (_FOLDER / "widget.js").read_bytes()
    body = gzip.compress(written, mtime=0) if packed else written
    return _Script(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _takes_gzip(accepted: str) -> bool:
    """Whether a browser's Accept-Encoding names gzip, and not with the weight of nothing."""
    told = [one.replace(" ", "").lower().partition(";q=") for one in accepted.split(",")]
    return any(name == "gzip" and (not weight or float(weight or 0) > 0) for name, _, weight in told if _number(weight))


def _number(weight: str) -> bool:
    return re.fullmatch(r"\d?(\.\d{1,3})?", weight) is not None

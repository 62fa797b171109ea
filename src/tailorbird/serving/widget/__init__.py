"""The chat widget for a shop's website: one script, and a page that shows it. Both are for everybody; the script's key is not."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tailorbird.serving import static_files

PATHS = ("/widget.js", "/widget")
"""What is open without a key."""
_FOLDER = Path(__file__).parent


def routes() -> APIRouter:
    """The script and the page. They bring headers of their own, which access.py leaves as they are."""
    router = APIRouter()

    @router.get("/widget.js")
    async def script(http: Request) -> Response:
        return static_files.script(_FOLDER / "widget.js", http)

    @router.get("/widget")
    async def page(key: str = "") -> Response:
        return static_files.page(_FOLDER / "page.html", {"data-key": key})

    return router

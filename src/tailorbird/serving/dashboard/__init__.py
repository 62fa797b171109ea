"""The owner's page: how the assistant does, who waits for a person, and answering them. It knows only what its key may ask."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tailorbird.serving import static_files

PATHS = ("/dashboard.js", "/dashboard")
"""What is open without a key: the page has none, whoever opens it gives one."""
_FOLDER = Path(__file__).parent


def routes() -> APIRouter:
    """The script and the page."""
    router = APIRouter()

    @router.get("/dashboard.js")
    async def script(http: Request) -> Response:
        return static_files.script(_FOLDER / "dashboard.js", http)

    @router.get("/dashboard")
    async def page() -> Response:
        return static_files.page(_FOLDER / "page.html")

    return router

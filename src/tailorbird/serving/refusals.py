"""Refusals in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi.responses import JSONResponse

from tailorbird.serving import protocol


def unknown_model(name: str, known: Sequence[str]) -> JSONResponse:
    """There is no such model; these there are."""
    return refused(404, f"There is no model {name!r}; this server has {', '.join(known)}.", "model_not_found")


def refused(status: int, message: str, code: str) -> JSONResponse:
    """A problem with its HTTP status."""
    return JSONResponse(protocol.error(message, code, status), status)

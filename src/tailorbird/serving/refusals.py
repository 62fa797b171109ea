"""Refusals in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from tailorbird.errors import InputError, TailorbirdError
from tailorbird.serving import protocol


def unknown_model(name: str, known: Sequence[str]) -> JSONResponse:
    """There is no such model; these there are."""
    return refused(404, f"There is no model {name!r}; this server has {', '.join(known)}.", "model_not_found")


def refused(status: int, message: str, code: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem with its HTTP status."""
    return JSONResponse(protocol.error(message, code, status), status, headers)


def handle_problems(app: FastAPI) -> None:
    """Has an application answer every problem so; none of them waits for a thread."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, problem: RequestValidationError) -> Response:
        first = problem.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:])
        return refused(400, f"{field}: {first['msg']}" if field else first["msg"], "invalid_request_error")

    @app.exception_handler(HTTPException)
    async def not_there(http: Request, problem: HTTPException) -> Response:
        code = HTTPStatus(problem.status_code).name.lower()
        message = f"{http.method} {http.url.path}: {problem.detail}."
        return refused(problem.status_code, message, code, problem.headers)

    @app.exception_handler(TailorbirdError)
    async def failed(_: Request, problem: TailorbirdError) -> Response:
        wrong = isinstance(problem, InputError)
        return refused(400 if wrong else 500, problem.text, "invalid_request_error" if wrong else "server_error")

    @app.exception_handler(Exception)
    async def unforeseen(_: Request, problem: Exception) -> Response:
        return refused(500, "Something went wrong here; the server's own log has more.", "server_error")

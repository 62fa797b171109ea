"""One request for an answer: whose conversation it is, who answers, what is written down, and the answer plain or streamed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import CancelledError
from functools import partial

from anyio import from_thread
from fastapi import Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from tailorbird.replier import ReplyPiece
from tailorbird.serving import protocol
from tailorbird.serving.access import asked, holder
from tailorbird.serving.answered import Answered, watched, within
from tailorbird.serving.assistant import Situation
from tailorbird.serving.conversing import Said, silence
from tailorbird.serving.metrics import Metrics
from tailorbird.serving.refusals import refused, unknown_model
from tailorbird.serving.shadowing import Asked, Shadows


def answer(request: protocol.ChatRequest, http: Request, metrics: Metrics, shadows: Shadows) -> Response:
    """The answer, or why there is none; raises InputError for a conversation that there is not."""
    if request.messages[-1].role != "user":
        return refused(400, "The last message must be the user's.", "invalid_request_error")
    found = asked(http).find(request.model)
    if found is None or found[0].release(found[1]) is None:
        return unknown_model(request.model, asked(http).names())
    desk, limits = found[0], found[0].workspace.settings.serving.limits
    said, options = _said(request, http), request.options(limits.longest_answer)
    held, answers, unseen = desk.conversations.take(said)
    replier = desk.replier(found[1], held.id)
    if replier is None:  # taken away this moment
        return unknown_model(request.model, asked(http).names())
    limited = partial(within, limits.answer_seconds, has_left=partial(_has_left, http))
    written = replier.stream(said.messages, options, Situation(answers, unseen, limited))
    disclosure = replier.phrases.say("disclosure", said.messages[-1]["content"])
    head: protocol.Body = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": replier.name}
    head["conversation"] = held.id
    metrics.begins(desk.business)

    def done(answered: Answered) -> ReplyPiece:
        metrics.ends(desk.business, replier.name, answered)
        if silence(held):
            return answered.last
        sent = answered.text.removesuffix(answered.last.text) if request.stream else ""
        number, last = desk.conversations.answered(held, said, replier.name, answered, sent)
        head["turn"] = number
        if answered.whole and last.action != "wait":
            shadows.offer(Asked(desk, held, said, options, number, replier.name, Situation(answers, unseen)))
        return last

    ready = _begun(watched(desk.conversations.unless_taken(held, written), disclosure, done))
    if request.stream:
        with_usage = bool(request.stream_options and request.stream_options.include_usage)
        told = protocol.events(ready, head, disclosure, with_usage)
        # Closed in the end, since a stream that a customer leaves would hold its place until it is collected as garbage.
        return StreamingResponse(told, media_type="text/event-stream", background=BackgroundTask(told.close))
    return JSONResponse(protocol.completion(ready, head, disclosure))


def _said(request: protocol.ChatRequest, http: Request) -> Said:
    """The request as the conversations take it."""
    key = holder(http)
    return Said(
        [one.plain() for one in request.messages], key.id if key else None, request.user,
        (request.metadata or {}).get("conversation"), http.headers.get("idempotency-key"),
    )  # fmt: skip


def _begun(pieces: Iterator[ReplyPiece]) -> Iterator[ReplyPiece]:
    """The same pieces with the model's first one already there, so that its refusal is still an HTTP error."""
    first = [next(pieces)]
    if first[0].finish_reason is None:
        first.append(next(pieces))

    def again() -> Iterator[ReplyPiece]:
        yield from first
        yield from pieces

    return again()


def _has_left(http: Request) -> bool:
    """Whether the client has closed its connection; asked in the thread that answers."""
    try:
        return from_thread.run(http.is_disconnected)
    except CancelledError:  # the stream's own task has noticed
        return True

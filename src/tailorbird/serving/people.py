"""The routes by which people take over: queue and replies for colleagues, messages and a wish for a person for customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from tailorbird.errors import InputError
from tailorbird.serving import protocol
from tailorbird.serving.access import asked, holder
from tailorbird.serving.conversing import Conversations
from tailorbird.serving.recent import Recent
from tailorbird.turns import LoggedConversation, LoggedTurn

Once = Annotated[str | None, Header(alias="idempotency-key")]
State = Literal["waiting", "person", "assistant", "closed"]


class Reply(BaseModel):
    """What a colleague writes to a customer."""

    text: str = Field(min_length=1)
    author: str = ""


class Verdict(BaseModel):
    """What a customer thinks of an answer, by its conversation and the number of its turn: a thumb, and what would be right."""

    conversation: str
    turn: int = Field(ge=1)
    good: bool
    correction: str = ""


class Letters:
    """Replies as colleagues wrote them, until the process ends: the log has them without personal data."""

    def __init__(self) -> None:
        self._texts: Recent[dict[int, str]] = Recent(dict)

    def keep(self, conversation: str, number: int, text: str) -> None:
        """Remembers a reply."""
        self._texts.of(conversation)[number] = text

    def text(self, turn: LoggedTurn) -> str:
        """A reply as it was written, or else as the log has it."""
        return (self._texts.known(turn.conversation) or {}).get(turn.number, turn.text)


def routes() -> APIRouter:
    """The routes; who may use which is decided in access.py."""
    router, letters = APIRouter(), Letters()

    @router.get("/v1/hand-offs")
    def queue(http: Request, state: Annotated[list[State], Query()] = ["waiting", "person"]) -> protocol.Body:  # noqa: B006
        found = [(desk.business, one) for desk in asked(http).desks for one in desk.conversations.log.queue(state)]
        return {"data": [{"business": business} | one.model_dump(mode="json") for business, one in found]}

    @router.get("/v1/hand-offs/{identity}")
    def whole(identity: str, http: Request) -> protocol.Body:
        conversations, held = _found(http, identity)
        turns = [one.model_copy(update={"text": letters.text(one)}) for one in conversations.log.turns(held.id)]
        return held.model_dump(mode="json") | {"turns": [one.model_dump(mode="json", exclude_defaults=True) for one in turns]}

    @router.post("/v1/hand-offs/{identity}/replies")
    def answer(identity: str, reply: Reply, http: Request, once: Once = None) -> protocol.Body:
        conversations, held = _found(http, identity)
        key = holder(http)
        number = conversations.reply(held, reply.text, reply.author or (key.name if key else "a person"), once)
        letters.keep(held.id, number, reply.text)
        return {"conversation": held.id, "turn": number}

    @router.post("/v1/hand-offs/{identity}/{state}")
    def move(identity: str, state: Literal["release", "close"], http: Request) -> Response:
        conversations, held = _found(http, identity)
        if not conversations.move(held, "assistant" if state == "release" else "closed"):
            return JSONResponse(protocol.error(f"The conversation is with: {held.state}.", "conflict", 409), 409)
        return JSONResponse({"conversation": held.id, "state": "assistant" if state == "release" else "closed"})

    @router.get("/v1/conversations/{identity}/messages")
    def messages(identity: str, http: Request, after: Annotated[int, Query(ge=0)] = 0) -> protocol.Body:
        conversations, held = _found(http, identity)
        turns = conversations.log.turns(held.id, after)
        return {"conversation": held.id, "state": held.state, "messages": _shown(turns, letters)}

    @router.post("/v1/conversations/{identity}/hand-off")
    def wish(identity: str, http: Request) -> protocol.Body:
        conversations, held = _found(http, identity)
        conversations.request_person(held)
        return {"conversation": held.id, "state": "waiting" if held.state == "assistant" else held.state}

    @router.post("/v1/feedback")
    def feedback(verdict: Verdict, http: Request) -> protocol.Body:
        conversations, held = _found(http, verdict.conversation)
        kept = conversations.judge(held, verdict.turn, verdict.good, verdict.correction)
        return {"feedback": [one.id for one in kept]}

    return router


def _shown(turns: Sequence[LoggedTurn], letters: Letters) -> list[protocol.Body]:
    """What a customer who comes back is shown; the customer's own words are on the page already."""
    return [
        {"turn": one.number, "role": one.role, "content": letters.text(one), "author": one.author}
        for one in turns
        if one.role == "person"
    ]


def _found(http: Request, identity: str) -> tuple[Conversations, LoggedConversation]:
    """A conversation of one of the businesses that the request may ask, and of its own key unless that is a colleague's."""
    key = holder(http)
    for desk in asked(http).desks:
        held = desk.conversations.log.conversation(identity)
        if held and (key is None or key.role in ("owner", "agent") or held.key == key.id):
            return desk.conversations, held
    raise InputError(f"There is no conversation {identity}.", fix="It is older than serving.log.keep_days, or was erased.")

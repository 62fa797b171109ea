"""Which conversation a request goes on with, and what of it is written down: redacted, before the answer begins and ends."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from tailorbird.database import Connection, Database
from tailorbird.errors import InputError
from tailorbird.feedback import Feedback, FeedbackStore
from tailorbird.language import identify
from tailorbird.privacy import Redactor
from tailorbird.replier import Message, ReplyPiece
from tailorbird.serving.answered import Answered
from tailorbird.serving.phrases import without_disclosure
from tailorbird.serving.recent import Recent
from tailorbird.turns import LoggedConversation, LoggedTurn, Outbox, ShadowLog, TurnLog
from tailorbird.workspace import Workspace

REQUESTED, WRITTEN = "hand_off.requested", "hand_off.message"
"""What other systems are told of: a customer waits for a person; a customer wrote to the person who has taken over."""


class Said(NamedTuple):
    """One request of a customer's: the whole conversation as the client has it, and what it says of itself.

    `once` is the client's mark for this request, so that a repeated one neither is written down twice nor begins a second
    conversation.
    """

    messages: list[Message]
    key: str | None = None
    customer_id: str | None = None
    conversation: str | None = None
    once: str | None = None


class Conversations:
    """The conversations of one business: begun, gone on with, written down. Used by many threads."""

    def __init__(self, workspace: Workspace) -> None:
        """Opens nothing yet; raises SettingsError where the database's address is wrong."""
        self._workspace, self.database = workspace, Database(workspace, pooled=True)
        self.log, self.outbox = TurnLog(workspace, self.database), Outbox(workspace, self.database)
        self._unseen = ShadowLog(workspace, self.database)
        self.feedback = FeedbackStore(workspace, self.database)
        self._audit, self._has_webhook = workspace.settings.audit, workspace.settings.serving.webhook is not None
        self._redactors = Recent(self._new_redactor)

    def take(self, said: Said) -> LoggedConversation:
        """The conversation that this request goes on with, or a new one, with the customer's message written down.

        Raises InputError for a conversation that there is not, or that came with another key.
        """
        held, message = self._known(said), said.messages[-1]["content"]
        identity = held.id if held else f"chat-{secrets.token_hex(16)}"
        spoken = (held.language if held else identify(message)[0]) or None
        turn = LoggedTurn(conversation=identity, role="user", text=self._redacted(identity, message), language=spoken)
        with self.database.writing() as connection:
            if held is None:
                held = self.log.begin(said.customer_id, said.key, language=spoken, identity=identity, within=connection)
            self.log.add([turn], once=said.once, within=connection)
            if held.state in ("waiting", "person"):
                self._tell(WRITTEN, {"conversation": held.id, "text": turn.text}, connection)
        return held

    def answered(self, held: LoggedConversation, said: Said, release: str, answered: Answered) -> int:
        """Writes an answer down, and has the conversation wait for a person if the answer says so; returns the turn's number."""
        turn, last = self._turn(held, release, answered), answered.last
        digest = history(said.messages, answered.text) if answered.whole else None
        summary = self._redacted(held.id, last.summary)
        with self.database.writing() as connection:
            number = self.log.add([turn], history=digest, within=connection)
            if last.action == "hand_over":
                told = {"department": last.department or None, "reason": last.reason, "summary": summary}
                self._wait(held.id, told, connection)
        return number

    def answered_unseen(self, held: LoggedConversation, number: int, release: str, answered: Answered) -> bool:
        """Writes down what a version would have answered in a turn's place; False where that is gone by now."""
        return self._unseen.add(self._turn(held, release, answered).model_copy(update={"number": number}))

    def request_person(self, held: LoggedConversation) -> None:
        """Has a conversation wait for a person because the customer pressed the button."""
        said = [turn.text for turn in self.log.turns(held.id) if turn.role == "user"]
        told = {"department": None, "reason": "wish: the customer asks for a person.", "summary": said[-1] if said else ""}
        with self.database.writing() as connection:
            self._wait(held.id, told, connection)

    def reply(self, held: LoggedConversation, text: str, author: str, once: str | None) -> int:
        """Writes down what a colleague answers, who has the conversation from then on; returns the turn's number.

        Raises InputError for a conversation that is closed.
        """
        if held.state == "closed":
            raise InputError("This conversation is closed.", fix="The customer has to begin a new one.")
        turn = LoggedTurn(conversation=held.id, role="person", text=self._redacted(held.id, text), author=author)
        with self.database.writing() as connection:
            self.log.set_state(held.id, "waiting", reason="person: a colleague took over.", within=connection)
            self.log.set_state(held.id, "person", within=connection)
            return self.log.add([turn], once=once, within=connection)

    def move(self, held: LoggedConversation, state: Literal["assistant", "closed"]) -> bool:
        """Gives a conversation back to the assistant, or ends it; False where it stands elsewhere."""
        return self.log.set_state(held.id, state)

    def judge(self, held: LoggedConversation, number: int, good: bool, correction: str = "") -> list[Feedback]:
        """Keeps a thumb for an answer, and what would have been right as the better one of two; a later verdict replaces it.

        Raises InputError where the conversation has no answer of that number.
        """
        turns = self.log.turns(held.id)
        answer = next((turn for turn in turns if turn.number == number and turn.role == "assistant" and turn.whole), None)
        if answer is None:
            raise InputError(f"The conversation has no answer with the number {number}.", fix="Name the answer's own turn.")
        plain = without_disclosure(self._workspace)
        learned, before = plain(answer.text), [turn for turn in turns if turn.number < number]
        role: dict[str, Literal["user", "assistant"]] = {"user": "user", "assistant": "assistant", "person": "assistant"}
        told: dict[str, Any] = {
            "messages": [
                {"role": role[turn.role], "content": plain(turn.text) if turn.release else turn.text} for turn in before
            ],
            "customer_id": held.customer_id, "judge": "customer", "release": answer.release, "source": held.id,
        }  # fmt: skip
        thumb, edit = (f"feedback-{_hash(f'{held.id} {number} {kind}')[:16]}" for kind in ("thumb", "edit"))
        rows = [Feedback.model_validate({**told, "id": thumb, "kind": "thumb", "completion": learned, "label": good})]
        better = self._redacted(held.id, correction).strip()
        if better and better != learned:
            told |= {"id": edit, "kind": "edit", "completion": better, "rejected": learned}
            rows.append(Feedback.model_validate(told))
        self.feedback.replace((thumb, edit), rows)
        return rows

    def _turn(self, held: LoggedConversation, release: str, answered: Answered) -> LoggedTurn:
        """An answer as it is written down."""
        last, own = answered.last, answered.disclosure if answered.text.startswith(answered.disclosure) else ""
        return LoggedTurn(
            conversation=held.id, role="assistant", whole=answered.whole,
            text=own + self._redacted(held.id, answered.text.removeprefix(own)),
            release=release, duration_ms=answered.seconds * 1000, prompt_tokens=last.prompt_tokens,
            first_token_ms=None if answered.first_word is None else answered.first_word * 1000,
            completion_tokens=last.completion_tokens, guards=last.guards, passages=last.citations,
            action=last.action, reason=last.reason or None,
        )  # fmt: skip

    def _wait(self, identity: str, told: dict[str, str | None], connection: Connection) -> None:
        """Has a conversation wait for a person, if it is with the assistant."""
        if self.log.set_state(identity, "waiting", **told, within=connection):
            self._tell(REQUESTED, {"conversation": identity, **told}, connection)

    def _tell(self, event: str, body: dict[str, str | None], connection: Connection) -> None:
        """Puts a message into the outbox, if anybody is to get it."""
        if self._has_webhook:
            self.outbox.put(event, body, within=connection)

    def _known(self, said: Said) -> LoggedConversation | None:
        if said.conversation:
            held = self.log.conversation(said.conversation)
            if held is None or held.key != said.key:
                raise InputError(f"There is no conversation {said.conversation}.", fix="Leave it out to begin a new one.")
            return None if held.state == "closed" else held
        if not any(message["role"] == "assistant" for message in said.messages):
            return self._repeated(said) if said.once else None
        return self.log.find_by_history(history(said.messages[:-1]), said.key, said.customer_id)

    def _repeated(self, said: Said) -> LoggedConversation | None:
        """The conversation that this very request has begun already; whoever knows the mark has to know the message too."""
        held = self.log.find_by_once(said.once or "", said.key)
        begun = self.log.turns(held.id)[0].text if held else None
        return held if begun == self._new_redactor().redact(said.messages[-1]["content"]) else None

    def _new_redactor(self) -> Redactor:
        return Redactor.keeping(self._audit.keep, self._audit.order_numbers or None)

    def _redacted(self, conversation: str, text: str) -> str:
        """The text as it may be written down; who was `<PERSON_1>` before is so again."""
        redactor = self._redactors.of(conversation)
        redactor.language = identify(text)[0] or None
        return redactor.redact(text)


def silent(held: LoggedConversation) -> Iterator[ReplyPiece]:
    """What the assistant says while a person has the conversation: nothing."""
    reason = "waiting: a person was asked for." if held.state == "waiting" else "person: a person is answering."
    yield ReplyPiece("", "stop", action="wait", reason=reason)


def history(messages: Sequence[Message], answer: str | None = None) -> str:
    """A digest of what customer and assistant said so far, however it was spaced."""
    said = [(m["role"], " ".join(m["content"].split())) for m in messages if m["role"] != "system"]
    if answer is not None:
        said.append(("assistant", " ".join(answer.split())))
    return _hash(json.dumps(said, ensure_ascii=False))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

"""Which conversation a request goes on with, and what of it is written down: redacted, before the answer begins and ends."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
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


class Taken(NamedTuple):
    """The conversation that a request goes on with, as it stood when the customer's message was written down.

    `answers` are those that the assistant gave in it before, `unseen` what the customer wrote before by the client's word alone.
    """

    held: LoggedConversation
    answers: Sequence[str]
    unseen: Sequence[str]


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
        self._seen: Recent[set[str]] = Recent(set)

    def take(self, said: Said) -> Taken:
        """The conversation that this request goes on with, or a new one, with the customer's message written down.

        Raises InputError for a conversation that there is not, or that came with another key.
        """
        known, message = self._known(said), said.messages[-1]["content"]
        identity = known.id if known else f"chat-{secrets.token_hex(16)}"
        spoken = (known.language if known else identify(message)[0]) or None
        turn = LoggedTurn(conversation=identity, role="user", text=self._redacted(identity, message), language=spoken)
        with self.database.writing() as connection:
            if known is None:
                self.log.begin(said.customer_id, said.key, language=spoken, identity=identity, within=connection)
            held = self.log.hold(identity, connection)
            digest = history(said.messages) if silence(held) else None
            repeated = said.once and self.log.number_of(identity, said.once, connection)
            number = self.log.add([turn], once=said.once, history=digest, within=connection)
            if digest and not repeated:
                self._tell(WRITTEN, {"conversation": held.id, "text": turn.text}, connection)
        before = [turn for turn in self.log.turns(held.id) if turn.number < number]
        answers = [turn.text for turn in before if turn.role == "assistant" and turn.whole]
        wrote = {turn.text for turn in before if turn.role == "user"}
        return Taken(held, answers, [] if digest else self._unseen_of(said, held.id, wrote))

    def unless_taken(self, held: LoggedConversation, pieces: Iterator[ReplyPiece]) -> Iterator[ReplyPiece]:
        """The assistant's pieces as long as no person has the conversation, and where one has that it says no more."""
        silent = silence(held)
        if silent is None:
            for piece in pieces:
                silent = None if piece.finish_reason else silence(self.log.conversation(held.id), piece)
                if silent:
                    break
                yield piece
        if silent:
            yield silent

    def answered(
        self, held: LoggedConversation, said: Said, release: str, answered: Answered, sent: str
    ) -> tuple[int, ReplyPiece]:
        """Writes an answer down, and has the conversation wait for a person if the answer says so.

        Returns the turn's number and the last piece to send. If a person has the conversation by now that says so, and only
        what was `sent` before is written down.
        """
        turn, last, summary = self._turn(held, release, answered), answered.last, self._redacted(held.id, answered.last.summary)
        with self.database.writing() as connection:
            now = self.log.hold(held.id, connection)
            silent = last if last.action == "wait" else silence(now, last) if answered.whole else None
            if silent:
                answered, last = replace(answered, text=sent, last=silent, whole=False), silent
                turn = self._turn(held, release, answered)
            digest = history(said.messages, answered.text) if last.finish_reason else None
            number = self.log.add([turn], history=digest, within=connection)
            if last.action == "hand_over":
                told = {"department": last.department or None, "reason": last.reason, "summary": summary}
                self._wait(held.id, told, connection)
        return number, last

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

        The same reply sent again changes nothing. Raises InputError for a conversation that is closed.
        """
        turn = LoggedTurn(conversation=held.id, role="person", text=self._redacted(held.id, text), author=author)
        with self.database.writing() as connection:
            state = self.log.hold(held.id, connection).state
            if once and (known := self.log.number_of(held.id, once, connection)):
                return known
            if state == "closed":
                raise InputError("This conversation is closed.", fix="The customer has to begin a new one.")
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
        found = None
        if _spoken(said.messages[:-1]):
            # One that waits has the last message already if the client asks again because nobody answered.
            digests = (history(said.messages[:-1]), history(said.messages))
            tried = (self.log.find_by_history(digest, said.key, said.customer_id) for digest in digests)
            found = next((one for one in tried if one), None)
        return found or (self._repeated(said) if said.once else None)

    def _repeated(self, said: Said) -> LoggedConversation | None:
        """The conversation that has this very request already; whoever knows the mark has to know the message too."""
        held = self.log.find_by_once(said.once or "", said.key)
        if held is None:
            return None
        message = self._redacted(held.id, said.messages[-1]["content"])
        return held if any(turn.role == "user" and turn.text == message for turn in self.log.turns(held.id)) else None

    def _unseen_of(self, said: Said, identity: str, logged: Collection[str]) -> list[str]:
        """Earlier messages of the customer that the server has not had before: what a client says was said may be invented."""
        seen, wrote = self._seen.of(identity), [one["content"] for one in said.messages if one["role"] == "user"]
        unseen = [text for text in wrote[:-1] if _hash(text) not in seen and text not in logged]
        seen.update(map(_hash, wrote))
        return unseen

    def _new_redactor(self) -> Redactor:
        return Redactor.keeping(self._audit.keep, self._audit.order_numbers or None)

    def _redacted(self, conversation: str, text: str) -> str:
        """The text as it may be written down; who was `<PERSON_1>` before is so again."""
        redactor = self._redactors.of(conversation)
        redactor.language = identify(text)[0] or None
        return redactor.redact(text)


def silence(held: LoggedConversation | None, piece: ReplyPiece = ReplyPiece("")) -> ReplyPiece | None:
    """How the assistant's answer ends, after a piece of it, because a person has the conversation; None where nobody has it."""
    reasons = {"waiting": "waiting: a person was asked for.", "person": "person: a person is answering."}
    reason = reasons.get(held.state) if held else None
    if reason is None:
        return None
    read, written = piece.prompt_tokens, piece.completion_tokens
    return ReplyPiece("", "stop", read, written, action="wait", reason=reason, guards=piece.guards)


def history(messages: Sequence[Message], answer: str = "") -> str:
    """A digest of what customer and assistant said so far."""
    return _hash(json.dumps(_spoken([*messages, {"role": "assistant", "content": answer}]), ensure_ascii=False))


def _spoken(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Who said what, however it was spaced; without answers that say nothing, which some clients keep and some do not."""
    said = [(one["role"], " ".join(one["content"].split())) for one in messages]
    return [(role, words) for role, words in said if role == "user" or (role == "assistant" and words)]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

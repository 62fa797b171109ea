"""When a person takes over, and what that person is told: the reason, the department, a summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

from tailorbird.knowledge.passage import Encoder, Passage
from tailorbird.language.anger import angry
from tailorbird.language.knowing import known
from tailorbird.language.subjects import Subjects
from tailorbird.language.wishes import wants_person
from tailorbird.replier import Message, ReplyPiece
from tailorbird.settings import HandOverSettings

SUMMARIES = ("summarise", "summarize", "summary")
"""The tasks that write a summary, where the release has learned one of them."""
_LONGEST = 400  # characters of the customer's own words that stand for a summary

Perform = Callable[[str, str], str]
"""The name of a task of the release and a text -> what the model makes of it."""


class HandingOver:
    """The reasons of one business for which a person takes over; used by many threads.

    `tasks` are those that the release has learned, `perform` does one. Without a task for it the summary is the customer's own
    first and last words, and there is no department. `people` are the names of the business's own, who may be asked for.
    """

    def __init__(
        self,
        settings: HandOverSettings,
        encode: Encoder,
        tasks: Sequence[str] = (),
        perform: Perform | None = None,
        people: Sequence[str] = (),
    ) -> None:
        self._settings, self._tasks, self._perform, self._people = settings, tasks, perform, people
        self._subjects = Subjects(settings.topics, encode) if settings.topics else None

    def reason(self, message: str) -> str:
        """Why a message needs a person; nothing where the model may answer."""
        if self._settings.wish and wants_person(message, self._people):
            return "wish: the customer asks for a person."
        if self._subjects and (subject := self._subjects.of(message)):
            return f"topic: it is about {subject}."
        if self._settings.anger and angry(message):
            return "anger: the customer is angry."
        if self._settings.labels and (label := self._department(message)) in self._settings.labels:
            return f"label: {label}."
        return ""

    def sure(self, pieces: Iterator[ReplyPiece], words: str) -> Iterator[ReplyPiece]:
        """The model's answer, held back until it is known how likely it is; `words` and a person instead, if it is a guess.

        Passed on as it is where the settings ask for no such thing.
        """
        if self._settings.unsure is None:
            yield from pieces
            return
        written = list(pieces)
        scores = [token.logprob for piece in written for token in piece.logprobs]
        if scores and -sum(scores) / len(scores) > self._settings.unsure:
            yield replace(
                written[-1],
                text=words,
                logprobs=(),
                finish_reason="stop",
                action="hand_over",
                reason="unsure: it would be a guess.",
            )
        else:
            yield from written

    def not_known(self, asked: str, found: Sequence[Passage]) -> ReplyPiece | None:
        """What ends a conversation's turn if the documents, searched for it, have nothing on a question; else nothing."""
        if self._settings.unknown == "off" or known(asked, found):
            return None
        action: Literal["answer", "hand_over"] = "hand_over" if self._settings.unknown == "hand_over" else "answer"
        return ReplyPiece("", "stop", action=action, reason="unknown: the documents have nothing on it.")

    @property
    def needs_scores(self) -> bool:
        """Whether `sure` needs the log-probabilities of the answer's tokens."""
        return self._settings.unsure is not None

    def told(self, piece: ReplyPiece, history: Sequence[Message]) -> ReplyPiece:
        """The last piece of an answer with department and summary, if a person takes over."""
        if piece.action != "hand_over":
            return piece
        said = [message["content"] for message in history if message["role"] == "user"]
        return replace(piece, department=self._department(said[-1] if said else ""), summary=self._summary(said, history))

    def _department(self, message: str) -> str:
        task = self._settings.task
        return self._perform(task, message) if self._perform and task in self._tasks else ""

    def _summary(self, said: Sequence[str], history: Sequence[Message]) -> str:
        task = next((name for name in SUMMARIES if name in self._tasks), "")
        if self._perform and task:
            told = {"user": "Customer", "assistant": "Assistant"}
            return self._perform(task, "\n".join(f"{told[m['role']]}: {m['content']}" for m in history if m["role"] in told))
        own = " […] ".join(dict.fromkeys([*said[:1], *said[-1:]]))
        return own if len(own) <= _LONGEST else own[: _LONGEST - 1] + "…"

"""A version that is tried out unseen answers what customers asked when nobody waits for an answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tailorbird.artifacts import Release
from tailorbird.replier import ReplyOptions, ReplyPiece
from tailorbird.serving.answered import Answered, watched
from tailorbird.serving.conversing import Said
from tailorbird.serving.desk import Desk
from tailorbird.turns import LoggedConversation

EVERY = 0.5
"""Seconds between looks for time to answer in."""
_MOST = 64  # questions that wait; the oldest go where there are more


class Asked(NamedTuple):
    """What a customer asked, and the number of the turn with the answer that the customer got."""

    desk: Desk
    held: LoggedConversation
    said: Said
    options: ReplyOptions
    number: int


class Shadows:
    """The questions that wait for an unseen answer; they are lost when the process ends. May be shared by threads."""

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        """`is_busy` says whether a customer's answer is being written now."""
        self._is_busy = is_busy
        self._waiting: deque[tuple[Release, Asked]] = deque(maxlen=_MOST)

    def offer(self, asked: Asked, answered_by: str) -> None:
        """Keeps a question if a version is tried out on its conversation, and is another one than answered it."""
        release = asked.desk.tried("shadow", asked.held.id)
        if release and asked.desk.called(release) != answered_by:
            self._waiting.append((release, asked))

    def answer(self) -> int:
        """Answers what waits, until a customer asks; returns how many answers were written down.

        Raises WorkspaceError or ModelError where one cannot be; that question is dropped.
        """
        done = 0
        while self._waiting and not self._is_busy():
            release, asked = self._waiting.popleft()
            answered = self._answered(release, asked)
            if answered.whole:
                done += asked.desk.conversations.answered_unseen(asked.held, asked.number, asked.desk.called(release), answered)
            else:  # a customer came in between
                self._waiting.append((release, asked))
        return done

    def _answered(self, release: Release, asked: Asked) -> Answered:
        assistant, found = asked.desk.assistant(release), list[Answered]()
        disclosure = assistant.phrases.say("disclosure", asked.said.messages[-1]["content"])
        for _ in watched(self._undisturbed(assistant.stream(asked.said.messages, asked.options)), disclosure, found.append):
            pass
        return found[0]

    def _undisturbed(self, pieces: Iterator[ReplyPiece]) -> Iterator[ReplyPiece]:
        """The same pieces until a customer asks."""
        for piece in pieces:
            yield piece
            if self._is_busy():
                return

"""A version that is tried out unseen answers what customers asked when nobody waits for an answer."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from typing import NamedTuple

from tailorbird.artifacts import Release
from tailorbird.replier import Message, Replier, ReplyOptions, ReplyPiece
from tailorbird.serving.answered import Answered, watched, within
from tailorbird.serving.assistant import Situation
from tailorbird.serving.conversing import Said
from tailorbird.serving.desk import Desk
from tailorbird.turns import LoggedConversation

EVERY = 0.5
"""Seconds between looks for time to answer in."""
_MOST = 64  # questions that wait; the oldest go where there are more
_told = logging.getLogger("tailorbird.shadows")


class Asked(NamedTuple):
    """What a customer asked and in which situation, and the number and writer of the answer that the customer got."""

    desk: Desk
    held: LoggedConversation
    said: Said
    options: ReplyOptions
    number: int
    answered_by: str
    situation: Situation = Situation()


class _DisturbedError(Exception):
    """A customer asks, or the server stops."""


class Shadows:
    """The questions that wait for an unseen answer; they are lost when the process ends. May be shared by threads."""

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        """`is_busy` says whether a customer's answer is being written now."""
        self._is_busy, self._stopped = is_busy, False
        self._waiting: deque[Asked] = deque(maxlen=_MOST)

    def offer(self, asked: Asked) -> None:
        """Keeps a question; whether a version is tried out on it is asked when there is time, so that no customer waits."""
        self._waiting.append(asked)

    def stop(self) -> None:
        """Ends what is being written with its next token."""
        self._stopped = True

    def answer(self) -> int:
        """Answers one of the questions that wait, unless a customer asks; returns how many answers were written down.

        What goes wrong with one is logged, and the question dropped: it must not keep the next ones from being answered.
        """
        while self._waiting and not self._is_disturbed():
            asked = self._waiting.popleft()
            try:
                if release := _tried(asked):
                    return self._answered(release, asked)
            except _DisturbedError:
                self._waiting.append(asked)
            except Exception as problem:
                _told.warning("%s: nothing was answered unseen: %r", asked.desk.business, problem)
        return 0

    def _answered(self, release: Release, asked: Asked) -> int:
        assistant, found = copy(asked.desk.assistant(release)), list[Answered]()
        assistant.replier = _Undisturbed(assistant.replier, self._is_disturbed)
        limits = asked.desk.workspace.settings.serving.limits
        disclosure = assistant.phrases.say("disclosure", asked.said.messages[-1]["content"])
        situation = asked.situation._replace(limited=partial(within, limits.answer_seconds))
        written = assistant.stream(asked.said.messages, asked.options, situation)
        for _ in watched(written, disclosure, found.append):
            pass
        conversations, name = asked.desk.conversations, asked.desk.called(release)
        return int(found[0].whole and conversations.answered_unseen(asked.held, asked.number, name, found[0]))

    def _is_disturbed(self) -> bool:
        return self._stopped or self._is_busy()


def _tried(asked: Asked) -> Release | None:
    """The version that is tried out on a question which production answered; none while the workspace is paused."""
    desk = asked.desk
    if desk.workspace.paused is not None or asked.answered_by != desk.called(desk.serving()):
        return None
    return desk.tried("shadow", asked.held.id)


class _Undisturbed:
    """A model that stops at its next token when somebody else needs the machine."""

    def __init__(self, inner: Replier, is_disturbed: Callable[[], bool]) -> None:
        self.name, self.parallel, self._inner, self._is_disturbed = inner.name, inner.parallel, inner, is_disturbed

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """The model's pieces; raises where it has to stop."""
        for piece in self._inner.stream(messages, options):
            if self._is_disturbed():
                raise _DisturbedError
            yield piece

    def close(self) -> None:
        """The model is not this one's to close."""

"""What an answer came to, told when it ends and before its last piece goes out: for the log and for figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tailorbird.errors import InputError
from tailorbird.replier import ReplyPiece

_LOOK = 0.25  # seconds between looks whether the customer is still there


@dataclass(frozen=True)
class Answered:
    """One answer: its text as it was sent, its last piece, and seconds to its first word and to its end.

    `disclosure` are the words that it says first if it says that it is an AI.
    `whole` is off for an answer that was broken off: the customer left, or the model failed.
    """

    text: str
    last: ReplyPiece
    whole: bool
    first_word: float | None
    seconds: float
    disclosure: str = ""


def watched(pieces: Iterator[ReplyPiece], disclosure: str, done: Callable[[Answered], ReplyPiece | None]) -> Iterator[ReplyPiece]:
    """The same pieces; `done` is called once, before the last one is handed on, so that what a customer has is written down.

    A piece that it returns goes out in the place of the last one.
    """
    begun, texts, first = time.monotonic(), list[str](), None
    last, told = ReplyPiece(""), False

    def tell(whole: bool) -> ReplyPiece:
        nonlocal told
        told = True
        return done(Answered("".join(texts), last, whole, first, time.monotonic() - begun, disclosure)) or last

    try:
        for last in pieces:
            texts.append(last.text)
            if first is None and last.text and last.text.strip() != disclosure:
                first = time.monotonic() - begun
            yield tell(whole=True) if last.finish_reason else last
    finally:
        if not told:
            tell(whole=False)


def counted(pieces: Iterator[ReplyPiece]) -> Iterator[ReplyPiece]:
    """A model's pieces, each with the tokens read and written so far: guards or time may end an answer before its last one."""
    read = written = 0
    for piece in pieces:
        read = max(read, piece.prompt_tokens)
        written = piece.completion_tokens or written + (len(piece.logprobs) or bool(piece.text))
        yield replace(piece, prompt_tokens=read, completion_tokens=written)


def within(seconds: float, pieces: Iterator[ReplyPiece], has_left: Callable[[], bool] = lambda: False) -> Iterator[ReplyPiece]:
    """The same pieces until the time is over; the answer then ends where it is. Raises InputError once the customer has left.

    Empty pieces, by which a model says that it has not begun, are not handed on.
    """
    begun = looked = time.monotonic()
    for piece in pieces:
        if time.monotonic() - looked > _LOOK:
            if has_left():
                break
            looked = time.monotonic()
        if piece.text or piece.logprobs or piece.finish_reason:
            yield piece
        if time.monotonic() - begun > seconds and piece.finish_reason is None:
            yield replace(piece, text="", finish_reason="length", logprobs=())
            return
    else:
        return
    del pieces  # stops the model: what is raised keeps all that is here
    raise InputError("The customer has left.")

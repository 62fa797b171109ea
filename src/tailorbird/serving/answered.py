"""What an answer came to, told when it ends and before its last piece goes out: for the log and for figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tailorbird.replier import ReplyPiece


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


def watched(pieces: Iterator[ReplyPiece], disclosure: str, done: Callable[[Answered], None]) -> Iterator[ReplyPiece]:
    """The same pieces; `done` is called once, before the last one is handed on, so that what a customer has is written down."""
    begun, texts, first = time.monotonic(), list[str](), None
    last, told = ReplyPiece(""), False

    def tell(whole: bool) -> None:
        nonlocal told
        told = True
        done(Answered("".join(texts), last, whole, first, time.monotonic() - begun, disclosure))

    try:
        for last in pieces:
            texts.append(last.text)
            if first is None and last.text and last.text.strip() != disclosure:
                first = time.monotonic() - begun
            if last.finish_reason:
                tell(whole=True)
            yield last
    finally:
        if not told:
            tell(whole=False)


def within(seconds: float, pieces: Iterator[ReplyPiece]) -> Iterator[ReplyPiece]:
    """The same pieces until the time is over; the answer then ends where it is."""
    until = time.monotonic() + seconds
    for piece in pieces:
        yield piece
        if time.monotonic() > until and piece.finish_reason is None:
            yield ReplyPiece("", "length")
            return

"""The guard of messages that have nothing to do with the business, by nearness in meaning to what its customers ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from tailorbird.knowledge.passage import Encoder
from tailorbird.serving.guards.found import Found

_FEWEST = 40  # questions below which nobody knows what is usual
_MOST = 4000  # texts that a message is compared with
_JUDGED = 1000  # questions that the limit is set by
_ALLOWED = 0.01  # of the business's own questions that may be over the limit
_READ = 300  # characters of a message: what it is about is said by then
_LEAST = 0.05  # cosine: less means nothing
_SHORT = 4  # words: shorter messages go on with what was said before

_T = TypeVar("_T")


class Topics:
    """What a business is asked about, and how much nearer to something else a message may be.

    `questions` are what customers wrote in conversations that the audit kept, `others` texts of documents. A message is off
    topic if it is nearer in meaning to a request of elsewhere.txt than to all of these, by more than the limit. The limit is
    set so that 1% of the questions themselves, each beside all others, would be off topic; it is never below 0.05.
    """

    def __init__(self, questions: Sequence[str], others: Sequence[str], encode: Encoder) -> None:
        told = list(dict.fromkeys(one.strip() for one in questions if _says_something(one)))
        self._encode, self._limit = encode, np.inf
        if len(told) < _FEWEST:
            return
        asked = encode(_spread(told, _MOST))
        rest = [one for one in others if one.strip()]
        self._own = np.concatenate([asked, encode(_spread(rest, _MOST))]) if rest else asked
        self._elsewhere = encode(Path(__file__).with_name("elsewhere.txt").read_text(encoding="utf-8").splitlines())
        judged = _spread(list(range(len(asked))), _JUDGED)
        near = asked[judged] @ self._own.T
        near[np.arange(len(judged)), judged] = -1.0
        astray = (asked[judged] @ self._elsewhere.T).max(axis=1) - near.max(axis=1)
        self._limit = max(_LEAST, float(np.quantile(astray, 1 - _ALLOWED)))

    def off(self, message: str) -> Found | None:
        """Whether a message asks for something that has nothing to do with the business; never a short one."""
        if np.isinf(self._limit) or not _says_something(message):
            return None
        vector = self._encode([message[:_READ]])[0]
        astray = float((self._elsewhere @ vector).max() - (self._own @ vector).max())
        return Found((), f"is {astray:.2f} nearer to other requests than to what customers ask") if astray > self._limit else None


def _says_something(message: str) -> bool:
    """Whether a message is more than a few words or politeness."""
    return len(re.findall(r"\w+", message)) >= _SHORT


def _spread(texts: Sequence[_T], most: int) -> list[_T]:
    """At most so many, evenly spread."""
    return [texts[place] for place in np.linspace(0, len(texts) - 1, most).astype(int)] if len(texts) > most else list(texts)

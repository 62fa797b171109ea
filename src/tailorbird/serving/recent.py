"""What is remembered of the conversations that were last gone on with, in memory only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

MOST = 2000
"""Conversations; the one that was gone on with longest ago is forgotten first."""
_T = TypeVar("_T")


class Recent(Generic[_T]):
    """A thing for each recent conversation; used by many threads."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make, self._kept, self._lock = make, OrderedDict[str, _T](), Lock()

    def of(self, conversation: str) -> _T:
        """The conversation's thing, made if there is none."""
        with self._lock:
            if conversation not in self._kept:
                self._kept[conversation] = self._make()
            self._kept.move_to_end(conversation)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
            return self._kept[conversation]

    def known(self, conversation: str) -> _T | None:
        """The conversation's thing, if there is one."""
        with self._lock:
            return self._kept.get(conversation)

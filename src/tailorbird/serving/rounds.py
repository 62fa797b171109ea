"""Work that comes round again and again while the server runs: delivering, watching, forgetting what is old."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from tailorbird.errors import TailorbirdError

_PATIENCE = 15.0  # seconds for the last round to end
_told = logging.getLogger("tailorbird.rounds")


class Round:
    """A thread that does something every so many seconds until it is stopped; after a problem the next round tries again."""

    def __init__(self, work: Callable[[], object], every: float) -> None:
        self._work, self._every = work, every
        self._stopped = Event()
        self._thread = Thread(target=self._go, daemon=True)

    def start(self) -> None:
        """Begins with the first round: a server may be started anew before the wait is over, again and again."""
        self._thread.start()

    def stop(self) -> None:
        """Ends with the round that is under way."""
        self._stopped.set()
        self._thread.join(_PATIENCE)

    def _go(self) -> None:
        while True:
            try:
                self._work()
            except TailorbirdError as problem:  # the database is away, say
                _told.warning("%s", problem.text)
            except Exception as problem:
                _told.error("%s failed and is tried again: %r", getattr(self._work, "__qualname__", self._work), problem)
            if self._stopped.wait(self._every):
                return

"""How long work tells its listener how far it is; the CLI draws bars, tests and scripts stay silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[float], None]


class Progress(Protocol):
    """Opens one bar: a label and how much there is to do (None where nobody can know)."""

    def __call__(self, label: str, total: float | None) -> AbstractContextManager[Advance]:
        """Returns a context manager that yields the function to call with each amount done."""
        ...


@contextmanager
def silent(label: str, total: float | None) -> Iterator[Advance]:
    """A Progress that shows nothing."""
    yield lambda amount: None

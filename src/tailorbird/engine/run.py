"""One training run as the engine sees it: where it keeps its state, whom it tells, and what it goes on from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tailorbird.progress import Progress, silent


class Run(NamedTuple):
    """A run in `folder`, resumed if it was interrupted there; `start` is an adapter to go on from.

    `hopeless` is told the step and the validation loss of each check, and ends the run by returning True.
    """

    folder: Path
    progress: Progress = silent
    report_to: tuple[str, ...] = ()
    start: Path | None = None
    hopeless: Callable[[int, float], bool] = lambda step, loss: False

"""What the workers of train_speed.py measure in common: needs transformers and nothing else, as they run in different places."""

from __future__ import annotations

import os
import resource
import sys
import time
from typing import Any

_STARTED = float(os.environ.get("STARTED", time.time()))  # when train_speed.py started this process

from transformers import TrainerCallback  # noqa: E402


class Watch(TrainerCallback):  # type: ignore[misc]
    """Takes the time when training begins and after each optimizer step; the first `warmup` steps do not count."""

    def __init__(self, warmup: int) -> None:
        self.warmup = warmup
        self.times: list[float] = []
        self._tokens: list[int] = []
        self._losses: list[float] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The first step is about to begin."""
        self._mark(state)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """An optimizer step is done."""
        self._mark(state)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Every step is logged."""
        if "loss" in logs:
            self._losses.append(float(logs["loss"]))

    def _mark(self, state: Any) -> None:
        self.times.append(time.time())
        self._tokens.append(state.num_input_tokens_seen)

    @property
    def tokens(self) -> int:
        """Tokens of the timed steps, padding left out, as the Trainer counts them where it is told to."""
        return self._tokens[-1] - self._tokens[self.warmup]

    def report(self) -> dict[str, Any]:
        """The measurements of a finished run."""
        return {
            "tokens": self.tokens,
            "seconds": self.times[-1] - self.times[self.warmup],
            "losses": self._losses,
            "first_step": self.times[1] - _STARTED,
            "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9,
        }

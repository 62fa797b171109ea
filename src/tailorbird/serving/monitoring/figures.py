"""What the log of conversations says: how many, how often a person was needed, thumbs, times, guards, languages; by version."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import numpy as np
from pydantic import BaseModel

from tailorbird.artifacts import Interval
from tailorbird.feedback import FeedbackStore
from tailorbird.turns import LoggedConversation, LoggedTurn, TurnLog
from tailorbird.workspace import Workspace

Exchange = tuple[LoggedConversation, Sequence[LoggedTurn]]
Money = Callable[[Sequence[LoggedTurn]], float]
"""What writing some answers took."""


class Times(BaseModel):
    """Seconds in the middle, and of the slowest twentieth."""

    median: float
    slow: float


class Figures(BaseModel):
    """Figures of some conversations. Shares are of conversations (`escalated`: a person was asked for), of answers
    (`broken_off`), or of thumbs (`good`), with 95% intervals (Wilson 1927); None where there is nothing to measure.

    `guards` counts answers in which each fired, `languages` conversations. `cost` is what writing the answers took, in the
    workspace's currency.
    """

    conversations: int = 0
    answers: int = 0
    escalated: Interval | None = None
    good: Interval | None = None
    broken_off: Interval | None = None
    first_word: Times | None = None
    whole: Times | None = None
    guards: dict[str, int] = {}
    languages: dict[str, int] = {}
    tokens: int = 0
    cost: float | None = None


def exchanges(log: TurnLog, since: datetime | None) -> list[Exchange]:
    """The conversations in which something was said since a moment."""
    return [one for one in log.everything(since) if one[1]]


def versions(found: Sequence[Exchange]) -> dict[str, list[Exchange]]:
    """Conversations by the model that answered first in them."""
    told = defaultdict[str, list[Exchange]](list)
    for one in found:
        if name := next((turn.release for turn in one[1] if turn.release), None):
            told[name].append(one)
    return told


def figures(found: Sequence[Exchange], judged: dict[str, list[bool]], money: Money | None = None) -> Figures:
    """The figures of some conversations; `judged` has the thumbs of each by its id, `money` says what they cost."""
    answers = [turn for _, turns in found for turn in turns if turn.role == "assistant"]
    thumbs = [good for held, _ in found for good in judged.get(held.id, ())]
    fired = Counter(guard.partition(":")[0] for turn in answers for guard in set(turn.guards))
    return Figures(
        conversations=len(found),
        answers=len(answers),
        escalated=share(sum(held.waiting_since is not None for held, _ in found), len(found)),
        good=share(sum(thumbs), len(thumbs)),
        broken_off=share(sum(not turn.whole for turn in answers), len(answers)),
        first_word=times(turn.first_token_ms for turn in answers),
        whole=times(turn.duration_ms for turn in answers if turn.whole),
        guards=dict(fired.most_common()),
        languages=dict(Counter(held.language or "unknown" for held, _ in found).most_common()),
        tokens=sum((turn.prompt_tokens or 0) + (turn.completion_tokens or 0) for turn in answers),
        cost=money(answers) if money else None,
    )


def share(part: int, whole: int) -> Interval | None:
    """A share with its interval; None of nothing."""
    from scipy.stats import binomtest  # type: ignore[import-untyped]  # a second that a server need not take to start

    if not whole:
        return None
    told = binomtest(part, whole).proportion_ci(method="wilson")
    return Interval(value=part / whole, low=float(told.low), high=float(told.high))


def times(milliseconds: Iterable[float | None]) -> Times | None:
    """Milliseconds in the middle and of the slowest, as seconds; None of nothing."""
    known = [one / 1000 for one in milliseconds if one is not None]
    return Times(median=float(np.median(known)), slow=float(np.quantile(known, 0.95))) if known else None


def thumbs(workspace: Workspace, log: TurnLog, since: datetime | None) -> dict[str, list[bool]]:
    """The thumbs of customers by their conversation."""
    found: dict[str, list[bool]] = defaultdict(list)
    for row in FeedbackStore(workspace, log.database).newest(None, "thumb", since):
        if row.label is not None:
            found[row.source].append(row.label)
    return found

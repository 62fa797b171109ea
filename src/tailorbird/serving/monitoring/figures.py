"""What the log of conversations says: how many, how often a person was needed, thumbs, times, guards, languages; by version."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel
from scipy.stats import binomtest, fisher_exact  # type: ignore[import-untyped]

from tailorbird.artifacts import Dataset, Interval
from tailorbird.feedback import FeedbackStore
from tailorbird.turns import LoggedConversation, LoggedTurn, TurnLog
from tailorbird.workspace import Workspace, read_conversations

Exchange = tuple[LoggedConversation, Sequence[LoggedTurn]]


class Times(BaseModel):
    """Seconds in the middle, and of the slowest twentieth."""

    median: float
    slow: float


class Figures(BaseModel):
    """Figures of some conversations. Shares are of conversations (`escalated`: a person was asked for), of answers
    (`broken_off`), or of thumbs (`good`), with 95% intervals (Wilson 1927); None where there is nothing to measure.

    `guards` counts answers in which each fired, `languages` conversations.
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


class Watched(BaseModel):
    """All conversations since a moment, by version (by the model that answered first) and by day.

    `before` is how often people had to take over before there was an assistant, by tags of the imported conversations.
    `likely_worse` has for each version the chance (Fisher's exact test, one-sided) that as many of its conversations would be
    escalated if it were no worse than the others; small is bad.
    """

    since: datetime | None
    total: Figures
    versions: dict[str, Figures]
    days: dict[date, Figures]
    before: Interval | None
    likely_worse: dict[str, float]


def watch(workspace: Workspace, since: datetime | None = None, log: TurnLog | None = None) -> Watched:
    """The figures of a workspace's log; raises WorkspaceError where it cannot be read."""
    log = log or TurnLog(workspace)
    found = exchanges(log, since)
    judged = thumbs(workspace, log, since)
    days = defaultdict[date, list[Exchange]](list)
    for one in found:
        days[one[0].started_at.date()].append(one)
    by_version = {name: figures(part, judged) for name, part in sorted(versions(found).items())}
    return Watched(
        since=since, total=figures(found, judged), versions=by_version,
        days={day: figures(part, judged) for day, part in sorted(days.items())},
        before=_before(workspace), likely_worse=_likely_worse(by_version),
    )  # fmt: skip


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


def figures(found: Sequence[Exchange], judged: dict[str, list[bool]]) -> Figures:
    """The figures of some conversations; `judged` has the thumbs of each by its id."""
    answers = [turn for _, turns in found for turn in turns if turn.role == "assistant"]
    thumbs = [good for held, _ in found for good in judged.get(held.id, ())]
    fired = Counter(guard.partition(":")[0] for turn in answers for guard in set(turn.guards))
    return Figures(
        conversations=len(found),
        answers=len(answers),
        escalated=share(sum(held.waiting_since is not None for held, _ in found), len(found)),
        good=share(sum(thumbs), len(thumbs)),
        broken_off=share(sum(not turn.whole for turn in answers), len(answers)),
        first_word=_times(turn.first_token_ms for turn in answers),
        whole=_times(turn.duration_ms for turn in answers if turn.whole),
        guards=dict(fired.most_common()),
        languages=dict(Counter(held.language or "unknown" for held, _ in found).most_common()),
        tokens=sum((turn.prompt_tokens or 0) + (turn.completion_tokens or 0) for turn in answers),
    )


def share(part: int, whole: int) -> Interval | None:
    """A share with its interval; None of nothing."""
    if not whole:
        return None
    told = binomtest(part, whole).proportion_ci(method="wilson")
    return Interval(value=part / whole, low=float(told.low), high=float(told.high))


def _times(milliseconds: Iterable[float | None]) -> Times | None:
    known = [one / 1000 for one in milliseconds if one is not None]
    return Times(median=float(np.median(known)), slow=float(np.quantile(known, 0.95))) if known else None


def thumbs(workspace: Workspace, log: TurnLog, since: datetime | None) -> dict[str, list[bool]]:
    """The thumbs of customers by their conversation."""
    found: dict[str, list[bool]] = defaultdict(list)
    for row in FeedbackStore(workspace, log.database).newest(None, "thumb", since):
        if row.label is not None:
            found[row.source].append(row.label)
    return found


def _before(workspace: Workspace) -> Interval | None:
    """How often imported conversations have a tag of those that a person had to take over."""
    dataset = workspace.current(Dataset)
    if dataset is None:
        return None
    file = workspace.path(dataset) / "conversations.jsonl"
    tags = frozenset(tag.casefold() for tag in workspace.settings.evaluation.hand_off_tags)
    return _handed_over(file, file.stat().st_mtime_ns, tags)


@lru_cache(maxsize=64)
def _handed_over(file: Path, changed: int, tags: frozenset[str]) -> Interval | None:
    """Read once for each state of a file: a dashboard asks again and again."""
    found = read_conversations(file)
    handed = sum(any(tag.rpartition("=")[2].casefold() in tags for tag in one.tags) for one in found)
    return share(handed, len(found)) if handed else None  # without a single tag nobody tagged


def _likely_worse(versions: dict[str, Figures]) -> dict[str, float]:
    """For each version a test of its escalated conversations against those of all others."""
    counts = {name: _counted(one) for name, one in versions.items()}
    told = {}
    for name, (escalated, others) in counts.items():
        rest = [counts[other] for other in counts if other != name]
        if rest:
            table = [[escalated, others], [sum(one[0] for one in rest), sum(one[1] for one in rest)]]
            told[name] = float(fisher_exact(table, alternative="greater").pvalue)
    return told


def _counted(one: Figures) -> tuple[int, int]:
    escalated = round(one.escalated.value * one.conversations) if one.escalated else 0
    return escalated, one.conversations - escalated

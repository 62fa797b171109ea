"""How the assistant does: all figures, by version and by day, with what was before it and what is tried out beside it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel

from tailorbird.artifacts import Dataset, Interval
from tailorbird.serving.monitoring import costs
from tailorbird.serving.monitoring.figures import Exchange, Figures, exchanges, figures, share, thumbs, versions
from tailorbird.serving.monitoring.shadows import Beside, unseen
from tailorbird.turns import ShadowLog, TurnLog
from tailorbird.workspace import Workspace, read_conversations


class Watched(BaseModel):
    """All conversations since a moment, by version (by the model that answered first) and by day.

    `before` is how often people had to take over before there was an assistant, by tags of the imported conversations.
    `likely_worse` has for each version the chance (Fisher's exact test, one-sided) that as many of its conversations would be
    escalated if it were no worse than the others; small is bad. `unseen` has the versions that are tried out unseen. Money is in
    `currency`.
    """

    since: datetime | None
    total: Figures
    versions: dict[str, Figures]
    days: dict[date, Figures]
    before: Interval | None
    likely_worse: dict[str, float]
    unseen: list[Beside] = []
    currency: str = ""


def watch(workspace: Workspace, since: datetime | None = None, log: TurnLog | None = None) -> Watched:
    """The figures of a workspace's log.

    Raises WorkspaceError where it cannot be read, SettingsError for prices that cannot.
    """
    log = log or TurnLog(workspace)
    found = exchanges(log, since)
    judged, money = thumbs(workspace, log, since), costs.money(workspace)
    days = defaultdict[date, list[Exchange]](list)
    for one in found:
        days[one[0].started_at.date()].append(one)
    by_version = {name: figures(part, judged, money) for name, part in sorted(versions(found).items())}
    return Watched(
        since=since, total=figures(found, judged, money), versions=by_version,
        days={day: figures(part, judged, money) for day, part in sorted(days.items())},
        before=_before(workspace), likely_worse=_likely_worse(by_version),
        unseen=unseen(ShadowLog(workspace, log.database), since, money), currency=workspace.settings.currency,
    )  # fmt: skip


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
    from scipy.stats import fisher_exact  # type: ignore[import-untyped]

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

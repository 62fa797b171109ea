"""How a version that is tried out unseen would have answered, beside the answers that customers got."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from pydantic import BaseModel
from scipy.stats import binomtest  # type: ignore[import-untyped]

from tailorbird.artifacts import Interval
from tailorbird.serving.monitoring.figures import Times, share, times
from tailorbird.turns import LoggedTurn, Shadowed, ShadowLog


class Side(BaseModel):
    """Answers to some messages: how often a person takes over and a guard fires (95% intervals), words in the middle, seconds."""

    handed_over: Interval | None
    guarded: Interval | None
    words: float
    whole: Times | None


class Beside(BaseModel):
    """Two versions on the same messages, one of them unseen.

    `likely_alike` is the chance that they would differ as much in whom they hand over if they were alike (McNemar's exact test).
    """

    answers: int
    customers: Side
    unseen: Side
    only_unseen_hands_over: int
    only_customers_handed_over: int
    likely_alike: float | None


def unseen(log: ShadowLog, since: datetime | None) -> dict[str, Beside]:
    """By the name of the version; raises WorkspaceError where the log cannot be read."""
    found = defaultdict[str, list[Shadowed]](list)
    for one in log.since(since):
        found[one.shadow.release or ""].append(one)
    return {name: _beside(rows) for name, rows in sorted(found.items())}


def _beside(rows: Sequence[Shadowed]) -> Beside:
    pairs = [(_hands_over(one.answer), _hands_over(one.shadow)) for one in rows]
    shown, hidden = pairs.count((True, False)), pairs.count((False, True))
    return Beside(
        answers=len(rows),
        customers=_side([one.answer for one in rows]),
        unseen=_side([one.shadow for one in rows]),
        only_unseen_hands_over=hidden,
        only_customers_handed_over=shown,
        likely_alike=float(binomtest(hidden, shown + hidden).pvalue) if shown + hidden else None,
    )


def _side(turns: Sequence[LoggedTurn]) -> Side:
    return Side(
        handed_over=share(sum(map(_hands_over, turns)), len(turns)),
        guarded=share(sum(bool(turn.guards) for turn in turns), len(turns)),
        words=float(np.median([len(turn.text.split()) for turn in turns])),
        whole=times(turn.duration_ms for turn in turns if turn.whole),
    )


def _hands_over(turn: LoggedTurn) -> bool:
    return turn.action == "hand_over"

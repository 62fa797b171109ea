"""How a version that is tried out unseen would have answered, beside the answers that customers got."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
from pydantic import BaseModel

from tailorbird.artifacts import Interval
from tailorbird.serving.monitoring.figures import Money, share
from tailorbird.turns import LoggedTurn, Shadowed, ShadowLog


class Side(BaseModel):
    """Answers in some conversations: in how many of those a person takes over or a guard fires (95% intervals), and words in
    the middle.
    """

    handed_over: Interval | None
    guarded: Interval | None
    words: float


class Beside(BaseModel):
    """A version that answers unseen, and the version that customers were answered by, on the same messages.

    `likely_alike` is the chance that they would differ as much in the conversations they hand over if they were alike
    (McNemar's exact test). `cost` is that of the unseen answers, in the workspace's currency.
    """

    version: str
    against: str
    conversations: int
    answers: int
    customers: Side
    unseen: Side
    only_unseen_hands_over: int
    only_customers_handed_over: int
    likely_alike: float | None
    cost: float | None


def unseen(log: ShadowLog, since: datetime | None, money: Money | None) -> list[Beside]:
    """By version, and by the one it is held against; raises WorkspaceError where the log cannot be read."""
    found = defaultdict[tuple[str, str], list[Shadowed]](list)
    for one in log.since(since):
        found[one.shadow.release or "", one.answer.release or ""].append(one)
    return [_beside(*names, rows, money) for names, rows in sorted(found.items())]


def _beside(version: str, against: str, rows: Sequence[Shadowed], money: Money | None) -> Beside:
    from scipy.stats import binomtest  # type: ignore[import-untyped]

    customers, hidden = ([getattr(one, side) for one in rows] for side in ("answer", "shadow"))
    shown, would = (_of_conversations(turns, _hands_over) for turns in (customers, hidden))
    only_shown = sum(shown[held] and not would[held] for held in shown)
    only_hidden = sum(would[held] and not shown[held] for held in shown)
    differ = only_shown + only_hidden
    return Beside(
        version=version,
        against=against,
        conversations=len(shown),
        answers=len(rows),
        customers=_side(customers),
        unseen=_side(hidden),
        only_unseen_hands_over=only_hidden,
        only_customers_handed_over=only_shown,
        likely_alike=float(binomtest(only_hidden, differ).pvalue) if differ else None,
        cost=money(hidden) if money else None,
    )


def _side(turns: Sequence[LoggedTurn]) -> Side:
    handed, guarded = (_of_conversations(turns, told) for told in (_hands_over, lambda turn: bool(turn.guards)))
    return Side(
        handed_over=share(sum(handed.values()), len(handed)),
        guarded=share(sum(guarded.values()), len(guarded)),
        words=float(np.median([len(turn.text.split()) for turn in turns])),
    )


def _of_conversations(turns: Sequence[LoggedTurn], told: Callable[[LoggedTurn], bool]) -> dict[str, bool]:
    """Whether it is so of any answer in each conversation: answers to one customer are not independent."""
    found: dict[str, bool] = {}
    for turn in turns:
        found[turn.conversation] = found.get(turn.conversation, False) or told(turn)
    return found


def _hands_over(turn: LoggedTurn) -> bool:
    return turn.action == "hand_over"

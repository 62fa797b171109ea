"""Watches reinforcement for reward hacking: answers that please the reward and nobody else. Pure Python, no torch.

A reward that is not quite what people want is first met better and then gamed (arXiv 2210.10760): answers grow, shrink or
repeat themselves, and the model moves far from where it began. The checks are rows of the curve, so that an interrupted run
judges as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

LENGTH_FACTOR = 1.5
"""How many times longer or shorter than before this run answers may become on average."""
MORE_REPETITION = 0.1
"""By how much the share of repeated runs of four tokens may rise."""
MOST_KL = 0.25
"""How far the model may move from where it began, in nats a token of its own answers."""
MORE_CUT = 0.25
"""By how much the share of answers may rise that are cut off where sampling ends: beyond that they cannot grow."""
_RUN = 4


class Check(NamedTuple):
    """Answers to held-out prompts after a step: mean reward, tokens, shares of repeated runs and of answers that are cut off,
    and nats a token moved.
    """

    step: int
    reward: float
    length: float
    repetition: float
    cut: float
    kl: float


def read(rows: Iterable[Mapping[str, float]]) -> list[Check]:
    """The checks among the rows of a curve, each step once."""
    found = {
        int(row["step"]): Check(int(row["step"]), *(row[f"eval_{name}"] for name in Check._fields[1:]))
        for row in rows
        if "eval_reward" in row
    }
    return [found[step] for step in sorted(found)]


def trouble(check: Check, start: Check) -> str:
    """What is wrong with the answers beside those before the run; empty when nothing is."""
    if check.length > start.length * LENGTH_FACTOR:
        return f"answers grew from {start.length:.0f} to {check.length:.0f} tokens"
    if check.cut > start.cut + MORE_CUT:
        return f"answers without an end rose from {start.cut:.0%} to {check.cut:.0%}"
    if check.length * LENGTH_FACTOR < start.length:
        return f"answers shrank from {start.length:.0f} to {check.length:.0f} tokens"
    if check.repetition > start.repetition + MORE_REPETITION:
        return f"repetition rose from {start.repetition:.0%} to {check.repetition:.0%}"
    if not check.kl <= MOST_KL:  # also when it is not a number
        return f"the model moved {check.kl:.2f} nats a token from where it began; {MOST_KL} are allowed"
    return ""


def why_end(checks: Sequence[Check], patience: int) -> str:
    """Why the run should end after these checks, the first of which is from before it; empty while it should not."""
    if len(checks) < 2:
        return ""
    if problem := trouble(checks[-1], checks[0]):
        return problem
    best = max(range(len(checks)), key=lambda n: checks[n].reward)
    if len(checks) - 1 - best >= patience:
        return f"held-out reward has not risen for {patience} checks"
    return ""


def best(checks: Sequence[Check]) -> Check:
    """The check with the highest reward among those without trouble; the first one, from before the run, if none is better."""
    return max((one for one in checks if not trouble(one, checks[0])), key=lambda one: one.reward, default=checks[0])


def repeated(ids: Sequence[int]) -> float:
    """The share of an answer's runs of four tokens that were in it before."""
    runs = [tuple(ids[place : place + _RUN]) for place in range(len(ids) - _RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0

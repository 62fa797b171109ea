"""Plan -> LearningCurve: what a quarter, half and all of the conversations teach, and what twice as many would."""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tailorbird import engine
from tailorbird.artifacts import Candidate, Conversation, Interval, Plan
from tailorbird.errors import PlanError, WorkspaceError
from tailorbird.lessons import original
from tailorbird.progress import Progress, silent
from tailorbird.workspace import Workspace, read_conversations, write_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE, PICTURE = "learning_curve.json", "learning_curve.svg"
_SHARES = (0.25, 0.5, 1.0)
_FEWEST = 16  # conversations, so that a quarter is more than a handful
_RESAMPLES = 4000
_LITTLE = 0.02  # nats a token: the right one 2% likelier
_Losses = list[tuple[float, int] | None]


class Share(BaseModel):
    """One point: how much was learned from, and the loss on the validation conversations in nats a token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float
    conversations: int
    steps: int
    minutes: float
    loss: Interval


class LearningCurve(BaseModel):
    """What was measured, from nothing to all conversations, and what is expected of twice as many.

    The intervals tell how much depends on which conversations the model is validated on. Every share is trained once, so how
    much depends on chance in training they do not tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: str
    points: tuple[Share, ...]
    twice: Interval
    gain: Interval
    words: str


class _Measured(BaseModel):
    """One share's run, kept in the draft so that it is not trained again."""

    steps: int
    minutes: float
    losses: _Losses


def learning_curve(workspace: Workspace, plan: Plan, progress: Progress = silent) -> LearningCurve:
    """Trains on shares of the plan's conversations, as planned, and keeps the curve and its picture beside the plan.

    Interrupted, it goes on where it stopped when called again; once made, it is found again. Raises PlanError where the plan
    learns from something else than answers, from too few conversations, or in too short a time to see them all.
    """
    target = workspace.path(plan) / FILE
    if target.is_file():
        return _read(target)
    learning, replayed, checking = (read_conversations(workspace.path(plan) / f"{name}.jsonl") for name in plan.parts)
    originals = sorted({original(one.id) for one in learning})
    _refuse(plan, len(originals), bool(replayed))
    _refuse_part(plan, learning, progress)
    random.Random(plan.seed).shuffle(originals)
    draft = workspace.draft(f"learning-curve-{plan.id}", fresh=False)
    sizes = [math.ceil(share * len(originals)) for share in _SHARES]
    measured = [_kept(draft / "0.json", partial(_untrained, workspace, plan, checking, progress))]
    if done := _candidate_of(workspace, plan):
        _kept(draft / f"{sizes[-1]}.json", partial(_of_candidate, workspace, plan, done, checking, progress))
    minutes = plan.minutes * sum(_SHARES[:-1] if done else _SHARES)
    for number, (share, size) in enumerate(zip(_SHARES, sizes, strict=True), start=1):
        chosen = set(originals[:size])
        part = [one for one in learning if original(one.id) in chosen]
        told = f"{share:.0%} of the data ({number} of {len(_SHARES)}, about {max(minutes, 1):.0f} minutes in all)"
        run = engine.Run(draft / str(size), _telling(progress, told), start=_start(workspace, plan))
        smaller = _smaller(plan, len(part) / len(learning))
        measured.append(_kept(draft / f"{size}.json", partial(_trained, smaller, part, checking, run)))
        shutil.rmtree(run.folder, ignore_errors=True)
    points, twice, gain = _fitted(measured, [original(one.id) for one in checking], [0, *sizes], plan.seed)
    curve = LearningCurve(plan=plan.id, points=points, twice=twice, gain=gain, words=_in_words(gain))
    write_text(target.with_name(PICTURE), _picture(curve))
    write_text(target, curve.model_dump_json(indent=1))
    shutil.rmtree(draft)
    return curve


def _read(path: Path) -> LearningCurve:
    try:
        return LearningCurve.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as problem:
        raise WorkspaceError(
            "This learning curve is damaged or from another version.",
            fix="Delete the file and run `tailorbird plan --learning-curve` again.",
            where=str(path),
        ) from problem


def _refuse(plan: Plan, conversations: int, replayed: bool) -> None:
    if replayed:
        raise PlanError(
            "A learning curve is drawn for training from the base model; this plan goes on from an earlier version.",
            fix="Set training.start_from to base in tailorbird.yaml and run `tailorbird plan` first.",
        )
    if plan.learns_from != "answers":
        raise PlanError(
            f"A learning curve is drawn for learning from answers; this plan learns from {plan.learns_from}.",
            fix="Set training.learn_from to answers in tailorbird.yaml and run `tailorbird plan` first.",
        )
    if conversations < _FEWEST:
        raise PlanError(
            f"There are {conversations} conversations to train on; a learning curve needs at least {_FEWEST}.",
            fix="Import more conversations: with so few, more will help.",
        )


def _refuse_part(plan: Plan, learning: list[Conversation], progress: Progress) -> None:
    """A run that does not see all conversations would show what more steps bring, and take it for more conversations."""
    lengths, prefix = engine.measure_lengths(engine.locate(plan.model, progress), [one.messages for one in learning])
    seen = plan.steps * (plan.tokens_per_step - plan.accumulation * (prefix + plan.virtual_tokens))
    passes = seen / sum(max(min(length, plan.sequence_length) - prefix, 1) for length in lengths)
    if passes < 1:
        raise PlanError(
            f"The plan's time is enough for {passes:.1f} passes over the conversations, so more of them could not be learned.",
            fix=f"Set training.minutes to {math.ceil(plan.minutes / passes)} or more and run `tailorbird plan` first.",
        )


def _candidate_of(workspace: Workspace, plan: Plan) -> Candidate | None:
    """What was trained as planned already, so that all of the data need not be learned again."""
    found = [one for one in workspace.all(Candidate) if one.made_from == (plan.id,)]
    return next((one for one in found if one.id not in workspace.retraining), None)


def _smaller(plan: Plan, share: float) -> Plan:
    """The same plan for a share of its lessons: as many passes over them, as many checks, and nothing else changed."""
    steps = max(1, round(plan.steps * share))
    return plan.model_copy(update={"steps": steps, "check_every": math.ceil(plan.check_every * share)})


def _telling(progress: Progress, label: str) -> Progress:
    """Bars that say which share they belong to and how long all take."""
    return lambda what, total: progress(f"{what}, {label}", total)


def _kept(path: Path, measure: Callable[[], _Measured]) -> _Measured:
    """What was measured before an interruption, or what is measured now."""
    if path.is_file():
        return _Measured.model_validate_json(path.read_text(encoding="utf-8"))
    measured = measure()
    write_text(path, measured.model_dump_json())
    return measured


def _untrained(workspace: Workspace, plan: Plan, checking: list[Conversation], progress: Progress) -> _Measured:
    """What is there before training: the base model, or the candidate that the plan goes on from."""
    return _Measured(steps=0, minutes=0, losses=_scored(plan, checking, _start(workspace, plan), progress))


def _of_candidate(
    workspace: Workspace, plan: Plan, candidate: Candidate, checking: list[Conversation], progress: Progress
) -> _Measured:
    losses = _scored(plan, checking, workspace.path(candidate) / "adapter", progress)
    return _Measured(steps=candidate.steps, minutes=candidate.minutes, losses=losses)


def _trained(plan: Plan, learning: list[Conversation], checking: list[Conversation], run: engine.Run) -> _Measured:
    """Trains on one share in a folder of its own and scores what came out."""
    run.folder.mkdir(exist_ok=True)
    base = engine.locate(plan.model, run.progress)
    fitted = engine.fit(base, plan, [one.messages for one in learning], [one.messages for one in checking], run)
    losses = _scored(plan, checking, run.folder / "adapter", run.progress)
    return _Measured(steps=fitted.steps, minutes=fitted.seconds / 60, losses=losses)


def _start(workspace: Workspace, plan: Plan) -> Path | None:
    start = next((one for one in workspace.lineage(plan) if isinstance(one, Candidate)), None)
    return workspace.path(start) / "adapter" if start else None


def _scored(plan: Plan, checking: list[Conversation], tuned: Path | None, progress: Progress) -> _Losses:
    chats = [one.messages for one in checking]
    base = engine.locate(plan.model, progress)
    return engine.conversation_losses(base, {"model": tuned}, chats, plan.sequence_length, progress)["model"]


def _fitted(
    measured: list[_Measured], conversations: list[str], sizes: list[int], seed: int
) -> tuple[tuple[Share, ...], Interval, Interval]:
    """The points with their intervals, and loss and gain at twice the data.

    Intervals are the bootstrap's (Efron 1979) over validation conversations, the same resamples for all points.
    """
    import numpy as np

    places = {name: place for place, name in enumerate(dict.fromkeys(conversations))}
    sums = np.zeros((len(measured), len(places), 2))
    for point, one in enumerate(measured):
        for name, loss in zip(conversations, one.losses, strict=True):
            if loss is not None:
                sums[point, places[name]] += loss
    draws = np.random.default_rng(seed)
    counts = draws.multinomial(len(places), [1 / len(places)] * len(places), size=_RESAMPLES)
    resampled = np.stack([counts @ point for point in sums])
    with np.errstate(invalid="ignore"):
        losses = resampled[..., 0] / resampled[..., 1]
    losses = losses[:, np.isfinite(losses).all(axis=0)]
    values = sums.sum(axis=1)[:, 0] / sums.sum(axis=1)[:, 1]
    points = tuple(
        Share(share=share, conversations=size, steps=one.steps, minutes=one.minutes, loss=_interval(resamples, value))
        for share, size, one, resamples, value in zip((0.0, *_SHARES), sizes, measured, losses, values, strict=True)
    )
    gains = _gains_of_twice(losses[-3], losses[-2], losses[-1], draws.random(size=(losses.shape[1],)))
    return points, _interval(losses[-1] - gains), _interval(gains)


def _gains_of_twice(quarter: NDArray[Any], half: NDArray[Any], whole: NDArray[Any], between: NDArray[Any]) -> NDArray[np.float64]:
    """By how much the loss falls with the next doubling of the data, between a power law and a straight line over doublings.

    Along a power law a + b n^-c (arXiv 1712.00409) every doubling brings the same part of the one before, so three points at
    a quarter, half and whole fix it, and nothing is left to check it by. With c = 0 each brings as much as the last. What is
    true mostly lies between, so each resample takes a place `between` them (0 to 1); more data never harms.
    """
    import numpy as np

    earlier, later = quarter - half, half - whole
    growing = later > earlier  # no power law does that: chance, so the mean of both stands for either
    last = np.maximum(np.where(growing, (earlier + later) / 2, later), 0)
    part = np.where(growing, 1.0, last / np.maximum(earlier, 1e-9))
    return np.asarray(last * (part + (1 - part) * between))


def _interval(resamples: NDArray[Any], value: float | None = None) -> Interval:
    import numpy as np

    low, middle, high = np.percentile(resamples, [2.5, 50, 97.5])
    value = float(middle if value is None else value)
    return Interval(value=value, low=min(float(low), value), high=max(float(high), value))


def _in_words(gain: Interval) -> str:
    if gain.high < _LITTLE:
        return f"Twice as many conversations would lower the loss by {gain.high:.2f} at most: more of the same brings little."
    told = f"Twice as many conversations would lower the loss by about {gain.low:.2f} to {gain.high:.2f}"
    if gain.low >= _LITTLE:
        return f"{told}: worth collecting."
    return f"{told}: whether they are worth collecting cannot be told yet."


def _picture(curve: LearningCurve) -> str:
    """The curve as SVG, twice the data dashed."""
    import io

    from matplotlib.figure import Figure

    drawing = Figure(figsize=(6.5, 3.4), layout="constrained")
    axes: Any = drawing.subplots()
    sizes = [point.conversations for point in curve.points]
    measured = [point.loss for point in curve.points]
    _draw(axes, sizes, measured, "o-", "measured")
    _draw(axes, [sizes[-1], 2 * sizes[-1]], [measured[-1], curve.twice], "o--", "expected")
    axes.set(xlabel="conversations to learn from", ylabel="validation loss (nats a token)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    svg = io.StringIO()
    drawing.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()


def _draw(axes: Any, sizes: list[int], losses: list[Interval], style: str, label: str) -> None:
    ends = [[one.value - one.low for one in losses], [one.high - one.value for one in losses]]
    axes.errorbar(sizes, [one.value for one in losses], yerr=ends, fmt=style, label=label, capsize=3, markersize=4)

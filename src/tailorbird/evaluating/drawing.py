"""The report's pictures, as SVG within the page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tailorbird.artifacts import Candidate, CurvePoint, Figure, Scorecard
from tailorbird.evaluating.figures import METRICS
from tailorbird.evaluating.systems import TITLES

_COLOURS = {"tuned": "#14692c", "knowledge": "#8a6d00", "both": "#1f4e9c"}
_PANELS = (
    ("loss (nats per token)", (("train_loss", "training", "-"), ("validation_loss", "validation (unseen)", "o-"))),
    ("reward", (("reward", "training", "-"), ("eval_reward", "validation (unseen)", "o-"))),
    ("KL (nats per token)", (("kl", "from where it began", "-"),)),
    ("length (tokens)", (("length", "training", "-"), ("eval_length", "validation (unseen)", "o-"))),
)


def curves(path: Path, candidate: Candidate) -> str:
    """The curves as inline SVG: losses, or for RLHF rewards, distance and lengths."""
    points = [CurvePoint.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rewarded = any(point.measures for point in points)
    panels = _PANELS[1:] if rewarded else _PANELS[:1]
    drawing = _drawing(2.6 * len(panels) + 0.6)
    for axes, (title, lines) in zip(drawing.subplots(len(panels), squeeze=False)[:, 0], panels, strict=True):
        for name, label, style in lines:
            rows = [(p.step, value) for p in points if (value := p.measures.get(name, getattr(p, name, None))) is not None]
            axes.plot([step for step, _ in rows], [value for _, value in rows], style, label=label, markersize=4)
        axes.axvline(candidate.best_step, color="grey", linestyle=":", label="kept")
        axes.set(xlabel="step", ylabel=title)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return _svg(drawing)


def differences(card: Scorecard) -> str:
    """How far each system is from the base model on each figure, better to the right.

    In units of what this test would find four times in five, so that figures of different kinds stand side by side.
    """
    names = [name for name in METRICS if name in card.differences["tuned-base"]][::-1]
    systems = [system for system in _COLOURS if f"{system}-base" in card.differences]
    drawing = _drawing(0.36 * len(names) * max(1, len(systems) / 2) + 1.0)
    axes = drawing.subplots()
    for number, system in enumerate(systems):
        found = card.differences[f"{system}-base"]
        for place, name in enumerate(names):
            if name not in found or not found[name].detectable:
                continue
            one, sign = found[name], (-1 if METRICS[name].better == "lower" else 1) / found[name].detectable
            height = place + 0.25 * (number - (len(systems) - 1) / 2)
            axes.plot([sign * one.low, sign * one.high], [height, height], "-", color=_COLOURS[system], linewidth=1.2)
            axes.plot([sign * one.value], [height], "o", color=_COLOURS[system], markersize=4)
        axes.plot([], [], "o-", color=_COLOURS[system], label=TITLES[system])
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_yticks(range(len(names)), [METRICS[name].title.split(" (")[0] for name in names])
    axes.set(xlabel="worse than the base model   ←   →   better (1 = what this test finds four times in five)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="best", fontsize=8)
    return _svg(drawing)


def trend(rows: Mapping[str, Sequence[tuple[date, Figure]]], released: Sequence[date]) -> str:
    """Each figure over the days, with its intervals; dotted lines where another version was released."""
    drawing = _drawing(1.7 * len(rows) + 0.4)
    for axes, (name, points) in zip(drawing.subplots(len(rows), squeeze=False, sharex=True)[:, 0], rows.items(), strict=True):
        days, values = [day for day, _ in points], [one.value for _, one in points]
        reach = [[one.value - one.low for _, one in points], [one.high - one.value for _, one in points]]
        axes.errorbar(days, values, yerr=reach, fmt="o-", color=_COLOURS["tuned"], markersize=4, linewidth=1.2)
        for day in released:
            axes.axvline(day, color="grey", linestyle=":")
        axes.set_title(f"{METRICS[name].title} ({METRICS[name].unit}, {METRICS[name].better} is better)", fontsize=9, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    return _svg(drawing)


def _drawing(height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(7.5, height), layout="constrained")


def _svg(drawing: Any) -> str:
    svg = io.StringIO()
    drawing.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()[svg.getvalue().index("<svg") :]

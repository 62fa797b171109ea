"""The audit's report: one self-contained page that an owner reads in five minutes, the same as Markdown and JSON."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from tailorbird.auditing.overview import Overview
from tailorbird.workspace import write_text

_GOOD, _PEOPLE, _OTHER = "#14692c", "#a1260d", "#8a8a8a"


def write(folder: Path, overview: Overview) -> None:
    """Writes report.html, report.md and report.json; no scripts, nothing fetched."""
    from jinja2 import Environment, PackageLoader

    pages = Environment(loader=PackageLoader("tailorbird.auditing", "."), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    pictures = {"topics": _topics(overview), "ratings": _ratings(overview)}
    write_text(folder / "report.html", pages.get_template("report.html.j2").render(o=overview, pictures=pictures))
    plain = pages.overlay(autoescape=False)
    write_text(folder / "report.md", plain.get_template("report.md.j2").render(o=overview))
    write_text(folder / "report.json", overview.model_dump_json(indent=1))


def _topics(overview: Overview) -> str:
    """The shares of topics, in the colour of what to do about them."""
    if not overview.topics:
        return ""
    shown = overview.topics[:15][::-1]
    colours = [_GOOD if t.advice.startswith("a good") else _PEOPLE if t.advice.startswith("leave") else _OTHER for t in shown]
    drawing, axes = _drawing(0.3 * len(shown) + 0.8)
    axes.barh([topic.label for topic in shown], [100 * topic.share for topic in shown], color=colours)
    axes.set(xlabel="% of conversations")
    return _svg(drawing, axes)


def _ratings(overview: Overview) -> str:
    """The mean rating of each month that has any."""
    rated = [month for month in overview.months if month.rating is not None]
    if len(rated) < 2:
        return ""
    drawing, axes = _drawing(2.4)
    axes.plot([month.month for month in rated], [month.rating for month in rated], "o-", color=_GOOD, markersize=3)
    axes.set(ylabel="mean rating", ylim=(1, 5.1))
    axes.set_xticks(range(0, len(rated), max(1, len(rated) // 8)))
    return _svg(drawing, axes)


def _drawing(height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(7.5, height), layout="constrained")
    return drawing, drawing.subplots()


def _svg(drawing: Any, axes: Any) -> str:
    axes.spines[["top", "right"]].set_visible(False)
    svg = io.StringIO()
    drawing.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()[svg.getvalue().index("<svg") :]

"""What the terminal shows: progress bars with time left, artifacts in one line, tables."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from tailorbird.artifacts import Artifact, Audit, Candidate, Checkup, Comparison, Dataset, Interval, Plan, Release, Scorecard
from tailorbird.progress import Advance

if TYPE_CHECKING:
    from tailorbird.prices import Costs

if TYPE_CHECKING:
    from tailorbird.planning.learning_curve import LearningCurve
    from tailorbird.training.searching import Search

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
_PLAIN_FIRST, _PLAIN_EVERY = 2.0, 10.0  # seconds


@contextmanager
def bar(label: str, total: float | None) -> Iterator[Advance]:
    """A progress bar with time left on stderr; a line now and then where there is no terminal."""
    if not err.is_terminal:
        yield from _plain(label, total)
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TimeElapsedColumn(), TextColumn("left:"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda amount: progress.advance(task, amount)


def _plain(label: str, total: float | None) -> Iterator[Advance]:
    started = time.monotonic()
    shown = started + _PLAIN_FIRST - _PLAIN_EVERY
    done = 0.0

    def advance(amount: float) -> None:
        nonlocal done, shown
        done += amount
        now = time.monotonic()
        if total and now - shown > _PLAIN_EVERY:
            shown = now
            left = (now - started) * (total - done) / max(done, 1e-9)
            print(f"{label}: {done / total:.0%}, about {left:.0f} s left", file=sys.stderr, flush=True)

    yield advance


def show(artifact: Artifact, as_json: bool, seconds: float | None = None) -> None:
    """Prints an artifact: its manifest for machines, a sentence for people."""
    if as_json:
        print(artifact.model_dump_json(indent=1))
        return
    took = f" [dim]({seconds:.1f} s)[/dim]" if seconds is not None else ""
    out.print(f"[green]✓[/green] {summary(artifact)}{took}\n  [dim]{artifact.id}[/dim]")


def listening(url: str) -> None:
    """Says where the server is, on stderr."""
    err.print(
        f"Listening on {url} for the models that GET {url}/models lists, `production` among them. Ctrl-C stops.", soft_wrap=True
    )


def show_json(content: Any) -> None:
    """Prints anything for machines."""
    print(json.dumps(content, indent=1, ensure_ascii=False))


def summary(artifact: Artifact) -> str:
    """An artifact in one sentence."""
    match artifact:
        case Dataset():
            earlier = artifact.conversations - artifact.added
            more = f" ({artifact.added} new, {artifact.updated} updated)" if earlier else ""
            rejected = f"; {artifact.rejected} records rejected, kept in rejected.jsonl" if artifact.rejected else ""
            return f"Imported {artifact.conversations} conversations with {artifact.turns} turns{more}{rejected}."
        case Audit():
            return (
                f"Audited: {artifact.kept} of {artifact.conversations} kept ({_counts(artifact.splits)}); "
                f"set aside: {_counts(artifact.quarantined) or 'none'}; noted: {_counts(artifact.noted) or 'nothing'}; "
                f"redacted: {_counts(artifact.redacted) or 'nothing'}."
            )
        case Plan():
            return (
                f"Planned: {artifact.method} on {artifact.model}, {artifact.steps} steps, "
                f"about {artifact.minutes:.1f} minutes and {artifact.memory_gb:.1f} GB."
            )
        case Candidate():
            early = " (stopped early)" if artifact.stopped_early else ""
            return (
                f"Trained {artifact.steps} steps in {artifact.minutes:.1f} minutes{early}; "
                f"validation loss {artifact.validation_loss:.3f} at step {artifact.best_step}."
            )
        case Scorecard():
            base, tuned = (artifact.systems[s]["loss"].value for s in ("base", "tuned"))
            return (
                f"Evaluated on {artifact.test_conversations} held-out conversations: loss {base:.3f} → {tuned:.3f}; "
                f"better on {', '.join(artifact.better['tuned-base']) or 'nothing'}; "
                f"worse on {', '.join(artifact.worse['tuned-base']) or 'nothing'}."
                + "".join(f"\n  ! {line}" for line in artifact.concerns)
            )
        case Comparison():
            return (
                f"Compared with production: better on {', '.join(artifact.better) or 'nothing'}; "
                f"worse on {', '.join(artifact.worse) or 'nothing'}."
            )
        case Checkup():
            days = f", {artifact.first} to {artifact.last}" if artifact.first else ""
            return (
                f"Version {artifact.version} on {artifact.conversations} new conversations{days}: "
                f"worse than when it was released on {', '.join(artifact.worse) or 'nothing'}."
            )
        case Release():
            return f"Released version {artifact.version} of {artifact.model} with its adapter."
    return artifact.id


def _counts(numbers: dict[str, int]) -> str:
    return ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in numbers.items())


def plan_table(plan: Plan) -> Table:
    """Every choice of a plan with its why."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for field, why in plan.why.items():
        table.add_row(field.replace("_", " "), str(getattr(plan, field, "")), f"[dim]{why}[/dim]")
    return table


def curve_table(curve: LearningCurve) -> Table:
    """What shares of the data give, and what is expected of twice as much."""
    table = Table("data", "conversations", "steps", "minutes", "validation loss (95% interval)", box=None, pad_edge=False)
    for one in curve.points:
        trained = (str(one.steps), f"{one.minutes:.1f}") if one.steps else ("", "")
        table.add_row(f"{one.share:.0%}", str(one.conversations), *trained, _interval(one.loss))
    table.add_row("200%", str(2 * curve.points[-1].conversations), "", "", f"{_interval(curve.twice)}, expected")
    return table


def _interval(loss: Interval) -> str:
    return f"{loss.value:.3f} ({loss.low:.3f} to {loss.high:.3f})"


def search_table(search: Search) -> Table:
    """Every trial with its values and how it ended."""
    names = list(search.trials[0].values)
    table = Table("trial", *(name.replace("_", " ") for name in names), "trained", "minutes", "validation loss", "", box=None)
    for one in search.trials:
        values = (f"{one.values[name]:.2g}" if name == "learning_rate" else f"{one.values[name]:g}" for name in names)
        loss = "" if one.validation_loss is None else f"{one.validation_loss:.3f}"
        ended = {"stopped": "stopped, behind others", "cut": "cut, the time was over"}.get(one.ended, one.ended)
        ended = "[green]kept[/green]" if one.number == search.best else ended
        own = ", the plan's own" if one.number == 0 else ""
        table.add_row(str(one.number + 1), *values, str(one.steps), f"{one.minutes:.1f}", loss, ended + own)
    return table


def score_table(card: Scorecard) -> Table:
    """Every system, and the difference of tuned and base with its 95% interval."""
    table = Table("", *card.systems, "tuned - base (95% interval)", "", box=None, pad_edge=False)
    better, worse = card.better["tuned-base"], card.worse["tuned-base"]
    for name, difference in card.differences["tuned-base"].items():
        mark = "[green]better[/green]" if name in better else "[red]worse[/red]" if name in worse else "unclear"
        table.add_row(
            name, *(f"{found[name].value:.3f}" if name in found else "" for found in card.systems.values()),
            f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})", mark,
        )  # fmt: skip
    return table


def comparison_table(comparison: Comparison) -> Table:
    """Production, the update and their difference: the loss on each part in nats a token, then the figures of their answers."""
    table = Table("", "held out", "production", "update", "difference (95% interval)", "", box=None, pad_edge=False)
    for part_name, part in comparison.parts.items():
        for figure, difference in part.differences.items():
            name = part_name if figure == "loss" else figure
            verdicts = (("[green]better[/green]", comparison.better), ("[red]worse[/red]", comparison.worse))
            mark = next((words for words, names in verdicts if name in names), "as good")
            table.add_row(
                f"loss, {name}" if figure == "loss" else f"{part_name}, {name}", str(part.examples),
                *(f"{part.systems[system][figure].value:.3f}" for system in ("production", "tuned")),
                f"{difference.value:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})", mark,
            )  # fmt: skip
    return table


def show_costs(told: Costs) -> None:
    """What every method takes here, and what the planned run costs in every way."""
    money = f"{told.currency} of {told.date:%B %Y}"
    table = Table("method, here", "minutes", "GB memory", "GB disk", money, box=None, pad_edge=False)
    for one in told.methods:
        table.add_row(one.method, f"{one.minutes:.1f}", f"{one.memory_gb:.1f}", f"{one.disk_gb:.2f}", f"{one.training:.4f}")
    out.print(table)
    table = Table("way", "minutes", "to train", f"{told.answers:,} answers", "price from", box=None, pad_edge=False)
    for way in told.ways:
        minutes = "" if way.minutes is None else f"{way.minutes:.1f}"
        answers = "" if way.answers is None else f"{way.answers:.3f}"
        table.add_row(way.way, minutes, f"{way.training:.3f}", answers, f"[dim]{way.source}[/dim]")
    out.print(table)
    out.print("Prices: copy prices.yaml of tailorbird into your workspace and correct it there.", style="dim")

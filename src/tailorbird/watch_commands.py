"""The commands that tell how the assistant does: watch, and queue for those who wait for a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tailorbird.cli_tools import HERE, At, open_workspace

if TYPE_CHECKING:
    from tailorbird.artifacts import Interval
    from tailorbird.serving.monitoring import Beside, Figures, Watched

watching = typer.Typer(rich_markup_mode=None)


@watching.command()
def watch(
    days: Annotated[float, typer.Option(min=0, help="How far back; 0 is everything that is kept.")] = 30.0,
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON, by day as well.")] = False,
) -> None:
    """Shows how the assistant does with customers, version by version: how often a person is needed, thumbs, times, cost.

    A version that answers unseen (`shadow`) is held against what customers were answered.
    """
    from tailorbird import console
    from tailorbird.serving.monitoring import watch as look

    found = look(open_workspace(workspace), datetime.now(UTC) - timedelta(days=days) if days else None)
    if as_json:
        console.show_json(found.model_dump(mode="json"))
    elif not found.total.conversations:
        console.out.print("Nobody has talked to the assistant in that time.")
    else:
        _show(found)


@watching.command()
def queue(
    workspace: At = HERE, as_json: Annotated[bool, typer.Option("--json", help="Print the conversations as JSON.")] = False
) -> None:
    """Lists the conversations that wait for a person or are with one, who has waited longest first."""
    from rich.table import Table
    from rich.text import Text

    from tailorbird import console
    from tailorbird.turns import TurnLog

    found = TurnLog(open_workspace(workspace)).queue(("waiting", "person"))
    if as_json:
        console.show_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        console.out.print("Nobody waits for a person.")
        return
    table = Table("since", "with", "department", "why", "what", box=None, pad_edge=False)
    for one in found:
        since = f"{one.waiting_since:%Y-%m-%d %H:%M}" if one.waiting_since else ""
        table.add_row(*map(Text, (since, one.state, one.department or "", one.reason or "", one.summary or "")))
    console.out.print(table)


def _show(found: Watched) -> None:
    from rich.table import Table

    from tailorbird import console

    table = Table("", "conversations", "a person was needed", "thumbs up", "first word, s", "whole, s", box=None, pad_edge=False)
    table.add_column("cost")
    for name, one in [("all", found.total), *found.versions.items()]:
        cost = "" if one.cost is None else f"{one.cost:.2g} {found.currency}"
        table.add_row(name, str(one.conversations), *_cells(one), cost)
    console.out.print(table)
    if found.before:
        console.out.print(f"Before there was an assistant a person was needed in {_share(found.before)}.")
    for name, chance in found.likely_worse.items():
        if chance < 0.05:
            console.out.print(f"{name} needs a person more often than the others; by chance that would be {chance:.1%} likely.")
    for beside in found.unseen:
        _show_unseen(beside)
    for title, counts in (("Guards that fired", found.total.guards), ("Languages", found.total.languages)):
        if counts:
            console.out.print(f"{title}: {', '.join(f'{name} {count}' for name, count in counts.items())}.", highlight=False)


def _show_unseen(beside: Beside) -> None:
    from tailorbird import console

    told = "; ".join(
        f"{who}: a person takes over in {_share(side.handed_over)}, a guard fires in {_share(side.guarded)}, "
        f"{side.words:.0f} words"
        for who, side in ((beside.version, beside.unseen), (beside.against, beside.customers))
    )
    answered = f"{beside.answers} messages of {beside.conversations} conversations"
    console.out.print(f"{beside.version} answered {answered} unseen. {told}.", highlight=False)
    if beside.likely_alike is not None and beside.likely_alike < 0.05:
        more = "more" if beside.only_unseen_hands_over > beside.only_customers_handed_over else "less"
        by_chance = f"by chance that would be {beside.likely_alike:.1%} likely"
        console.out.print(f"{beside.version} hands over {more} often than {beside.against}; {by_chance}.", highlight=False)


def _cells(one: Figures) -> list[str]:
    times = [f"{told.median:.1f}, slowest {told.slow:.1f}" if told else "" for told in (one.first_word, one.whole)]
    return [_share(one.escalated), _share(one.good), *times]


def _share(told: Interval | None) -> str:
    return f"{told.value:.0%} ({told.low:.0%} to {told.high:.0%})" if told else ""

"""What writing answers costs: electricity on this machine, or another server's price for its tokens."""

from __future__ import annotations

from collections.abc import Sequence

from tailorbird.prices import here, prices, rate_of
from tailorbird.serving.monitoring.figures import Money
from tailorbird.turns import LoggedTurn
from tailorbird.workspace import Workspace


def money(workspace: Workspace) -> Money | None:
    """Money for answers, in the workspace's currency; None where another server's price is not known.

    Electricity is counted as if answers were written one after the other: it is less where several are written at once. What
    the machine takes while it waits is not in it. Raises SettingsError for prices that cannot be read.
    """
    upstream = workspace.settings.serving.upstream
    if upstream is None:
        known = prices(workspace.folder)
        rate = rate_of(known, workspace.settings.currency)
        return lambda answers: here(sum(one.duration_ms or 0 for one in answers) / 60_000, known, rate)
    if upstream.price_read is None or upstream.price_written is None:
        return None
    read, written = upstream.price_read / 1e6, upstream.price_written / 1e6

    def paid(answers: Sequence[LoggedTurn]) -> float:
        return sum((one.prompt_tokens or 0) * read + (one.completion_tokens or 0) * written for one in answers)

    return paid

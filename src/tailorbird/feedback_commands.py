"""The commands of `tailorbird feedback`: import, compare, list. cli.py registers them; nothing heavy loads before one runs."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tailorbird.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from tailorbird.feedback.comparing import Comparison
    from tailorbird.feedback.reading import Rejected
    from tailorbird.workspace import Workspace

feedback = typer.Typer(help="Keeps what people say about answers, to learn from.", no_args_is_help=True, rich_markup_mode=None)
At = Annotated[Path, typer.Option("--workspace", "-w", help="The business's folder, with tailorbird.yaml in it.")]
HERE = Path(".")
_SHOWN = 5  # rejected rows
_ASKED = "Better: 1 or 2, = for neither, s to skip, q to stop: "
_BETTER: dict[str, int | None] = {"1": 0, "2": 1, "=": None}


@feedback.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="JSON Lines, JSON or CSV files of judgements.")],
    strict: Annotated[bool, typer.Option("--strict", help="Stop at rows that cannot be read; nothing is kept then.")] = False,
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts and what was rejected as JSON.")] = False,
) -> None:
    """Reads judgements: prompt, chosen, rejected; or prompt, completion, label; or prompt, drafted, edited.

    Reading a file again adds nothing. Rows that cannot be read are kept in artifacts/feedback-rejected.jsonl.
    """
    from tailorbird import console
    from tailorbird.feedback.intake import REJECTED, take_in

    opened = _open(workspace)
    made = take_in(opened, [_existing(file, workspace) for file in files], strict)
    if as_json:
        console.show_json(made.model_dump(mode="json"))
        return
    _show_rejected(made.rejected)
    erased = f", {made.erased} of customers who were erased and left out" if made.erased else ""
    kept = f"; {len(made.rejected)} rows rejected, kept in {opened.store / REJECTED}" if made.rejected else ""
    console.out.print(f"Feedback: {made.added} new, {made.known} known{erased}{kept}.", markup=False, soft_wrap=True)


@feedback.command()
def compare(
    file: Annotated[
        Path | None, typer.Argument(help="JSON Lines with prompt and answers [a, b]; without it, the newest scorecard's.")
    ] = None,
    unseen: Annotated[
        bool, typer.Option("--unseen", help="What a version answered unseen (`shadow`), beside what customers were answered.")
    ] = False,
    judge: Annotated[str | None, typer.Option(help="Who judges; by itself who is logged in.")] = None,
    workspace: At = HERE,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was judged as JSON at the end; the rest on stderr.")
    ] = False,
) -> None:
    """Shows two answers to one question, without saying who wrote which, and keeps which one you find better.

    Every judgement is kept at once: stop whenever you like, the next time goes on with what is left.
    """
    from tailorbird import console
    from tailorbird.feedback import FeedbackStore
    from tailorbird.feedback.comparing import Comparison, held_out, of_file, unjudged
    from tailorbird.feedback.intake import keep_rejected, name_of

    opened = _open(workspace)
    store = FeedbackStore(opened)
    bad: list[Rejected] = []
    if unseen and file:
        raise InputError("--unseen takes no file.", fix="Leave one of them out.")
    if unseen:
        found = _unseen(opened)
    elif file is None:
        found = held_out(opened)
    else:
        path = _existing(file, workspace)
        told = list(of_file(path, name_of(path, opened)))
        found = [one for one in told if isinstance(one, Comparison)]
        bad = [one for one in told if not isinstance(one, Comparison)]
        keep_rejected(opened, bad)
        _show_rejected(bad)
    waiting = unjudged(found, store.all())
    verdicts = _ask_all(waiting, store, judge or _whoami(), console.err if as_json else console.out)
    skipped = verdicts.pop("", 0)
    judged = sum(verdicts.values())
    left = len(waiting) - judged
    if as_json:
        console.show_json({"judged": judged, "skipped": skipped, "left": left, "verdicts": dict(verdicts), "rejected": len(bad)})
        return
    for verdict, count in verdicts.most_common():
        console.out.print(f"{count:>4}  {verdict}", markup=False)
    console.out.print(f"{judged} judged and kept, {left} left.")


def _unseen(workspace: Workspace) -> list[Comparison]:
    """What customers were answered beside what a version answered unseen, as far as the two can be compared."""
    from tailorbird.feedback.comparing import Comparison
    from tailorbird.serving.phrases import without_disclosure
    from tailorbird.turns import ShadowLog

    plain, found = without_disclosure(workspace), list[Comparison]()
    for one in ShadowLog(workspace).since():
        said = [
            turn.model_copy(update={"text": plain(turn.text)}) if turn.role == "assistant" else turn
            for turn in one.before
            if turn.whole
        ]
        while said and said[-1].role != "user":  # what was answered while this was being asked
            said.pop()
        answers = plain(one.answer.text), plain(one.shadow.text)
        if said and one.answer.whole and all(answers) and answers[0] != answers[1]:
            held = one.conversation
            writers = (one.answer.release or "production", one.shadow.release or "unseen")
            found.append(Comparison(held.as_conversation(said).turns, answers, writers, held.id, held.customer_id))
    return found


@feedback.command("list")
def list_(
    kind: Annotated[Literal["pair", "tie", "thumb", "edit"] | None, typer.Option(help="Only judgements of this kind.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Only from this day or time (UTC) on.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="How many of the newest to show.")] = 20,
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts and rows as JSON.")] = False,
) -> None:
    """Counts the judgements by kind and shows the newest."""
    from datetime import UTC

    from rich.table import Table

    from tailorbird import console
    from tailorbird.feedback import FeedbackStore

    store, moment = FeedbackStore(_open(workspace)), since and since.replace(tzinfo=UTC)
    counts, rows = store.counts(kind, moment), store.newest(most, kind, moment)[::-1]
    if as_json:
        shown = [row.model_dump(mode="json") for row in rows]
        console.show_json({"counts": counts, "rows": [row | {"messages": _messages(row["messages"])} for row in shown]})
        return
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    console.out.print(f"{told}." if told else "There is no feedback yet. `tailorbird feedback import FILE` brings some.")
    table = Table("when", "kind", "judge", "the customer wrote", "better", "worse", box=None, pad_edge=False)
    for row in rows:
        mark = "" if row.label is None else "👍 " if row.label else "👎 "
        better, worse = mark + row.completion, row.rejected or ""
        table.add_row(
            f"{row.created_at:%Y-%m-%d %H:%M}", row.kind, _cell(row.judge or "", 20), _cell(row.messages[-1].content),
            _cell(better), _cell(worse),
        )  # fmt: skip
    if rows:
        console.out.print(table)


def _ask_all(waiting: list[Comparison], store: Any, judge: str | None, screen: Console) -> Counter[str]:
    """Asks until everything is judged or the owner stops; verdicts by how often, skipped ones under ""."""
    verdicts: Counter[str] = Counter()
    try:
        for number, one in enumerate(waiting, 1):
            answer, swapped = _ask(one, f"{number} of {len(waiting)}", screen)
            if answer == "q":
                break
            if answer == "s":
                verdicts[""] += 1
                continue
            shown = _BETTER[answer]
            better = shown if shown is None else 1 - shown if swapped else shown
            store.add([one.judged(better, judge)])
            verdicts[one.verdict(better)] += 1
    except (EOFError, KeyboardInterrupt):
        screen.print()
    if not waiting:
        screen.print("Nothing is left to compare.")
    return verdicts


def _ask(one: Comparison, place: str, screen: Console) -> tuple[str, bool]:
    """Shows a comparison in random order; what was typed, and whether the answers were swapped."""
    import random

    from rich.table import Table
    from rich.text import Text

    # Not a seed of our own: whoever judges must not learn which side the tuned model is on.
    swapped = random.SystemRandom().random() < 0.5
    screen.rule(place)
    for turn in one.messages:
        if turn.role != "system":
            screen.print(Text(f"{'Customer' if turn.role == 'user' else 'Answer'}: ", "bold") + Text(_plain(turn.content)))
    table = Table(expand=True, show_lines=True)
    for number in ("1", "2"):
        table.add_column(number, ratio=1, overflow="fold")
    table.add_row(*(Text(_plain(answer)) for answer in (one.answers[::-1] if swapped else one.answers)))
    screen.print(table)
    while True:
        typed = screen.input(Text(_ASKED)).strip().lower()
        if typed in (*_BETTER, "s", "q"):
            return typed, swapped
        screen.print("Type 1, 2, =, s or q.", markup=False)


def _show_rejected(bad: list[Rejected] | tuple[Rejected, ...]) -> None:
    from tailorbird import console

    for row in bad[:_SHOWN]:
        console.err.print(row.told, markup=False, soft_wrap=True)
    if len(bad) > _SHOWN:
        console.err.print(f"… and {len(bad) - _SHOWN} more.")


def _plain(text: str) -> str:
    """Text without control characters, which would move the cursor or colour the screen."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


def _cell(text: str, longest: int = 50) -> Any:
    from rich.text import Text

    short = " ".join(_plain(text).split())
    return Text(short if len(short) <= longest else f"{short[: longest - 1]}…")


def _messages(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"role": turn["role"], "content": turn["content"]} for turn in turns]


def _whoami() -> str | None:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return None


def _open(folder: Path) -> Workspace:
    from tailorbird.workspace import Workspace

    return Workspace(folder)


def _existing(file: Path, workspace: Path) -> Path:
    """A file named on the command line: as it stands, or else inside the workspace."""
    inside = workspace / file
    return inside if not file.exists() and inside.exists() else file

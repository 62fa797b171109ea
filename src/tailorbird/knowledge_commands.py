"""The commands of `tailorbird knowledge`: add, list, remove, search. nothing heavy loads before one runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tailorbird.cli_tools import HERE, At, open_workspace

if TYPE_CHECKING:
    from tailorbird.errors import TailorbirdError
    from tailorbird.knowledge import Knowledge
    from tailorbird.knowledge.folder import Taken

knowledge = typer.Typer(
    help="Keeps the business's own documents, to find and cite what they say.", no_args_is_help=True, rich_markup_mode=None
)
_SHOWN = 10  # names of one kind


@knowledge.command()
def add(
    paths: Annotated[
        list[Path], typer.Argument(help="Markdown, HTML, PDF, DOCX, TXT, CSV with questions and answers; or folders.")
    ],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of another document of that name.")] = False,
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was added and refused as JSON.")] = False,
) -> None:
    """Copies documents into the folder knowledge/ and indexes them; a running server answers from them at once.

    A website that was saved to disk is added as its folder. What cannot be read is named, and the others are added.
    """
    from tailorbird import console
    from tailorbird.knowledge.folder import take

    opened = _open(workspace)
    taken = take(opened.folder, paths, replace, console.bar)
    known = {one.name: one for one in opened.documents()}
    if as_json:
        console.show_json(_told(taken) | {"documents": len(known), "passages": sum(one.passages for one in known.values())})
    else:
        _show_taken(taken)
        for name in [*taken.added, *taken.replaced]:
            if name in known and known[name].note:
                console.err.print(f"{name}: {known[name].note}.", markup=False, soft_wrap=True)
        _show_total([one.passages for one in known.values()])
    if taken.refused:
        raise typer.Exit(1)


@knowledge.command("list")
def list_(
    workspace: At = HERE, as_json: Annotated[bool, typer.Option("--json", help="Print the documents as JSON.")] = False
) -> None:
    """Lists the documents with their passages, and why a document cannot be read."""
    from rich.table import Table
    from rich.text import Text

    from tailorbird import console

    known = _open(workspace).documents()
    if as_json:
        console.show_json([
            {"document": one.name, "bytes": one.stamp[0], "passages": one.passages, "problem": one.problem, "fix": one.fix,
             "note": one.note} for one in known
        ])  # fmt: skip
        return
    table = Table("document", "passages", "", box=None, pad_edge=False)
    for one in known:
        table.add_row(Text(one.name), str(one.passages or "-"), Text(f"{one.problem} {one.fix}" if one.problem else one.note))
    if known:
        console.out.print(table)
    _show_total([one.passages for one in known])


@knowledge.command()
def remove(
    names: Annotated[list[str], typer.Argument(help="Documents as `tailorbird knowledge list` names them, or folders of them.")],
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was removed as JSON.")] = False,
) -> None:
    """Deletes documents from the folder knowledge/ and from the index."""
    from tailorbird import console
    from tailorbird.knowledge import folder

    opened = _open(workspace)
    gone = folder.remove(opened.folder, names)
    left = opened.documents()
    if as_json:
        console.show_json({"removed": gone, "documents": len(left), "passages": sum(one.passages for one in left)})
        return
    _show_names("Removed", gone)
    _show_total([one.passages for one in left])


@knowledge.command()
def search(
    question: Annotated[str, typer.Argument(help="A question as a customer would ask it.")],
    top: Annotated[int, typer.Option(min=1, max=100, help="How many passages to show.")] = 5,
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the passages as JSON.")] = False,
) -> None:
    """Shows the passages that answer a question best, with where they stand."""
    from rich.padding import Padding
    from rich.text import Text

    from tailorbird import console

    found = _open(workspace).search(question, top)
    if as_json:
        console.show_json([one.as_json() for one in found])
        return
    if not found:
        _show_total([])
    for number, one in enumerate(found, 1):
        console.out.print(Text(f"{number}. {one.citation}", "bold") + Text(f"  score {one.score:.2f}", "dim"))
        console.out.print(Padding(Text(_plain(one.text)), (0, 0, 1, 3)))


def _open(folder: Path) -> Knowledge:
    from tailorbird import console, engine
    from tailorbird.knowledge import Knowledge

    return Knowledge(open_workspace(folder), engine.embed, console.bar)


def _told(taken: Taken) -> dict[str, Any]:
    def problem(one: TailorbirdError) -> dict[str, str]:
        return {"document": one.where, "what": one.what, "fix": one.fix}

    return {
        "added": taken.added, "replaced": taken.replaced, "unchanged": taken.unchanged,
        "refused": [problem(one) for one in taken.refused], "left_out": taken.left_out,
    }  # fmt: skip


def _show_taken(taken: Taken) -> None:
    from tailorbird import console

    for label, names in (("Added", taken.added), ("Replaced", taken.replaced), ("Known already", taken.unchanged)):
        _show_names(label, names)
    _show_names("Left out, being of other kinds", taken.left_out)
    for problem in taken.refused:
        console.err.print(problem.text, markup=False, soft_wrap=True)


def _show_names(label: str, names: list[str]) -> None:
    from tailorbird import console

    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        console.out.print(f"{label}: {', '.join(_plain(name) for name in names[:_SHOWN])}{more}.", markup=False, soft_wrap=True)


def _show_total(passages: list[int]) -> None:
    from tailorbird import console

    unread = sum(not count for count in passages)
    told = f"Knowledge: {len(passages)} documents with {sum(passages)} passages{f'; {unread} cannot be read' if unread else ''}."
    console.out.print(told if passages else "There are no documents yet. `tailorbird knowledge add FILE` brings some.")


def _plain(text: str) -> str:
    """Text without control characters, which would move the cursor or colour the screen."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")

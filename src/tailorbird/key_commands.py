"""The commands of `tailorbird keys`: add, list, rotate, revoke; a running server follows them with its next request."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tailorbird.cli_tools import HERE, At, open_workspace

keys = typer.Typer(help="Keeps the keys that the server asks for.", no_args_is_help=True, rich_markup_mode=None)
Which = Annotated[str, typer.Argument(help="The key's id or name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@keys.command()
def add(
    name: Annotated[str, typer.Argument(help="What the key is for: a site, an app, a person.")],
    role: Annotated[
        Literal["chat", "widget", "agent", "owner"],
        typer.Option(help="chat asks; widget asks from the pages in serving.sites; agent takes over; owner may do everything."),
    ] = "chat",
    workspace: At = HERE,
    as_json: AsJson = False,
) -> None:
    """Makes a key and shows it this once; from then on the server lets nobody in without one."""
    from tailorbird.serving.keys import Keys

    _show(Keys(open_workspace(workspace)).add(name, role), as_json)


@keys.command("list")
def list_(workspace: At = HERE, as_json: AsJson = False) -> None:
    """Lists the keys without their secrets."""
    from rich.table import Table
    from rich.text import Text

    from tailorbird import console
    from tailorbird.serving.keys import Keys

    keys = Keys(open_workspace(workspace))
    found = keys.all().values()
    if as_json:
        console.show_json([one.model_dump(mode="json", exclude={"secret"}) for one in found])
        return
    if not found:
        none_left = "No key is left: nobody is let in."
        console.out.print(none_left if keys.needed() else "There is no key yet: this machine is let in, and nobody else.")
        return
    table = Table("id", "name", "role", "made", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.id, Text(one.name), one.role, f"{one.made_at:%Y-%m-%d %H:%M}")
    console.out.print(table)


@keys.command()
def rotate(key: Which, workspace: At = HERE, as_json: AsJson = False) -> None:
    """Gives a key a new secret and shows it this once; the old one is refused from then on."""
    from tailorbird.serving.keys import Keys

    _show(Keys(open_workspace(workspace)).rotate(key), as_json)


@keys.command()
def revoke(key: Which, workspace: At = HERE, as_json: AsJson = False) -> None:
    """Takes a key away."""
    from tailorbird import console
    from tailorbird.serving.keys import Keys

    gone = Keys(open_workspace(workspace)).revoke(key)
    if as_json:
        console.show_json(gone.model_dump(mode="json", exclude={"secret"}))
    else:
        console.out.print(f"{gone.name} is refused from now on.", markup=False)


def _show(key: str, as_json: bool) -> None:
    from tailorbird import console

    if as_json:
        console.show_json({"key": key})
    else:
        print(key)
        console.err.print("Keep it now: it cannot be shown again.")

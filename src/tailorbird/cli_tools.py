"""The commands beside the verbs: what there is, what is in use, what settings mean; cli.py registers them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tailorbird.workspace import Workspace

At = Annotated[Path, typer.Option("--workspace", "-w", help="The business's folder, with tailorbird.yaml in it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the artifact's manifest as JSON; progress goes to stderr.")]
HERE = Path(".")
tools = typer.Typer(rich_markup_mode=None)


def open_workspace(folder: Path) -> Workspace:
    """The workspace in a folder."""
    from tailorbird.workspace import Workspace

    return Workspace(folder)


@tools.command()
def formats(as_json: AsJson = False) -> None:
    """Lists the formats that `tailorbird import` reads."""
    from tailorbird import commands

    commands.formats(as_json)


@tools.command()
def models(as_json: AsJson = False) -> None:
    """Lists the base models known by name; `model:` in tailorbird.yaml also takes hf:owner/name or a folder."""
    from tailorbird import commands

    commands.models(as_json)


@tools.command()
def status(workspace: At = HERE, as_json: AsJson = False) -> None:
    """Shows the chain from the imported files to the production version."""
    from tailorbird import commands

    commands.status(open_workspace(workspace), as_json)


@tools.command("settings")
def settings_(as_json: AsJson = False) -> None:
    """Explains every field of tailorbird.yaml."""
    from tailorbird import commands

    commands.explain_settings(as_json)


privacy = typer.Typer(help="Finds personal data and secrets in texts.", no_args_is_help=True, rich_markup_mode=None)
tools.add_typer(privacy, name="privacy")


@privacy.command("scan")
def privacy_scan(
    file: Annotated[str, typer.Argument(help='Lines of {"text", "language"}; language may be left out. - reads stdin.')],
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each text, instead of a table.")] = False,
) -> None:
    """Finds names, addresses, numbers and secrets in each line's text; the table counts them with masked examples."""
    from tailorbird import commands

    commands.scan_privacy(file, as_json)


@tools.command()
def rewards(as_json: AsJson = False) -> None:
    """Lists what answers can be rewarded for, with training.learn_from: rewards."""
    from tailorbird import commands

    commands.rewards(as_json)

"""The commands about versions: release, releases, promote, rollback, pause, compare; nothing heavy loads before one runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tailorbird.cli_tools import HERE, AsJson, At, open_workspace
from tailorbird.errors import InputError

if TYPE_CHECKING:
    from tailorbird.artifacts import Candidate, Release
    from tailorbird.workspace import Trial, Workspace

releases = typer.Typer(rich_markup_mode=None)
Version = Annotated[str, typer.Argument(help="A version's number, its id, or candidate, previous or production.")]


@releases.command()
def release(
    override: Annotated[
        str | None, typer.Option(help="Release a refused candidate all the same; your reason is recorded, and --by.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Your name, recorded with --override.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Make the version, but do not let it serve: `promote` does.")] = False,
    workspace: At = HERE,
    as_json: AsJson = False,
) -> None:
    """Makes the evaluated candidate the production version, with its model card; the gate refuses one that is no gain.

    Where another version serves already, the candidate is compared with it first.
    """
    from tailorbird import console
    from tailorbird.artifacts import Candidate, Override, Scorecard
    from tailorbird.releasing import release as verb

    if (override is None) != (by is None):
        raise InputError("--override and --by belong together.", fix="Give the reason and your name.")
    opened = open_workspace(workspace)
    card = opened.newest(Scorecard, "evaluate")
    _compared(opened, opened.ancestor(card, Candidate))
    told = Override(by=by, reason=override) if override and by else None
    made = verb(opened, card, told, console.bar, serves=not wait)
    console.show(made, as_json)
    if not as_json:
        for warning in made.warnings:
            console.out.print(f"  ! {warning}.", markup=False, soft_wrap=True)
        console.out.print(f"Model card: {opened.path(made) / 'MODEL_CARD.md'}", soft_wrap=True)


@releases.command("releases")
def releases_(
    rules: Annotated[bool, typer.Option("--rules", help="List the gate's rules and what each does here instead.")] = False,
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Lists all versions, newest last: which one serves, which one did before, and who overrode the gate."""
    from rich.table import Table
    from rich.text import Text

    from tailorbird import console
    from tailorbird.artifacts import Release

    opened = open_workspace(workspace)
    if rules:
        _show_rules(opened, as_json)
        return
    names = opened.aliases
    rows = [(one, [name for name, identity in names.items() if identity == one.id]) for one in opened.all(Release)]
    if as_json:
        console.show_json([one.model_dump(mode="json") | {"aliases": called} for one, called in rows])
        return
    if not rows:
        console.out.print("Nothing is released yet. Run `tailorbird release` after `tailorbird evaluate`.")
        return
    table = Table("version", "", "made", "against the gate", box=None, pad_edge=False)
    table.add_column("id", no_wrap=True)
    for one, called in rows:
        override = f"{one.overridden.by}: {one.overridden.reason}" if one.overridden else ""
        erased = ["must be trained again"] if one.id in opened.retraining else []
        cells = (str(one.version), ", ".join(called + erased), f"{one.made_at:%Y-%m-%d %H:%M}", override, one.id)
        table.add_row(*map(Text, cells))
    console.out.print(table)


@releases.command()
def promote(name: Version = "candidate", workspace: At = HERE, as_json: AsJson = False) -> None:
    """Lets a version serve customers; `rollback` takes it back."""
    from tailorbird.releasing import promote as verb
    from tailorbird.releasing import version

    opened = open_workspace(workspace)
    _serves(verb(opened, version(opened, name)), as_json)


@releases.command()
def canary(
    name: Version = "candidate",
    share: Annotated[float, typer.Option(help="Of the conversations, 0 to 1.")] = 0.1,
    stop: Annotated[bool, typer.Option("--stop", help="Production answers everybody again.")] = False,
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print who answers whom as JSON.")] = False,
) -> None:
    """Has a share of conversations answered by a version, to see how it does before it is promoted.

    A conversation stays with the version that began it while the share grows. Promoting the version ends the trial.
    """
    _try_out("canary", open_workspace(workspace), "" if stop else name, share, as_json)


@releases.command()
def shadow(
    name: Version = "candidate",
    share: Annotated[float, typer.Option(help="Of the conversations, up to 1 for all.")] = 1.0,
    stop: Annotated[bool, typer.Option("--stop", help="It answers no more.")] = False,
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print who answers what as JSON.")] = False,
) -> None:
    """Has a version answer what customers ask, unseen: nobody is shown it, `watch` holds it against what they were answered.

    It answers when nobody waits for an answer, so customers are not kept waiting. `feedback compare --unseen` shows you both
    answers without saying which is whose.
    """
    _try_out("shadow", open_workspace(workspace), "" if stop else name, share, as_json)


def _try_out(kind: Trial, opened: Workspace, name: str, share: float, as_json: bool) -> None:
    """Begins a trial, or without a name ends it."""
    from tailorbird import console
    from tailorbird.releasing import try_out, version

    told = try_out(opened, version(opened, name), share, kind) if name else None
    if told is None:
        opened.end_trial(kind)
    if as_json:
        console.show_json({"release": told and told.id, "share": share if told else 0.0})
    elif told is None:
        console.out.print("Production answers everybody." if kind == "canary" else "Nothing is answered unseen.")
    else:
        console.out.print(
            f"Version {told.version} answers {share:.0%} of the conversations{', unseen' if kind == 'shadow' else ''}."
        )


@releases.command()
def rollback(workspace: At = HERE, as_json: AsJson = False) -> None:
    """Lets the version serve again that served before."""
    from tailorbird.releasing import rollback as verb

    _serves(verb(open_workspace(workspace)), as_json)


@releases.command()
def pause(
    say: Annotated[str | None, typer.Option(help="What customers are told meanwhile; else serving.words.paused.")] = None,
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print what customers are told as JSON.")] = False,
) -> None:
    """Keeps the model from answering, on a running server with its next request: customers are told fixed words."""
    from tailorbird import console

    opened = open_workspace(workspace)
    words = opened.settings.serving.words.paused if say is None else say
    if not words.strip():
        raise InputError("There is nothing to tell customers.", fix="Give --say, or fill in serving.words.paused.")
    opened.pause(words)
    if as_json:
        console.show_json({"paused": words})
    else:
        console.out.print(f"Paused. Customers are told: {words}\n`tailorbird resume` lets the model answer again.", markup=False)


@releases.command()
def resume(
    workspace: At = HERE, as_json: Annotated[bool, typer.Option("--json", help="Print the state as JSON.")] = False
) -> None:
    """Lets the model answer again after `pause`."""
    from tailorbird import console

    open_workspace(workspace).resume()
    if as_json:
        console.show_json({"paused": None})
    else:
        console.out.print("The model answers again.")


@releases.command()
def compare(
    name: Annotated[str, typer.Argument(help="A version; by itself the newest candidate, released or not.")] = "",
    against: Annotated[str, typer.Option(help="The version to hold it against.")] = "production",
    workspace: At = HERE,
    as_json: AsJson = False,
) -> None:
    """Holds a version against another: loss on what both have never seen and on general text, and their answers."""
    from tailorbird import console
    from tailorbird.artifacts import Candidate
    from tailorbird.evaluating import compare as verb
    from tailorbird.releasing import version

    opened = open_workspace(workspace)
    candidate = opened.ancestor(version(opened, name), Candidate) if name else opened.newest(Candidate, "train")
    made = verb(opened, candidate, version(opened, against), console.bar)
    console.show(made, as_json)
    if not as_json:
        console.out.print(console.comparison_table(made))


@releases.command("export")
def export_(
    name: Version = "production",
    forms: Annotated[
        list[str] | None, typer.Option("--as", help="peft, merged, F16, Q8_0, Q4_K_M, adapter or ollama; all without it.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Where to; else exports/ in the workspace.")] = None,
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written and how it compares as JSON.")] = False,
) -> None:
    """Writes a version as files for other programs, and keeps them only if they answer as the model that was trained.

    PEFT adapter (transformers, vLLM), merged weights, GGUF files and GGUF adapter (llama.cpp), Ollama's Modelfile.
    """
    from tailorbird import console
    from tailorbird.releasing import version
    from tailorbird.releasing.exporting import export as verb

    opened = open_workspace(workspace)
    made = verb(opened, version(opened, name), forms or (), to, console.bar)
    if as_json:
        console.show_json(made.model_dump(mode="json"))
        return
    console.out.print(f"[green]✓[/green] Version {made.version} exported to {made.folder}", soft_wrap=True)
    for one in made.compared:
        console.out.print(f"  {one.words}", markup=False, soft_wrap=True)
    for form, why in made.impossible.items():
        console.out.print(f"  no {form}: {why}", markup=False, soft_wrap=True)


def _serves(made: Release, as_json: bool) -> None:
    from tailorbird import console

    if as_json:
        console.show_json(made.model_dump(mode="json"))
    else:
        console.out.print(f"[green]✓[/green] Version {made.version} serves customers now.\n  [dim]{made.id}[/dim]")


def _compared(workspace: Workspace, candidate: Candidate) -> None:
    """Holds the candidate against what serves, if that is another model of the same base."""
    from tailorbird import console
    from tailorbird.artifacts import Release
    from tailorbird.evaluating import compare as verb
    from tailorbird.workspace import PRODUCTION

    serving = workspace.find(Release, workspace.alias(PRODUCTION) or "")
    if serving and candidate.id not in serving.made_from and serving.model == candidate.model:
        verb(workspace, candidate, serving, console.bar)


def _show_rules(workspace: Workspace, as_json: bool) -> None:
    from rich.table import Table

    from tailorbird import console
    from tailorbird.releasing.gate import RULES

    chosen = workspace.settings.releasing.rules
    rows: list[dict[str, Any]] = [
        {"rule": name, "title": rule.title, "action": chosen.get(name, rule.action)} for name, rule in RULES.items()
    ]
    if as_json:
        console.show_json(rows)
        return
    table = Table("rule", "what", "does", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["rule"], row["title"], row["action"])
    console.out.print(table)

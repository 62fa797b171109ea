"""The commands that show rather than make: chat, models, status, settings and privacy scan."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from rich.markup import escape
from rich.table import Table

from tailorbird import console
from tailorbird.artifacts import KINDS, Audit, Checkup, Comparison, Plan, Release
from tailorbird.errors import InputError, WorkspaceError
from tailorbird.progress import Progress
from tailorbird.replier import Message, ReplyOptions, reply
from tailorbird.workspace import PRODUCTION, Workspace


def production(workspace: Workspace) -> Release:
    """The release behind the alias `production`."""
    identity = workspace.alias(PRODUCTION)
    found = workspace.find(Release, identity) if identity else None
    if found is None:
        raise WorkspaceError("Nothing is released yet.", fix="Run `tailorbird release` after `tailorbird evaluate`.")
    return found


def chat(workspace: Workspace, question: str | None, tuned: bool, longest: int, as_json: bool, progress: Progress) -> None:
    """One question, or a conversation until an empty line or Ctrl-D; answers appear as they are written."""
    from tailorbird.serving import open_assistant

    with progress("Opening the model", None):
        assistant = open_assistant(workspace, production(workspace), tuned, progress)
    options = ReplyOptions(max_tokens=longest)
    history: list[Message] = []
    if as_json:
        answer = reply(assistant, [{"role": "user", "content": question or ""}], options)
        console.show_json({"model": assistant.name, "question": question, "answer": answer.text,
                           "finish_reason": answer.finish_reason, "citations": list(answer.citations),
                           "prompt_tokens": answer.prompt_tokens,
                           "completion_tokens": answer.completion_tokens})  # fmt: skip
        return
    while True:
        asked = question if question is not None else _ask()
        if not asked.strip():
            return
        history.append({"role": "user", "content": asked})
        said, citations = "", tuple[str, ...]()
        for piece in assistant.stream(history, options):
            print(piece.text, end="", flush=True)
            said, citations = said + piece.text, piece.citations
        print("\n")
        if citations:
            console.out.print(f"[dim]From {escape(' '.join(citations))}[/dim]\n", soft_wrap=True)
        if question is not None:
            return
        history.append({"role": "assistant", "content": said.strip()})


def perform(workspace: Workspace, task: str, text: str, as_json: bool, progress: Progress) -> None:
    """Another task of the production version on one text."""
    from tailorbird.serving import perform as verb

    release = production(workspace)
    answer = verb(workspace, release, task, text, progress)
    if as_json:
        console.show_json({"release": release.id, "task": task, "text": text, "answer": answer})
    else:
        print(answer)


def explain(workspace: Workspace, question: str, answer: str, top: int, as_json: bool, progress: Progress) -> None:
    """Where an answer comes from."""
    from tailorbird.serving.explaining import explain as verb

    told = verb(workspace, production(workspace), question, answer, top, progress)
    if as_json:
        console.show_json(told.model_dump(mode="json"))
        return
    console.out.print(f"[bold]Answer:[/bold] {escape(told.answer)}\n", soft_wrap=True)
    for citation in told.citations:
        console.out.print(f"From your documents: {escape(citation)}", soft_wrap=True)
    table = Table("taught by", "nearness", "the customer wrote", "your agent answered", box=None, pad_edge=False)
    for one in told.teachers:
        asked, said = (escape(" ".join(text.split())[:70]) for text in (one.question, one.answer))
        table.add_row(escape(one.conversation), f"{one.nearness:.3f}", asked, said)
    console.out.print(table)


def _ask() -> str:
    try:
        return input("You (an empty line ends): ")
    except EOFError:
        return ""


def models(as_json: bool) -> None:
    """The catalogue."""
    from tailorbird import engine

    rows: list[dict[str, Any]] = [
        {**entry._asdict(), "memory_gb": entry.memory_gb, "here": engine.is_available(entry.name)} for entry in engine.ENTRIES
    ]
    if as_json:
        console.show_json(rows)
        return
    for row in rows:
        here = ", on this machine" if row["here"] else ""
        console.out.print(
            f"[bold]{row['name']}[/bold]  {row['parameters_m']} M parameters, {row['memory_gb']:.1f} GB, {row['licence']}{here}\n"
            f"  [dim]{row['source']}; context {row['context']:,}; {row['languages']}[/dim]",
            soft_wrap=True,
        )
    console.out.print("\nmodel: in tailorbird.yaml also takes hf:owner/name or a folder. Memory is what fine-tuning needs.")


def status(workspace: Workspace, as_json: bool) -> None:
    """Every artifact in use, with what it was made from."""
    serving = workspace.alias(PRODUCTION)
    chain = [current for kind in KINDS if kind not in (Comparison, Checkup) and (current := workspace.current(kind))]
    drafts = workspace.store / ".drafts"
    unfinished = sorted(path.name for path in drafts.iterdir()) if drafts.is_dir() else []
    if as_json:
        listed = [{"kind": a.kind, **a.model_dump(mode="json"), "production": a.id == serving} for a in chain]
        console.show_json({"workspace": str(workspace.folder), "artifacts": listed, "unfinished": unfinished})
        return
    if not chain:
        console.out.print("Nothing is made yet. Start with: tailorbird import")
    for before, artifact in zip([None, *chain], chain, strict=False):
        mark = " [bold green]production[/bold green]" if artifact.id == serving else ""
        if artifact.id in workspace.retraining:
            mark += " [red]train again: a customer who was erased is in its data[/red]"
        if before is not None and before.id not in artifact.made_from:
            mark += f" [yellow]out of date: not made from {before.id}[/yellow]"
        origin = ", ".join(artifact.made_from) or "files"
        console.out.print(f"{artifact.id}{mark}\n  {console.summary(artifact)}\n  [dim]made from {origin}[/dim]")
    for name in unfinished:
        console.out.print(
            f"[yellow]{name} is unfinished[/yellow]: the command that made it goes on with it, for the same inputs."
        )


def review(
    workspace: Workspace,
    ids: list[str],
    rule: str | None,
    verdict: Literal["release", "exclude"] | None,
    reason: str,
    as_json: bool,
) -> None:
    """What the newest audit set aside; or a decision about some of it, or about any conversation by its id."""
    from tailorbird.auditing.decisions import decide
    from tailorbird.auditing.review import aside, chosen

    audit = workspace.newest(Audit, "audit")
    if verdict is None:
        found = [one for one in aside(workspace, audit) if (not ids or one.id in ids) and rule in (None, one.findings[0].rule)]
        if as_json:
            console.show_json([one.model_dump(mode="json", exclude_defaults=True) for one in found])
            return
        table = Table("conversation", "set aside for", "the customer wrote", box=None, pad_edge=False)
        for one in found:
            asked = next((turn.content for turn in one.turns if turn.role == "user"), "")
            why = f"{one.findings[0].rule.replace('_', ' ')}: {one.findings[0].detail}"
            table.add_row(escape(one.id), escape(why[:90]), escape(" ".join(asked.split())[:70]))
        console.out.print(table)
        console.out.print(f"{len(found)} set aside. `tailorbird audit review ID … --release` lets them be learned from.")
        return
    named = chosen(workspace, audit, ids, rule)
    count = decide(workspace, named, verdict, reason)
    if as_json:
        console.show_json({"decided": count, "verdict": verdict, "conversations": named})
    else:
        console.out.print(f"Written down for {count} conversations: {verdict}. `tailorbird audit` applies it.")


def forget(workspace: Workspace, customer: str, as_json: bool, progress: Progress) -> None:
    """Erases a customer and shows the certificate."""
    from tailorbird.erasing import forget as verb

    made = verb(workspace, customer, progress)
    if as_json:
        console.show_json(made.model_dump(mode="json"))
        return
    logged = f", {made.logged} with the assistant" if made.logged else ""
    judged = f" and {made.feedback} judgements" if made.feedback else ""
    console.out.print(f"Erased {made.conversations} conversations{logged}{judged}; {len(made.files_changed)} files changed.")
    for title, names in (
        ("Reports removed, since they showed examples; make them again", made.reports_removed),
        ("Trained or measured on these conversations: train again, then release", made.retrain),
        ("Exports that still hold this customer: delete them by hand", made.exports_to_delete),
    ):
        if names:
            console.out.print(f"{title}: {', '.join(names)}", soft_wrap=True)


def costs(workspace: Workspace, plan: Plan, as_json: bool, progress: Progress) -> None:
    """What the plan and its alternatives cost."""
    from tailorbird.planning.costing import costs as verb

    told = verb(workspace, plan, progress)
    if as_json:
        console.show_json({"plan": plan.model_dump(mode="json"), **told.model_dump(mode="json")})
        return
    console.show(plan, as_json)
    console.show_costs(told)


def improve(workspace: Workspace, if_new: int, as_json: bool, progress: Progress) -> None:
    """One round, and what came of it."""
    from tailorbird.improvement import improve_production

    told = improve_production(workspace, if_new, progress)
    if as_json:
        console.show_json(told.model_dump(mode="json"))
        return
    if told.outcome == "not enough new":
        console.out.print(
            f"{told.new} new conversations and judgements since production; {told.wanted} are wanted. Nothing to do."
        )
        return
    console.out.print(f"Trained on {told.new} new conversations and judgements in {told.minutes:.1f} minutes: {told.candidate}")
    if told.comparison:
        console.out.print(console.comparison_table(told.comparison))
    endings = {
        "waiting": "It is not released. Look at the report, then run: tailorbird release",
        "refused": f"It is not released: {'; '.join(told.reasons)}.",
        "released": f"Released: {told.release}",
    }
    console.out.print(endings[told.outcome], soft_wrap=True)


def follow(workspace: Workspace, since: date | None, as_json: bool) -> None:
    """How what serves customers does on new conversations."""
    from tailorbird.evaluating.figures import METRICS
    from tailorbird.improvement import follow_production

    started = time.monotonic()
    made = follow_production(workspace, since, console.bar)
    console.show(made, as_json, time.monotonic() - started)
    if as_json:
        return
    table = Table("", "base", "production (95% interval)", "", box=None, pad_edge=False)
    for name, figure in made.production.items():
        base = f"{made.base[name].value:.3f}" if name in made.base else ""
        mark = "[red]worse than when released[/red]" if name in made.worse else ""
        table.add_row(METRICS[name].title, base, f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})", mark)
    console.out.print(table)
    console.out.print(f"Trend: {workspace.path(made) / 'trend.html'}", soft_wrap=True)


def rewards(as_json: bool) -> None:
    """The sources of reward."""
    from tailorbird.language.rewards import EXPLAINED
    from tailorbird.settings import PAIRS

    told = {PAIRS: "what people preferred, learned from pairs of answers"} | EXPLAINED
    if as_json:
        console.show_json(told)
        return
    for name, explained in told.items():
        console.out.print(f"[bold]{name}[/bold]  {explained}")


def audit_rules(as_json: bool) -> None:
    """Every rule of the audit, and what it does by default."""
    from tailorbird.auditing.findings import RULES

    if as_json:
        console.show_json({name: rule._asdict() for name, rule in RULES.items()})
        return
    table = Table("rule", "does", "what it finds", box=None, pad_edge=False)
    for name, rule in RULES.items():
        table.add_row(name, rule.action, rule.title)
    console.out.print(table)


def formats(as_json: bool) -> None:
    """Every format that can be imported."""
    from tailorbird.importing.formats import FORMATS

    rows = {name: found.TITLE for name, found in FORMATS.items()}
    if as_json:
        console.show_json(rows)
        return
    table = Table("format", "what it reads", box=None, pad_edge=False)
    for row in rows.items():
        table.add_row(*row)
    console.out.print(table)


def explain_settings(as_json: bool) -> None:
    """Every field of tailorbird.yaml with its default and meaning."""
    from tailorbird.settings import Settings

    rows = list(_fields(Settings, ""))
    if as_json:
        console.show_json(rows)
        return
    table = Table("field", "default", "what it is", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["field"], row["default"], row["meaning"])
    console.out.print(table)


def learning_curve(workspace: Workspace, as_json: bool, progress: Progress) -> None:
    """What shares of the newest plan's data give, and what twice as much would."""
    from tailorbird.planning.learning_curve import PICTURE
    from tailorbird.planning.learning_curve import learning_curve as measure

    plan = workspace.newest(Plan, "plan")
    curve = measure(workspace, plan, progress)
    if as_json:
        console.show_json(curve.model_dump(mode="json"))
        return
    console.out.print(console.curve_table(curve))
    console.out.print(curve.words, soft_wrap=True)
    limits = "The intervals tell which conversations it was validated on; each share was trained once, which they do not tell."
    console.out.print(f"[dim]{limits}[/dim]\nPicture: {workspace.path(plan) / PICTURE}", soft_wrap=True)


def search(workspace: Workspace, minutes: float | None, as_json: bool, progress: Progress) -> None:
    """Tries settings around the newest plan's, and shows what was tried and what is kept."""
    from tailorbird.training.searching import search as find
    from tailorbird.training.searching import searched

    candidate = find(workspace, workspace.newest(Plan, "plan"), 20.0 if minutes is None else minutes, progress)
    made = searched(workspace, candidate)
    if as_json:
        console.show_json(candidate.model_dump(mode="json") | {"search": made.model_dump(mode="json")})
        return
    console.show(candidate, as_json)
    console.out.print(console.search_table(made))
    console.out.print(made.words, soft_wrap=True)
    shares = ", ".join(f"{name.replace('_', ' ')} {share:.0%}" for name, share in made.importance.items())
    console.out.print(f"What mattered: {shares or 'too few trials finished to tell'}.", soft_wrap=True)


def scan_privacy(file: str, as_json: bool) -> None:
    """What each line's text holds: a line of JSON for each, or one table with masked examples."""
    from tailorbird.privacy.scan import scan, summary

    with ExitStack() as stack:
        if file == "-":
            lines: Iterable[str] = sys.stdin
            if isinstance(sys.stdin, io.TextIOWrapper):
                sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
        else:
            try:
                lines = stack.enter_context(Path(file).open(encoding="utf-8", errors="surrogateescape"))
            except OSError as error:
                raise InputError(f"{file} cannot be read ({error.strerror}).", fix="Name a file of JSON lines.") from error
        scanned = scan(lines, "standard input" if file == "-" else file)
        if as_json:
            for one in scanned:
                print(json.dumps(one.as_json(), ensure_ascii=False))
            return
        table = Table("type", "found", "examples", box=None, pad_edge=False)
        for kind, count, examples in summary(scanned):
            table.add_row(kind, str(count), escape(examples))
        console.out.print(table)


def _fields(model: type[BaseModel], prefix: str) -> list[dict[str, str]]:
    rows = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        listed = get_args(inner)[0] if get_origin(inner) is list else None
        for nested, mark in ((inner, "."), (listed, "[].")):
            if isinstance(nested, type) and issubclass(nested, BaseModel):
                rows += _fields(nested, f"{prefix}{name}{mark}")
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            continue
        default = "required" if field.is_required() else repr(field.get_default(call_default_factory=True))
        rows.append({"field": prefix + name, "default": default, "meaning": field.description or ""})
    return rows

"""The command line: one command per verb, each a thin skin over the Python function of the same name."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from tailorbird.cli_tools import HERE, AsJson, At, open_workspace, tools
from tailorbird.errors import InputError, StoppedError, TailorbirdError
from tailorbird.feedback_commands import feedback
from tailorbird.key_commands import keys
from tailorbird.knowledge_commands import knowledge
from tailorbird.release_commands import releases
from tailorbird.watch_commands import watching

if TYPE_CHECKING:
    from tailorbird.artifacts import Artifact

app = typer.Typer(
    help="Fine-tunes a small language model on your support conversations, proves that it got better, and serves it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_A = TypeVar("_A", bound="Artifact")


def main() -> None:
    """Runs a command; problems that an owner can mend are shown as a message, never as a traceback."""
    try:
        app()
    except TailorbirdError as problem:
        print(f"tailorbird: {problem.text}", file=sys.stderr)
        sys.exit(problem.exit_code)
    except BrokenPipeError:
        sys.exit(0)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Ctrl-C as a message that says how to go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        fix = "Run the same command to go on; training resumes from its last checkpoint."
        raise StoppedError("Stopped; nothing that was saved is changed.", fix=fix) from stop


def _run(verb: Callable[[], _A], as_json: bool) -> _A:
    from tailorbird import console

    started = time.monotonic()
    with _stoppable():
        made = verb()
    console.show(made, as_json, time.monotonic() - started)
    return made


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make.")] = HERE,
    name: Annotated[str, typer.Option(help="The business's name.")] = "My business",
    as_json: AsJson = False,
) -> None:
    """Makes a workspace: a folder with a commented tailorbird.yaml to fill in."""
    from tailorbird import console
    from tailorbird.workspace import Workspace

    made = Workspace.create(folder, name)
    if as_json:
        console.show_json({"workspace": str(made.folder), "settings": made.settings.model_dump()})
    else:
        console.out.print(
            f"Made {folder / 'tailorbird.yaml'}. Next: tailorbird import YOUR-EXPORT -w {folder}", markup=False, soft_wrap=True
        )


@app.command("import")
def import_(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Exports to read; without any, `sources` of tailorbird.yaml.")
    ] = None,
    columns: Annotated[
        str, typer.Option("--map", help="CSV columns to fields, for example body=question,answer=answer,queue=tag.")
    ] = "",
    where: Annotated[str, typer.Option(help="CSV rows to take, for example language=en.")] = "",
    kind: Annotated[str | None, typer.Option("--format", help="A name that `tailorbird formats` lists; else recognised.")] = None,
    ours: Annotated[
        str, typer.Option(help="Mail and chats: names, addresses, domains that write for the business, by commas.")
    ] = "",
    timezone: Annotated[str, typer.Option(help="Where the clock of times without a zone stood.")] = "UTC",
    task: Annotated[str, typer.Option(help="Another task of tailorbird.yaml that the files teach.")] = "",
    strict: Annotated[bool, typer.Option(help="Stop at unreadable records instead of keeping them in rejected.jsonl.")] = False,
    fresh: Annotated[bool, typer.Option(help="Start with an empty dataset instead of adding to the one before.")] = False,
    workspace: At = HERE,
    as_json: AsJson = False,
) -> None:
    """Reads the exports of help desks, mailboxes, chats and tables into a dataset; adds to what was imported before.

    Fields for --map: question, answer, subject, id, conversation_id, customer_id, customer, agent, created_at, rating,
    status, channel, department, role, content, tag.
    """
    from tailorbird import console
    from tailorbird.importing import import_conversations
    from tailorbird.settings import SourceSettings

    if not files and (columns or where or kind or ours or task):
        raise InputError("--map, --where, --ours, --task and --format need a file.", fix="Name the file before them.")
    sources = [
        SourceSettings(
            path=str(_existing(file, workspace)), format=kind, map=_pairs(columns, "--map"), where=_pairs(where, "--where"),
            ours=[name.strip() for name in ours.split(",") if name.strip()], timezone=timezone, task=task,
        )
        for file in files or []
    ]  # fmt: skip
    opened = open_workspace(workspace)
    _run(lambda: import_conversations(opened, sources or None, strict, fresh, console.bar), as_json)


def _existing(file: Path, workspace: Path) -> Path:
    """A file named on the command line: as it stands, or else inside the workspace."""
    inside = workspace / file
    return (inside if not file.exists() and inside.exists() else file).resolve()


def _pairs(text: str, option: str) -> dict[str, str]:
    pairs = {}
    for part in filter(None, text.split(",")):
        left, equals, right = part.partition("=")
        if not equals or not left.strip() or not right.strip():
            raise InputError(
                f"{option} {part!r} is not NAME=VALUE.", fix=f"Write for example {option} body=question,answer=answer."
            )
        pairs[left.strip()] = right.strip()
    return pairs


audits = typer.Typer(rich_markup_mode=None)
app.add_typer(audits, name="audit", invoke_without_command=True)


@audits.callback()
def audit(context: typer.Context, workspace: At = HERE, as_json: AsJson = False) -> None:
    """Sets flawed conversations aside with reasons, replaces personal data, splits the rest by customer, and reports."""
    if context.invoked_subcommand:
        return
    from tailorbird import console
    from tailorbird.artifacts import Dataset
    from tailorbird.auditing import audit as verb

    opened = open_workspace(workspace)
    made = _run(lambda: verb(opened, opened.newest(Dataset, "import"), console.bar), as_json)
    if not as_json:
        console.out.print(f"Report: {opened.path(made) / 'report.html'}", soft_wrap=True)


@audits.command()
def review(
    conversations: Annotated[list[str] | None, typer.Argument(help="Ids of conversations; without any, all of --rule.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only what this rule set aside; `tailorbird audit rules` lists them.")] = None,
    release: Annotated[bool, typer.Option("--release", help="Let them be learned from after all.")] = False,
    exclude: Annotated[bool, typer.Option("--exclude", help="Never learn from them.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    workspace: At = HERE,
    as_json: AsJson = False,
) -> None:
    """Shows what the newest audit set aside, or writes down what you decide about it; the next audit follows."""
    from tailorbird import commands

    if release and exclude:
        raise InputError("--release and --exclude contradict each other.", fix="Give one of them.")
    verdict: Literal["release", "exclude"] | None = "release" if release else "exclude" if exclude else None
    commands.review(open_workspace(workspace), conversations or [], rule, verdict, reason, as_json)


@audits.command()
def rules(as_json: AsJson = False) -> None:
    """Lists the audit's rules and what each does unless audit.rules in tailorbird.yaml says otherwise."""
    from tailorbird import commands

    commands.audit_rules(as_json)


@app.command()
def plan(
    curve: Annotated[bool, typer.Option("--learning-curve", help="Train the newest plan on shares of its data instead.")] = False,
    costs: Annotated[bool, typer.Option("--costs", help="Also what other methods take, and what it costs elsewhere.")] = False,
    workspace: At = HERE,
    as_json: AsJson = False,
) -> None:
    """Chooses what to train and how, measures this machine, and predicts minutes and memory, each with its why.

    --learning-curve says what 25%, 50% and 100% of the data give and twice as much would; it trains up to 1.75 times as long.
    """
    from tailorbird import commands, console
    from tailorbird.artifacts import Audit
    from tailorbird.planning import plan as verb

    opened = open_workspace(workspace)
    if curve:
        with _stoppable():
            return commands.learning_curve(opened, as_json, console.bar)
    if costs:
        with _stoppable():
            return commands.costs(opened, verb(opened, opened.newest(Audit, "audit"), console.bar), as_json, console.bar)
    made = _run(lambda: verb(opened, opened.newest(Audit, "audit"), console.bar), as_json)
    if not as_json:
        console.out.print(console.plan_table(made))


@app.command()
def train(
    search: Annotated[bool, typer.Option("--search", help="Try other settings too, and keep the best as a plan.")] = False,
    minutes: Annotated[float | None, typer.Option(min=0, help="For --search: how long it may take, else 20.")] = None,
    workspace: At = HERE,
    as_json: AsJson = False,
) -> None:
    """Trains as planned. Stop it with Ctrl-C whenever you like: the same command goes on from the last checkpoint."""
    from tailorbird import commands, console
    from tailorbird.artifacts import Plan
    from tailorbird.training import train as verb

    opened = open_workspace(workspace)
    if search:
        with _stoppable():
            return commands.search(opened, minutes, as_json, console.bar)
    if minutes is not None:
        raise InputError("--minutes is for --search.", fix="Set training.minutes in tailorbird.yaml, or add --search.")
    _run(lambda: verb(opened, opened.newest(Plan, "plan"), console.bar), as_json)


@app.command()
def evaluate(
    production: Annotated[
        bool, typer.Option("--production", help="Instead: how what serves customers does on newly imported conversations.")
    ] = False,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="With --production: conversations begun on this day or later.")
    ] = None,
    workspace: At = HERE,
    as_json: AsJson = False,
) -> None:
    """Compares base and tuned, alone and with your documents, on held-out conversations, and says which to use and why."""
    if production or since:
        from tailorbird import commands

        with _stoppable():
            commands.follow(open_workspace(workspace), since.date() if since else None, as_json)
        return
    from tailorbird import console
    from tailorbird.artifacts import Candidate
    from tailorbird.evaluating import evaluate as verb
    from tailorbird.evaluating.deciding import in_words

    opened = open_workspace(workspace)
    card = _run(lambda: verb(opened, opened.newest(Candidate, "train"), console.bar), as_json)
    if not as_json:
        console.out.print(console.score_table(card))
        for line in in_words(card):
            console.out.print(line, soft_wrap=True)
        console.out.print(f"Report: {opened.path(card) / 'report.html'}", soft_wrap=True)


@app.command()
def improve(
    if_new: Annotated[int, typer.Option(min=1, help="Do nothing below so many new conversations and judgements.")] = 1,
    workspace: At = HERE,
    as_json: AsJson = False,
) -> None:
    """Learns what is new on top of production and compares the two; fit for a timer. Releases only if the settings say so."""
    from tailorbird import commands, console

    with _stoppable():
        commands.improve(open_workspace(workspace), if_new, as_json, console.bar)


@app.command()
def chat(
    question: Annotated[str | None, typer.Argument(help="One question; without it, a conversation.")] = None,
    base: Annotated[bool, typer.Option("--base", help="Ask the untuned base model instead.")] = False,
    longest: Annotated[int, typer.Option(min=1, help="Tokens an answer may have.")] = 256,
    task: Annotated[str, typer.Option(help="Another task of the model for that text, for example route.")] = "",
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer to one question as JSON.")] = False,
) -> None:
    """Talks with the production version in the terminal."""
    from tailorbird import commands, console

    if as_json and question is None:
        raise InputError("--json needs a question.", fix='Write for example: tailorbird chat "Do you ship to Spain?" --json')
    if task:
        if question is None or base:
            raise InputError("--task needs a text, and is not for --base.", fix='Write: tailorbird chat "…" --task route')
        commands.perform(open_workspace(workspace), task, question, as_json, console.bar)
        return
    commands.chat(open_workspace(workspace), question, tuned=not base, longest=longest, as_json=as_json, progress=console.bar)


@app.command()
def explain(
    question: Annotated[str, typer.Argument(help="The customer's question.")],
    answer: Annotated[str, typer.Option(help="Explain this answer to it; else what the production version answers.")] = "",
    top: Annotated[int, typer.Option(min=1, help="Training conversations to show.")] = 5,
    workspace: At = HERE,
    as_json: AsJson = False,
) -> None:
    """Says which training conversations an answer was learned from, and which passages of your documents it rests on."""
    from tailorbird import commands, console

    with _stoppable():
        commands.explain(open_workspace(workspace), question, answer, top, as_json, console.bar)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else serving.host.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; else serving.port.")] = None,
    workspaces: Annotated[
        list[Path] | None, typer.Option("--workspace", "-w", help="A business's folder; several, for many on one base model.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the versions' manifests as JSON.")] = False,
) -> None:
    """Serves what is in production: POST /v1/chat/completions (plain and streamed), GET /v1/models, as OpenAI's API.

    With several workspaces each is a model by its folder's name; host and port are those of the first.
    """
    from tailorbird import commands, console
    from tailorbird.serving import serve as verb

    opened = [open_workspace(folder) for folder in workspaces or [HERE]]
    settings = opened[0].settings.serving
    serving = [commands.production(one) for one in opened]
    if as_json:
        console.show_json([one.model_dump(mode="json") for one in serving])
    else:
        for released in serving:
            console.show(released, as_json)
    address = host or settings.host, settings.port if port is None else port
    verb(opened, address, console.bar, console.listening)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put the example's workspace.")] = Path("tailorbird-demo"),
    as_json: Annotated[bool, typer.Option("--json", help="Print every artifact's manifest, one JSON object.")] = False,
) -> None:
    """Runs the whole story on the example shop: import, audit, plan, train, evaluate, release, three questions."""
    from tailorbird import demo as story

    with _stoppable():
        story.demo(folder, as_json)


@app.command()
def forget(
    customer: Annotated[str, typer.Option(help="The customer's id, e-mail address or full name.")],
    workspace: At = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Print the certificate as JSON.")] = False,
) -> None:
    """Erases a customer from every dataset, audit and report, and names the models that must be trained again."""
    from tailorbird import commands, console

    commands.forget(open_workspace(workspace), customer, as_json, console.bar)


app.add_typer(tools)
app.add_typer(releases)
app.add_typer(watching)
app.add_typer(feedback, name="feedback")
app.add_typer(knowledge, name="knowledge")
app.add_typer(keys, name="keys")

"""The whole story on the example shop, told by `tailorbird demo`."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from rich.table import Table

from tailorbird import console
from tailorbird.artifacts import Artifact, Release
from tailorbird.errors import InputError
from tailorbird.replier import Message, ReplyOptions, reply
from tailorbird.workspace import Workspace

_QUESTIONS = "questions.txt"
_NEXT = """
The report, with every held-out answer: {report}
Next:
  tailorbird chat -w {folder}      talk with it
  tailorbird serve -w {folder}     an OpenAI-compatible API
  tailorbird status -w {folder}    what it was made from
  tailorbird init my-shop          start with your own conversations"""


def demo(folder: Path, as_json: bool) -> None:
    """The whole story on a copy of the example shop; run again, it finds what is made already."""
    from tailorbird.auditing import audit
    from tailorbird.evaluating import evaluate
    from tailorbird.evaluating.deciding import in_words
    from tailorbird.importing import import_conversations
    from tailorbird.planning import plan
    from tailorbird.releasing import release
    from tailorbird.training import train

    if not (folder / "tailorbird.yaml").exists():
        if folder.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} is not empty and no workspace.", fix="Name another folder: tailorbird demo FOLDER")
        shutil.copytree(example("boutique"), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("artifacts"))
    workspace = Workspace(folder)
    made: dict[str, Artifact] = {}
    started = time.monotonic()

    def step(artifact: Artifact) -> None:
        nonlocal started
        made[artifact.kind] = artifact
        if not as_json:
            console.show(artifact, False, time.monotonic() - started)
        started = time.monotonic()

    step(dataset := import_conversations(workspace, progress=console.bar))
    step(audited := audit(workspace, dataset, console.bar))
    step(planned := plan(workspace, audited, console.bar))
    step(candidate := train(workspace, planned, console.bar))
    step(card := evaluate(workspace, candidate, console.bar))
    if not as_json:
        console.out.print(console.score_table(card))
        console.out.print(in_words(card)[0])
    step(released := release(workspace, card, progress=console.bar))
    answers = _three_questions(workspace, released)
    if as_json:
        console.show_json({kind: artifact.model_dump(mode="json") for kind, artifact in made.items()} | {"answers": answers})
        return
    for answer in answers:
        table = Table(title=f"[bold]{answer['question']}[/bold]", title_justify="left", show_lines=True, expand=True)
        table.add_column("tuned", ratio=1)
        table.add_column("base", ratio=1)
        table.add_row(answer["tuned"], answer["base"])
        console.out.print(table)
    console.out.print(_NEXT.format(report=workspace.path(card) / "report.html", folder=folder), soft_wrap=True)


def _three_questions(workspace: Workspace, released: Release) -> list[dict[str, str]]:
    from tailorbird.serving import open_assistant

    questions = (workspace.folder / _QUESTIONS).read_text(encoding="utf-8").split("\n")
    answers = [{"question": question} for question in questions if question.strip()]
    with console.bar("Asking base and tuned", 2 * len(answers)) as advance:
        for system in ("base", "tuned"):
            assistant = open_assistant(workspace, released, tuned=system == "tuned", progress=console.bar)
            for answer in answers:
                asked: list[Message] = [{"role": "user", "content": answer["question"]}]
                text = reply(assistant, asked, ReplyOptions(max_tokens=160)).text
                answer[system] = text.removeprefix(assistant.phrases.say("disclosure")).strip()
                advance(1)
    return answers


def example(name: str) -> Path:
    """The folder of an example: inside the installed package, or beside the source."""
    here = Path(__file__).parent
    return next(f for f in (here / "examples" / name, here.parents[1] / "examples" / name) if f.is_dir())

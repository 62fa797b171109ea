"""Release -> answers for customers: an OpenAI-compatible server, and the same assistant in a terminal.

Feedback is not here yet, and a person takes over outside.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tailorbird import engine
from tailorbird.artifacts import Audit, Release
from tailorbird.errors import InputError, WorkspaceError
from tailorbird.knowledge import Knowledge
from tailorbird.language import label_classifier
from tailorbird.lessons import asked
from tailorbird.progress import Progress, silent
from tailorbird.replier import Message, ReplyOptions, reply
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.explaining import Explanation, explain
from tailorbird.serving.guarded import Words
from tailorbird.serving.guards import Facts, Guards
from tailorbird.workspace import Workspace, read_conversations

_PATIENCE = 1.5  # seconds that an answer waits for changed documents

__all__ = ["Assistant", "open_assistant", "perform", "serve"]


def perform(workspace: Workspace, release: Release, task: str, text: str, progress: Progress = silent) -> str:
    """What the released model answers for one of its other tasks; a label where the task has labels, never anything else.

    Raises InputError for a task that the release does not have.
    """
    told = release.tasks.get(task)
    if told is None:
        raise InputError(
            f"Version {release.version} has no task {task!r}.",
            fix=f"It has {', '.join(release.tasks) or 'none'}; others are learned from `tasks:` in tailorbird.yaml.",
        )
    replier = engine.open_replier(task, engine.locate(release.model, progress), workspace.path(release) / "adapter")
    message = asked(text, told.read_twice)
    messages: list[Message] = [{"role": "system", "content": told.system_prompt}, {"role": "user", "content": message}]
    second = label_classifier.load(workspace.path(release) / label_classifier.FILE).get(task)
    prior = tuple(second.log_probabilities([text], told.labels, engine.embed)[0].tolist()) if second else ()
    answer = reply(replier, messages, ReplyOptions(choices=told.labels, prior=prior)).text
    replier.close()
    return answer


def open_assistant(workspace: Workspace, release: Release, tuned: bool = True, progress: Progress = silent) -> Assistant:
    """The released assistant, or the base model under the same system prompt, disclosure and guards."""
    adapter: Path | None = workspace.path(release) / "adapter" if tuned else None
    if adapter is not None and not adapter.is_dir():
        raise WorkspaceError(
            f"The adapter of {release.id} is missing.", fix="Run `tailorbird release` again.", where=str(adapter)
        )
    name = f"{workspace.folder.resolve().name}-v{release.version}" if tuned else release.model
    replier = engine.open_replier(name, engine.locate(release.model, progress), adapter)
    documents = Knowledge(workspace, engine.embed, progress, _PATIENCE)
    serving = workspace.settings.serving
    guarding = _guards(workspace, release, documents), Words(serving.blocked, serving.handed_over)
    return Assistant(replier, release.system_prompt, release.disclosure, documents if release.passages else None, guarding)


def _guards(workspace: Workspace, release: Release, documents: Knowledge) -> Guards:
    """The guards of what the business says of itself and of what its customers ask."""
    settings = workspace.settings
    learned = workspace.path(workspace.ancestor(release, Audit)) / "train.jsonl"
    questions = [next(turn.content for turn in one.turns if turn.role == "user") for one in read_conversations(learned)]
    facts = Facts(release.system_prompt, documents.texts(), settings.audit.keep, settings.audit.order_numbers, questions)
    return Guards(facts, settings.serving.guards, engine.embed)


def serve(
    workspace: Workspace,
    release: Release,
    address: tuple[str, int],
    progress: Progress = silent,
    listening: Callable[[str], None] = lambda url: None,
) -> None:
    """Answers `POST /v1/chat/completions` and `GET /v1/models` at (host, port) until stopped; port 0 takes any free one.

    With `serving.explanations` also `POST /v1/explanations`. The release is opened first, so that the first customer does not
    wait for it; `production` is whatever is promoted meanwhile.
    """
    from tailorbird.serving import api
    from tailorbird.serving.desk import Desk

    desk = Desk(workspace, lambda made: open_assistant(workspace, made, progress=progress))
    desk.warm(release)

    def explaining(question: str, answer: str, top: int) -> Explanation:
        return explain(workspace, desk.explained(), question, answer, top)

    api.run(desk, *address, listening, explaining if workspace.settings.serving.explanations else None)

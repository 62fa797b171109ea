"""Release -> Feedback: an OpenAI-compatible server that answers customers, and the same assistant in a terminal.

What was said, whom a person took over and what customers thought of it is in the log and the feedback table.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tailorbird import engine
from tailorbird.artifacts import Audit, Release
from tailorbird.errors import InputError, SettingsError
from tailorbird.knowledge import Knowledge
from tailorbird.language import label_classifier
from tailorbird.lessons import asked
from tailorbird.progress import Progress, silent
from tailorbird.replier import Message, Replier, ReplyOptions, reply
from tailorbird.serving.assistant import Assistant, Conduct
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.explaining import Explanation, explain
from tailorbird.serving.guards import Facts, Guards
from tailorbird.serving.handing_over import HandingOver
from tailorbird.serving.phrases import Phrase, Phrases
from tailorbird.versions import adapter_of, model_name
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
    answer = _performing(workspace, release, replier)(task, text)
    replier.close()
    return answer


def _performing(workspace: Workspace, release: Release, replier: Replier) -> Callable[[str, str], str]:
    """Does one of the release's other tasks with an open model: the task's name and a text -> the answer."""
    classifiers = label_classifier.load(workspace.path(release) / label_classifier.FILE)

    def done(task: str, text: str) -> str:
        told, second = release.tasks[task], classifiers.get(task)
        message = asked(text, told.read_twice)
        messages: list[Message] = [{"role": "system", "content": told.system_prompt}, {"role": "user", "content": message}]
        prior = tuple(second.log_probabilities([text], told.labels, engine.embed)[0].tolist()) if second else ()
        return reply(replier, messages, ReplyOptions(choices=told.labels, prior=prior)).text

    return done


def open_assistant(
    workspace: Workspace, release: Release, tuned: bool = True, progress: Progress = silent, shared: bool = False
) -> Assistant:
    """The released assistant, or the base model under the same system prompt, disclosure and guards.

    With `shared` it has its base model loaded once between all that were opened so.
    """
    adapter = adapter_of(workspace, release) if tuned else None
    name = model_name(workspace, release) if tuned else release.model
    replier = _replier(workspace, release, name, adapter, shared, progress)
    documents = Knowledge(workspace, engine.embed, progress, _PATIENCE)
    conduct = Conduct(
        Phrases(release.disclosure, workspace.settings.business.name, _own_words(workspace)),
        _guards(workspace, release, documents),
        HandingOver(
            workspace.settings.serving.hand_over,
            engine.embed,
            tuple(release.tasks),
            _performing(workspace, release, replier),
            workspace.settings.audit.keep,
        ),
    )
    shown = documents if release.passages else None
    return Assistant(replier, release.system_prompt, release.disclosure, shown, conduct)


def _replier(
    workspace: Workspace, release: Release, name: str, adapter: Path | None, shared: bool, progress: Progress
) -> Replier:
    """The model on this machine, or under the same name on the server that the settings name."""
    upstream = workspace.settings.serving.upstream
    if upstream is None:
        return engine.open_replier(name, engine.locate(release.model, progress), adapter, shared)
    key = os.environ.get(upstream.key_variable, "") if upstream.key_variable else ""
    if upstream.key_variable and not key:
        raise SettingsError(
            f"The environment variable {upstream.key_variable} has no key.", fix="Set it before you start the server."
        )
    return engine.open_upstream(name, upstream.url, name, key)


def _own_words(workspace: Workspace) -> dict[Phrase, str]:
    words = workspace.settings.serving.words
    return {"blocked": words.blocked, "handed_over": words.handed_over, "paused": words.paused, "not_known": words.not_known}


def _guards(workspace: Workspace, release: Release, documents: Knowledge) -> Guards:
    """The guards of what the business says of itself and of what its customers ask."""
    settings = workspace.settings
    learned = workspace.path(workspace.ancestor(release, Audit)) / "train.jsonl"
    questions = [next(turn.content for turn in one.turns if turn.role == "user") for one in read_conversations(learned)]
    facts = Facts(release.system_prompt, documents.texts(), settings.audit.keep, settings.audit.order_numbers, questions)
    return Guards(facts, settings.serving.guards, engine.embed)


def serve(
    workspaces: Sequence[Workspace],
    address: tuple[str, int],
    progress: Progress = silent,
    listening: Callable[[str], None] = lambda url: None,
) -> None:
    """Answers as OpenAI's API does for one business or more at (host, port) until stopped; port 0 takes any free one.

    All adapters of a base model share it loaded once. What is in production is opened first, so that the first customer does
    not wait for it; `production` is whatever is promoted meanwhile. Raises WorkspaceError where nothing is released.
    """
    from tailorbird.serving import api

    desks = Desks([_desk(workspace, progress) for workspace in workspaces])
    desks.warm()
    api.run(desks, *address, listening)


def _desk(workspace: Workspace, progress: Progress) -> Desk:
    """A business's desk, which explains answers if the settings say so."""

    def explaining(question: str, answer: str, top: int) -> Explanation:
        return explain(workspace, desk.serving(), question, answer, top)

    explained = explaining if workspace.settings.serving.explanations else None
    desk = Desk(workspace, lambda made: open_assistant(workspace, made, progress=progress, shared=True), explained)
    return desk  # which `explaining` asks for what serves then

"""One round of improvement, told by `tailorbird improve`: what is new is learned on top of production and compared with it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel

from tailorbird.artifacts import Candidate, Checkup, Comparison, Conversation, Dataset, Release, Scorecard
from tailorbird.errors import WorkspaceError
from tailorbird.progress import Progress, silent
from tailorbird.workspace import PRODUCTION, Workspace, read_lines

_LOCK = "improving.lock"


class Round(BaseModel):
    """What a round came to: how much was new, what was made, and whether it is released."""

    outcome: Literal["not enough new", "waiting", "refused", "released"]
    new: int
    wanted: int
    reasons: tuple[str, ...] = ()
    candidate: str = ""
    minutes: float = 0.0
    comparison: Comparison | None = None
    scorecard: Scorecard | None = None
    release: str = ""


def improve_production(workspace: Workspace, if_new: int = 1, progress: Progress = silent) -> Round:
    """Imports what is new, adds feedback, trains on from production, compares with it, and releases if settings say so.

    Below `if_new` new conversations and judgements nothing is trained. Raises WorkspaceError where nothing is released yet,
    or where another round is under way.
    """
    with _alone(workspace):
        production = _production(workspace)
        dataset = _gathered(workspace, progress)
        new = _new(workspace, dataset, production)
        if len(new) < max(if_new, 1):
            return Round(outcome="not enough new", new=len(new), wanted=max(if_new, 1))
        trained = _trained(workspace, dataset, new, progress)
        if trained is None:
            return Round(outcome="not enough new", new=len(new), wanted=if_new)
        candidate, minutes = trained
        return _judged(workspace, candidate, production, Round(
            outcome="waiting", new=len(new), wanted=if_new, candidate=candidate.id, minutes=minutes,
        ), progress)  # fmt: skip


def follow_production(workspace: Workspace, since: date | None = None, progress: Progress = silent) -> Checkup:
    """Imports and audits what is new and evaluates what serves customers on it; raises InputError where too little is new."""
    from tailorbird.auditing import audit
    from tailorbird.evaluating import follow
    from tailorbird.importing import import_conversations

    with _alone(workspace):
        production = _production(workspace)
        dataset = import_conversations(workspace, progress=progress)
        return follow(workspace, audit(workspace, dataset, progress), production, since, progress)


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Two rounds at once, started by a timer and by hand, would train the same twice."""
    workspace.store.mkdir(parents=True, exist_ok=True)
    with (workspace.store / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise WorkspaceError(
                "Another `tailorbird improve` or `evaluate --production` is at work in this workspace.",
                fix="Wait until it is done.",
            ) from problem
        yield


def _production(workspace: Workspace) -> Release:
    found = workspace.find(Release, workspace.alias(PRODUCTION) or "")
    if found is None:
        raise WorkspaceError(
            "Nothing is released yet, so there is nothing to improve.",
            fix="Run `tailorbird release` first; see `tailorbird status`.",
        )
    return found


def _gathered(workspace: Workspace, progress: Progress) -> Dataset:
    """The newest exports of tailorbird.yaml that are there, and the feedback."""
    from tailorbird.importing import import_conversations
    from tailorbird.improving import improve

    there = [source for source in workspace.settings.sources if (workspace.folder / source.path).exists()]
    if there:
        import_conversations(workspace, there, progress=progress)
    return improve(workspace, progress)


def _new(workspace: Workspace, dataset: Dataset, production: Release) -> set[str]:
    """The ids of what production's dataset did not have, or had otherwise."""
    before, now = (
        {one.id: one.digest for one in read_lines(workspace.path(made) / "conversations.jsonl", Conversation)}
        for made in (workspace.ancestor(production, Dataset), dataset)
    )
    return {identity for identity, digest in now.items() if before.get(identity) != digest}


def _trained(workspace: Workspace, dataset: Dataset, new: set[str], progress: Progress) -> tuple[Candidate, float] | None:
    """Answers first, on from production; then, on from there, pairs and thumbs if there are enough new ones.

    None where everything new was set aside or is held out.
    """
    from tailorbird.auditing import audit
    from tailorbird.planning import plan
    from tailorbird.planning.choosing import worth_learning
    from tailorbird.training import train

    audited = audit(workspace, dataset, progress)
    candidate, minutes = None, 0.0
    for number, learn_from in enumerate(worth_learning(workspace, audited, new)):
        wanted = {"learn_from": learn_from, "start_from": "candidate" if number else "production", "method": "auto"}
        candidate = train(workspace, plan(_with_training(workspace, wanted), audited, progress), progress)
        minutes += candidate.minutes
    return (candidate, minutes) if candidate else None


def _with_training(workspace: Workspace, changed: dict[str, Any]) -> Workspace:
    """The workspace with other settings for this run."""
    improving = workspace.settings.improving
    changed = {"minutes": improving.minutes, "epochs": improving.epochs} | changed
    other = Workspace(workspace.folder)
    training = other.settings.training.model_copy(update=changed)
    other.settings = other.settings.model_copy(update={"training": training})
    return other


def _judged(workspace: Workspace, candidate: Candidate, production: Release, told: Round, progress: Progress) -> Round:
    """Compared with production and with the base model; released if it is worse on nothing and the settings say so."""
    from tailorbird.evaluating import compare, evaluate
    from tailorbird.releasing import release
    from tailorbird.releasing.gate import objections

    comparison = compare(workspace, candidate, production, progress)
    card = evaluate(workspace, candidate, progress)
    reasons = [one.reason for one in objections(workspace, card, progress)["refuse"]]
    told = told.model_copy(update={"comparison": comparison, "scorecard": card, "reasons": tuple(reasons)})
    if reasons:
        return told.model_copy(update={"outcome": "refused"})
    if not workspace.settings.improving.release:
        return told
    released = release(workspace, card, progress=progress)
    return told.model_copy(update={"outcome": "released", "release": released.id})

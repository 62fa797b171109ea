"""Scorecard -> Release: a version with its lineage and model card, past the gate; which version serves, and the way back."""

from __future__ import annotations

import shutil

from tailorbird.artifacts import Audit, Candidate, Dataset, Override, Plan, Release, Scorecard, TaskPrompt, make_id
from tailorbird.errors import GateError, WorkspaceError
from tailorbird.language import label_classifier
from tailorbird.lessons import labels, taught
from tailorbird.progress import Progress, silent
from tailorbird.releasing import card as model_card
from tailorbird.releasing.gate import objections, with_passages
from tailorbird.workspace import CANDIDATE, PREVIOUS, PRODUCTION, Workspace, read_conversations, write_text

__all__ = ["promote", "release", "rollback", "version"]


def release(
    workspace: Workspace,
    scorecard: Scorecard,
    override: Override | None = None,
    progress: Progress = silent,
    serves: bool = True,
) -> Release:
    """Makes the scorecard's candidate a version that serves customers, or with `serves` off one that waits as `candidate`.

    Raises GateError where a rule of the gate refuses it (`gate.RULES`); an `override` tells who releases it all the same and why,
    and is recorded with what the gate said.
    """
    found = objections(workspace, scorecard, progress)
    refused, warnings = (tuple(one.reason for one in found[action]) for action in ("refuse", "warn"))
    if refused and not override:
        raise GateError(
            f"This candidate is not released: {'; '.join(refused)}.",
            fix="Train with more or better conversations, change releasing.rules in tailorbird.yaml, or release it all the same "
            "with --override 'your reason' --by 'your name'.",
        )
    overridden = override.model_copy(update={"refused": refused}) if override and refused else None
    made = _made(workspace, scorecard, overridden, warnings, progress)
    if serves:
        promote(workspace, made)
    else:
        workspace.set_aliases({CANDIDATE: made.id})
    return workspace.use(made)


def _made(
    workspace: Workspace, scorecard: Scorecard, overridden: Override | None, warnings: tuple[str, ...], progress: Progress
) -> Release:
    """The version, found again if it was made from the same before."""
    candidate = workspace.ancestor(scorecard, Candidate)
    audit = workspace.ancestor(candidate, Audit)
    disclosure, passages = workspace.settings.business.disclosure, with_passages(workspace, scorecard)
    reason = overridden and overridden.model_dump(mode="json")
    identity = make_id(Release, scorecard=scorecard.id, disclosure=disclosure, override=reason, passages=passages)
    if found := workspace.find(Release, identity):
        return found
    made = Release(
        id=identity,
        made_from=(scorecard.id, candidate.id),
        version=1 + max((r.version for r in workspace.all(Release)), default=0),
        model=candidate.model,
        system_prompt=audit.system_prompt,
        disclosure=disclosure,
        tasks=_tasks(workspace, audit),
        lineage={kind.kind: workspace.ancestor(scorecard, kind).id for kind in (Dataset, Audit, Plan, Candidate, Scorecard)},
        overridden=overridden,
        warnings=warnings,
        passages=passages,
    )
    with workspace.drafting(identity) as draft:
        with progress("Copying the adapter", None):
            shutil.copytree(workspace.path(candidate) / "adapter", draft / "adapter")
            if (classifiers := workspace.path(candidate) / label_classifier.FILE).is_file():
                shutil.copy(classifiers, draft)
        write_text(draft / "MODEL_CARD.md", model_card.text(workspace, made, scorecard))
        return workspace.save(made, draft)


def promote(workspace: Workspace, made: Release) -> Release:
    """Lets a version serve customers; what served before is `previous`.

    Raises GateError for a version that learned from a customer who was erased since, WorkspaceError for one without its files.
    """
    if not (adapter := workspace.path(made) / "adapter").is_dir():
        raise WorkspaceError(f"The adapter of {made.id} is missing.", fix="Promote another version.", where=str(adapter))
    if reason := workspace.retraining.get(made.id):
        raise GateError(
            f"Version {made.version} must not serve: {reason}.", fix="Train again and release that, or promote another version."
        )
    before = workspace.alias(PRODUCTION)
    if before != made.id:
        workspace.set_aliases({PRODUCTION: made.id} | ({PREVIOUS: before} if before else {}))
    return made


def rollback(workspace: Workspace) -> Release:
    """Lets the version serve that served before this one; raises WorkspaceError where there was none."""
    if workspace.alias(PREVIOUS) is None:
        raise WorkspaceError(
            "No version served before this one.", fix="`tailorbird releases` lists all; `tailorbird promote N` lets one serve."
        )
    return promote(workspace, version(workspace, PREVIOUS))


def version(workspace: Workspace, name: str) -> Release:
    """A release by its number, its id or an alias; raises WorkspaceError where there is none."""
    identity = workspace.alias(name) or name
    found = [one for one in workspace.all(Release) if one.id == identity or str(one.version) == name.removeprefix("v")]
    if not found:
        known = ", ".join([*(str(one.version) for one in workspace.all(Release)), *workspace.aliases])
        fix = f"There are {known}." if known else "Run `tailorbird release` first."
        raise WorkspaceError(f"There is no version {name!r} here.", fix=fix)
    return found[0]


def _tasks(workspace: Workspace, audit: Audit) -> dict[str, TaskPrompt]:
    """The other tasks that there were lessons for, as the model was asked for them."""
    tasks = workspace.settings.tasks
    learned = [one for one in taught(read_conversations(workspace.path(audit) / "train.jsonl"), tasks) if one.task]
    prompts = {one.task: one.turns[0].content for one in learned}
    known = {name: labels(task, name, learned) for name, task in tasks.items()}
    return {
        name: TaskPrompt(system_prompt=prompt, labels=known.get(name, ()), read_twice=name in tasks and tasks[name].read_twice)
        for name, prompt in prompts.items()
    }

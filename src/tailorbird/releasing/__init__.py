"""Scorecard -> Release: a version with its lineage and model card, past the gate; which version serves, and the way back."""

from __future__ import annotations

import shutil

from tailorbird.artifacts import Audit, Candidate, Dataset, Override, Plan, Release, Scorecard, TaskPrompt, make_id
from tailorbird.errors import GateError
from tailorbird.language import label_classifier
from tailorbird.lessons import labels, taught
from tailorbird.progress import Progress, silent
from tailorbird.releasing import card as model_card
from tailorbird.releasing.gate import objections, with_passages
from tailorbird.versions import promote, rollback, try_out, version
from tailorbird.workspace import CANDIDATE, Workspace, read_conversations, write_text

__all__ = ["promote", "release", "rollback", "try_out", "version"]


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

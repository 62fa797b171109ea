"""Scorecard -> Release: a version with its lineage and model card, and the alias `production`."""

from __future__ import annotations

import shutil

from tailorbird.artifacts import Audit, Candidate, Comparison, Dataset, Plan, Release, Scorecard, TaskPrompt, make_id
from tailorbird.errors import GateError
from tailorbird.language import label_classifier
from tailorbird.lessons import labels, taught
from tailorbird.lessons.canaries import CANARIES
from tailorbird.progress import Progress, silent
from tailorbird.releasing import card as model_card
from tailorbird.workspace import PRODUCTION, Workspace, read_conversations, write_text

FEWEST_TESTED = 8
_WITH_DOCUMENTS = ("knowledge", "both")  # systems of the scorecard


def release(workspace: Workspace, scorecard: Scorecard, override: str | None = None, progress: Progress = silent) -> Release:
    """Makes the scorecard's candidate the production version.

    Raises GateError unless tuned beats base on loss and what will serve, with documents or without, is worse than base on nothing
    measured, nor the candidate worse than production where the two were compared; `override` is the reason to release it all the
    same, and is recorded.
    """
    reasons = refusals(workspace, scorecard)
    if reasons and not override:
        raise GateError(
            f"This candidate is not released: {'; '.join(reasons)}.",
            fix="Train with more or better conversations, or release it all the same with --override 'your reason'.",
        )
    candidate = workspace.ancestor(scorecard, Candidate)
    audit = workspace.ancestor(candidate, Audit)
    disclosure = workspace.settings.business.disclosure
    passages = _with_passages(workspace, scorecard)
    reason = override if reasons else None
    identity = make_id(Release, scorecard=scorecard.id, disclosure=disclosure, override=reason, passages=passages)
    made = workspace.find(Release, identity)
    if made is None:
        made = Release(
            id=identity,
            made_from=(scorecard.id, candidate.id),
            version=1 + max((r.version for r in workspace.all(Release)), default=0),
            model=candidate.model,
            system_prompt=audit.system_prompt,
            disclosure=disclosure,
            tasks=_tasks(workspace, audit),
            lineage={kind.kind: workspace.ancestor(scorecard, kind).id for kind in (Dataset, Audit, Plan, Candidate, Scorecard)},
            overridden=reason,
            passages=passages,
        )
        with workspace.drafting(identity) as draft:
            with progress("Copying the adapter", None):
                shutil.copytree(workspace.path(candidate) / "adapter", draft / "adapter")
                if (classifiers := workspace.path(candidate) / label_classifier.FILE).is_file():
                    shutil.copy(classifiers, draft)
            write_text(draft / "MODEL_CARD.md", model_card.text(workspace, made, scorecard))
            workspace.save(made, draft)
    workspace.set_alias(PRODUCTION, made.id)
    return workspace.use(made)


def _with_passages(workspace: Workspace, scorecard: Scorecard) -> bool:
    """Whether this candidate will be shown the documents in service."""
    shown = workspace.settings.serving.passages
    return shown == "always" or (shown == "auto" and scorecard.use in _WITH_DOCUMENTS)


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


def refusals(workspace: Workspace, scorecard: Scorecard) -> list[str]:
    """Why a candidate may not be released, by its scorecard and its comparison with production; empty when it may."""
    production, candidate = workspace.alias(PRODUCTION), workspace.ancestor(scorecard, Candidate)
    reasons = gate(scorecard, scorecard.served(_with_passages(workspace, scorecard)))
    if CANARIES in scorecard.parts:
        reasons.append("secrets were planted in it: set training.canaries to 0, plan and train again")
    for one in workspace.all(Comparison):
        if one.worse and one.made_from == (candidate.id, production):
            reasons.append(f"it is worse than the version in production on {' and '.join(one.worse)}")
    return reasons


def gate(scorecard: Scorecard, served: str = "tuned") -> list[str]:
    """Why a candidate may not be released; empty when it may.

    That tuning is worth it is asked of the model alone. That nothing gets worse is asked of the system that customers meet:
    a model that makes up prices when it is shown no documents may be the better one with them.
    """
    reasons = []
    if scorecard.test_conversations < FEWEST_TESTED:
        reasons.append(
            f"only {scorecard.test_conversations} conversations were held out, and fewer than {FEWEST_TESTED} prove nothing"
        )
    difference = scorecard.differences["tuned-base"]["loss"]
    if "loss" not in scorecard.better["tuned-base"]:
        reasons.append(
            f"its loss on held-out conversations is not better than the base model's "
            f"({difference.value:+.3f}, 95% interval {difference.low:+.3f} to {difference.high:+.3f})"
        )
    if worse := scorecard.worse[f"{served}-base"]:
        shown = ", shown your documents," if served == "both" else ""
        reasons.append(f"it is{shown} worse than the base model on {', '.join(worse)}")
    return reasons

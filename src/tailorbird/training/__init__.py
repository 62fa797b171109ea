"""Plan -> Candidate: an adapter, its loss curves, and what it cost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tailorbird import engine
from tailorbird.artifacts import Audit, Candidate, Conversation, CurvePoint, Plan, make_id
from tailorbird.language import label_classifier
from tailorbird.language.label_classifier import LabelClassifier
from tailorbird.lessons import labels, once, taught
from tailorbird.progress import Progress, silent
from tailorbird.replier import Message
from tailorbird.training.recording import FILE, recorded
from tailorbird.training.reinforcing import reinforced
from tailorbird.workspace import Workspace, read_conversations, write_lines, write_text

if TYPE_CHECKING:
    from tailorbird.engine.fitting import Fitted

_MEASURES = ("reward", "kl", "length", "cut", "repetition", "entropy", "passes")


def train(workspace: Workspace, plan: Plan, progress: Progress = silent) -> Candidate:
    """Trains as planned. Interrupted, it goes on from its last checkpoint when called again, to the same weights."""
    identity = identity_of(plan)
    if found := workspace.find(Candidate, identity):
        return workspace.use(found)
    draft = workspace.draft(identity, fresh=False)
    run = engine.Run(draft, progress, tuple(workspace.settings.training.report_to))
    return workspace.save(candidate_of(plan, learn(workspace, plan, run), draft), draft)


def identity_of(plan: Plan) -> str:
    """The id of the candidate that a plan leads to."""
    return make_id(Candidate, plan=plan.id, steps=plan.steps, tokens_per_step=plan.tokens_per_step)


def learn(workspace: Workspace, plan: Plan, run: engine.Run) -> Fitted:
    """Learns the plan's lessons in the run's folder, beginning with what the plan goes on from."""
    learning, keeping, checking = (read_conversations(workspace.path(plan) / f"{name}.jsonl") for name in plan.parts)
    base = engine.locate(plan.model, run.progress)
    start = next((one for one in workspace.lineage(plan) if isinstance(one, Candidate)), None)
    run = run._replace(start=workspace.path(start) / "adapter" if start else None)
    match plan.learns_from:
        case "answers":
            chats, checks, replayed = ([one.messages for one in part] for part in (learning, checking, keeping))
            fitted = engine.fit(base, plan, chats, checks, run, replayed)
        case "pairs":
            fitted = engine.prefer(base, plan, _pairs(learning), _pairs(checking), run)
        case "thumbs":
            fitted = engine.learn_thumbs(base, plan, _thumbs(learning), _thumbs(checking), run)
        case "rewards":
            fitted = reinforced(workspace, plan, base, (learning, checking), run)
    label_classifier.save(run.folder / label_classifier.FILE, _classifiers(workspace, plan))
    write_text(run.folder / FILE, recorded(plan, workspace.path(plan), base).model_dump_json(indent=1))
    return fitted


def _classifiers(workspace: Workspace, plan: Plan) -> dict[str, LabelClassifier]:
    """A second reader for each task with labels, of all that may be learned from, whatever the plan has of it."""
    tasks = workspace.settings.tasks
    learned = list(taught(read_conversations(workspace.path(workspace.ancestor(plan, Audit)) / "train.jsonl"), tasks))
    found = {}
    for name, task in tasks.items():
        if known := labels(task, name, learned):
            rows = [one.turns for one in learned if one.task == name and one.turns[-1].content in known]
            texts = [once(turns[-2].content, task.read_twice) for turns in rows]
            answers = [turns[-1].content for turns in rows]
            found[name] = label_classifier.fit(texts, answers, engine.embed)
    return {name: one for name, one in found.items() if one}


def candidate_of(plan: Plan, fitted: Fitted, draft: Path) -> Candidate:
    """What a run came to, as the plan's candidate; its folder is made ready to be saved."""
    write_lines(draft / "curve.jsonl", [_point(row) for row in fitted.curve])
    for name in ("checkpoints", "reward-checkpoints"):
        shutil.rmtree(draft / name, ignore_errors=True)
    return Candidate(
        id=identity_of(plan),
        made_from=(plan.id,),
        model=plan.model,
        steps=fitted.steps,
        best_step=fitted.best_step,
        stopped_early=fitted.stopped_early,
        train_loss=fitted.train_loss,
        validation_loss=fitted.validation_loss,
        minutes=fitted.seconds / 60,
        tokens_per_second=fitted.tokens_per_second,
        peak_memory_gb=fitted.peak_memory_gb,
    )


def _point(row: dict[str, float]) -> CurvePoint:
    measures = {name: value for name, value in row.items() if name.removeprefix("eval_").startswith(_MEASURES)}
    return CurvePoint(step=int(row["step"]), train_loss=row.get("loss"), validation_loss=row.get("eval_loss"), measures=measures)


def _pairs(conversations: list[Conversation]) -> list[tuple[list[Message], list[Message]]]:
    return [one.pair for one in conversations if one.pair]


def _thumbs(conversations: list[Conversation]) -> list[tuple[list[Message], bool]]:
    return [(one.messages, one.liked) for one in conversations if one.liked is not None]

"""Plan -> Candidate: an adapter, its loss curves, and what it cost."""

from __future__ import annotations

import shutil

from tailorbird import engine
from tailorbird.artifacts import Candidate, Conversation, CurvePoint, Plan, make_id
from tailorbird.progress import Progress, silent
from tailorbird.replier import Message
from tailorbird.workspace import Workspace, read_conversations, write_lines


def train(workspace: Workspace, plan: Plan, progress: Progress = silent) -> Candidate:
    """Trains as planned. Interrupted, it goes on from its last checkpoint when called again, to the same weights."""
    identity = make_id(Candidate, plan=plan.id, steps=plan.steps, tokens_per_step=plan.tokens_per_step)
    if found := workspace.find(Candidate, identity):
        return workspace.use(found)
    learning, checking = (read_conversations(workspace.path(plan) / f"{name}.jsonl") for name in ("train", "validation"))
    base = engine.locate(plan.model, progress)
    draft = workspace.draft(identity, fresh=False)
    start = next((one for one in workspace.lineage(plan) if isinstance(one, Candidate)), None)
    trackers = tuple(workspace.settings.training.report_to)
    run = engine.Run(draft, progress, trackers, workspace.path(start) / "adapter" if start else None)
    match plan.learns_from:
        case "answers":
            fitted = engine.fit(base, plan, [c.messages for c in learning], [c.messages for c in checking], run)
        case "pairs":
            fitted = engine.prefer(base, plan, _pairs(learning), _pairs(checking), run)
        case "thumbs":
            fitted = engine.learn_thumbs(base, plan, _thumbs(learning), _thumbs(checking), run)
    write_lines(draft / "curve.jsonl", [_point(row) for row in fitted.curve])
    shutil.rmtree(draft / "checkpoints")
    candidate = Candidate(
        id=identity,
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
    return workspace.save(candidate, draft)


def _point(row: dict[str, float]) -> CurvePoint:
    return CurvePoint(step=int(row["step"]), train_loss=row.get("loss"), validation_loss=row.get("eval_loss"))


def _pairs(conversations: list[Conversation]) -> list[tuple[list[Message], list[Message]]]:
    return [one.pair for one in conversations if one.pair]


def _thumbs(conversations: list[Conversation]) -> list[tuple[list[Message], bool]]:
    return [(one.messages, one.liked) for one in conversations if one.liked is not None]

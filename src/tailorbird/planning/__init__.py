"""Audit -> Plan: what to train, how, and what it costs on this machine; every choice with its why."""

from __future__ import annotations

import psutil

from tailorbird import engine
from tailorbird.artifacts import Audit, Plan, make_id
from tailorbird.knowledge import documents_of
from tailorbird.planning.choosing import lessons, starting_from
from tailorbird.planning.cost import Machine
from tailorbird.planning.methods import choose
from tailorbird.planning.predicting import Given, predicted
from tailorbird.progress import Progress, silent
from tailorbird.workspace import Workspace, write_lines


def plan(workspace: Workspace, audit: Audit, progress: Progress = silent) -> Plan:
    """Chooses model, method, lengths, steps and rates, and predicts minutes and memory; raises PlanError if it cannot fit.

    Time and memory are measured, not guessed: about ten seconds of real training run on this machine first.
    """
    wanted, model = workspace.settings.training, workspace.settings.model
    machine = Machine(engine.cores(), memory_gb=round(psutil.virtual_memory().total / 1e9, 1))
    start = starting_from(workspace, wanted, model)
    sources = (audit.id, *([start.id] if start else []))
    asked = wanted.model_dump(exclude={"report_to"})
    tasks = {name: task.model_dump() for name, task in workspace.settings.tasks.items()}
    knowledge = documents_of(workspace, engine.embed, progress) if wanted.passages and wanted.learn_from == "answers" else None
    identity = make_id(
        Plan, audit=sources, model=model, training=asked, machine=machine._asdict(), tasks=tasks, parts=Plan.parts,
        documents=knowledge.digests() if knowledge else {},
    )  # fmt: skip
    if found := workspace.find(Plan, identity):
        return workspace.use(found)
    chosen = lessons(workspace, audit, start, knowledge)
    base = engine.locate(model, progress)
    facts, mixed = engine.model_facts(base), engine.mixed_precision(progress)
    given = Given(base, model, facts, chosen, start, wanted, machine, mixed)
    method = choose(wanted, len(chosen.train), facts["parameters"], workspace.ancestor(start, Plan) if start else None)
    made = predicted(identity, sources, given, method, progress).plan
    with workspace.drafting(identity) as draft:
        for name in Plan.parts:
            write_lines(draft / f"{name}.jsonl", getattr(chosen, name))
        return workspace.save(made, draft)

"""What every method would take on this machine, and what the planned run would cost elsewhere; each measured or priced."""

from __future__ import annotations

import psutil

from tailorbird import engine
from tailorbird.artifacts import Plan
from tailorbird.errors import PlanError
from tailorbird.planning.choosing import Lessons
from tailorbird.planning.cost import Machine
from tailorbird.planning.methods import choose
from tailorbird.planning.predicting import Given, Predicted, predicted
from tailorbird.prices import Cost, Costs, MethodCost, elsewhere, here, prices, rate_of
from tailorbird.progress import Progress, silent
from tailorbird.workspace import Workspace, read_conversations, write_text

_METHODS = ("lora", "dora", "full", "prompt", "prefix")
_FILE = "costs.json"


def costs(workspace: Workspace, plan: Plan, progress: Progress = silent) -> Costs:
    """Minutes, memory, disk and money of each method, measured here about ten seconds each, and prices elsewhere.

    On this machine answers cost the electricity of reading the question. Kept beside the plan, so that asking again is
    instant. Raises SettingsError for prices that cannot be read.
    """
    known, currency = prices(workspace.folder), workspace.settings.currency
    rate = rate_of(known, currency)
    kept = workspace.path(plan) / _FILE
    if kept.is_file():
        found = Costs.model_validate_json(kept.read_text(encoding="utf-8"))
        if (found.currency, found.prices) == (currency, known.digest):
            return found
    measured = _measured(workspace, plan, progress)
    methods = [
        MethodCost(
            method=name, minutes=one.plan.minutes, memory_gb=one.plan.memory_gb, disk_gb=round(one.disk_gb, 2),
            training=here(one.plan.minutes, known, rate),
        )
        for name, one in measured.items()
    ]  # fmt: skip
    facts = engine.model_facts(engine.locate(plan.model, progress))
    planned = measured.get(plan.method) or next(iter(measured.values()))
    few = known.retrieval
    read = {name: few.answers * tokens / planned.reading / 60 for name, tokens in (
        ("tuned", planned.each), ("retrieval", planned.each + few.passages * few.tokens_each)
    )}  # fmt: skip
    ways = [
        Cost(
            way="this machine, its electricity", minutes=plan.minutes, training=here(plan.minutes, known, rate),
            answers=here(read["tuned"], known, rate), source=known.here.source,
        ),
        Cost(
            way="retrieval on this machine, untuned", minutes=0, training=0, answers=here(read["retrieval"], known, rate),
            source=f"{few.passages} passages of {few.tokens_each} tokens more to read for every answer",
        ),
        *elsewhere(plan, planned.tokens, facts["parameters"], planned.each, known, rate),
    ]  # fmt: skip
    told = Costs(
        currency=currency, date=known.date, prices=known.digest, answers=known.retrieval.answers, methods=methods, ways=ways
    )  # fmt: skip
    write_text(kept, told.model_dump_json(indent=1))
    return told


def _measured(workspace: Workspace, plan: Plan, progress: Progress) -> dict[str, Predicted]:
    """The plan as it would be with each method; those that do not fit or do not go with the lessons are left out."""
    base = engine.locate(plan.model, progress)
    facts, mixed = engine.model_facts(base), engine.mixed_precision(progress)
    machine = Machine(engine.cores(), memory_gb=round(psutil.virtual_memory().total / 1e9, 1))
    folder = workspace.path(plan)
    train, validation = (read_conversations(folder / f"{name}.jsonl") for name in ("train", "validation"))
    found = {}
    for name in dict.fromkeys((plan.method, *_METHODS)):
        wanted = workspace.settings.training.model_copy(
            update={"method": name, "learn_from": plan.learns_from, "lora_rank": plan.lora_rank or None}
        )
        given = Given(base, plan.model, facts, Lessons(train, validation, ""), None, wanted, machine, mixed)
        try:
            method = choose(wanted, len(train), facts["parameters"], None)
            found[name] = predicted(plan.id, plan.made_from, given, method, progress)
        except PlanError:
            continue
    return found

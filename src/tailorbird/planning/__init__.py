"""Audit -> Plan: what to train, how, and what it costs on this machine; every choice with its why."""

from __future__ import annotations

import psutil

from tailorbird import engine
from tailorbird.artifacts import Audit, Plan, make_id
from tailorbird.planning import cost
from tailorbird.planning.choosing import chats_of, lessons, starting_from
from tailorbird.planning.cost import Machine
from tailorbird.planning.methods import choose
from tailorbird.progress import Progress, silent
from tailorbird.workspace import Workspace, write_lines

_CHECKS = 6
_PATIENCE = 3
_SOFT_AS_RANK = 1  # training a soft prompt is measured as the smallest LoRA, which costs as much


def plan(workspace: Workspace, audit: Audit, progress: Progress = silent) -> Plan:
    """Chooses model, method, lengths, steps and rates, and predicts minutes and memory; raises PlanError if it cannot fit.

    Time is measured, not guessed: three real training steps run on this machine first.
    """
    wanted, model = workspace.settings.training, workspace.settings.model
    machine = Machine(engine.cores(), memory_gb=round(psutil.virtual_memory().total / 1e9, 1))
    start = starting_from(workspace, wanted, model)
    sources = (audit.id, *([start.id] if start else []))
    asked = wanted.model_dump(exclude={"report_to"})
    tasks = {name: task.model_dump() for name, task in workspace.settings.tasks.items()}
    identity = make_id(Plan, audit=sources, model=model, training=asked, machine=machine._asdict(), tasks=tasks)
    if found := workspace.find(Plan, identity):
        return workspace.use(found)
    chosen = lessons(workspace, audit, start)
    base = engine.locate(model, progress)
    mixed = engine.mixed_precision(progress)
    facts = engine.model_facts(base)
    chats, checks = (chats_of(part, wanted.learn_from) for part in (chosen.train, chosen.validation))
    lengths, prefix = engine.measure_lengths(base, chats)
    check_lengths, _ = engine.measure_lengths(base, checks)
    method = choose(wanted, len(chats), facts["parameters"], workspace.ancestor(start, Plan) if start else None)
    prefix += method.virtual_tokens
    free_gb = psutil.virtual_memory().available / 1e9
    size = cost.fit_memory(facts, lengths, prefix, method.rank, mixed, wanted, free_gb)
    speed = engine.measure_speed(base, chats[:64], size.tokens_per_pass, method.rank or _SOFT_AS_RANK, progress)
    work = cost.fit_time(
        [min(n, size.sequence_length) for n in lengths], sum(check_lengths), prefix, size, speed, wanted, _CHECKS
    )
    why = {
        "model": f"{facts['parameters'] / 1e6:.0f} million parameters; named in tailorbird.yaml or the default.",
        **method.why,
        "lessons": chosen.why,
        "start": f"training goes on from {start.id}." if start else "training starts from the base model.",
        "sequence_length": size.why_length,
        "tokens_per_step": size.why_tokens,
        "steps": work.why,
        "minutes": f"{speed:.0f} tokens/s measured just now on {machine.cores} cores"
        + (" with bfloat16." if mixed else "; this processor has no bfloat16, which makes it 2 to 3 times slower."),
        "memory_gb": f"weights, activations of {size.tokens_per_pass} tokens, adapter, optimizer; {size.free_gb:.1f} GB free.",
    }  # fmt: skip
    made = Plan(
        id=identity,
        made_from=sources,
        model=model,
        method=method.name,
        learns_from=wanted.learn_from,
        lora_rank=method.rank,
        virtual_tokens=method.virtual_tokens,
        sequence_length=size.sequence_length,
        tokens_per_step=size.tokens_per_pass * size.accumulation,
        accumulation=size.accumulation,
        epochs=work.epochs,
        steps=work.steps,
        learning_rate=method.learning_rate,
        check_every=max(1, work.steps // _CHECKS),
        patience=_PATIENCE,
        seed=wanted.seed,
        minutes=round(work.minutes, 2),
        memory_gb=round(size.memory_gb, 2),
        why=why,
    )
    with workspace.drafting(identity) as draft:
        write_lines(draft / "train.jsonl", chosen.train)
        write_lines(draft / "validation.jsonl", chosen.validation)
        return workspace.save(made, draft)

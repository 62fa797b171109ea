"""Fits a model to answers, pairs or thumbs: from conversations to a saved adapter, or to a whole model."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback

from tailorbird.artifacts import Plan
from tailorbird.engine.adapters import add_adapter, load_adapter, virtual_tokens, with_virtual
from tailorbird.engine.chat import ChatEncoder, Encoded
from tailorbird.engine.loading import is_whole_model, load_base, reload_weights, save_tuned
from tailorbird.engine.measuring import forget_peak, peak_memory_gb
from tailorbird.engine.objectives import (
    Chats,
    PairPass,
    Pairs,
    Pass,
    ReplayPass,
    ThumbPass,
    Thumbs,
    encode_all,
    encode_pairs,
    encode_thumbs,
    guiding_states,
    reference_losses,
    thumb_weights,
)  # fmt: skip
from tailorbird.engine.packing import Group, joined, lay_out, plan_bins, plan_replay, plan_steps
from tailorbird.engine.run import Run
from tailorbird.engine.trainer import Watch, arguments, collate, make_trainer, train_on
from tailorbird.errors import PlanError, WorkspaceError


@dataclass(frozen=True)
class Fitted:
    """What a training run came to. Losses in nats a token, memory in GB; `curve` has a row for each logged step."""

    steps: int
    best_step: int
    train_loss: float
    validation_loss: float
    seconds: float
    tokens_per_second: float
    peak_memory_gb: float
    stopped_early: bool
    curve: list[dict[str, float]]


def fit(base: Path, plan: Plan, train: Chats, validation: Chats, run: Run, replayed: Chats) -> Fitted:
    """Trains on the assistant's answers as planned and leaves the best adapter (or whole model) in `run.folder/adapter`.

    It begins as `run.start`, if one is given, and what that says in the `replayed` conversations holds it in place: they are
    not learned as they stand. Checkpoints lie in `run.folder/checkpoints`; called again after an
    interruption it goes on from the newest complete one and ends with the same weights. Raises PlanError when no
    conversation fits the sequence length.
    """
    encoder = ChatEncoder(base)
    learning, watching, keeping = (encode_all(encoder, chats, plan.sequence_length) for chats in (train, validation, replayed))
    _refuse_nothing(learning, watching)
    model, run = _begun(base, plan, run, learning[0].ids)
    before = virtual_tokens(model)
    learned, watched = (_groups(with_virtual(items, before)) for items in (learning, watching))
    passes = _passes(model, plan, learned, _groups(keeping), run)
    checks = [Pass(pack) for pack in plan_steps(watched, plan.tokens_per_pass, 1, plan.seed)]
    return _run(model, base, plan, passes, checks, run)


def prefer(base: Path, plan: Plan, train: Pairs, validation: Pairs, run: Run) -> Fitted:
    """Trains by DPO (arXiv 2305.18290) to prefer the chosen of two conversations; else as `fit`.

    The reference is the model before this run: the base model, or `run.start`. Its losses are computed once and kept in
    `run.folder`. Losses in the result are nats a pair.
    """
    encoder = ChatEncoder(base)
    parts = {"train": train, "validation": validation}
    pairs = {name: encode_pairs(encoder, told, plan.sequence_length) for name, told in parts.items()}
    _refuse_nothing(*pairs.values())
    model, run = _begun(base, plan, run, ())

    def passes(name: str, groups: list[Group], bins: list[list[int]]) -> list[Pass]:
        reference = _reference(model, plan, groups, bins, run, name)
        return [PairPass(lay_out(joined(groups, chosen)), tuple(reference[n] for n in chosen)) for chosen in bins]

    learned, watched = (passes(name, groups, _bins(plan, groups, name)) for name, groups in pairs.items())
    return _run(model, base, plan, learned, watched, run)


def learn_thumbs(base: Path, plan: Plan, train: Thumbs, validation: Thumbs, run: Run) -> Fitted:
    """Trains by KTO (arXiv 2402.01306) towards liked answers and away from disliked ones; else as `prefer`.

    Losses in the result are between 0 and 1 for each judged answer.
    """
    encoder = ChatEncoder(base)
    parts = {"train": train, "validation": validation}
    judged = {name: encode_thumbs(encoder, told, plan.sequence_length) for name, told in parts.items()}
    _refuse_nothing(*(groups for groups, _ in judged.values()))
    model, run = _begun(base, plan, run, ())

    def passes(name: str) -> list[Pass]:
        groups, liked = judged[name]
        weights, bins = thumb_weights(liked), _bins(plan, groups, name)
        reference = _reference(model, plan, groups, bins, run, name)
        return [
            ThumbPass(lay_out(joined(groups, chosen)), tuple(reference[n] for n in chosen), tuple(weights[n] for n in chosen))
            for chosen in bins
        ]

    return _run(model, base, plan, passes("train"), passes("validation"), run)


def _begun(base: Path, plan: Plan, run: Run, ids: Sequence[int]) -> tuple[Any, Run]:
    """The base model with what is to be trained: fresh, or as an earlier run left it; and the run, whose time counts from now."""
    forget_peak()
    whole = run.start and is_whole_model(run.start)
    model = load_base(run.start if run.start and whole else base, packed=True)
    model = load_adapter(model, run.start, trainable=True) if run.start and not whole else add_adapter(model, plan, ids)
    return model, run._replace(begun=time.monotonic())


def _passes(model: Any, plan: Plan, learned: list[Group], replayed: list[Group], run: Run) -> list[Pass]:
    """The passes of a run, each with some of what is replayed.

    That is learned as it stands where every weight moves: the output layer, which would read its guides, moves too.
    """
    if not replayed:
        return [Pass(pack) for pack in plan_steps(learned, plan.tokens_per_pass, plan.epochs, plan.seed)]
    bins = plan_replay(learned, replayed, plan.tokens_per_pass, plan.epochs, plan.seed)
    packs = [lay_out(joined([*learned, *replayed], members)) for members in bins]
    if plan.method == "full":
        return [Pass(pack) for pack in packs]
    guides = guiding_states(model, replayed, plan.tokens_per_pass, run.progress)
    guiding = [[guides[n - len(learned)] for n in members if n >= len(learned)] for members in bins]
    return [ReplayPass(pack, torch.cat(own)) if own else Pass(pack) for pack, own in zip(packs, guiding, strict=True)]


def _bins(plan: Plan, groups: list[Group], name: str) -> list[list[int]]:
    """The groups of each pass: as many as the plan's steps take, or all of them once to be validated with."""
    if name == "validation":
        return plan_bins(groups, plan.tokens_per_pass, 1, plan.seed)
    return plan_bins(groups, plan.tokens_per_pass, plan.epochs, plan.seed)[: plan.steps * plan.accumulation]


def _reference(
    model: Any, plan: Plan, groups: list[Group], bins: list[list[int]], run: Run, name: str
) -> dict[int, tuple[float, float]]:
    """Losses of the model before this run for each group that the passes have, by its number.

    Those of a whole model are computed before its first step, so it is that model.
    """
    used = sorted({number for chosen in bins for number in chosen})
    as_before = nullcontext() if run.start or plan.method == "full" else model.disable_adapter()
    kept = run.folder / f"reference-{name}.json"
    theirs = [groups[number] for number in used]
    return dict(zip(used, reference_losses(model, theirs, plan.tokens_per_pass, kept, as_before, run.progress), strict=True))


def _groups(items: list[Encoded]) -> list[Group]:
    return [(item,) for item in items]


def _refuse_nothing(learning: Sequence[Any], watching: Sequence[Any]) -> None:
    if not learning or not watching:
        raise PlanError(
            "No conversation fits the planned sequence length, so there is nothing to train or validate on.",
            fix="Raise training.sequence_length in tailorbird.yaml.",
        )


def _run(model: Any, base: Path, plan: Plan, passes: list[Pass], checks: list[Pass], run: Run) -> Fitted:
    passes = passes[: plan.steps * plan.accumulation]
    checkpoints = run.folder / "checkpoints"
    watch = Watch(passes, plan.accumulation, run)
    trainer = make_trainer(
        plan,
        model=model,
        args=arguments(plan, math.ceil(len(passes) / plan.accumulation), checkpoints, run.report_to),
        train_dataset=passes,
        data_collator=collate,
        eval_dataset=checks,
        callbacks=[watch, EarlyStoppingCallback(early_stopping_patience=plan.patience)],
    )
    try:
        train_on(trainer, watch, checkpoints)
        state = trainer.state
        best = int(str(state.best_model_checkpoint).rpartition("-")[2])
        reload_weights(model, checkpoints / f"checkpoint-{best}")
        save_tuned(model, base, run.folder / "adapter")
    except Exception as problem:
        if shutil.disk_usage(run.folder).free < 200_000_000:
            raise WorkspaceError(
                f"The disk is full, so training stopped: {problem}",
                fix="Free some space and run the same command: it goes on from the last complete checkpoint.",
                where=str(run.folder),
            ) from problem
        raise
    finally:
        watch.close()
    curve = [{k: v for k, v in row.items() if isinstance(v, (int, float))} for row in state.log_history]
    losses = [row["loss"] for row in curve if "loss" in row]
    done = passes[: state.global_step * plan.accumulation]
    return Fitted(
        steps=state.global_step,
        best_step=best,
        train_loss=sum(losses[-10:]) / len(losses[-10:]),
        validation_loss=float(state.best_metric or 0.0),
        seconds=watch.seconds,
        tokens_per_second=sum(one.pack.tokens for one in done) / max(watch.seconds, 1e-9),
        peak_memory_gb=peak_memory_gb(),
        stopped_early=len(done) < len(passes),
        curve=curve,
    )

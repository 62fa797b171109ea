"""Fits an adapter: transformers' Trainer around the packed step, with checkpoints that survive a kill."""

from __future__ import annotations

import json
import math
import resource
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch.utils.data import SequentialSampler
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from tailorbird.artifacts import Plan
from tailorbird.engine.adapters import add_adapter, add_lora, load_adapter, virtual_tokens, with_virtual
from tailorbird.engine.chat import ChatEncoder, Encoded
from tailorbird.engine.loading import device, load_base, reload_adapter
from tailorbird.engine.objectives import (
    Chats,
    PairPass,
    Pairs,
    Pass,
    ThumbPass,
    Thumbs,
    encode_all,
    encode_pairs,
    encode_thumbs,
    reference_losses,
    thumb_weights,
)  # fmt: skip
from tailorbird.engine.packed import target_losses
from tailorbird.engine.packing import Group, joined, lay_out, plan_bins, plan_steps, shared_prefix
from tailorbird.errors import PlanError, SettingsError, WorkspaceError
from tailorbird.progress import Progress

_COMPLETE = "complete"


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


def fit(base: Path, plan: Plan, train: Chats, validation: Chats, folder: Path, progress: Progress,
        report_to: list[str] | None = None, start: Path | None = None) -> Fitted:  # fmt: skip
    """Trains an adapter on the assistant's answers as planned and leaves the best one in `folder/adapter`.

    It begins as the adapter `start`, if one is given. Checkpoints lie in `folder/checkpoints`; called again after an
    interruption it goes on from the newest complete one and ends with the same weights. Raises PlanError when no
    conversation fits the sequence length.
    """
    encoder = ChatEncoder(base)
    learning, watching = (encode_all(encoder, chats, plan.sequence_length) for chats in (train, validation))
    _refuse_nothing(learning, watching)
    model = _begun(base, plan, start, learning[0].ids)
    before = virtual_tokens(model)
    learned, watched = (_groups(with_virtual(items, before)) for items in (learning, watching))
    passes = [Pass(pack) for pack in plan_steps(learned, plan.tokens_per_pass, plan.epochs, plan.seed)]
    checks = [Pass(pack) for pack in plan_steps(watched, plan.tokens_per_pass, 1, plan.seed)]
    return _run(model, plan, passes, checks, folder, progress, report_to or [])


def prefer(base: Path, plan: Plan, train: Pairs, validation: Pairs, folder: Path, progress: Progress,
           report_to: list[str] | None = None, start: Path | None = None) -> Fitted:  # fmt: skip
    """Trains a LoRA adapter by DPO (arXiv 2305.18290) to prefer the chosen of two conversations; else as `fit`.

    The reference is the model before this run: the base model, or the adapter `start`. Its losses are computed once and
    kept in `folder`. Losses in the result are nats a pair.
    """
    encoder = ChatEncoder(base)
    parts = {"train": train, "validation": validation}
    pairs = {name: encode_pairs(encoder, told, plan.sequence_length) for name, told in parts.items()}
    _refuse_nothing(*pairs.values())
    model = _begun(base, plan, start, ())

    def passes(name: str, groups: list[Group], epochs: int) -> list[Pass]:
        reference = _reference(model, plan, groups, folder / f"reference-{name}.json", start, progress)
        bins = plan_bins(groups, plan.tokens_per_pass, epochs, plan.seed)
        return [PairPass(lay_out(joined(groups, chosen)), tuple(reference[n] for n in chosen)) for chosen in bins]

    made = passes("train", pairs["train"], plan.epochs), passes("validation", pairs["validation"], 1)
    return _run(model, plan, *made, folder, progress, report_to or [])


def learn_thumbs(base: Path, plan: Plan, train: Thumbs, validation: Thumbs, folder: Path, progress: Progress,
                 report_to: list[str] | None = None, start: Path | None = None) -> Fitted:  # fmt: skip
    """Trains a LoRA adapter by KTO (arXiv 2402.01306) towards liked answers and away from disliked ones; else as `prefer`.

    Losses in the result are between 0 and 1 for each judged answer.
    """
    encoder = ChatEncoder(base)
    parts = {"train": train, "validation": validation}
    judged = {name: encode_thumbs(encoder, told, plan.sequence_length) for name, told in parts.items()}
    _refuse_nothing(*(groups for groups, _ in judged.values()))
    model = _begun(base, plan, start, ())

    def passes(name: str, epochs: int) -> list[Pass]:
        groups, liked = judged[name]
        weights = thumb_weights(liked)
        reference = _reference(model, plan, groups, folder / f"reference-{name}.json", start, progress)
        return [
            ThumbPass(lay_out(joined(groups, chosen)), tuple(reference[n] for n in chosen), tuple(weights[n] for n in chosen))
            for chosen in plan_bins(groups, plan.tokens_per_pass, epochs, plan.seed)
        ]

    return _run(model, plan, passes("train", plan.epochs), passes("validation", 1), folder, progress, report_to or [])


def _begun(base: Path, plan: Plan, start: Path | None, ids: Sequence[int]) -> Any:
    """The base model with the adapter to train: a fresh one, or the one to go on from."""
    model = load_base(base, packed=True)
    return load_adapter(model, start, trainable=True) if start else add_adapter(model, plan, ids)


def _reference(
    model: Any, plan: Plan, groups: list[Group], kept: Path, start: Path | None, progress: Progress
) -> list[tuple[float, float]]:
    as_before = nullcontext() if start else model.disable_adapter()
    losses: list[tuple[float, float]] = reference_losses(model, groups, plan.tokens_per_pass, kept, as_before, progress)
    return losses


def _groups(items: list[Encoded]) -> list[Group]:
    return [(item,) for item in items]


def _refuse_nothing(learning: Sequence[Any], watching: Sequence[Any]) -> None:
    if not learning or not watching:
        raise PlanError(
            "No conversation fits the planned sequence length, so there is nothing to train or validate on.",
            fix="Raise training.sequence_length in tailorbird.yaml.",
        )


def _run(
    model: Any, plan: Plan, passes: list[Pass], checks: list[Pass], folder: Path, progress: Progress, report_to: list[str]
) -> Fitted:
    passes = passes[: plan.steps * plan.accumulation]
    checkpoints = folder / "checkpoints"
    watch = _Watch(passes, plan.accumulation, progress)
    trainer = _trainer(
        model=model,
        args=_arguments(plan, math.ceil(len(passes) / plan.accumulation), checkpoints, report_to),
        train_dataset=passes,
        data_collator=_collate,
        eval_dataset=checks,
        callbacks=[watch, EarlyStoppingCallback(early_stopping_patience=plan.patience)],
    )
    try:
        trainer.train(resume_from_checkpoint=newest_checkpoint(checkpoints))
        state = trainer.state
        best = int(str(state.best_model_checkpoint).rpartition("-")[2])
        reload_adapter(model, checkpoints / f"checkpoint-{best}")
        model.save_pretrained(folder / "adapter")
    except Exception as problem:
        if shutil.disk_usage(folder).free < 200_000_000:
            raise WorkspaceError(
                f"The disk is full, so training stopped: {problem}",
                fix="Free some space and run the same command: it goes on from the last complete checkpoint.",
                where=str(folder),
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


def _trainer(**options: Any) -> PackedTrainer:
    try:
        trainer = PackedTrainer(**options)
    except (RuntimeError, ValueError, ImportError) as problem:
        if options["args"].report_to:
            raise SettingsError(
                f"A tracker of training.report_to cannot be used: {problem}", fix="Install it, or take it out of tailorbird.yaml."
            ) from problem
        raise
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(plan: Plan, steps: int, folder: Path, report_to: list[str]) -> TrainingArguments:
    every = max(1, min(plan.check_every, steps))
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=plan.accumulation,
        learning_rate=plan.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, steps // 20),
        weight_decay=0.0,
        max_grad_norm=1.0,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=3,
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        load_best_model_at_end=False,
        restore_callback_states_from_checkpoint=True,
        logging_steps=1,
        report_to=report_to or "none",
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=device() == "cpu",
        seed=plan.seed,
    )


def _collate(passes: list[Pass]) -> dict[str, Any]:
    labels = torch.zeros(passes[0].terms)  # the Trainer counts them; of `labels` alone it would leave out the first
    return {"pass": passes[0], "labels": labels, "shift_labels": labels}


class PackedTrainer(Trainer):  # type: ignore[misc]
    """transformers' Trainer whose batch is one pass and whose losses are weighted by term, however many passes a step has."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.model_accepts_loss_kwargs = True  # num_items_in_batch: the terms of all accumulated passes

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
        """The pass's losses, summed and divided by the terms of the whole optimizer step."""
        chosen: Pass = inputs["pass"]
        return chosen.losses(model).sum() / (num_items_in_batch if num_items_in_batch is not None else chosen.terms)

    def evaluate(self, *args: Any, **options: Any) -> dict[str, float]:
        """Validation loss per term."""
        self.model.eval()
        metrics = {"eval_loss": mean_loss(self.model, self.eval_dataset)}
        self.model.train()
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def floating_point_ops(self, inputs: Any) -> int:
        """Not counted: the Trainer would look for padded batches."""
        return 0


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Shows progress, keeps the time over interruptions, and marks checkpoints that were written to the end."""

    def __init__(self, passes: list[Pass], accumulation: int, progress: Progress) -> None:
        tokens = [len(one.pack.ids) for one in passes]
        self.steps = [sum(tokens[start : start + accumulation]) for start in range(0, len(tokens), accumulation)]
        self.progress = progress
        self.bar: Any = None
        self.advance: Callable[[float], None] = lambda amount: None
        self.started = time.monotonic()
        self.before = 0.0

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self.started

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.before = next((row["seconds"] for row in reversed(state.log_history) if "seconds" in row), 0.0)
        self.started = time.monotonic()
        self.bar = self.progress("Training", sum(self.steps))
        self.advance = self.bar.__enter__()
        self.advance(sum(self.steps[: state.global_step]))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.advance(self.steps[state.global_step - 1])

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if state.log_history:
            state.log_history[-1]["seconds"] = self.seconds

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / _COMPLETE).touch()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.__exit__(None, None, None)


def newest_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that was written to the end, or None."""
    complete = [path.parent for path in folder.glob(f"checkpoint-*/{_COMPLETE}")]
    return str(max(complete, key=lambda path: int(path.name.rpartition("-")[2]))) if complete else None


@torch.no_grad()  # type: ignore[untyped-decorator]
def mean_loss(model: Any, passes: list[Pass]) -> float:
    """The mean loss of all terms, every one weighing the same."""
    return float(torch.cat([one.losses(model) for one in passes]).mean())


def peak_memory_gb() -> float:
    """The most memory this process has used, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def measure_speed(base: Path, sample: Chats, plan_tokens: int, rank: int, progress: Progress) -> float:
    """Training tokens a second on this machine, from five real passes, the first two of which do not count."""
    encoder = ChatEncoder(base)
    groups = [(item,) for item in encode_all(encoder, sample, plan_tokens)]
    model = add_lora(load_base(base, packed=True), rank, 2 * rank, seed=0)
    packs = (plan_steps(groups, plan_tokens, epochs=1, seed=0)[:5] * 5)[:5]
    model.train()
    with progress("Measuring this machine's training speed", len(packs)) as advance:
        for number, chosen in enumerate(packs):
            if number == 2:
                started = time.monotonic()
            target_losses(model, chosen).sum().backward()
            advance(1)
    return float(sum(len(p.ids) for p in packs[2:]) / (time.monotonic() - started))


def measure_lengths(base: Path, chats: Chats) -> tuple[list[int], int]:
    """Tokens of each chat under the model's own template, and the length of the prefix they all share."""
    encoder = ChatEncoder(base)
    encoded = [encoder.encode(chat) for chat in chats]
    return [len(item.ids) for item in encoded], shared_prefix(encoded)


def model_facts(base: Path) -> dict[str, int]:
    """Width, layers, vocabulary, context and parameters of a model folder, read from its files only."""
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    config = config.get("text_config", config)
    return {
        "width": int(config["hidden_size"]),
        "inner": int(config["intermediate_size"]),
        "layers": int(config["num_hidden_layers"]),
        "heads": int(config["num_attention_heads"]),
        "vocabulary": int(config["vocab_size"]),
        "context": int(config.get("max_position_embeddings", 2048)),
        "parameters": sum(_parameters(path) for path in base.glob("*.safetensors")),
    }


def _parameters(weights: Path) -> int:
    with safe_open(weights, "pt") as tensors:
        return sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118 (not a dict)

"""Fits an adapter: transformers' Trainer around the packed step, with checkpoints that survive a kill."""

from __future__ import annotations

import json
import math
import resource
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft.helpers import disable_input_dtype_casting
from safetensors import safe_open
from torch.utils.data import SequentialSampler
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from tailorbird.artifacts import Plan
from tailorbird.engine.chat import ChatEncoder, Encoded, fit_to_length
from tailorbird.engine.loading import add_lora, device, load_base, mixed_precision, reload_adapter
from tailorbird.engine.packed import answer_loss, target_losses
from tailorbird.engine.packing import Pack, lay_out, pack, plan_steps, shared_prefix
from tailorbird.errors import PlanError, SettingsError, WorkspaceError
from tailorbird.progress import Progress
from tailorbird.replier import Message

Chats = list[list[Message]]
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
        report_to: list[str] | None = None) -> Fitted:  # fmt: skip
    """Trains a LoRA adapter as planned and leaves the best one in `folder/adapter`.

    Checkpoints lie in `folder/checkpoints`; called again after an interruption it goes on from the newest complete one
    and ends with the same weights. Raises PlanError when no conversation fits the sequence length.
    """
    encoder = ChatEncoder(base)
    learning = encode_all(encoder, train, plan.sequence_length)
    watching = encode_all(encoder, validation, plan.sequence_length)
    if not learning or not watching:
        raise PlanError(
            "No conversation fits the planned sequence length, so there is nothing to train or validate on.",
            fix="Raise training.sequence_length in tailorbird.yaml.",
        )
    steps = plan_steps(learning, plan.tokens_per_step, plan.epochs, plan.seed)[: plan.steps]
    checks = [lay_out(chosen) for chosen in pack(watching, plan.tokens_per_step)]
    model = add_lora(load_base(base, packed=True), plan.lora_rank, plan.lora_alpha, plan.seed)
    checkpoints = folder / "checkpoints"
    watch = _Watch(steps, progress)
    trainer = _trainer(
        model=model,
        args=_arguments(plan, len(steps), checkpoints, report_to or []),
        train_dataset=steps,
        data_collator=_collate,
        eval_dataset=checks,
        mixed=mixed_precision(),
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
    return Fitted(
        steps=state.global_step,
        best_step=best,
        train_loss=sum(losses[-10:]) / len(losses[-10:]),
        validation_loss=float(state.best_metric or 0.0),
        seconds=watch.seconds,
        tokens_per_second=sum(len(s.ids) for s in steps[: state.global_step]) / max(watch.seconds, 1e-9),
        peak_memory_gb=peak_memory_gb(),
        stopped_early=state.global_step < len(steps),
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


def _collate(packs: list[Pack]) -> dict[str, Any]:
    return {"pack": packs[0], "labels": torch.tensor(packs[0].targets)}


class PackedTrainer(Trainer):  # type: ignore[misc]
    """transformers' Trainer whose batch is one pack and whose losses are weighted by token."""

    def __init__(self, *, mixed: bool, **options: Any) -> None:
        super().__init__(**options)
        self.mixed = mixed
        self.model_accepts_loss_kwargs = True  # num_items_in_batch: the targets of all accumulated packs

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
        """Cross-entropy summed over the pack's targets, divided by the targets of the whole optimizer step."""
        with disable_input_dtype_casting(model, active=self.mixed):
            loss = answer_loss(model, inputs["pack"], self.mixed)
        return loss / (num_items_in_batch if num_items_in_batch is not None else len(inputs["pack"].targets))

    def evaluate(self, *args: Any, **options: Any) -> dict[str, float]:
        """Validation loss per target token."""
        self.model.eval()
        metrics = {"eval_loss": mean_loss(self.model, self.eval_dataset, self.mixed)}
        self.model.train()
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def floating_point_ops(self, inputs: Any) -> int:
        """Not counted: the Trainer would look for padded batches."""
        return 0


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Shows progress, keeps the time over interruptions, and marks checkpoints that were written to the end."""

    def __init__(self, steps: list[Pack], progress: Progress) -> None:
        self.steps, self.progress = steps, progress
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
        self.bar = self.progress("Training", sum(len(s.ids) for s in self.steps))
        self.advance = self.bar.__enter__()
        self.advance(sum(len(s.ids) for s in self.steps[: state.global_step]))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.advance(len(self.steps[state.global_step - 1].ids))

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


def encode_all(encoder: ChatEncoder, chats: Chats, longest: int) -> list[Encoded]:
    """The chats that fit, each cut to whole exchanges within `longest` tokens."""
    encoded = (fit_to_length(encoder, chat, longest) for chat in chats)
    return [item for item in encoded if item is not None]


def mean_loss(model: Any, packs: list[Pack], mixed: bool) -> float:
    """Cross-entropy in nats a target token, every token weighing the same."""
    losses = [loss for chosen in packs for loss in target_losses(model, chosen, mixed)]
    return float(sum(losses) / len(losses))


def peak_memory_gb() -> float:
    """The most memory this process has used, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def measure_speed(base: Path, sample: Chats, plan_tokens: int, rank: int, progress: Progress) -> float:
    """Training tokens a second on this machine, from three real steps, the first of which does not count."""
    encoder = ChatEncoder(base)
    items = encode_all(encoder, sample, plan_tokens)
    model = add_lora(load_base(base, packed=True), rank, 2 * rank, seed=0)
    mixed = mixed_precision()
    packs = [lay_out(chosen) for chosen in pack(items, plan_tokens)[:3]]
    packs = (packs * 3)[:3]
    model.train()
    with progress("Measuring this machine's training speed", len(packs)) as advance:
        for number, chosen in enumerate(packs):
            if number == 1:
                started = time.monotonic()
            with disable_input_dtype_casting(model, active=mixed):
                answer_loss(model, chosen, mixed).backward()
            advance(1)
    return float(sum(len(p.ids) for p in packs[1:]) / (time.monotonic() - started))


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

"""Fits an adapter: transformers' Trainer around the packed step, with checkpoints that survive a kill."""

from __future__ import annotations

import json
import math
import resource
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch.utils.data import SequentialSampler
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from tailorbird.artifacts import Plan
from tailorbird.engine.adapters import add_adapter, add_lora, virtual_tokens, with_virtual
from tailorbird.engine.chat import ChatEncoder, Encoded, fit_to_length
from tailorbird.engine.loading import device, load_base, reload_adapter
from tailorbird.engine.packed import preference_losses, target_losses
from tailorbird.engine.packing import Group, Pack, joined, lay_out, plan_bins, plan_steps, shared_prefix
from tailorbird.errors import PlanError, SettingsError, WorkspaceError
from tailorbird.progress import Progress
from tailorbird.replier import Message

Chats = list[list[Message]]
Pairs = list[tuple[list[Message], list[Message]]]
"""Conversations that differ in their last answer: the chosen one, the rejected one."""

_COMPLETE = "complete"
DPO_BETA = 0.1  # how far DPO may move from the base model; the value of its paper


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


@dataclass(frozen=True)
class Pass:
    """One forward and backward pass: answers to learn or, with a reference, pairs to prefer by DPO.

    `reference` holds the base model's summed losses of each chosen and rejected answer.
    """

    pack: Pack
    reference: tuple[tuple[float, float], ...] = ()

    @property
    def terms(self) -> int:
        """What the loss is a mean over: target tokens or pairs."""
        return len(self.reference) or len(self.pack.targets)

    def losses(self, model: Any) -> torch.Tensor:
        """The loss of each term."""
        if self.reference:
            return preference_losses(model, self.pack, self.reference, DPO_BETA)
        return target_losses(model, self.pack)


def fit(base: Path, plan: Plan, train: Chats, validation: Chats, folder: Path, progress: Progress,
        report_to: list[str] | None = None) -> Fitted:  # fmt: skip
    """Trains an adapter on the assistant's answers as planned and leaves the best one in `folder/adapter`.

    Checkpoints lie in `folder/checkpoints`; called again after an interruption it goes on from the newest complete one
    and ends with the same weights. Raises PlanError when no conversation fits the sequence length.
    """
    encoder = ChatEncoder(base)
    learning, watching = (encode_all(encoder, chats, plan.sequence_length) for chats in (train, validation))
    _refuse_nothing(learning, watching)
    model = add_adapter(load_base(base, packed=True), plan, learning[0].ids)
    before = virtual_tokens(model)
    learned, watched = (_groups(with_virtual(items, before)) for items in (learning, watching))
    passes = [Pass(pack) for pack in plan_steps(learned, plan.tokens_per_pass, plan.epochs, plan.seed)]
    checks = [Pass(pack) for pack in plan_steps(watched, plan.tokens_per_pass, 1, plan.seed)]
    return _run(model, plan, passes, checks, folder, progress, report_to or [])


def prefer(base: Path, plan: Plan, train: Pairs, validation: Pairs, folder: Path, progress: Progress,
           report_to: list[str] | None = None) -> Fitted:  # fmt: skip
    """Trains a LoRA adapter by DPO (arXiv 2305.18290) to prefer the chosen of two conversations; else as `fit`.

    The base model's losses are computed once, by the same weights with the adapter switched off, and kept in `folder`.
    Losses in the result are nats a pair.
    """
    encoder = ChatEncoder(base)
    learning, watching = (_encode_pairs(encoder, pairs, plan.sequence_length) for pairs in (train, validation))
    _refuse_nothing(learning, watching)
    model = add_lora(load_base(base, packed=True), plan.lora_rank, plan.lora_alpha, plan.seed)

    def passes(name: str, pairs: list[Group], epochs: int) -> list[Pass]:
        reference = reference_losses(model, pairs, plan.tokens_per_pass, folder / f"reference-{name}.json", progress)
        bins = plan_bins(pairs, plan.tokens_per_pass, epochs, plan.seed)
        return [Pass(lay_out(joined(pairs, chosen)), tuple(reference[n] for n in chosen)) for chosen in bins]

    made = passes("train", learning, plan.epochs), passes("validation", watching, 1)
    return _run(model, plan, *made, folder, progress, report_to or [])


@torch.no_grad()  # type: ignore[untyped-decorator]
def reference_losses(
    model: Any, pairs: list[Group], tokens_per_pass: int, kept: Path, progress: Progress
) -> list[tuple[float, float]]:
    """The base model's summed losses of each pair's conversations, from the file `kept` if they were computed before."""
    if kept.is_file():
        return [(chosen, rejected) for chosen, rejected in json.loads(kept.read_text(encoding="utf-8"))]
    found: dict[int, tuple[float, float]] = {}
    bins = plan_bins(pairs, tokens_per_pass, epochs=1, seed=0)
    with model.disable_adapter(), progress("Scoring the pairs with the base model", len(bins)) as advance:
        for members in bins:
            pack = lay_out(joined(pairs, members))
            sums = [part.sum().item() for part in target_losses(model, pack).split(pack.counts)]
            found.update(zip(members, zip(sums[::2], sums[1::2], strict=True), strict=True))
            advance(1)
    losses = [found[number] for number in range(len(pairs))]
    draft = kept.with_suffix(".part")
    draft.write_text(json.dumps(losses), encoding="utf-8")
    draft.replace(kept)
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


def _encode_pairs(encoder: ChatEncoder, pairs: Pairs, longest: int) -> list[Group]:
    """The pairs that differ and fit, uncut: their prompts must stay the same."""
    encoded = [(encoder.encode(chosen), encoder.encode(rejected)) for chosen, rejected in pairs]
    fitting = [_from_difference(*pair) for pair in encoded if max(len(item.ids) for item in pair) <= longest]
    return [pair for pair in fitting if any(item.targets for item in pair)]


def _from_difference(chosen: Encoded, rejected: Encoded) -> Group:
    """The pair, trained from where it differs: before that, the two losses are the same and cancel."""
    both = zip(chosen.ids, rejected.ids, strict=False)
    start = next((i for i, (one, other) in enumerate(both) if one != other), min(len(chosen.ids), len(rejected.ids)))
    return tuple(
        Encoded(item.ids, tuple(trained and i >= start for i, trained in enumerate(item.trained))) for item in (chosen, rejected)
    )


def encode_all(encoder: ChatEncoder, chats: Chats, longest: int) -> list[Encoded]:
    """The chats that fit, each cut to whole exchanges within `longest` tokens."""
    encoded = (fit_to_length(encoder, chat, longest) for chat in chats)
    return [item for item in encoded if item is not None]


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

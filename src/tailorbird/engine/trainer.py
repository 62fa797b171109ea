"""transformers' Trainer around the packed step, with checkpoints that survive a kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from tailorbird.artifacts import Plan
from tailorbird.engine.loading import device
from tailorbird.engine.objectives import Pass
from tailorbird.engine.optimizing import make_optimizer
from tailorbird.engine.run import Run
from tailorbird.errors import SettingsError

_COMPLETE = "complete"


def make_trainer(plan: Plan, **options: Any) -> PackedTrainer:
    """The trainer for what the plan trains; raises SettingsError for a tracker that is not there."""
    weights = [weight for weight in options["model"].parameters() if weight.requires_grad]
    options["optimizers"] = (make_optimizer(weights, plan.learning_rate), None)
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


def arguments(plan: Plan, steps: int, folder: Path, report_to: Sequence[str]) -> TrainingArguments:
    """A run of so many steps with a check and a checkpoint every so often."""
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
        report_to=list(report_to) or "none",
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=device() == "cpu",
        seed=plan.seed,
    )


def collate(passes: list[Pass]) -> dict[str, Any]:
    """The one pass of a batch."""
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


class Watch(TrainerCallback):  # type: ignore[misc]
    """Shows progress, keeps the time over interruptions, and marks checkpoints that were written to the end."""

    def __init__(self, passes: list[Pass], accumulation: int, run: Run) -> None:
        tokens = [len(one.pack.ids) for one in passes]
        self.steps = [sum(tokens[start : start + accumulation]) for start in range(0, len(tokens), accumulation)]
        self.run = run
        self.bar: Any = None
        self.advance: Callable[[float], None] = lambda amount: None
        self.started = run.begun or time.monotonic()
        self.before = 0.0

    @property
    def seconds(self) -> float:
        """How long the run has taken, interruptions left out."""
        return self.before + time.monotonic() - self.started

    def go_on(self, state: Any) -> None:
        """Adds what the run took before it was interrupted."""
        self.before = next((row["seconds"] for row in reversed(state.log_history) if "seconds" in row), 0.0)
        self.started = self.run.begun or time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Opens the bar where an interrupted run stood."""
        self.go_on(state)
        self.bar = self.run.progress("Training", sum(self.steps))
        self.advance = self.bar.__enter__()
        self.advance(sum(self.steps[: state.global_step]))

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Moves the bar."""
        self.advance(self.steps[state.global_step - 1])

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Keeps the time with the losses."""
        if state.log_history:
            state.log_history[-1]["seconds"] = self.seconds

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Marks the checkpoint as whole."""
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / _COMPLETE).touch()

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Ends a run that is not worth going on with."""
        if self.run.hopeless(state.global_step, metrics["eval_loss"]):
            control.should_training_stop = True

    def close(self) -> None:
        """Closes the bar."""
        if self.bar is not None:
            self.bar.__exit__(None, None, None)


def train_on(trainer: Trainer, watch: Watch, folder: Path) -> None:
    """Trains, from the newest whole checkpoint in the folder on; a run that had ended with it is left as it ended."""
    newest = newest_checkpoint(folder)
    state = TrainerState.load_from_json(str(newest / TRAINER_STATE_NAME)) if newest else None
    if state and state.stateful_callbacks["TrainerControl"]["args"]["should_training_stop"]:
        trainer.state = state  # transformers would forget that it was to stop, and go on
        watch.go_on(state)
    else:
        trainer.train(resume_from_checkpoint=str(newest) if newest else None)


def newest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to the end, or None."""
    complete = [path.parent for path in folder.glob(f"checkpoint-*/{_COMPLETE}")]
    return max(complete, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


@torch.no_grad()  # type: ignore[untyped-decorator]
def mean_loss(model: Any, passes: list[Pass]) -> float:
    """The mean loss of all terms, every one weighing the same."""
    return float(torch.cat([one.losses(model) for one in passes]).mean())

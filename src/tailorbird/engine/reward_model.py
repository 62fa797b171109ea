"""A reward model: learns from pairs how much better people find one answer than another, and scores answers.

TRL's RewardTrainer with our token ids and our packed step: a pair's prompt is computed once, nothing is padded.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn import functional
from torch.utils.data import SequentialSampler
from transformers import AutoModelForSequenceClassification, EarlyStoppingCallback, PrinterCallback
from transformers.modeling_outputs import SequenceClassifierOutput
from trl import RewardConfig, RewardTrainer
from trl.trainer.reward_trainer import suppress_seqcls_warning

from tailorbird.artifacts import Interval, Plan
from tailorbird.engine.attention import ATTENTION
from tailorbird.engine.chat import ChatEncoder, Encoded
from tailorbird.engine.fused import fuse
from tailorbird.engine.loading import device, reload_weights, use_all_cores
from tailorbird.engine.measuring import peak_memory_gb
from tailorbird.engine.memory import keep_freed_memory
from tailorbird.engine.objectives import Chats, Pairs
from tailorbird.engine.packed import hidden_states
from tailorbird.engine.packing import Group, Pack, lay_out, plan_bins
from tailorbird.engine.precision import mixed_precision
from tailorbird.engine.run import Run
from tailorbird.engine.trainer import Watch, arguments, train_on
from tailorbird.errors import ModelError, PlanError

_CENTRE = "centre.json"
_SCORED_TOKENS = 4096  # in one pass, where no plan says


@dataclass(frozen=True)
class Rewarded:
    """What training a reward model came to: losses in nats a pair, `curve` has a row for each logged step.

    `accuracy` is the share of held-out pairs whose chosen answer it scores higher, with Wilson's 95% interval. The step
    kept was chosen by the loss on these pairs, so it flatters a little.
    """

    accuracy: Interval
    pairs: int
    steps: int
    best_step: int
    validation_loss: float
    seconds: float
    peak_memory_gb: float
    stopped_early: bool
    curve: list[dict[str, float]]


def train_reward(base: Path, plan: Plan, train: Pairs, validation: Pairs, run: Run) -> Rewarded:
    """Trains LoRA and a scalar head by the Bradley-Terry loss (arXiv 2203.02155) and leaves the best in `run.folder/reward`.

    Checkpoints lie in `run.folder/reward-checkpoints`; called again after an interruption it goes on from the newest
    complete one and ends with the same weights. Raises PlanError when no pair fits the sequence length.
    """
    encoder = ChatEncoder(base)
    learning, watching = (_encoded(encoder, pairs, plan.sequence_length) for pairs in (train, validation))
    if not learning or not watching:
        raise PlanError(
            "No two answers to one question fit the planned sequence length, so there is nothing to learn a reward from.",
            fix="Raise training.sequence_length in tailorbird.yaml, or collect more comparisons of answers.",
        )
    bins = plan_bins(learning, plan.tokens_per_pass, plan.epochs, plan.seed)[: plan.steps * plan.accumulation]
    checkpoints = run.folder / "reward-checkpoints"
    watch = Watch([], plan.accumulation, run)
    steps = math.ceil(len(bins) / plan.accumulation)
    watch.steps = [sum(map(len, bins[n * plan.accumulation : (n + 1) * plan.accumulation])) for n in range(steps)]
    trainer = _PackedRewardTrainer(
        model=_fresh(base, plan),
        args=_arguments(plan, steps, checkpoints, run.report_to),
        processing_class=encoder.tokenizer,
        train_dataset=_dataset(learning, bins),
        eval_dataset=_dataset(watching, plan_bins(watching, plan.tokens_per_pass, 1, plan.seed)),
        data_collator=_collate,
        callbacks=[watch, EarlyStoppingCallback(early_stopping_patience=plan.patience)],
    )
    trainer.remove_callback(PrinterCallback)
    try:
        train_on(trainer, watch, checkpoints)
    finally:
        watch.close()
    return _kept(trainer, len(bins), checkpoints, run.folder / "reward", watch.seconds)


def score_answers(base: Path, reward: Path, chats: Chats) -> list[float]:
    """The reward of each chat's last answer: 0 for a usual one, a difference of two is the log odds that people prefer one.

    Raises ModelError when the folder has no reward model for this base model.
    """
    scores: list[float] = Scorer(base, reward).score(chats)
    return scores


class Scorer:
    """A trained reward model, loaded."""

    def __init__(self, base: Path, reward: Path) -> None:
        self._encoder = ChatEncoder(base)
        try:
            self._centre = float(json.loads((reward / _CENTRE).read_text(encoding="utf-8"))["centre"])
            self._model = PeftModel.from_pretrained(_classifier(base), reward).eval()
        except (OSError, ValueError, KeyError, RuntimeError) as problem:
            raise ModelError(
                f"The reward model in {reward} cannot be loaded: {problem}", fix="Train it again for this base model."
            ) from problem
        _prepare(self._model)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def score(self, chats: Chats) -> list[float]:
        """The reward of each chat's last answer."""
        groups: list[Group] = [(_asked(self._encoder.encode(chat).ids),) for chat in chats]
        found: dict[int, float] = {}
        for chosen in plan_bins(groups, _SCORED_TOKENS, epochs=1, seed=0) if groups else []:
            scores = _scores(self._model, lay_out([groups[number][0] for number in chosen]))
            found.update(zip(chosen, scores.flatten().tolist(), strict=True))
        return [found[number] - self._centre for number in range(len(chats))]


class _PackedRewardTrainer(RewardTrainer):  # type: ignore[misc]
    """TRL's trainer and loss; each batch is a pack of pairs, planned for the whole run."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
        """TRL's, of scores that come from the packed step instead of a padded batch."""
        pack = inputs.pop("pack")
        return super().compute_loss(lambda **_: SequenceClassifierOutput(logits=_scores(model, pack)), inputs, *args, **options)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def evaluate(self, *args: Any, **options: Any) -> dict[str, float]:
        """Loss and accuracy over held-out pairs, every pair weighing the same."""
        self.model.eval()
        scores = [_scores(self.model, _collate([row])["pack"]).view(2, -1) for row in self.eval_dataset]
        chosen, rejected = torch.cat(scores, 1)
        self.model.train()
        metrics = {
            "eval_loss": float(-functional.logsigmoid(chosen - rejected).mean()),
            "eval_accuracy": float((chosen > rejected).float().mean()),
            "eval_reward": float(torch.cat([chosen, rejected]).mean()),
        }
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def floating_point_ops(self, inputs: Any) -> int:
        """Not counted: the Trainer would look for padded batches."""
        return 0


def _scores(model: Any, pack: Pack) -> torch.Tensor:
    """One score for each conversation of a pack [N, 1], from the state of its last token; float32."""
    states = hidden_states(model, pack)[torch.tensor(pack.predictors)]
    scores: torch.Tensor = model.get_base_model().score(states.float())
    return scores


def _asked(ids: Sequence[int]) -> Encoded:
    """The conversation with one more place after its last token, so that a pack keeps that token's state."""
    return Encoded((*ids, 0), (*[False] * len(ids), True))


def _encoded(encoder: ChatEncoder, pairs: Pairs, longest: int) -> list[Group]:
    """The pairs that differ and fit, uncut."""
    both = [(encoder.encode(chosen).ids, encoder.encode(rejected).ids) for chosen, rejected in pairs]
    fitting = [pair for pair in both if max(map(len, pair)) <= longest and pair[0] != pair[1]]
    return [(_asked(chosen), _asked(rejected)) for chosen, rejected in fitting]


def _dataset(groups: list[Group], bins: list[list[int]]) -> Any:
    """One row for each pack: the token ids of its chosen and of its rejected conversations."""
    sides = ("chosen_ids", "rejected_ids")
    return Dataset.from_dict(
        {side: [[list(groups[n][index].ids[:-1]) for n in chosen] for chosen in bins] for index, side in enumerate(sides)}
    )


def _collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The one pack of a batch, the chosen conversations before the rejected ones; the mask is for TRL's count of tokens."""
    pack = lay_out([_asked(ids) for ids in chain(rows[0]["chosen_ids"], rows[0]["rejected_ids"])])
    return {"pack": pack, "attention_mask": torch.ones(pack.tokens)}


def _classifier(base: Path) -> Any:
    dtype = torch.bfloat16 if mixed_precision() else torch.float32
    with suppress_seqcls_warning():
        model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1, dtype=dtype, attn_implementation=ATTENTION)
    return model.to(device())


def _fresh(base: Path, plan: Plan) -> Any:
    """The base model with LoRA on every linear layer and a head that begins at zero: no answer is better than another."""
    torch.manual_seed(plan.seed)
    config = LoraConfig(
        r=plan.lora_rank or 16, lora_alpha=2 * (plan.lora_rank or 16), target_modules="all-linear", task_type="SEQ_CLS"
    )
    model = get_peft_model(_classifier(base), config)
    _prepare(model)
    head = model.get_base_model().score.modules_to_save["default"]
    torch.nn.init.zeros_(head.weight)
    return model


def _prepare(model: Any) -> None:
    """Faster layers, and a head in float32."""
    model.get_base_model().score.float()
    fuse(model)
    use_all_cores()
    keep_freed_memory()


def _arguments(plan: Plan, steps: int, folder: Path, report_to: Sequence[str]) -> RewardConfig:
    """The same as for every run, in TRL's form, which would else turn on mixed precision and checkpointing of its own."""
    usual = {name: value for name, value in arguments(plan, steps, folder, report_to).to_dict().items() if value is not None}
    known = {name for name, field in RewardConfig.__dataclass_fields__.items() if field.init}
    told = {name: value for name, value in usual.items() if name in known}
    return RewardConfig(**told | {"bf16": False, "gradient_checkpointing": False, "max_length": None})


def _kept(trainer: Any, planned: int, checkpoints: Path, folder: Path, seconds: float) -> Rewarded:
    """Saves the best step's reward model, centred on its mean score of held-out answers, and says what it came to."""
    state = trainer.state
    best = int(str(state.best_model_checkpoint).rpartition("-")[2])
    reload_weights(trainer.model, checkpoints / f"checkpoint-{best}")
    told = trainer.evaluate()
    shutil.rmtree(folder, ignore_errors=True)
    trainer.model.save_pretrained(folder)
    (folder / _CENTRE).write_text(json.dumps({"centre": told["eval_reward"]}), encoding="utf-8")
    held_out = sum(len(row["chosen_ids"]) for row in trainer.eval_dataset)
    return Rewarded(
        accuracy=_wilson(told["eval_accuracy"], held_out),
        pairs=held_out,
        steps=state.global_step,
        best_step=best,
        validation_loss=told["eval_loss"],
        seconds=seconds,
        peak_memory_gb=peak_memory_gb(),
        stopped_early=state.global_step * trainer.args.gradient_accumulation_steps < planned,
        curve=[{k: v for k, v in row.items() if isinstance(v, (int, float))} for row in state.log_history],
    )


def _wilson(share: float, count: int) -> Interval:
    """Wilson's 95% interval of a share (Wilson 1927), which holds for few pairs too."""
    z = 1.959964
    middle, scale = share + z * z / (2 * count), 1 + z * z / count
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Interval(value=share, low=(middle - half) / scale, high=(middle + half) / scale)

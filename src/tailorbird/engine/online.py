"""Reinforcement: the model answers, rewards judge its answers, and it learns to write what they like (RLHF's last step).

TRL's RLOOTrainer with our token ids, our packed step for log-probabilities (a prompt is computed once for all its
answers), a prompt read once when sampling, and a guard against reward hacking (engine/guard.py).
"""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback
from trl import RLOOConfig, RLOOTrainer

from tailorbird.artifacts import Plan
from tailorbird.engine import guard
from tailorbird.engine.adapters import add_adapter, load_adapter, virtual_tokens
from tailorbird.engine.chat import ChatEncoder, Encoded
from tailorbird.engine.fitting import Fitted
from tailorbird.engine.loading import is_whole_model, load_base, reload_weights, save_tuned
from tailorbird.engine.measuring import peak_memory_gb
from tailorbird.engine.objectives import Chats
from tailorbird.engine.packed import target_losses
from tailorbird.engine.packing import lay_out
from tailorbird.engine.reward_model import Scorer
from tailorbird.engine.run import Rewards, Run
from tailorbird.engine.sampling import sample
from tailorbird.engine.trainer import Watch, arguments, train_on
from tailorbird.errors import PlanError
from tailorbird.replier import Message

BETA = 0.05
"""What a nat of distance from the model before this run costs, in units of reward."""
ANSWER_TOKENS = 64
"""Where a sampled answer is cut."""
ANSWERS = 4
"""Answers to each prompt of a step: each is judged beside the mean of the others."""
_WATCHED = 24  # held-out prompts of a check
_NAMES = {"completions/mean_length": "length"}  # of TRL, in our curve


@dataclass(frozen=True)
class Reinforced(Fitted):
    """As `Fitted`: `validation_loss` is minus the held-out reward of what was kept, `train_loss` minus the last steps' reward.

    `best_step` 0: nothing passed the guard with more reward than the model had before, which was kept. `ended` says why
    the run ended early. Curve rows have reward, reward_<source>, kl (nats a token), length, repetition and entropy of the
    answers sampled; checks, also one at step 0, have the same of held-out prompts with `eval_` before.
    """

    ended: str
    start_reward: float
    best_reward: float


def reinforce(base: Path, plan: Plan, train: Chats, validation: Chats, rewards: Rewards, run: Run) -> Reinforced:
    """Trains an adapter by RLOO (arXiv 2402.14740) with a KL penalty to the model before this run; best in `run.folder/adapter`.

    Not GRPO: with four answers its division by their deviation blows up prompts whose answers hardly differ, and its
    penalty's gradient is biased. A step writes about `plan.tokens_per_step` tokens. Resumes as `fit` does, to the same
    weights. Raises PlanError for what cannot be reinforced.
    """
    encoder = ChatEncoder(base)
    learning, watching = (_prompts(encoder, chats, plan) for chats in (train, validation))
    policy = _policy(base, plan, run)
    judge = _Judge(base, rewards)
    batch = min(max(2, plan.tokens_per_step // (ANSWERS * ANSWER_TOKENS)), len(learning))
    batch = math.ceil(batch / plan.accumulation) * plan.accumulation
    checkpoints = run.folder / "checkpoints"
    watch = Watch([], 1, run)
    watch.steps = [1] * plan.steps
    trainer = _Online(
        judge=judge,
        encoder=encoder,
        patience=plan.patience,
        model=policy,
        reward_funcs=judge.functions(),
        args=_arguments(plan, batch, judge, checkpoints, run.report_to),
        processing_class=encoder.tokenizer,
        train_dataset=_rows(learning).select(_order(len(learning), plan, batch)),
        eval_dataset=_rows(watching[:: math.ceil(len(watching) / _WATCHED)]),
        callbacks=[watch],
    )
    trainer.remove_callback(PrinterCallback)
    try:
        train_on(trainer, watch, checkpoints)
    finally:
        watch.close()
    return _kept(trainer, base, run.folder, watch.seconds, plan)


class _Judge:
    """The sources of reward, each 0 to 1, and their weights."""

    def __init__(self, base: Path, rewards: Rewards) -> None:
        self._sources: dict[str, Callable[[Chats, list[str]], list[float]]] = {}
        for name, rule in rewards.rules.items():
            self._sources[name] = _by_rule(rule)
        if rewards.model:
            self._sources["model"] = _by_model(Scorer(base, rewards.model))
        if not self._sources:
            raise PlanError("There is nothing to reward answers for.", fix="Name at least one rule, or train a reward model.")
        self.weights = [rewards.weight(name) for name in self._sources]

    def of(self, prompts: Chats, answers: list[str]) -> dict[str, float]:
        """Mean reward of each source, and of all by their weights under `reward`."""
        found = {name: _mean(source(prompts, answers)) for name, source in self._sources.items()}
        total = sum(weight * one for weight, one in zip(self.weights, found.values(), strict=True))
        return {"reward": total} | {f"reward_{name}": one for name, one in found.items()}

    def functions(self) -> list[Callable[..., list[float]]]:
        """The sources as TRL calls them."""
        return [_as_trl_calls(name, source) for name, source in self._sources.items()]


def _by_rule(rule: Callable[[list[Message], str], float]) -> Callable[[Chats, list[str]], list[float]]:
    return lambda prompts, answers: [rule(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]


def _by_model(scorer: Scorer) -> Callable[[Chats, list[str]], list[float]]:
    """The chance that people prefer an answer to a usual one: bounded, so that no single answer outweighs the rules."""

    def judged(prompts: Chats, answers: list[str]) -> list[float]:
        chats: Chats = [[*p, {"role": "assistant", "content": a}] for p, a in zip(prompts, answers, strict=True)]
        return [1 / (1 + math.exp(-min(max(score, -30.0), 30.0))) for score in scorer.score(chats)]

    return judged


def _as_trl_calls(name: str, source: Callable[[Chats, list[str]], list[float]]) -> Callable[..., list[float]]:
    def rewarded(prompts: Chats, completions: list[list[Message]], **_: Any) -> list[float]:
        return source(prompts, [completion[0]["content"] for completion in completions])

    rewarded.__name__ = name  # TRL names its figures after it
    return rewarded


class _Before:
    """The adapter's weights before this run, to be put in place of today's for a while: the reference of the KL penalty."""

    def __init__(self, model: Any) -> None:
        self._weights = [(weight, weight.detach().clone()) for weight in model.parameters() if weight.requires_grad]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model as it was."""
        today = [weight.data for weight, _ in self._weights]
        self.restore()
        try:
            yield
        finally:
            for (weight, _), data in zip(self._weights, today, strict=True):
                weight.data = data

    def restore(self) -> None:
        """Goes back to the start for good."""
        for weight, before in self._weights:
            weight.data = before


class _Online(RLOOTrainer):  # type: ignore[misc]
    """TRL's RLOO step on answers that we sample, log-probabilities that we compute, and checks that end a run."""

    def __init__(self, judge: _Judge, encoder: ChatEncoder, patience: int, **options: Any) -> None:
        super().__init__(**options)
        self._judge, self._encoder, self._patience = judge, encoder, patience
        self.model.delete_adapter("ref")  # TRL's copy, which our fused layers would not look at
        self.ref_model: Any = _Before(self.model)

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        return SequentialSampler(dataset if dataset is not None else self.train_dataset)

    def _tokenize_prompts(self, prompts: Any) -> Any:
        """Our token ids: what people wrote never becomes a control token."""
        return [self._encoder.prompt(prompt) for prompt in prompts], None, {}

    def _generate_single_turn(self, prompt_ids: list[list[int]], *args: Any) -> list[list[int]]:
        """A step's answers depend on the seed and the step alone, so that a resumed run draws the same ones."""
        torch.manual_seed(self.args.seed * 1_000_003 + self.state.global_step)
        written: list[list[int]] = sample(self.model, self._encoder, prompt_ids[::ANSWERS], ANSWERS, ANSWER_TOKENS)
        return written

    def _calculate_rewards(self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: Any) -> Any:
        self._metrics["train"]["repetition"].append(_mean([guard.repeated(ids) for ids in completion_ids_list]))
        return super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Any, attention_mask: Any, logits_to_keep: int, batch_size: int | None = None, **_: Any
    ) -> Any:
        """From the packed step; the entropy is estimated by what the sampled tokens' own log-probabilities say of it."""
        items = []
        for ids, mask in zip(input_ids.tolist(), attention_mask.tolist(), strict=True):
            answer = sum(mask[-logits_to_keep:])
            kept = tuple(token for token, seen in zip(ids, mask, strict=True) if seen)
            items.append(Encoded(kept, (*[False] * (len(kept) - answer), *[True] * answer)))
        size = batch_size or len(items)
        found: list[torch.Tensor] = []
        with model.in_place() if model is self.ref_model else nullcontext():
            for start in range(0, len(items), size):
                pack = lay_out(items[start : start + size])
                found += target_losses(self.model, pack).split(pack.counts)
        rows = pad_sequence(found, batch_first=True)
        logps = torch.nn.functional.pad(-rows, (0, logits_to_keep - rows.shape[1]))
        return logps, -logps.detach(), None

    def evaluate(self, *args: Any, **options: Any) -> dict[str, float]:
        """Judges sampled answers to held-out prompts, the same draws at every check, and ends the run when it should."""
        step = self.state.global_step
        known = next((row for row in self.state.log_history if row["step"] == step and "eval_reward" in row), None)
        if known:
            return dict(known)
        chats: Chats = list(self.eval_dataset["prompt"])
        prompts = [self._encoder.prompt(chat) for chat in chats]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.args.seed)
            written = sample(self.model, self._encoder, prompts, 1, ANSWER_TOKENS)
        told = self._judge.of(chats, [self._encoder.decode(ids) for ids in written])
        told |= {"length": _mean([len(ids) for ids in written]), "repetition": _mean([guard.repeated(ids) for ids in written])}
        told["cut"] = _mean([float(len(ids) >= ANSWER_TOKENS) for ids in written])
        told["kl"] = self._moved()
        metrics = {f"eval_{name}": value for name, value in told.items()}
        checks = [*guard.read(self.state.log_history), *guard.read([metrics | {"step": step}])]
        passes = not guard.trouble(checks[-1], checks[0])
        metrics |= {"eval_loss": -told["reward"], "eval_passes": float(passes)}
        metrics["eval_kept"] = told["reward"] if passes else -math.inf
        self.log({name: value for name, value in metrics.items() if math.isfinite(value)})
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.control.should_training_stop |= bool(guard.why_end(checks, self._patience))
        return metrics

    def _moved(self) -> float:
        """Nats a token from the start, over the answers since the last check."""
        rows = self.state.log_history
        since = next((place for place in range(len(rows) - 1, -1, -1) if "eval_reward" in rows[place]), 0)
        return _mean([row["kl"] for row in rows[since:] if "kl" in row])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _prompts(encoder: ChatEncoder, chats: Chats, plan: Plan) -> Chats:
    """The chats that end with a customer and leave room for an answer."""
    room = plan.sequence_length - ANSWER_TOKENS
    fitting = [chat for chat in chats if chat and chat[-1]["role"] == "user" and len(encoder.prompt(chat)) <= room]
    if not fitting:
        raise PlanError(
            f"No conversation ends with a customer and leaves room for an answer of {ANSWER_TOKENS} tokens.",
            fix="Raise training.sequence_length in tailorbird.yaml, and give conversations without their last answer.",
        )
    return fitting


def _policy(base: Path, plan: Plan, run: Run) -> Any:
    """The base model with a fresh LoRA adapter, or with the one to go on from."""
    if (run.start and is_whole_model(run.start)) or not plan.lora_rank:
        raise PlanError(
            "Only LoRA adapters are reinforced.", fix="Set training.method to lora in tailorbird.yaml and start from it."
        )
    model = load_base(base, packed=True)
    if run.start is None:
        return add_adapter(model, plan, ())
    adapted = load_adapter(model, run.start, trainable=True)
    if virtual_tokens(adapted):
        raise PlanError("A soft prompt cannot be reinforced.", fix="Train a LoRA adapter first: training.method: lora.")
    return adapted


def _rows(prompts: Chats) -> Any:
    return Dataset.from_dict({"prompt": [[{"role": one["role"], "content": one["content"]} for one in chat] for chat in prompts]})


def _order(prompts: int, plan: Plan, batch: int) -> list[int]:
    """The prompt of each answer of the whole run; a step's answers stand there once for each of its passes, as TRL wants."""
    order: list[int] = []
    for epoch in range(math.ceil(plan.steps * batch / prompts)):
        numbers = list(range(prompts))
        random.Random(f"{plan.seed}-{epoch}").shuffle(numbers)
        order += numbers
    steps = [order[step * batch : (step + 1) * batch] for step in range(plan.steps)]
    return [number for chosen in steps for number in [n for n in chosen for _ in range(ANSWERS)] * plan.accumulation]


def _arguments(plan: Plan, batch: int, judge: _Judge, folder: Path, report_to: Sequence[str]) -> RLOOConfig:
    """The same as for every run, in TRL's form, which would else turn on mixed precision and checkpointing of its own."""
    usual = arguments(plan, plan.steps, folder, report_to).to_dict()
    known = {name for name, field in RLOOConfig.__dataclass_fields__.items() if field.init}
    told = {name: value for name, value in usual.items() if name in known and value is not None}
    return RLOOConfig(
        **told
        | {
            "per_device_train_batch_size": batch * ANSWERS // plan.accumulation,
            "per_device_eval_batch_size": ANSWERS,
            "num_generations": ANSWERS,
            "max_completion_length": ANSWER_TOKENS,
            "beta": BETA,
            "reward_weights": judge.weights,
            "metric_for_best_model": "eval_kept",
            "greater_is_better": True,
            "lr_scheduler_type": "constant_with_warmup",
            "eval_on_start": True,
            "bf16": False,
            "gradient_checkpointing": False,
        }
    )


def _kept(trainer: _Online, base: Path, folder: Path, seconds: float, plan: Plan) -> Reinforced:
    """Saves the best checked step that passed the guard, or the start, and says what the run came to."""
    state = trainer.state
    checks = guard.read(state.log_history)
    best = guard.best(checks)
    if best.step:
        reload_weights(trainer.model, folder / "checkpoints" / f"checkpoint-{best.step}")
    else:
        trainer.ref_model.restore()
    shutil.rmtree(folder / "adapter", ignore_errors=True)
    save_tuned(trainer.model, base, folder / "adapter")
    rewards = [row["reward"] for row in state.log_history if "reward" in row]
    return Reinforced(
        steps=state.global_step,
        best_step=best.step,
        train_loss=-_mean(rewards[-10:]),
        validation_loss=-best.reward,
        seconds=seconds,
        tokens_per_second=state.num_input_tokens_seen / max(seconds, 1e-9),
        peak_memory_gb=peak_memory_gb(),
        stopped_early=state.global_step < plan.steps,
        curve=[_row(row) for row in state.log_history],
        ended=guard.why_end(checks, plan.patience),
        start_reward=checks[0].reward,
        best_reward=best.reward,
    )


def _row(row: dict[str, Any]) -> dict[str, float]:
    """A row of TRL's history under our names, without its many others."""
    found: dict[str, float] = {}
    for name, value in row.items():
        source = name.removeprefix("rewards/").removesuffix("/mean")
        ours = f"reward_{source}" if name == f"rewards/{source}/mean" else _NAMES.get(name, name)
        if isinstance(value, (int, float)) and "/" not in ours:
            found[ours] = value
    return found

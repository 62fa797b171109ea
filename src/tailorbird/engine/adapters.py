"""What is trained of a base model: all of it, LoRA on its linear layers, or soft prompts before its input.

A soft prompt's virtual tokens are numbers below zero at the start of every conversation (-1, -2, ...), so that the packed step
shares them like any other common start. They get their states from the adapter instead of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import LoraConfig, PeftModel, PeftType, PrefixTuningConfig, PromptTuningConfig, get_peft_model
from transformers import DynamicCache

from tailorbird.artifacts import Plan
from tailorbird.engine.attention import Prefix
from tailorbird.engine.chat import Encoded
from tailorbird.engine.fused import fuse
from tailorbird.errors import ModelError


class Soft(NamedTuple):
    """A soft prompt: states before the first layer [tokens, width], or keys and values for every layer."""

    states: torch.Tensor | None
    prefix: Prefix | None


def add_lora(model: Any, rank: int, alpha: int, seed: int, variant: str = "lora") -> Any:
    """The model with fresh LoRA adapters (arXiv 2106.09685) in float32 on every linear layer of its blocks.

    Variants: `rslora` scales by the root of the rank (arXiv 2312.03732), `dora` learns lengths apart from directions
    (arXiv 2402.09353).
    """
    torch.manual_seed(seed)
    config = LoraConfig(
        r=rank, lora_alpha=alpha, target_modules="all-linear", task_type="CAUSAL_LM",
        use_rslora=variant == "rslora", use_dora=variant == "dora",
    )  # fmt: skip
    adapted = get_peft_model(model, config)
    fuse(adapted)
    return adapted


def add_adapter(model: Any, plan: Plan, start: Sequence[int]) -> Any:
    """The model with what the plan trains; `start` are token ids that a soft prompt begins as.

    Adapters are float32; a whole model stays in the precision that it computes in, the optimizer keeps more.

    Prompt tuning (arXiv 2104.08691) learns input states, prefix tuning (arXiv 2101.00190) keys and values of every layer.
    Both begin as the states of real words, without which they learn far more slowly. Raises ModelError where it cannot work.
    """
    if plan.method == "full":
        return model.requires_grad_()
    if plan.lora_rank:
        return add_lora(model, plan.lora_rank, plan.lora_alpha, plan.seed, plan.method)
    if plan.method == "prefix" and "sliding_attention" in (getattr(model.config, "layer_types", None) or ()):
        raise ModelError(
            "Prefix tuning does not work on this model: layers with a sliding window lose the prefix.",
            fix="Set training.method to prompt or lora in tailorbird.yaml, or choose another base model.",
        )
    torch.manual_seed(plan.seed)
    ids = torch.tensor([(list(start) * plan.virtual_tokens)[: plan.virtual_tokens]], device=model.device)
    config: Any = PromptTuningConfig if plan.method == "prompt" else PrefixTuningConfig
    begun = _input_states(model, ids) if plan.method == "prompt" else _keys_and_values(model, ids)
    adapted = get_peft_model(model, config(task_type="CAUSAL_LM", num_virtual_tokens=plan.virtual_tokens))
    weight = adapted.prompt_encoder["default"].embedding.weight
    weight.data = begun.float().reshape(weight.shape)
    fuse(adapted)
    return adapted


def load_adapter(model: Any, adapter: Path, trainable: bool = False) -> Any:
    """The model with a saved PEFT adapter, to answer with or to train on."""
    adapted = PeftModel.from_pretrained(model, adapter, is_trainable=trainable)
    fuse(adapted)
    return adapted


def virtual_tokens(model: Any) -> int:
    """How many virtual tokens stand before every conversation; 0 without a soft prompt."""
    config = getattr(model, "active_peft_config", None)
    return config.num_virtual_tokens if config is not None and config.is_prompt_learning else 0


def with_virtual(items: Sequence[Encoded], count: int) -> list[Encoded]:
    """The conversations behind so many virtual tokens."""
    before, untrained = tuple(range(-1, -count - 1, -1)), (False,) * count
    return [Encoded(before + item.ids, untrained + item.trained) for item in items]


def soft_prompt(model: Any) -> Soft:
    """What stands for the virtual tokens now; differentiable."""
    prompt = model.get_prompt(1)
    if model.active_peft_config.peft_type == PeftType.PREFIX_TUNING:
        return Soft(None, [(layer.keys[0], layer.values[0]) for layer in prompt.layers])
    return Soft(prompt[0], None)


@torch.no_grad()  # type: ignore[untyped-decorator]
def _input_states(model: Any, ids: torch.Tensor) -> torch.Tensor:
    return model.get_input_embeddings()(ids)[0]


@torch.no_grad()  # type: ignore[untyped-decorator]
def _keys_and_values(model: Any, ids: torch.Tensor) -> torch.Tensor:
    """Those of the tokens in every layer, in PEFT's order: [tokens, layers * 2 * heads * D]."""
    implementation = model.config._attn_implementation
    model.set_attn_implementation("sdpa")  # the packed attention keeps no cache
    cache = DynamicCache()  # which forgets nothing, whatever the model's sliding windows
    model(input_ids=ids, past_key_values=cache, use_cache=True)
    model.set_attn_implementation(implementation)
    both = torch.stack([states[0] for layer in cache.layers for states in (layer.keys, layer.values)])
    return both.permute(2, 0, 1, 3).flatten(1)

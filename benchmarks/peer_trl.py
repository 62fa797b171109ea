"""TRL's side of train_speed.py, run in TRL's own environment: one training run of one setting, one JSON line out.

Usage: PYTHON peer_trl.py JOB SETTING EXAMPLES [STEPS]
It trains one epoch over the job's first EXAMPLES groups of token ids, STEPS timed steps at most (0 for all).
"""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from speed_watch import Watch  # isort: skip  (first: it looks at the clock)

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

Item = dict[str, list[int]]


@dataclass(frozen=True)
class Setting:
    """What of TRL is set, apart from the recipe that all sides share."""

    sft: dict[str, Any] = field(default_factory=dict)
    dpo: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    attention: str = "sdpa"
    warmup: int = 1


_LEAN = {"gradient_checkpointing": False, "bf16": False}
SETTINGS = {
    # As TRL comes: batches of 8, bf16 autocast over float32 weights, gradient checkpointing.
    "trl_default": Setting(),
    # The fastest found on two cores: bf16 weights under float32 adapters without autocast, small batches of like length.
    "trl_best": Setting(
        sft={
            **_LEAN, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2,
            "train_sampling_strategy": "group_by_length",
        },
        # The reference within the step: computing it beforehand was no faster.
        dpo={**_LEAN, "per_device_train_batch_size": 1},
        dtype="bfloat16",
        attention="eager",
    ),
    # For the loss curves: float32 throughout, eight examples a step in the job's order.
    "trl_curve": Setting(
        sft={
            **_LEAN, "per_device_train_batch_size": 1, "gradient_accumulation_steps": 8,
            "train_sampling_strategy": "sequential",
        },
        warmup=0,
    ),
}  # fmt: skip


class TokenDPO(DPOTrainer):  # type: ignore[misc]
    """DPOTrainer on token ids as given instead of text."""

    def _prepare_dataset(self, dataset: Dataset, *args: Any) -> Dataset:
        return dataset


def main(job_file: str, name: str, examples: str, steps: str = "0") -> None:
    """Trains and prints the measurements."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    groups, setting = job["groups"][: int(examples)], SETTINGS[name]
    watch = Watch(setting.warmup)
    with contextlib.redirect_stdout(sys.stderr):
        build(job, groups, setting, watch, int(steps)).train()
    print(json.dumps(watch.report()))


def build(job: dict[str, Any], groups: list[list[Item]], setting: Setting, watch: Watch, steps: int) -> Any:
    """The trainer of a setting, with its model and its data."""
    pairs = len(groups[0]) == 2
    shared = {
        "output_dir": job["folder"], "use_cpu": True, "report_to": "none", "save_strategy": "no", "logging_steps": 1,
        "disable_tqdm": True, "num_train_epochs": 1, "max_steps": steps + setting.warmup if steps else -1,
        "max_length": job["longest"], "learning_rate": job["learning_rate"], "lr_scheduler_type": "constant",
        "seed": job["seed"], "include_num_input_tokens_seen": "non_padding",
    }  # fmt: skip
    base = AutoModelForCausalLM.from_pretrained(
        job["base"], dtype=getattr(torch, setting.dtype), attn_implementation=setting.attention
    )
    return (TokenDPO if pairs else SFTTrainer)(
        model=base,
        args=DPOConfig(**shared, **setting.dpo) if pairs else SFTConfig(**shared, **setting.sft),
        train_dataset=Dataset.from_list([preference(*group) if pairs else example(*group) for group in groups]),
        processing_class=AutoTokenizer.from_pretrained(job["base"]),
        peft_config=LoraConfig(
            r=job["rank"], lora_alpha=job["alpha"], lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        callbacks=[watch],
    )


def example(item: Item) -> Item:
    """One conversation with the loss on its answer."""
    labels = [token if flag else -100 for token, flag in zip(item["ids"], item["trained"], strict=True)]
    return {"input_ids": item["ids"], "labels": labels}


def preference(chosen: Item, rejected: Item) -> Item:
    """One prompt and its two answers."""
    start = chosen["trained"].index(1)
    return {"prompt_ids": chosen["ids"][:start], "chosen_ids": chosen["ids"][start:], "rejected_ids": rejected["ids"][start:]}


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Loads base models and adapters with torch, and says what this machine can do."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from peft.utils.save_and_load import load_peft_weights, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_model
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from tailorbird.engine import kernels
from tailorbird.engine.attention import ATTENTION
from tailorbird.engine.cores import cores
from tailorbird.engine.memory import keep_freed_memory
from tailorbird.engine.packed import check_supported
from tailorbird.engine.precision import mixed_precision
from tailorbird.errors import ModelError

warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
logging.disable_progress_bar()
logging.set_verbosity_error()
_TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json", "generation_config.json",
    "tokenizer.model", "vocab.json", "merges.txt",
)  # fmt: skip


def device() -> str:
    """The torch device that training runs on."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def use_all_cores() -> None:
    """One thread for each core this process may run on."""
    torch.set_num_threads(cores())
    kernels.use_threads(cores())


def load_base(folder: Path, packed: bool, precise: bool = False) -> Any:
    """The base model: `packed` for training and scoring, else for generation; `precise` in float32."""
    dtype = torch.float32 if precise or not mixed_precision() else torch.bfloat16
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation=ATTENTION if packed else "sdpa")
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as problem:
        raise ModelError(
            f"The base model in {folder} cannot be loaded: {problem}",
            fix="If it is tailorbird's own copy, delete that folder: it is fetched again. Else check the folder's files.",
        ) from problem
    check_supported(model.config)
    use_all_cores()
    keep_freed_memory()
    return model.to(device())


def is_whole_model(folder: Path) -> bool:
    """Whether a folder has all weights of a model, as full fine-tuning leaves them, and not an adapter."""
    return (folder / "config.json").is_file()


def reload_weights(model: Any, checkpoint: Path) -> None:
    """Puts the weights of a checkpoint into the model that it was saved from."""
    if isinstance(model, PeftModel):
        set_peft_model_state_dict(model, load_peft_weights(str(checkpoint), device=device()))
    else:
        load_model(model, checkpoint / "model.safetensors", strict=False)  # tied weights are saved once


def save_tuned(model: Any, base: Path, folder: Path) -> None:
    """Saves an adapter, or a whole model with its base model's tokenizer and chat template."""
    model.save_pretrained(folder)
    if not isinstance(model, PeftModel):
        copy_tokenizer(base, folder)


def copy_tokenizer(base: Path, folder: Path) -> None:
    """Copies the tokenizer, the chat template and how to generate from one model folder to another."""
    for name in _TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copy(base / name, folder / name)

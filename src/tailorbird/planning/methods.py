"""Which part of the model is trained, how large it is and how fast it moves, by the data and the settings."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tailorbird.settings import TrainingSettings

_VIRTUAL_TOKENS = 20  # what the paper of prompt tuning found enough, and more than a step needs to share them
_SOFT_RATES = {"prompt": 1e-2, "prefix": 1e-2}


class Method(NamedTuple):
    """What is trained; `rank` is 0 without LoRA, `virtual_tokens` without a soft prompt."""

    name: Literal["lora", "prompt", "prefix"]
    rank: int
    virtual_tokens: int
    learning_rate: float
    why: dict[str, str]


def choose(wanted: TrainingSettings, conversations: int, parameters: int) -> Method:
    """The method that the settings ask for, or LoRA, with sizes and rates to go with so many conversations."""
    asked = {name: "set in tailorbird.yaml." for name, value in wanted.model_dump().items() if value is not None}
    if wanted.method in ("prompt", "prefix"):
        tokens = wanted.virtual_tokens or _VIRTUAL_TOKENS
        what = "states before the first layer" if wanted.method == "prompt" else "keys and values in every layer"
        why = {
            "method": f"{wanted.method} tuning, as set in tailorbird.yaml: {what} for {tokens} virtual tokens; no weight is "
            "changed. It is served through transformers, which is slower than llama.cpp.",
            "virtual_tokens": asked.get("virtual_tokens", "enough for one task; more cost time with every answer."),
            "learning_rate": asked.get("learning_rate", "soft prompts move far, so it is ten times LoRA's."),
        }
        return Method(wanted.method, 0, tokens, wanted.learning_rate or _SOFT_RATES[wanted.method], why)
    why = {
        "method": "LoRA: trains under 5% of the weights, so it fits a laptop and can be taken off again.",
        "lora_rank": asked.get("lora_rank", f"{conversations} training conversations; a higher rank would only memorise them."),
        "learning_rate": asked.get("learning_rate", "usual for LoRA on a model of this size and a run this short."),
    }
    return Method("lora", wanted.lora_rank or _rank(conversations), 0, wanted.learning_rate or _lora_rate(parameters), why)


def _rank(conversations: int) -> int:
    """LoRA rank by the amount of data."""
    return 8 if conversations < 150 else 16 if conversations < 3000 else 32


def _lora_rate(parameters: int) -> float:
    """Peak learning rate by model size: small models take, and for a short run need, larger ones."""
    return 1e-3 if parameters < 5e8 else 4e-4 if parameters < 2e9 else 2e-4

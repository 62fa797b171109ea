"""Which part of the model is trained, how large it is and how fast it moves, by the data and the settings."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tailorbird.artifacts import Plan
from tailorbird.errors import PlanError
from tailorbird.settings import TrainingSettings

_VIRTUAL_TOKENS = 20  # what the paper of prompt tuning found enough, and more than a step needs to share them
_SOFT_RATES = {"prompt": 1e-2, "prefix": 1e-2}
_ASKED = "set in tailorbird.yaml."
_FULL_RATE = 0.1  # of LoRA's

_PREFERENCE_SHARE = 0.1
_REWARD_SHARE = 0.3
_UPDATE_SHARE = 0.6
_LESSONS = {
    "answers": "what agents answered, word by word (SFT).",
    "pairs": "which of two answers people preferred (DPO), held against the model as it was before.",
    "thumbs": "which answers were rated well and badly (KTO), held against the model as it was before.",
    "rewards": "rewards for answers of its own (RLHF), held against the model as it was before.",
}
_WHY = {
    "lora": "LoRA: trains under 5% of the weights, so it fits a laptop and can be taken off again.",
    "rslora": "rsLoRA, as set in tailorbird.yaml: LoRA whose high ranks are not scaled down to nothing.",
    "dora": "DoRA, as set in tailorbird.yaml: LoRA that learns lengths apart from directions. It takes longer, and is served "
    "through transformers, which is slower than llama.cpp.",
    "full": "all weights, as set in tailorbird.yaml: the adapter is a whole model, which takes more memory and disk, forgets "
    "more easily and cannot be taken off; one server cannot hold many of them.",
}


class Method(NamedTuple):
    """What is trained; `rank` is 0 without LoRA, `virtual_tokens` without a soft prompt."""

    name: Literal["lora", "rslora", "dora", "full", "prompt", "prefix"]
    rank: int
    virtual_tokens: int
    learning_rate: float
    why: dict[str, str]


def choose(wanted: TrainingSettings, chats: int, parameters: int, start: Plan | None) -> Method:
    """The method that the settings ask for, or LoRA, with sizes and rates to go with so many chats.

    `start` is the plan of what training goes on from. Raises PlanError for what does not go together.
    """
    name = start.method if start else "lora" if wanted.method == "auto" else wanted.method
    if start and wanted.method not in ("auto", name):
        raise PlanError(
            f"Training goes on from {name}, so it cannot be {wanted.method}.",
            fix="Set training.method to auto, or training.start_from to base.",
        )
    if name in ("prompt", "prefix"):
        return _soft(name, wanted)
    why = {"method": _WHY[name], "learns_from": _LESSONS[wanted.learn_from]}
    rate = _lora_rate(parameters)
    told = "usual for LoRA on a model of this size and a run this short."
    if name == "full":
        rate *= _FULL_RATE
        told = "a tenth of LoRA's: every weight moves."
    if start and wanted.learn_from == "answers":
        rate *= _UPDATE_SHARE
        told = "three fifths of that for a fresh start, since it goes on from what was learned."
    elif wanted.learn_from == "rewards":
        rate *= _REWARD_SHARE
        told = "a third of that for answers: few steps, each of noisy rewards."
    elif wanted.learn_from != "answers":
        rate *= _PREFERENCE_SHARE
        told = "a tenth of that for answers: preferences push without an end."
    rank = 0
    if name != "full":
        rank = start.lora_rank if start else wanted.lora_rank or _rank(chats)
        why["lora_rank"] = f"{chats} training conversations; a higher rank would only memorise them."
        if start or wanted.lora_rank:
            why["lora_rank"] = "that of the adapter it goes on from." if start else _ASKED
    why["learning_rate"] = _ASKED if wanted.learning_rate else told
    return Method(name, rank, 0, wanted.learning_rate or rate, why)


def _soft(name: Literal["prompt", "prefix"], wanted: TrainingSettings) -> Method:
    if wanted.learn_from != "answers":
        raise PlanError(
            f"A soft prompt ({name}) learns from answers and from the base model only.",
            fix="Set training.method to lora, or training.learn_from to answers and training.start_from to base.",
        )
    tokens = wanted.virtual_tokens or _VIRTUAL_TOKENS
    what = "states before the first layer" if name == "prompt" else "keys and values in every layer"
    why = {
        "method": f"{name} tuning, as set in tailorbird.yaml: {what} for {tokens} virtual tokens; no weight is changed. "
        "It is served through transformers, which is slower than llama.cpp.",
        "virtual_tokens": _ASKED if wanted.virtual_tokens else "enough for one task; more cost time with every answer.",
        "learning_rate": _ASKED if wanted.learning_rate else "soft prompts move far, so it is ten times LoRA's.",
    }
    return Method(name, 0, tokens, wanted.learning_rate or _SOFT_RATES[name], why)


def _rank(conversations: int) -> int:
    """LoRA rank by the amount of data."""
    return 8 if conversations < 150 else 16 if conversations < 3000 else 32


def _lora_rate(parameters: int) -> float:
    """Peak learning rate by model size: small models take, and for a short run need, larger ones."""
    return 1e-3 if parameters < 5e8 else 4e-4 if parameters < 2e9 else 2e-4

"""Which part of the model is trained, how large it is and how fast it moves, by the data and the settings."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tailorbird.errors import PlanError
from tailorbird.settings import TrainingSettings

_VIRTUAL_TOKENS = 20  # what the paper of prompt tuning found enough, and more than a step needs to share them
_SOFT_RATES = {"prompt": 1e-2, "prefix": 1e-2}

_PREFERENCE_SHARE = 0.1
_LESSONS = {
    "answers": "what agents answered, word by word (SFT).",
    "pairs": "which of two answers people preferred (DPO), held against the model as it was before.",
    "thumbs": "which answers were rated well and badly (KTO), held against the model as it was before.",
}


class Method(NamedTuple):
    """What is trained; `rank` is 0 without LoRA, `virtual_tokens` without a soft prompt."""

    name: Literal["lora", "prompt", "prefix"]
    rank: int
    virtual_tokens: int
    learning_rate: float
    why: dict[str, str]


def choose(wanted: TrainingSettings, chats: int, parameters: int, given_rank: int | None) -> Method:
    """The method that the settings ask for, or LoRA, with sizes and rates to go with so many chats.

    `given_rank` is that of the adapter which training goes on from. Raises PlanError for preferences by a soft prompt.
    """
    asked = {name: "set in tailorbird.yaml." for name, value in wanted.model_dump().items() if value is not None}
    if wanted.method in ("prompt", "prefix"):
        if wanted.learn_from != "answers" or given_rank:
            raise PlanError(
                f"A soft prompt ({wanted.method}) learns from answers and from the base model only.",
                fix="Set training.method to lora, or training.learn_from to answers and training.start_from to base.",
            )
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
        "learns_from": _LESSONS[wanted.learn_from],
        "lora_rank": asked.get("lora_rank", f"{chats} training conversations; a higher rank would only memorise them."),
        "learning_rate": asked.get("learning_rate", "usual for LoRA on a model of this size and a run this short."),
    }
    if given_rank:
        why["lora_rank"] = "that of the adapter it goes on from."
    rate = _lora_rate(parameters)
    if wanted.learn_from != "answers":
        rate *= _PREFERENCE_SHARE
        why["learning_rate"] = asked.get("learning_rate", "a tenth of that for answers: preferences push without an end.")
    rank = given_rank or wanted.lora_rank or _rank(chats)
    return Method("lora", rank, 0, wanted.learning_rate or rate, why)


def _rank(conversations: int) -> int:
    """LoRA rank by the amount of data."""
    return 8 if conversations < 150 else 16 if conversations < 3000 else 32


def _lora_rate(parameters: int) -> float:
    """Peak learning rate by model size: small models take, and for a short run need, larger ones."""
    return 1e-3 if parameters < 5e8 else 4e-4 if parameters < 2e9 else 2e-4

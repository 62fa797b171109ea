"""How much memory and time training takes, and the largest choices that fit."""

from __future__ import annotations

import math
from typing import NamedTuple

from tailorbird.errors import PlanError
from tailorbird.settings import TrainingSettings

_STEP = 1024  # tokens of its own; what all conversations share comes on top, computed once
_PASS_SIZES = (1024, 512, 256, 128)
_LONGEST = 1536
_RUNTIME_GB = 0.7  # Python, torch and their libraries
_LOADING = 1.4  # weights while they are rearranged, as a multiple of the weights
_PASSING = 1.25  # activations with what a layer needs for a moment and what the allocator keeps
_MOST_EPOCHS = 3


class Machine(NamedTuple):
    """What a plan depends on: cores, and memory in GB."""

    cores: int
    memory_gb: float


class Size(NamedTuple):
    """The lengths that fit, and why."""

    sequence_length: int
    tokens_per_pass: int
    accumulation: int
    memory_gb: float
    free_gb: float
    why_length: str
    why_tokens: str


class Work(NamedTuple):
    """How long to train, and why."""

    steps: int
    epochs: int
    minutes: float
    why: str


def memory_gb(facts: dict[str, int], tokens: int, longest: int, rank: int, mixed: bool) -> float:
    """Predicted peak memory of a LoRA run with `tokens` in one pass, in conversations of up to `longest` tokens.

    Per token and layer the backward pass keeps about 7 vectors of the model's width, 2 of its inner width, and a row of
    attention scores a head, three quarters of the longest conversation on average; the adapter keeps its weights, gradients
    and two Adam moments in float32. The constants are fitted to benchmarks/training_memory.py.
    """
    number = 2 if mixed else 4
    weights = _LOADING * facts["parameters"] * number
    adapter = rank * facts["layers"] * (11 * facts["width"] + 3 * facts["inner"]) * 4 * 4
    vectors = 7 * facts["width"] + 2 * facts["inner"] + 0.75 * facts["heads"] * longest
    activations = _PASSING * tokens * facts["layers"] * vectors * number
    logits = 512 * facts["vocabulary"] * number
    return _RUNTIME_GB + (weights + adapter + activations + logits) / 1e9


def fit_memory(
    facts: dict[str, int], lengths: list[int], prefix: int, rank: int, mixed: bool, wanted: TrainingSettings, free_gb: float
) -> Size:
    """The longest sequence and the largest pass within memory; raises PlanError when not even a small pass fits.

    `prefix` is how many tokens all conversations share.

    Smaller passes are accumulated to a step of the same size, so memory changes how fast training is, not what it learns.
    """
    limit = min(wanted.memory_gb or 0.7 * free_gb, free_gb)
    longest = -(-max(lengths) // 32) * 32
    length = wanted.sequence_length or min(longest, _LONGEST, facts["context"])
    cut = sum(n > length for n in lengths)
    why_length = f"the longest conversation has {max(lengths)} tokens" + (
        f"; {cut} longer than {length} are cut to whole exchanges." if cut else "; none is cut."
    )
    for own in _PASS_SIZES:
        tokens = max(own + prefix, length)
        need = memory_gb(facts, tokens, length, rank, mixed)
        if need <= limit:
            passes = max(1, _STEP // (tokens - prefix))
            why = f"in {passes} passes, to fit the memory." if passes > 1 else "larger steps are not faster."
            if prefix:
                why = f"{prefix} of them are the start that all conversations share, computed once a pass; {why}"
            return Size(length, tokens, passes, need, free_gb, why_length, why)
    raise PlanError(
        f"Training needs at least {need:.1f} GB of memory and {limit:.1f} GB may be used ({free_gb:.1f} GB are free).",
        fix="Choose a smaller model (`tailorbird models`), lower training.sequence_length, close other programs, "
        "or raise training.memory_gb in tailorbird.yaml.",
    )


def fit_time(
    lengths: list[int], check_tokens: int, prefix: int, size: Size, speed: float, wanted: TrainingSettings, checks: int
) -> Work:
    """Steps and epochs within the minutes asked for; `speed` in tokens a second, a check costs a third of training."""
    own = sum(max(n - prefix, 1) for n in lengths)
    passes = max(1, math.ceil(own / max(size.tokens_per_pass - prefix, 1) / 0.97))
    steps_per_epoch = math.ceil(passes / size.accumulation)
    tokens = (own + passes * prefix) / steps_per_epoch
    checking = checks * check_tokens / 3 / speed
    affordable = int((wanted.minutes * 60 - checking) * speed / tokens)
    if affordable < 1:
        raise PlanError(
            f"Not one training step fits into {wanted.minutes:g} minutes at {speed:.0f} tokens/s.",
            fix="Raise training.minutes in tailorbird.yaml or choose a smaller model.",
        )
    full = (wanted.epochs or _MOST_EPOCHS) * steps_per_epoch
    steps = min(full, affordable)
    epochs = steps / steps_per_epoch
    limit = f"as many as fit into {wanted.minutes:g} minutes" if steps < full else "more would overfit"
    if wanted.epochs:
        limit = f"{limit}; {wanted.epochs} asked for" if steps < full else "as asked for"
    why = f"{epochs:.1f} passes over {len(lengths)} conversations: {limit}."
    return Work(steps, math.ceil(epochs), (steps * tokens / speed + checking) / 60, why)

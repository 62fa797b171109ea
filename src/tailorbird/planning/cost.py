"""How much memory and time training takes, and the largest choices that fit."""

from __future__ import annotations

import math
from typing import NamedTuple

from tailorbird.errors import PlanError
from tailorbird.planning.methods import Method
from tailorbird.settings import TrainingSettings

_STEP = 1024  # tokens of its own; what all conversations share comes on top, computed once
_PASS_SIZES = (1024, 512, 256, 128)
_LONGEST = 1536
RUNTIME_GB = 0.7
"""What Python, torch and their libraries take."""
_LOADING = 1.4  # weights while they are rearranged, as a multiple of the weights
_PASSING = 1.25  # activations with what a layer needs for a moment and what the allocator keeps
_CHECKING = 1 / 3  # of the minutes
_MOST_EPOCHS = 3
_FEWEST_STEPS = 30
_FEWEST_UPDATES = 40  # steps until ten conversations change what is answered (benchmarks/continuous.py)
_FEWEST_REINFORCED, _MOST_REINFORCED = 8, 120
_REWARD_EPOCHS = 2
ANSWER_TOKENS = 64
"""Where a sampled answer is cut in reinforcement."""
CHECKS = 6
"""How often a run is validated and saved."""


class Machine(NamedTuple):
    """What a plan depends on: cores, and memory in GB."""

    cores: int
    memory_gb: float


class Speed(NamedTuple):
    """Tokens a second of training, checking and writing, seconds of a checkpoint, how often what is trained on is read before."""

    training: float
    checking: float
    checkpoint_seconds: float
    before: int = 0
    writing: float = 0.0


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
    """How long to train, and why; `times` is how often everything is read, `epochs` that rounded up, `checks` how often it is
    validated at the most.
    """

    steps: int
    epochs: int
    times: float
    minutes: float
    why: str
    checks: int = CHECKS

    @property
    def check_every(self) -> int:
        """Steps from one check to the next; the last step is always checked."""
        return math.ceil(self.steps / self.checks)


def memory_gb(facts: dict[str, int], tokens: int, longest: int, rank: int, mixed: bool, full: bool = False) -> float:
    """Predicted peak memory of a run with `tokens` in one pass, in conversations of up to `longest` tokens.

    Per token and layer the backward pass keeps about 7 vectors of the model's width, 2 of its inner width, and a row of
    attention scores a head, three quarters of the longest conversation on average. What is trained keeps its weights,
    gradients and two Adam moments in float32. The constants are fitted to benchmarks/training_memory.py; calibration then
    measures it.
    """
    number = 2 if mixed else 4
    weights = _LOADING * facts["parameters"] * number
    trained = facts["parameters"] if full else rank * facts["layers"] * (11 * facts["width"] + 3 * facts["inner"])
    vectors = 7 * facts["width"] + 2 * facts["inner"] + 0.75 * facts["heads"] * longest
    activations = _PASSING * tokens * facts["layers"] * vectors * number
    logits = 512 * facts["vocabulary"] * number
    return RUNTIME_GB + (weights + trained * 4 * 4 + activations + logits) / 1e9


def fit_memory(
    facts: dict[str, int], lengths: list[int], prefix: int, method: Method, mixed: bool, wanted: TrainingSettings, free_gb: float
) -> Size:
    """The longest sequence and the largest pass within memory; raises PlanError when not even a small pass fits.

    `prefix` is how many tokens all conversations share.

    Smaller passes are accumulated to a step of the same size, so memory changes how fast training is, not what it learns.
    """
    limit = min(wanted.memory_gb or 0.7 * free_gb, free_gb)
    longest = -(-max(lengths) // 32) * 32
    length = wanted.sequence_length or min(longest, _LONGEST, facts["context"])
    cut = sum(n > length for n in lengths)
    loss = "left out" if wanted.learn_from in ("pairs", "thumbs") else "cut to whole exchanges"
    why_length = f"the longest conversation has {max(lengths)} tokens" + (
        f"; {cut} longer than {length} are {loss}." if cut else "; none is cut."
    )
    for own in _PASS_SIZES:
        tokens = max(own + prefix, length)
        need = memory_gb(facts, tokens, length, method.rank, mixed, method.name == "full")
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


def fit_time(lengths: list[int], check_tokens: int, prefix: int, size: Size, speed: Speed, wanted: TrainingSettings) -> Work:
    """Steps and epochs within the minutes asked for; `check_tokens` are those of one check.

    Checks take a third of the minutes at the most, where one fits into that. What a run of less than an epoch does not train on
    is not read before it either.
    """
    own = sum(max(n - prefix, 1) for n in lengths)
    passes = max(1, math.ceil(own / max(size.tokens_per_pass - prefix, 1) / 0.97))
    steps_per_epoch = math.ceil(passes / size.accumulation)
    tokens = (own + passes * prefix) / steps_per_epoch
    check = check_tokens / speed.checking + speed.checkpoint_seconds
    checks = int(min(max(wanted.minutes * 60 * _CHECKING / max(check, 1e-9), 1), CHECKS))
    left = wanted.minutes * 60 - checks * check - speed.before * check_tokens / speed.checking
    before, step = speed.before * tokens / speed.checking, tokens / speed.training
    first = left / (before + step)
    affordable = int(first if first <= steps_per_epoch else (left - before * steps_per_epoch) / step)
    _refuse_no_step(affordable, wanted, speed)
    full = (wanted.epochs or _most_epochs(steps_per_epoch)) * steps_per_epoch
    steps = min(full, affordable)
    epochs = steps / steps_per_epoch
    seconds = wanted.minutes * 60 - left + steps * step + min(steps, steps_per_epoch) * before
    limit = f"as many as fit into {wanted.minutes:g} minutes" if steps < full else "more would overfit"
    if wanted.epochs:
        limit = f"{limit}; {wanted.epochs} asked for" if steps < full else "as asked for"
    why = f"{epochs:.1f} passes over {len(lengths)} conversations: {limit}."
    return Work(steps, math.ceil(epochs), epochs, seconds / 60, why, checks)


def fit_update(
    new: list[int], old: list[int], check_tokens: int, prefix: int, size: Size, speed: Speed, wanted: TrainingSettings
) -> Work:
    """Steps that go on with new conversations among old ones, given by their tokens; each fills half of a pass with new ones.

    The run is checked once, at its end: what it forgets on the way would stop it before it has learned.
    """
    half = (size.tokens_per_pass - prefix) // 2
    own = [max(n - prefix, 1) for n in new]
    passes = sum(n > half for n in own) + math.ceil(sum(n for n in own if n <= half) / max(half, 1))
    steps_per_epoch = math.ceil(passes / size.accumulation)
    once = (sum(old) + check_tokens) / speed.checking + speed.checkpoint_seconds
    step = size.accumulation * size.tokens_per_pass / speed.training
    affordable = int((wanted.minutes * 60 - once) / step)
    _refuse_no_step(affordable, wanted, speed)
    full = (wanted.epochs or max(_MOST_EPOCHS, math.ceil(_FEWEST_UPDATES / steps_per_epoch))) * steps_per_epoch
    steps = min(full, affordable)
    epochs = steps / steps_per_epoch
    limit = f"as many as fit into {wanted.minutes:g} minutes" if steps < full else "what a changed fact needs"
    why = f"{epochs:.1f} passes over {len(new)} new conversations: {limit}."
    return Work(steps, math.ceil(epochs), epochs, (steps * step + once) / 60, why, checks=1)


def _refuse_no_step(affordable: int, wanted: TrainingSettings, speed: Speed) -> None:
    if affordable < 1:
        raise PlanError(
            f"Not one training step fits into {wanted.minutes:g} minutes at {speed.training:.0f} tokens/s.",
            fix="Raise training.minutes in tailorbird.yaml or choose a smaller model.",
        )


def _most_epochs(steps_per_epoch: int) -> int:
    """A few passes; of little data more, since that many steps are needed to learn anything at all."""
    return min(max(_MOST_EPOCHS, math.ceil(_FEWEST_STEPS / steps_per_epoch)), 2 * _MOST_EPOCHS)


def fit_rewards(lengths: list[int], pairs: int, size: Size, speed: Speed, wanted: TrainingSettings) -> Work:
    """Steps of reinforcement within the minutes asked for, after a reward model has learned from so many of the chats.

    A step writes answers of about a step's tokens, reads them twice, judges them and learns from them; a check costs about
    as much as a step.
    """
    each = sum(lengths) / len(lengths)
    answers = size.tokens_per_pass * size.accumulation / ANSWER_TOKENS
    reading = answers * each / speed.checking
    step = answers * ANSWER_TOKENS / speed.writing + (2 + bool(pairs)) * reading + answers * each / speed.training
    rewarding = 2 * _REWARD_EPOCHS * pairs * each / speed.training
    affordable = int((wanted.minutes * 60 - rewarding) / step) - CHECKS - 1
    if affordable < _FEWEST_REINFORCED:
        raise PlanError(
            f"Only {max(affordable, 0)} steps of reinforcement fit into {wanted.minutes:g} minutes, and fewer than "
            f"{_FEWEST_REINFORCED} change nothing.",
            fix=f"Raise training.minutes to {math.ceil((rewarding + step * (_FEWEST_REINFORCED + CHECKS + 1)) / 60)}.",
        )
    steps = min(affordable, _MOST_REINFORCED)
    times = steps * answers / 4 / len(lengths)
    why = f"{answers:.0f} answers each; as many as fit into {wanted.minutes:g} minutes, {_MOST_REINFORCED} at the most."
    return Work(steps, math.ceil(times), times, (rewarding + step * (steps + CHECKS + 1)) / 60, why)

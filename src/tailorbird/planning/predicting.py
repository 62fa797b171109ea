"""From lessons and a method to a plan: sizes that fit the memory, then steps that fit the time, measured on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psutil

from tailorbird import engine
from tailorbird.artifacts import Candidate, Plan
from tailorbird.planning import cost
from tailorbird.planning.choosing import Lessons, chats_of
from tailorbird.planning.cost import Machine, Size, Speed
from tailorbird.planning.languages import why_languages
from tailorbird.planning.methods import Method
from tailorbird.progress import Progress
from tailorbird.settings import PAIRS, TrainingSettings

_PATIENCE = 3
_KEPT = 3  # checkpoints on the disk
_SAMPLE = 64  # conversations that this machine is measured with


class Given(NamedTuple):
    """What a plan is made of: the model's folder and name, its facts, what there is to learn, and what it goes on from."""

    base: Path
    model: str
    facts: dict[str, int]
    lessons: Lessons
    start: Candidate | None
    wanted: TrainingSettings
    machine: Machine
    mixed: bool


class Predicted(NamedTuple):
    """A plan with what it takes besides time and memory.

    GB of disk, tokens that it reads in all and in one conversation, and tokens a second that this machine reads.
    """

    plan: Plan
    disk_gb: float
    tokens: int
    each: int
    reading: float


def predicted(identity: str, sources: tuple[str, ...], given: Given, method: Method, progress: Progress) -> Predicted:
    """The plan for a method; raises PlanError where it cannot fit."""
    wanted = given.wanted
    parts = (given.lessons.train, given.lessons.validation, given.lessons.replayed)
    new, checks, old = (chats_of(part, wanted.learn_from) for part in parts)
    chats = [*new, *old]
    lengths, prefix = engine.measure_lengths(given.base, chats)
    check_lengths, _ = engine.measure_lengths(given.base, checks)
    prefix += method.virtual_tokens
    free_gb = psutil.virtual_memory().available / 1e9
    room = cost.ANSWER_TOKENS if wanted.learn_from == "rewards" else 0  # for an answer of the model's own
    size = cost.fit_memory(given.facts, [n + room for n in lengths], prefix, method, given.mixed, wanted, free_gb)
    draft = _drafted(identity, sources, given, method, size)
    measured = engine.calibrate(given.base, draft, chats[:_SAMPLE], progress)
    compared = wanted.learn_from in ("pairs", "thumbs")  # the model before this run reads everything once
    speed = Speed(measured.training, measured.checking, measured.checkpoint_seconds, int(compared), measured.writing)
    kept = _sizes(given, lengths, size.sequence_length)
    if wanted.learn_from == "rewards":
        pairs = sum(one.pair is not None for one in given.lessons.train) if PAIRS in wanted.rewards else 0
        work = cost.fit_rewards(kept, pairs, size, speed, wanted)
    elif old:
        work = cost.fit_update(kept[: len(new)], kept[len(new) :], sum(check_lengths), prefix, size, speed, wanted)
    else:
        work = cost.fit_time(kept, sum(check_lengths), prefix, size, speed, wanted)
    memory = size.memory_gb if measured.memory_gb is None else cost.RUNTIME_GB + measured.memory_gb
    changed = {
        "epochs": work.epochs,
        "steps": work.steps,
        "check_every": work.check_every,
        "minutes": round(work.minutes, 2),
        "memory_gb": round(memory, 2),
        "why": draft.why | {"steps": work.why, **_measured_why(given, measured.training, size)},
    }
    disk = (_KEPT + 1) * measured.checkpoint_gb
    tokens, each = round(sum(kept) * work.times), round(sum(lengths) / len(lengths))
    return Predicted(draft.model_copy(update=changed), disk, tokens, each, measured.checking)


def _sizes(given: Given, lengths: list[int], longest: int) -> list[int]:
    """Tokens of what is learned from, one by one: of a conversation, or of a pair's prompt with both its answers.

    Thumbs are held against another conversation's answer to the same prompt. Pairs and thumbs that are too long are left out.
    """
    learn_from, train = given.wanted.learn_from, given.lessons.train
    if learn_from not in ("pairs", "thumbs"):
        return [min(n, longest) for n in lengths]
    prompts, _ = engine.measure_lengths(given.base, [one.messages[:-1] for one in train])
    if learn_from == "pairs":
        both = lengths[::2], lengths[1::2]
    else:
        answers = [whole - prompt for whole, prompt in zip(lengths, prompts, strict=True)]
        both = lengths, [prompt + other for prompt, other in zip(prompts, [*answers[1:], answers[0]], strict=True)]
    together = zip(*both, prompts, strict=True)
    return [one + other - prompt for one, other, prompt in together if max(one, other) <= longest]


def _drafted(identity: str, sources: tuple[str, ...], given: Given, method: Method, size: Size) -> Plan:
    """The plan as far as it stands before anything was measured."""
    start = given.start
    why = {
        "model": f"{given.facts['parameters'] / 1e6:.0f} million parameters; named in tailorbird.yaml or the default.",
        **method.why,
        "lessons": given.lessons.why,
        "languages": why_languages(given.base, given.model, given.lessons.train),
        "start": f"training goes on from {start.id}." if start else "training starts from the base model.",
        "sequence_length": size.why_length,
        "tokens_per_step": size.why_tokens,
    }
    why = {field: told for field, told in why.items() if told}
    return Plan(
        id=identity,
        made_from=sources,
        model=given.model,
        method=method.name,
        learns_from=given.wanted.learn_from,
        lora_rank=method.rank,
        virtual_tokens=method.virtual_tokens,
        sequence_length=size.sequence_length,
        tokens_per_step=size.tokens_per_pass * size.accumulation,
        accumulation=size.accumulation,
        epochs=1,
        steps=1,
        learning_rate=method.learning_rate,
        check_every=1,
        patience=_PATIENCE,
        seed=given.wanted.seed,
        minutes=0.0,
        memory_gb=round(size.memory_gb, 2),
        why=why,
    )


def _measured_why(given: Given, speed: float, size: Size) -> dict[str, str]:
    bfloat = " with bfloat16." if given.mixed else "; this processor has no bfloat16, which makes it 2 to 3 times slower."
    return {
        "minutes": f"{speed:.0f} tokens/s measured just now on {given.machine.cores} cores{bfloat}",
        "memory_gb": f"measured just now with {size.tokens_per_pass} tokens at once: weights, activations, what is trained, "
        f"optimizer; {size.free_gb:.1f} GB free.",
    }

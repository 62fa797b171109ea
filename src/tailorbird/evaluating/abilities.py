"""What a model can do beside its business: multiple choice, decided by which answer it finds likeliest.

Fine-tuning on one shop's answers can cost what the base model knew. Knows nothing about models: `chats` go to the engine,
and `scored` takes the losses that come back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from tailorbird.artifacts import Part
from tailorbird.evaluating.figures import compared
from tailorbird.replier import Message

METRIC = "ability"
OPTIONS = 4
Losses = Sequence[tuple[float, int] | None]
_ITEMS = "abilities.jsonl"


class Ability(BaseModel):
    """A question with four possible answers, written for this purpose; `answer` is the place of the right one."""

    model_config = ConfigDict(frozen=True)

    area: str
    language: str
    question: str
    options: tuple[str, str, str, str]
    answer: int = Field(ge=0, lt=OPTIONS)


@cache
def items() -> tuple[Ability, ...]:
    """All questions, in the order of the file."""
    lines = files("tailorbird.evaluating").joinpath(_ITEMS).read_text(encoding="utf-8").splitlines()
    return tuple(Ability.model_validate_json(line) for line in lines if line.strip())


def chats() -> list[list[Message]]:
    """Each question with each of its four options as the assistant's answer, in the order that `scored` expects."""
    return [
        [{"role": "user", "content": item.question}, {"role": "assistant", "content": option}]
        for item in items()
        for option in item.options
    ]


def scored(losses: Losses) -> list[float]:
    """For each question 1 where the right option is likelier than every other, token for token, else 0.

    By the token, since totals favour short options (the default base model is right in 73% by the token, in 69% by totals). A
    question with an option that could not be scored counts as wrong.
    """
    if len(losses) != OPTIONS * len(items()):
        raise ValueError(f"{OPTIONS * len(items())} losses are needed, one for each of chats(); got {len(losses)}.")
    found = []
    for number, item in enumerate(items()):
        costs = [loss[0] / loss[1] for loss in losses[number * OPTIONS : (number + 1) * OPTIONS] if loss]
        wrong = costs[: item.answer] + costs[item.answer + 1 :]
        found.append(float(len(costs) == OPTIONS and costs[item.answer] < min(wrong)))
    return found


def parts(losses: Mapping[str, Losses]) -> dict[str, Part]:
    """The share right of every system, in all and for each area; differences are paired by question."""
    right = {system: scored(row) for system, row in losses.items()}
    areas = [item.area for item in items()]
    chosen = {METRIC: range(len(areas))} | {
        f"{METRIC} {area}": [place for place, one in enumerate(areas) if one == area] for area in dict.fromkeys(areas)
    }
    return {
        name: compared(METRIC, {system: [(values[place], 1.0) for place in places] for system, values in right.items()})
        for name, places in chosen.items()
    }

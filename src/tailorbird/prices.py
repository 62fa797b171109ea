"""What the planned run costs: electricity here, a rented GPU, a hosted tuning API; and what retrieval alone costs instead."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from tailorbird.artifacts import Plan
from tailorbird.errors import SettingsError

FILE = "prices.yaml"
_OWN = Path(__file__).with_name(FILE)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Here(_Strict):
    """This machine's electricity."""

    watts: float
    per_kwh: float
    source: str


class Gpu(_Strict):
    """A GPU rented by the hour; `tflops` is what training reaches."""

    name: str
    per_hour: float
    tflops: float
    source: str


class Api(_Strict):
    """Hosted tuning; prices for a million tokens, those of the untuned model beside them."""

    name: str
    training: float
    input: float
    output: float
    base_input: float
    base_output: float
    source: str


class Retrieval(_Strict):
    """What retrieval adds to a prompt, and how many answers costs are told for."""

    passages: int
    tokens_each: int
    answers: int
    answer_tokens: int


class Prices(_Strict):
    """The whole price file."""

    date: datetime.date
    currency: str
    exchange: dict[str, float]
    here: Here
    gpus: list[Gpu]
    gpu_start_minutes: float
    apis: list[Api]
    retrieval: Retrieval

    @property
    def digest(self) -> str:
        """What tells one state of the file from another."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class Cost(BaseModel):
    """One way to do it: minutes, money to train, money for so many answers, and where the price is from."""

    way: str
    minutes: float | None
    training: float
    answers: float | None
    source: str


class MethodCost(BaseModel):
    """What one method takes on this machine, measured: GB of memory, and of disk for checkpoints and what is kept."""

    method: str
    minutes: float
    memory_gb: float
    disk_gb: float
    training: float


class Costs(BaseModel):
    """All methods and ways, in one currency. `answers` is how many answers a way's second price is for.

    `prices` is the digest of the price file.
    """

    currency: str
    date: datetime.date
    prices: str = ""
    answers: int
    methods: list[MethodCost]
    ways: list[Cost]


def prices(workspace: Path) -> Prices:
    """The workspace's own prices.yaml, or ours; raises SettingsError for a file that is not one."""
    path = workspace / FILE if (workspace / FILE).is_file() else _OWN
    try:
        return Prices.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as problem:
        told = problem.errors()[0] if isinstance(problem, ValidationError) else None
        what = f"{'.'.join(str(part) for part in told['loc'])}: {told['msg']}" if told else str(problem)
        raise SettingsError(f"The prices cannot be read: {what}.", fix=f"Compare with {_OWN}.", where=str(path)) from problem


def rate_of(known: Prices, currency: str) -> float:
    """What one unit of the file's currency is in another; raises SettingsError where it is not there."""
    if currency not in known.exchange:
        raise SettingsError(
            f"There is no exchange rate for {currency}.", fix=f"Choose {', '.join(known.exchange)}, or add it to {FILE}."
        )
    return known.exchange[currency]


def here(minutes: float, known: Prices, rate: float) -> float:
    """The electricity of so many minutes."""
    return minutes / 60 * known.here.watts / 1000 * known.here.per_kwh * rate


def electricity(workspace: Path, currency: str) -> Callable[[float], str]:
    """Says what so many minutes of this machine cost, such as `0.0012 EUR`; raises SettingsError for unreadable prices."""
    known = prices(workspace)
    rate = rate_of(known, currency)
    return lambda minutes: f"{here(minutes, known, rate):.2g} {currency}"


def elsewhere(plan: Plan, tokens: int, parameters: int, prompt: int, known: Prices, rate: float) -> list[Cost]:
    """What the planned run costs elsewhere; `tokens` are all that it learns, `prompt` those of a question without passages.

    Training takes about 4 FLOPs a parameter and token with an adapter and 6 without (arXiv 2001.08361, less the gradients of
    frozen weights).
    """
    few = known.retrieval
    flops = (6 if plan.method == "full" else 4) * parameters * tokens
    ways = []
    for gpu in known.gpus:
        minutes = known.gpu_start_minutes + flops / gpu.tflops / 1e12 / 60
        paid = minutes / 60 * gpu.per_hour * rate
        ways.append(Cost(way=f"a rented {gpu.name}", minutes=minutes, training=paid, answers=None, source=gpu.source))
    for api in known.apis:
        paid = tokens * api.training / 1e6 * rate
        asked = few.answers * (prompt * api.input + few.answer_tokens * api.output) / 1e6 * rate
        ways.append(Cost(way=f"hosted tuning of {api.name}", minutes=None, training=paid, answers=asked, source=api.source))
    for api in known.apis:
        longer = prompt + few.passages * few.tokens_each
        asked = few.answers * (longer * api.base_input + few.answer_tokens * api.base_output) / 1e6 * rate
        ways.append(Cost(way=f"retrieval, {api.name} untuned", minutes=0, training=0, answers=asked, source=api.source))
    return ways

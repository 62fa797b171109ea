"""The nouns. Each stage takes one and hands on the next: Dataset, Audit, Plan, Candidate, Scorecard, Release;
an update also has a Comparison with what serves customers.

An artifact is a frozen manifest with its payload files beside it in the workspace. Its `id` comes from its content
and inputs, so the same step on the same inputs is found again instead of repeated; `made_from` is its lineage.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tailorbird.replier import Message

FEEDBACK = "feedback.sqlite"
"""What datasets call judgements as a source: the file that they were kept in by older versions."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Turn(_Frozen):
    """One message of a conversation: who spoke and what they wrote; times are UTC, ISO 8601.

    An answer that is `given` only stands there as what was said before: it is neither learned nor scored.
    """

    role: Literal["system", "user", "assistant"]
    content: str
    author: str | None = None
    created_at: str | None = None
    given: bool = False


class Conversation(_Frozen):
    """One support conversation, with what the help desk knew about it; a tag is a word, or `column=value`.

    `rating` is 1 (bad) to 5 (good), whatever scale the help desk has. `names` are the customer's names and addresses as
    the help desk has them, for redaction and erasure; `source` is the export it came from, `origin` the place in it.
    `rejected` is a worse answer than the last one, where people compared two. `task` is another task than answering customers;
    the audit fills in the customer's `language` (ISO 639-1).
    """

    id: str
    turns: tuple[Turn, ...]
    customer_id: str | None = None
    names: tuple[str, ...] = ()
    created_at: str | None = None
    rating: float | None = None
    status: str | None = None
    channel: str | None = None
    department: str | None = None
    tags: tuple[str, ...] = ()
    rejected: str | None = None
    task: str = ""
    language: str = ""
    source: str = ""
    origin: str = ""

    @property
    def messages(self) -> list[Message]:
        """The turns in the form that models take."""
        return [
            {"role": turn.role, "content": turn.content, "given": True}
            if turn.given
            else {"role": turn.role, "content": turn.content}
            for turn in self.turns
        ]

    @property
    def disliked(self) -> bool:
        """Whether somebody judged this one answer badly; a help desk's rating is of a whole conversation, or of the parcel."""
        return self.liked is False and self.source == FEEDBACK

    @property
    def digest(self) -> str:
        """SHA-256 of what can be learned from it: a conversation that went on, or was judged anew, has another one."""
        said = [(turn.role, turn.content, turn.given) for turn in self.turns if turn.role != "system"]
        told = [said, self.rating, self.rejected, self.task, self.department, self.tags]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @property
    def pair(self) -> tuple[list[Message], list[Message]] | None:
        """The conversation with its last answer and with the worse one, where people compared two."""
        if self.rejected is None or self.turns[-1].role != "assistant":
            return None
        return self.messages, [*self.messages[:-1], {"role": "assistant", "content": self.rejected}]

    @property
    def liked(self) -> bool | None:
        """Whether its last answer was rated well or badly; None in between, unrated, or without an answer at the end."""
        if self.rating is None or 2 < self.rating < 4 or self.turns[-1].role != "assistant":
            return None
        return self.rating >= 4


class Artifact(_Frozen):
    """What every artifact carries."""

    kind: ClassVar[str]

    id: str
    made_from: tuple[str, ...] = ()
    made_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Source(_Frozen):
    """A file or folder that was imported; `why` tells what its format was recognised by."""

    name: str
    format: str
    sha256: str
    conversations: int
    why: str = ""
    options: str = ""


class Dataset(Artifact):
    """Conversations as imported, those of earlier imports included. Payload: conversations.jsonl, rejected.jsonl.

    `added` and `updated` count against the dataset before; `rejected` are records of the newest import.
    """

    kind = "dataset"

    sources: tuple[Source, ...]
    conversations: int
    turns: int
    rejected: int
    added: int = 0
    updated: int = 0
    unchanged: int = 0


class Audit(Artifact):
    """Which conversations may be learned from. Payload: train, validation, test, quarantined and findings .jsonl.

    `quarantined` and `noted` count conversations by rule, `redacted` pieces of personal data by type.
    """

    kind = "audit"

    conversations: int
    kept: int
    split_groups: int
    quarantined: dict[str, int]
    noted: dict[str, int] = {}
    redacted: dict[str, int]
    languages: dict[str, int] = {}
    splits: dict[str, int]
    seed: int
    system_prompt: str


class Plan(Artifact):
    """What will be trained, how, and what it will cost; `why` has one line for each choice.

    Payload: train.jsonl, replayed.jsonl and validation.jsonl: what will be learned, task by task, mixed; what is read beside
    it against forgetting; what is watched. Training goes on from the candidate that the plan is made from, if there is one.
    A step is `accumulation` passes of `tokens_per_pass` tokens.
    """

    kind = "plan"
    parts: ClassVar[tuple[str, ...]] = ("train", "replayed", "validation")

    model: str
    method: Literal["lora", "rslora", "dora", "full", "prompt", "prefix"] = "lora"
    learns_from: Literal["answers", "pairs", "thumbs", "rewards"] = "answers"
    lora_rank: int
    virtual_tokens: int = 0
    sequence_length: int
    tokens_per_step: int
    accumulation: int = 1
    epochs: int
    steps: int
    learning_rate: float
    check_every: int
    patience: int
    seed: int
    minutes: float
    memory_gb: float
    why: dict[str, str]

    @property
    def lora_alpha(self) -> int:
        """LoRA's scale: twice the rank."""
        return 2 * self.lora_rank

    @property
    def tokens_per_pass(self) -> int:
        """Tokens that are in memory at once."""
        return self.tokens_per_step // self.accumulation


class CurvePoint(_Frozen):
    """One row of the loss curves, in nats a token; `measures` are rewards, KL, lengths and the like of RLHF."""

    step: int
    train_loss: float | None = None
    validation_loss: float | None = None
    measures: dict[str, float] = {}


class Candidate(Artifact):
    """A trained adapter, or a whole model. Payload: adapter/ (PEFT or transformers), curve.jsonl, run.json, labels.npz
    (the second reader of tasks with labels).
    """

    kind = "candidate"

    model: str
    steps: int
    best_step: int
    stopped_early: bool
    train_loss: float
    validation_loss: float
    minutes: float
    tokens_per_second: float
    peak_memory_gb: float


class Interval(_Frozen):
    """A measured value with its 95% bootstrap interval."""

    value: float
    low: float
    high: float


class Difference(Interval):
    """How far a system is from another on the same conversations.

    `p` is the chance of as large a difference if the two were alike (paired permutation test), `detectable` the difference that a
    test of this size would find four times in five.
    """

    p: float
    detectable: float


class Figure(Interval):
    """A measured value with its unit and which way is better."""

    unit: str
    better: Literal["lower", "higher"]


class Part(_Frozen):
    """Figures on a part of what was held out: one language of the customers, or another task than answering them."""

    examples: int
    systems: dict[str, dict[str, Figure]]
    differences: dict[str, Difference]


PROBES = {"forgetting": "general text", "leak": "verbatim training answers", "safety": "attacks"}
"""The part of a scorecard that tells of each kind of harm, if it was measured."""
COMPARED = ("earlier conversations", "new conversations", PROBES["forgetting"])
"""What the losses of an update and of production are compared on, as far as there is any of it."""


class Judged(_Frozen):
    """What a judging model said of pairs of answers, each asked in both orders.

    `preferred` is the share of the first, a tie or a change of mind as half of it; `swayed` is how often, of pairs that differ,
    the order changed the choice, and of those so many took the first place twice; `unreadable` pairs count nowhere.
    """

    pairs: int
    unreadable: int
    preferred: Interval | None
    swayed: Interval | None
    swayed_to_the_first: float | None


class Scorecard(Artifact):
    """Base against tuned on held-out conversations, each alone and with the business's documents where there are any.

    Payload: answers.jsonl, labels.jsonl, report.html. `differences`, `better` and `worse` are by two systems: `tuned-base` is of
    the first against the second. `use` is the system that is advised; `concerns` say what is wrong with the tuned model.
    `parts` are by name: `language de`, `task route`; `judged` are by two systems, or `people`, of the answers that they chose.
    """

    kind = "scorecard"

    test_conversations: int
    test_answers: int
    systems: dict[str, dict[str, Figure]]
    differences: dict[str, dict[str, Difference]]
    parts: dict[str, Part] = {}
    use: str = "tuned"
    generalisation_gap: float
    better: dict[str, tuple[str, ...]]
    worse: dict[str, tuple[str, ...]]
    concerns: tuple[str, ...] = ()
    judged: dict[str, Judged] = {}

    @field_validator("better", "worse", mode="before")
    @classmethod
    def _of_tuned_and_base(cls, told: object) -> object:
        """Older scorecards had these of tuned against base only."""
        return {"tuned-base": told} if isinstance(told, (list, tuple)) else told

    def served(self, passages: bool) -> str:
        """The system that customers meet, who are shown passages or not."""
        return "both" if passages and "both" in self.systems else "tuned"


class Comparison(Artifact):
    """An updated candidate against the version in production.

    `parts` are `earlier conversations` (what production was tested on), `new conversations`, and `general text` that has
    nothing to do with the business, by loss in nats a token; and `answers` to held-out questions, by their figures. `worse`
    names the former on which the candidate may be worse by more than is allowed, and figures that are worse beyond chance.
    """

    kind = "comparison"

    parts: dict[str, Part]
    better: tuple[str, ...]
    worse: tuple[str, ...]


class Checkup(Artifact):
    """What serves customers, and the base model, on conversations from after it was trained. Payload: trend.html.

    `first` and `last` are the days of those conversations; `worse` names figures whose whole interval is worse than that of the
    release's scorecard.
    """

    kind = "checkup"

    version: int
    conversations: int
    first: date | None
    last: date | None
    base: dict[str, Figure]
    production: dict[str, Figure]
    worse: tuple[str, ...]


class TaskPrompt(_Frozen):
    """How the model is asked for another task: its system prompt, whether it is given the message twice, and the labels that
    an answer may be, if it is one.
    """

    system_prompt: str
    labels: tuple[str, ...] = ()
    read_twice: bool = False


class Override(_Frozen):
    """Who released a candidate against the gate, why, and what the gate had said."""

    by: str
    reason: str
    refused: tuple[str, ...] = ()


class Release(Artifact):
    """A version that may serve customers. Payload: adapter/, labels.npz, MODEL_CARD.md.

    With `passages` it is shown what the business's documents have on a question. `warnings` are of rules of the gate that do
    not keep a candidate from being released.
    """

    kind = "release"

    version: int
    model: str
    system_prompt: str
    disclosure: str
    passages: bool = False
    tasks: dict[str, TaskPrompt] = {}
    lineage: dict[str, str]
    overridden: Override | None = None
    warnings: tuple[str, ...] = ()

    @field_validator("overridden", mode="before")
    @classmethod
    def _by_nobody_known(cls, told: object) -> object:
        """Older releases had the reason only."""
        return {"by": "unknown", "reason": told} if isinstance(told, str) else told


KINDS: tuple[type[Artifact], ...] = (Dataset, Audit, Plan, Candidate, Scorecard, Comparison, Release, Checkup)


def make_id(kind: type[Artifact], **inputs: Any) -> str:
    """The id of what a step makes from these inputs: the same inputs give the same id."""
    told = json.dumps(inputs, sort_keys=True, default=str, ensure_ascii=False)
    return f"{kind.kind}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

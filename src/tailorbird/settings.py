"""tailorbird.yaml: few fields, each explained, unknown keys refused."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from tailorbird.errors import SettingsError

FILE = "tailorbird.yaml"
PAIRS = "pairs"
"""The source of reward that is learned from what people preferred."""
GuardAction = Annotated[  # YAML reads a bare `off` as false
    Literal["block", "mask", "rewrite", "hand_over", "flag", "off"],
    BeforeValidator(lambda it: "off" if it is False else it),
]
GUARDS: dict[str, tuple[str, ...]] = {
    "message.injection": ("flag", "hand_over", "block"),
    "message.personal_data": ("mask", "flag"),
    "message.secrets": ("mask", "flag", "hand_over", "block"),
    "message.threats": ("hand_over", "flag", "block"),
    "message.swearing": ("flag", "hand_over", "block"),
    "message.off_topic": ("flag", "hand_over", "block"),
    "passages.injection": ("block", "flag"),
    "answer.injection": ("block", "flag", "hand_over", "rewrite"),
    "answer.personal_data": ("mask", "flag", "hand_over", "rewrite", "block"),
    "answer.secrets": ("block", "flag", "mask", "hand_over", "rewrite"),
    "answer.toxicity": ("block", "flag", "hand_over", "rewrite"),
    "answer.promises": ("rewrite", "flag", "hand_over", "block"),
    "answer.specifics": ("flag", "hand_over", "rewrite", "block"),
}
"""The server's guards by what they read, and what each may do besides `off`; the first is what it does by itself."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, str_strip_whitespace=True)


class BusinessSettings(_Strict):
    """Who the assistant works for."""

    name: str
    """The name customers know the business by."""
    disclosure: str = Field(default="You are talking to an AI assistant. Ask for a person at any time.", min_length=10)
    """What the server says first in every conversation, so that nobody mistakes the assistant for a person."""


class SourceSettings(_Strict):
    """One export to import: a file, or a folder of files that belong together."""

    path: str
    """The file or folder, relative to tailorbird.yaml."""
    format: str | None = None
    """A name that `tailorbird formats` lists; recognised by itself when left out."""
    map: dict[str, str] = Field(default_factory=dict)
    """For tables: the file's column to our field, for example {body: question, reply: answer, queue: tag}."""
    where: dict[str, str] = Field(default_factory=dict)
    """For tables: only rows whose column has this value, for example {language: en}."""
    ours: list[str] = Field(default_factory=list)
    """For mail and chat exports: names, addresses or domains that write for the business, for example [shop.example]."""
    timezone: str = "UTC"
    """For exports whose times name no zone: where their clock stood, for example Europe/Madrid."""
    task: str = ""
    """Which of `tasks` this teaches; answering customers when left out."""
    held_out: bool = False
    """Keep all of it for the scorecard; nothing is learned from it, nor from anything that shares a customer or question."""


class TaskSettings(_Strict):
    """Another task for the same model, besides answering customers; it is learned in the same run."""

    system_prompt: str = Field(min_length=1)
    """What the model is told before this task, in training and in service alike."""
    answer: Literal["text", "label"] = "text"
    """What it answers: text, or one of a few labels, so that no other answer can appear."""
    labels_from: str = ""
    """Learn it from what the help desk knows: department, or a tag's name: priority for the tag priority=high."""
    labels: list[str] = Field(default_factory=list)
    """The labels; all that occur in training when left out. Examples with another one are left out."""
    read_twice: bool = False
    """Give the model the message twice, so that it reads the beginning knowing the end (arXiv 2402.15449). On short questions
    with many labels it is right more often (benchmarks/banking77.py); it takes up to twice the time."""
    weight: float = Field(default=1.0, gt=0)
    """How much more often than others its examples are learned."""

    @model_validator(mode="after")
    def _labels_are_labels(self) -> TaskSettings:
        if (self.labels_from or self.labels) and self.answer != "label":
            raise ValueError("labels_from and labels need `answer: label`")
        return self


class SelectionSettings(_Strict):
    """Which conversations are examples to follow; everything is, unless something is said here."""

    min_rating: float = Field(default=1.0, ge=1, le=5)
    """Of conversations that customers rated, only those with this rating or a better one (1 to 5)."""
    min_score: float = Field(default=0.0, ge=0, le=5)
    """Of conversations that nobody rated, only those that rules score so: 3, more if solved or thanked, less if escalated."""
    since: str = Field(default="", pattern=r"^(\d{4}-\d\d-\d\d)?$")
    """Only conversations from this day on, for example 2025-01-31; older policies are out of date."""
    until: str = Field(default="", pattern=r"^(\d{4}-\d\d-\d\d)?$")
    """Only conversations up to this day."""
    agents: list[str] = Field(default_factory=list)
    """Only conversations that one of these agents answered."""
    not_agents: list[str] = Field(default_factory=list)
    """No conversation that one of these agents answered."""
    tags: list[str] = Field(default_factory=list)
    """Only conversations with one of these tags."""
    not_tags: list[str] = Field(default_factory=list)
    """No conversation with one of these tags."""
    departments: list[str] = Field(default_factory=list)
    """Only conversations of these departments."""


class AuditSettings(_Strict):
    """What may be learned from, and how it is divided."""

    select: SelectionSettings = SelectionSettings()
    rules: dict[str, Literal["quarantine", "note", "ignore"]] = Field(default_factory=dict)
    """What a rule does: quarantine, note or ignore. `tailorbird audit rules` lists them."""

    longest_turn: int = Field(default=1200, ge=10)
    """Words in one turn; longer turns are nearly always pasted logs or threads."""
    most_of_one_template: float = Field(default=0.5, gt=0, le=1)
    """Share of answers that may differ in names and numbers only; with more, training would learn that text by heart."""
    infer_groups: bool = False
    """Compare treatment by the form of address (Mr, Ms) in answers too; ask first whether that is lawful where you are."""
    ask_for_language: bool = True
    """Where conversations are in several languages: ask in the system prompt for answers in the customer's language."""
    keep: list[str] = Field(default_factory=list)
    """Names, products, staff, addresses and numbers of the business itself, which are never redacted."""
    order_numbers: str = ""
    """A regular expression of your order numbers, for example FF-\\d{5}; these are then never taken for phone numbers."""
    replace_orders: bool = False
    """Replace order numbers by <ORDER_1> too; they point to a customer for whoever has your order book."""
    surrogates: bool = False
    """Put realistic made-up data in place of personal data instead of placeholders such as <PERSON_1>."""
    test_share: float = Field(default=0.12, gt=0, lt=0.5)
    """Share of conversations held out for the scorecard."""
    validation_share: float = Field(default=0.08, gt=0, lt=0.5)
    """Share of conversations that decide when training stops."""
    seed: int = 7
    """Decides the split; the same seed gives the same split."""


class TrainingSettings(_Strict):
    """What to train; everything left out is planned."""

    method: Literal["auto", "lora", "rslora", "dora", "full", "prompt", "prefix"] = "auto"
    """What is trained: lora (chosen by auto) or its variants rslora and dora, all weights (full), or a soft prompt: prompt
    (before the input) or prefix (in every layer)."""
    learn_from: Literal["answers", "pairs", "thumbs", "rewards"] = "answers"
    """Agents' answers; pairs of a better and a worse answer (DPO); thumbs: answers rated 4 to 5 and 1 to 2 (KTO); or
    rewards for what it answers itself (RLHF)."""
    rewards: dict[str, float] = Field(default_factory=lambda: {PAIRS: 1.0})
    """For rewards: each source and its weight, for example {pairs: 1, right_language: 0.5}; `tailorbird rewards` lists them."""
    start_from: Literal["auto", "base", "candidate", "production"] = "auto"
    """What training goes on from: by itself the newest candidate for pairs and thumbs, the base model for answers."""
    replay: float = Field(default=10.0, ge=0)
    """When training goes on from a candidate or from production: earlier conversations read again for each new one, so that
    what the model makes of them stays."""
    passages: float = Field(default=0.25, ge=0, le=1)
    """Share of the lessons that show passages of your documents, where knowledge/ has any, so that the model learns to answer
    from them; the rest teaches it to answer without. Such lessons are several times as long: more of them are fewer passes."""
    canaries: int = Field(default=0, ge=0, le=100)
    """Made-up secrets to plant among the lessons; the scorecard then tells how well they are remembered. Not for release."""
    mixing_temperature: float = Field(default=2.0, ge=1)
    """Tasks and languages as often as they occur (1), or rare ones more often (2 and above)."""
    minutes: float = Field(default=5.0, gt=0)
    """How long training may take; the plan fits the number of epochs to it."""
    epochs: int | None = Field(default=None, ge=1)
    """Passes over the training conversations."""
    learning_rate: float | None = Field(default=None, gt=0)
    """Peak learning rate."""
    lora_rank: int | None = Field(default=None, ge=1)
    """Rank of the LoRA adapter."""
    virtual_tokens: int | None = Field(default=None, ge=16, le=200)
    """Length of a soft prompt."""
    sequence_length: int | None = Field(default=None, ge=32)
    """Longest conversation in tokens; longer ones are cut to whole exchanges."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Memory that training may use; all that is free when left out."""
    seed: int = 7
    """Decides the adapter's start and the order of conversations."""
    report_to: list[str] = Field(default_factory=list)
    """Trackers of transformers to log to, for example tensorboard; none by default."""


class JudgeSettings(_Strict):
    """A model that compares answers, behind any address that speaks OpenAI's protocol.

    It is sent held-out conversations, and pairs of answers that people compared, both without personal data.
    """

    url: str = Field(pattern="^https?://")
    """Such as http://127.0.0.1:11434/v1."""
    model: str = Field(min_length=1)
    """Its name there."""
    key_variable: str = ""
    """The environment variable that has the key, such as OPENAI_API_KEY, where one is needed; never the key itself."""
    answers: int = Field(default=60, ge=2)
    """At most this many pairs of each kind are judged, each twice."""


class HarnessSettings(_Strict):
    """Tasks of lm-evaluation-harness, from files (`pip install "tailorbird[harness]"`)."""

    tasks: list[str] = Field(min_length=1)
    """Names of tasks."""
    folder: str = "harness"
    """Where their YAML files are; data files are named from there."""


class EvaluationSettings(_Strict):
    """How the scorecard is made."""

    longest_answer: int = Field(default=160, ge=8)
    """Tokens an answer may have."""
    answers: int = Field(default=60, ge=2)
    """At most this many held-out answers are written and compared; the loss uses all of them."""
    labels: int = Field(default=300, ge=2)
    """At most this many held-out examples of each task with labels."""
    forgetting: bool = True
    """Also measure what tuning made the model forget: general text and general questions."""
    attacks: int = Field(default=60, ge=0)
    """At most this many attacks and harmless look-alikes of the red team's 279 are tried, every kind and language in turn."""
    training_answers: int = Field(default=30, ge=0)
    """At most this many training questions are asked again, to see what of their answers is repeated word for word."""
    counterfactuals: int = Field(default=90, ge=0)
    """At most this many pairs of customers who differ in one thing are answered; with 360 smaller differences are found."""
    explained: int = Field(default=3, ge=0)
    """The report names the training conversations that so many answers come from (LoRA); as long as one pass of training."""
    judge: JudgeSettings | None = None
    """Have a model of your choice compare the answers as well."""
    harness: HarnessSettings | None = None
    """Run tasks of lm-evaluation-harness as well, base against tuned."""
    hand_off_tags: list[str] = Field(default_factory=lambda: ["handoff", "hand-off", "handover", "escalated", "escalation"])
    """Tags of conversations that a person had to take over: answers to them should offer one."""


class ImprovingSettings(_Strict):
    """How `tailorbird improve` goes on from production."""

    minutes: float = Field(default=2.0, gt=0)
    """How long the incremental training may take."""
    epochs: int | None = Field(default=None, ge=1)
    """Passes over what is new; by itself as many as a changed fact needs."""
    release: bool = False
    """Release by itself what is better, or new, and worse on nothing; else it waits for `tailorbird release`."""


class ReleasingSettings(_Strict):
    """What a candidate has to pass before it may serve customers."""

    rules: dict[str, Literal["refuse", "warn", "ignore"]] = Field(default_factory=dict)
    """What a rule of the gate does: refuse, warn or ignore. `tailorbird releases --rules` lists them."""
    better_than_base: list[str] = Field(default_factory=lambda: ["loss"])
    """Figures of the scorecard on which the tuned model has to be better than the base model, beyond the 95% interval."""
    better_than_production: list[str] = Field(default_factory=list)
    """Parts of the comparison on which it has to be better than production too, say "new conversations"."""


class ServingSettings(_Strict):
    """Where the assistant listens."""

    host: str = "127.0.0.1"
    """Address to listen on; 127.0.0.1 is this machine only."""
    passages: Literal["auto", "always", "never"] = "auto"
    """Whether the assistant is shown passages of knowledge/; auto: if the scorecard advises a system with documents."""
    explanations: bool = False
    """Also answer POST /v1/explanations: the training conversations an answer comes from. Only for your own people to reach."""
    blocked: str = "I cannot help with that here. A person from our team can."
    """What customers are told in place of an answer that a guard blocked."""
    handed_over: str = "I am passing this on to a person from our team, who will answer you."
    """What they are told where a guard hands the conversation to a person."""
    paused: str = "Our assistant is not answering right now. A person will get back to you."
    """What customers are told while `tailorbird pause` keeps the model from answering."""
    sites: list[str] = Field(default_factory=list)
    """Websites whose pages may ask this server, such as https://shop.example; a browser lets no other page read the answers."""
    requests_per_minute: int = Field(default=60, ge=1)
    """Of one key, or of one address where there are no keys."""
    most_at_once: int = Field(default=16, ge=1)
    """Requests that are answered at the same time; further ones are told to come back in a moment."""
    body_kb: int = Field(default=256, ge=1)
    """Size of a request at the most, in kB."""
    longest_answer: int = Field(default=512, ge=1)
    """Tokens of an answer at the most, whatever a client asks for."""
    answer_seconds: float = Field(default=120.0, gt=0)
    """How long one answer may take; what is there by then is all of it."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 takes any free one."""
    guards: dict[str, GuardAction] = Field(default_factory=dict)
    """What guards do instead of their default, such as {answer.specifics: rewrite, message.off_topic: off} (docs/guards.md)."""

    @field_validator("guards")
    @classmethod
    def _guards_can_do_that(cls, guards: dict[str, GuardAction]) -> dict[str, GuardAction]:
        for name, action in guards.items():
            if name not in GUARDS:
                meant = difflib.get_close_matches(name, GUARDS, 1)
                raise ValueError(f"there is no guard {name}; there is {', '.join(meant or GUARDS)}")
            if action not in (*GUARDS[name], "off"):
                raise ValueError(f"{name} cannot {action}; it can {', '.join(GUARDS[name])} or be off")
        return guards


class Settings(_Strict):
    """The whole of tailorbird.yaml."""

    business: BusinessSettings
    system_prompt: str = Field(min_length=1)
    """What the model is told before every conversation, in training and in service alike."""
    model: str = "smollm2-135m-instruct"
    """Base model: a name from `tailorbird models`, hf:owner/name, or a folder."""
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    """The currency of what a plan costs, for example EUR; exchange rates and prices are in prices.yaml."""
    sources: list[SourceSettings] = Field(default_factory=list)
    """The files to import, when `tailorbird import` names none."""
    tasks: dict[str, TaskSettings] = Field(default_factory=dict)
    """Other tasks for the same model by name, for example route or priority."""
    audit: AuditSettings = AuditSettings()
    training: TrainingSettings = TrainingSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    improving: ImprovingSettings = ImprovingSettings()
    releasing: ReleasingSettings = ReleasingSettings()
    serving: ServingSettings = ServingSettings()


def load(path: Path) -> Settings:
    """Reads tailorbird.yaml; raises SettingsError with the line of what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise SettingsError(
            f"There is no file {path} to read.", fix="Run `tailorbird init FOLDER`, or name a workspace's folder with -w."
        ) from problem
    except UnicodeDecodeError as problem:
        raise SettingsError("The file is not UTF-8 text.", fix="Save it as UTF-8.", where=str(path)) from problem
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise SettingsError(
            f"This is not valid YAML: {getattr(problem, 'problem', problem)}.",
            fix="Check indentation, colons and quotes around that line.",
            where=f"{path}{line}",
        ) from problem
    if isinstance(content, dict):  # a section whose lines are all commented out
        content = {field: value for field, value in content.items() if value is not None}
    try:
        return Settings.model_validate(content or {})
    except ValidationError as problem:
        misspelt_first = sorted(problem.errors(), key=lambda error: error["type"] != "extra_forbidden")
        raise _explained(misspelt_first[0], tree, path) from problem


def _explained(error: Any, tree: Any, path: Path) -> SettingsError:
    place = [str(part) for part in error["loc"]]
    field = ".".join(place)
    where = f"{path}:{_line(tree, place)}"
    if error["type"] == "extra_forbidden":
        known = _fields_at(place[:-1])
        close = difflib.get_close_matches(place[-1], known, 1)
        fix = f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(known)}."
        return SettingsError(f"Unknown setting `{field}`.", fix=fix, where=where)
    if error["type"] == "missing":
        return SettingsError(f"The setting `{field}` is missing.", fix=f"Add `{place[-1]}:` there.", where=where)
    return SettingsError(f"The setting `{field}` is wrong: {error['msg']}.", fix="Correct the value.", where=where)


def _line(node: Any, place: list[str]) -> int:
    """The line of the deepest key of `place` that the YAML tree has."""
    line = 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == part]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit():
            node = node.value[int(part)]
            line = node.start_mark.line + 1
    return line


def _fields_at(place: list[str]) -> list[str]:
    model: Any = Settings
    for part in place:
        if part.isdigit():
            continue
        inner = model.model_fields[part].annotation
        model = get_args(inner)[0] if get_args(inner) else inner
    return list(model.model_fields)

"""The sections of tailorbird.yaml about the server: where it listens, its guards, what it keeps."""

from __future__ import annotations

import difflib
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from tailorbird.settings.strict import Strict

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


class LogSettings(Strict):
    """Where conversations with customers and what people say about answers are kept, and for how long."""

    database: str = ""
    """A PostgreSQL database of its own, such as postgresql+psycopg://user@host/shop (`pip install "tailorbird[postgres]"`);
    left out: the SQLite file artifacts/live.sqlite."""
    database_variable: str = ""
    """The environment variable that has this address, such as SHOP_DATABASE, where a password in it must not stand here."""
    keep_days: int = Field(default=365, ge=1)
    """Days after its last message that a conversation with a customer is kept."""

    @model_validator(mode="after")
    def _stands_in_one_place(self) -> LogSettings:
        if self.database and self.database_variable:
            raise ValueError("the address of the database is either in `database` or in the variable of `database_variable`")
        return self


class HandOverSettings(Strict):
    """When a person takes over from the assistant."""

    wish: bool = True
    """If a customer asks for a person."""
    anger: bool = True
    """If a customer is angry."""
    topics: list[str] = Field(default_factory=list)
    """What only people should answer, in a few words each, such as "allergic reaction" or "wedding dress fitting"."""
    unknown: Literal["say", "hand_over", "off"] = "say"
    """If your documents have nothing on a question, and the assistant is shown documents: say so, or hand over at once."""
    unsure: float | None = Field(default=None, gt=0)
    """If an answer is less likely than this, in nats a token (0.7 is sure, 2 is a guess); it is then not sent. Off without it."""
    task: str = "route"
    """The task that names the department of a conversation that is handed over, where the release has learned it."""
    labels: list[str] = Field(default_factory=list)
    """Labels of that task which a person takes over for, whatever the customer asks."""


class WebhookSettings(Strict):
    """Where other systems are told that a customer waits for a person, signed as Standard Webhooks has it."""

    url: str = Field(pattern="^https?://")
    """Gets POST requests with what happened."""
    secret_variable: str = "TAILORBIRD_WEBHOOK_SECRET"
    """The environment variable with the secret (whsec_…) that they are signed with; never the secret itself."""


class AlertSettings(Strict):
    """When somebody has to know, or the server has to act, by what production, or a canary, answered in the last hours."""

    figure: Literal["escalated", "bad_thumbs", "broken_off", "first_word", "whole", "guards", "topics", "languages"]
    """Shares of conversations, thumbs and answers; seconds of the slowest twentieth; guards that fired for each answer; how sure
    it is, 0 to 1, that customers write about other things or in other languages than what was learned from."""
    above: float
    """What raises the alert."""
    clear: float | None = None
    """What ends it again; without it a fifth below."""
    hours: float = Field(default=24.0, gt=0)
    """How far back."""
    fewest: int = Field(default=20, ge=1)
    """Conversations below which nothing is said."""
    action: Literal["tell", "rollback", "pause"] = "tell"
    """Tell by webhook and mail; also let the version serve that served before; or also have no model answer any more."""

    @model_validator(mode="after")
    def _ends_below_where_it_begins(self) -> AlertSettings:
        if self.clear is not None and self.clear >= self.above:
            raise ValueError("`clear` has to be below `above`, or the alert would come and go")
        return self


class MailSettings(Strict):
    """Whom alerts are mailed to, and through which server (SMTP)."""

    host: str = Field(min_length=1)
    """The mail server."""
    port: int = Field(default=587, ge=1, le=65535)
    """Its port."""
    tls: bool = True
    """Encrypt the connection (STARTTLS)."""
    user: str = ""
    """Whom to log in as, if need be."""
    password_variable: str = ""
    """The environment variable with the password; never the password itself."""
    sender: str = Field(min_length=3)
    """Who the mail is from."""
    to: list[str] = Field(min_length=1)
    """Who gets it."""


class WordsSettings(Strict):
    """What the server itself says; to customers who write in another language, of eight, it has translations of its own words."""

    blocked: str = "I cannot help with that here. A person from our team can."
    """In place of an answer that a guard blocked."""
    handed_over: str = "I am passing this on to a person from our team, who will answer you."
    """Where a person takes over."""
    not_known: str = "I do not know that, and I do not want to guess. Shall I pass you on to a person?"
    """Where your documents have nothing on a question."""
    paused: str = "Our assistant is not answering right now. A person will get back to you."
    """While `tailorbird pause` keeps the model from answering."""


class LimitSettings(Strict):
    """How much may be asked of the server."""

    requests_per_minute: int = Field(default=60, ge=1)
    """Of one key, or of one address where there are no keys."""
    most_at_once: int = Field(default=16, ge=1)
    """Answers that are written at the same time; further requests for one are told to come back in a moment."""
    body_kb: int = Field(default=256, ge=1)
    """Size of a request at the most, in kB."""
    longest_answer: int = Field(default=512, ge=1)
    """Tokens of an answer at the most, whatever a client asks for."""
    answer_seconds: float = Field(default=120.0, gt=0)
    """How long one answer may take; what is there by then is all of it."""


class UpstreamSettings(Strict):
    """Another server that has the models, such as vLLM on a machine with a GPU; guards, hand-off and log stay here."""

    url: str = Field(pattern="^https?://")
    """Such as http://10.0.0.5:8000/v1, an address that speaks OpenAI's protocol."""
    key_variable: str = ""
    """The environment variable that has its key, where one is needed; never the key itself."""
    price_read: float | None = Field(default=None, ge=0)
    """What it takes for a million tokens that it reads, in `currency`; with price_written, figures tell what answers cost."""
    price_written: float | None = Field(default=None, ge=0)
    """What it takes for a million tokens that it writes."""


class ServingSettings(Strict):
    """Where the assistant listens."""

    host: str = "127.0.0.1"
    """Address to listen on; 127.0.0.1 is this machine only."""
    passages: Literal["auto", "always", "never"] = "auto"
    """Whether the assistant is shown passages of knowledge/; auto: if the scorecard advises a system with documents."""
    explanations: bool = False
    """Also answer POST /v1/explanations: the training conversations an answer comes from. Only for your own people to reach."""
    sites: list[str] = Field(default_factory=list)
    """Websites whose pages may ask this server, such as https://shop.example; a browser lets no other page read the answers."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 takes any free one."""
    guards: dict[str, GuardAction] = Field(default_factory=dict)
    """What guards do instead of their default, such as {answer.specifics: rewrite, message.off_topic: off} (docs/guards.md)."""
    upstream: UpstreamSettings | None = None
    """Have another server write the answers. It has each version under its own model name, `my-shop-v3`."""
    words: WordsSettings = WordsSettings()
    limits: LimitSettings = LimitSettings()
    log: LogSettings = LogSettings()
    hand_over: HandOverSettings = HandOverSettings()
    webhook: WebhookSettings | None = None
    """Told of conversations that wait for a person, and of alerts."""
    alerts: list[AlertSettings] = Field(default_factory=list)
    """What is watched, such as {figure: escalated, above: 0.4, action: rollback}."""
    mail: MailSettings | None = None
    """Told of alerts."""

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

"""All guards of one business: what each message, passage and answer sets off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from tailorbird import language as languages
from tailorbird.knowledge.passage import Encoder
from tailorbird.language.disclosing import Said
from tailorbird.language.specifics import Known
from tailorbird.privacy import Finding, Redactor
from tailorbird.serving.guards import injected, private, stated, toxic
from tailorbird.serving.guards.alarms import Action, Alarm
from tailorbird.serving.guards.found import Found
from tailorbird.serving.guards.off_topic import Topics
from tailorbird.settings import GUARDS

_SUBJECTS = {"message": "The message", "passages": "The passage", "answer": "The answer"}


@dataclass(frozen=True)
class Facts:
    """What a business says of itself: its system prompt, its documents' texts, and names and contacts that anybody may know.

    `keep` is `audit.keep`, `order_numbers` is `audit.order_numbers` of the settings. `questions` are what customers wrote in
    conversations that the audit kept; without 40 of them, or without an encoder, `message.off_topic` stays silent.
    """

    system_prompt: str = ""
    documents: Sequence[str] = ()
    keep: Sequence[str] = ()
    order_numbers: str = ""
    questions: Sequence[str] = ()


class Guards:
    """The guards of one business; made once, used by many threads.

    `actions` is `serving.guards` of the settings: what a guard does instead of its default, or "off".
    """

    def __init__(self, facts: Facts, actions: Mapping[str, str] | None = None, encode: Encoder | None = None) -> None:
        self._facts = facts
        self._actions = {name: (actions or {}).get(name, can[0]) for name, can in GUARDS.items()}
        self._allowed = "\n".join([facts.system_prompt, *facts.documents])
        self._own = Said([self._allowed, *facts.keep])
        self._known = Known([facts.system_prompt, *facts.documents, *facts.keep])
        watched = encode is not None and self._actions["message.off_topic"] != "off"
        self._topics = Topics(facts.questions, facts.documents, encode) if encode and watched else None

    def of_message(self, text: str, language: str | None = None) -> list[Alarm]:
        """What a customer's message sets off; `language` is a two-letter code, found out without it."""
        spoken = language or languages.identify(text)[0]
        findings = self._personal(text, spoken)
        return self._alarms(
            {
                "message.injection": lambda: injected.instruction(text),
                "message.personal_data": lambda: private.personal_data(findings),
                "message.secrets": lambda: private.secrets(findings),
                "message.threats": lambda: toxic.threatening(text),
                "message.swearing": lambda: toxic.swearing(text, spoken),
                "message.off_topic": lambda: self._topics.off(text) if self._topics else None,
            }
        )

    def secrets_of(self, text: str) -> list[Alarm]:
        """Of what a message sets off only its secrets: all that matters of one that was answered before."""
        findings = self._personal(text, languages.identify(text)[0])
        return self._alarms({"message.secrets": lambda: private.secrets(findings)})

    def of_passages(self, passages: Sequence[str]) -> list[list[Alarm]]:
        """For each passage what it sets off; a blocked one is not to be shown to the model."""
        return [self._alarms({"passages.injection": partial(injected.instruction, text)}) for text in passages]

    def of_answer(
        self, answer: str, asked: str, passages: Sequence[str] = (), before: str = "", language: str | None = None
    ) -> list[Alarm]:
        """What a model's answer sets off.

        `asked` is all that the customer wrote in this conversation, `passages` what the model was shown, `before` what the
        customer was answered earlier: saying it again gives nothing away, and its figures may be reckoned with.
        """
        spoken = language or languages.identify(answer)[0]
        findings = self._personal(answer, spoken)
        said = Said([asked, before, *passages], self._own)
        allowed = "\n".join([self._allowed, *passages])
        return self._alarms(
            {
                "answer.injection": lambda: self._injection(answer, asked, passages),
                "answer.personal_data": lambda: private.others_data(answer, findings, said),
                "answer.secrets": lambda: private.unsaid_secrets(answer, findings, said),
                "answer.toxicity": lambda: toxic.toxic(answer, asked, spoken),
                "answer.promises": lambda: stated.promising(answer, allowed),
                "answer.specifics": lambda: stated.unfounded(answer, f"{asked}\n{before}", passages, self._known),
            }
        )

    def _injection(self, answer: str, asked: str, passages: Sequence[str]) -> Found | None:
        instructed = [(text, found) for text in (asked, *passages) if (found := injected.instruction(text))]
        suspicious = {text for text, _ in instructed}
        open_words = "\n".join([*self._facts.documents, asked, *passages])
        return injected.prompt_leak(answer, self._facts.system_prompt, open_words) or injected.obeyed(
            answer, instructed, "\n".join([self._allowed, *(one for one in passages if one not in suspicious)])
        )

    def _personal(self, text: str, language: str) -> list[Finding]:
        """Personal data that is not the business's own."""
        redactor = Redactor.keeping(self._facts.keep, self._facts.order_numbers or None)
        redactor.language = language or None
        return redactor.findings(text)

    def _alarms(self, checks: Mapping[str, Callable[[], Found | None]]) -> list[Alarm]:
        return list(self._raised(checks))

    def _raised(self, checks: Mapping[str, Callable[[], Found | None]]) -> Iterable[Alarm]:
        for name, check in checks.items():
            action = self._actions[name]
            if action != "off" and (found := check()):
                yield Alarm(name, cast(Action, action), found.spans, f"{_SUBJECTS[name.partition('.')[0]]} {found.why}.")

"""Alerts by the owner's rules: raised once, told by webhook and mail, ended once; a rule may roll back or pause by itself."""

from __future__ import annotations

import json
import logging
import os
import smtplib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cached_property, lru_cache
from typing import NamedTuple

from tailorbird.artifacts import Audit, Release
from tailorbird.errors import TailorbirdError
from tailorbird.knowledge.passage import Encoder
from tailorbird.serving.desk import Desk
from tailorbird.serving.monitoring.drift import Drift, drift
from tailorbird.serving.monitoring.figures import Exchange, Figures, exchanges, figures, thumbs, versions
from tailorbird.settings import AlertSettings, MailSettings
from tailorbird.versions import end_trials, take_back
from tailorbird.workspace import read_conversations, write_text

RAISED, CLEARED = "alert.raised", "alert.cleared"
_FILE = "alerts.json"
_DRIFTS = ("topics", "languages")  # of customers, not of a version
EVERY = 60.0
"""Seconds between looks."""
_LATER = 0.8  # of what raised it: where an alert ends by itself
_PATIENCE = 15.0  # seconds that the mail server has
_told = logging.getLogger("tailorbird.alerts")

Mail = Callable[[MailSettings, str, str], None]
"""Sends a subject and a text."""


class Alerts:
    """The alerts of one business; `look` is called again and again. What is raised is remembered over restarts."""

    def __init__(self, desk: Desk, encode: Encoder, mail: Mail) -> None:
        kept = lru_cache(maxsize=2)(lambda texts: encode(list(texts)))  # what was learned is the same with every look
        self.desk, self.encode, self._mail = desk, lambda texts: kept(tuple(texts)), mail
        self._file = desk.workspace.store / _FILE
        self._learned: tuple[str, list[tuple[str, str]]] = ("", [])

    def look(self, now: datetime | None = None) -> list[str]:
        """Raises and ends alerts; returns what was told, in words. Raises WorkspaceError where the log cannot be read."""
        moment, raised, told = now or datetime.now(UTC), self._raised(), list[str]()
        watched, seen = {one.name: one for one in self._watched()}, dict[float, _Seen]()
        for name in sorted(raised.keys() - watched.keys()):
            del raised[name]
            told.append(self._tell(CLEARED, f"{name} is over: it is watched no more."))
        for name, one in watched.items():
            hours, ends = one.rule.hours, one.rule.above * _LATER if one.rule.clear is None else one.rule.clear
            value = self._value(one, seen.setdefault(hours, _Seen(self, moment - timedelta(hours=hours))))
            if value is not None and name not in raised and value > one.rule.above:
                raised[name] = moment.isoformat()
                self._keep(raised)  # first: who is stopped while acting must not act again
                told.append(self._tell(RAISED, f"{name}: {value:.3g}.{self._act(one)}"))
            elif value is not None and name in raised and value < ends:
                del raised[name]
                told.append(self._tell(CLEARED, f"{name} is over: {value:.3g}."))
        self._keep(raised)
        return told

    def _raised(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet, or damaged: at worst somebody is told twice
            return {}
        return found

    def _keep(self, raised: dict[str, str]) -> None:
        write_text(self._file, json.dumps(raised, indent=1))

    def _watched(self) -> Iterator[_Watched]:
        """Every rule on production, and on the version that is tried out if it can be told of one version."""
        desk, rules = self.desk, self.desk.workspace.settings.serving.alerts
        serving, trial = desk.serving(), desk.workspace.trial("canary")
        tried = desk.workspace.find(Release, trial[0]) if trial else None
        for rule in rules:
            yield _Watched(rule, serving, desk.called(serving))
            if tried and rule.figure not in _DRIFTS:
                yield _Watched(rule, tried, desk.called(tried), tried=True)

    def _value(self, one: _Watched, seen: _Seen) -> float | None:
        """The figure of what a version answered; None where there is too little. `seen` keeps what rules have in common."""
        if one.rule.figure in _DRIFTS:
            likely = getattr(seen.drift, one.rule.figure) if len(seen.live) >= one.rule.fewest else None
            return None if likely is None else 1 - likely
        found = seen.figures(one.called)
        return _figure(one.rule.figure, found) if found.conversations >= one.rule.fewest else None

    def questions(self) -> list[tuple[str, str]]:
        """First messages (text, language) of what production learned from."""
        workspace, serving = self.desk.workspace, self.desk.serving()
        if self._learned[0] != serving.id:
            rows = read_conversations(workspace.path(workspace.ancestor(serving, Audit)) / "train.jsonl")
            first = [(next((t.content for t in one.turns if t.role == "user"), ""), one.language) for one in rows]
            self._learned = serving.id, first
        return self._learned[1]

    def _act(self, one: _Watched) -> str:
        """Does what the rule says to the version that its figures are of, in words; a version that is tried out only ends so."""
        workspace, action, number = self.desk.workspace, one.rule.action, one.version.version
        try:
            if one.tried and action != "tell":
                end_trials(workspace, one.version)
                return f" Version {number} is tried out no more."
            if action == "rollback":
                return f" Rolled back to version {take_back(workspace, one.version).version}."
            if action == "pause":
                workspace.pause(workspace.settings.serving.words.paused)
                return " The assistant is paused."
        except TailorbirdError as problem:
            return f" It could not {action}: {problem.what}"
        return ""

    def _tell(self, event: str, words: str) -> str:
        desk = self.desk
        if desk.workspace.settings.serving.webhook:
            desk.conversations.outbox.put(event, {"text": words})
        if settings := desk.workspace.settings.serving.mail:
            try:
                self._mail(settings, f"{desk.business}: {words.partition(':')[0]}", words)
            except OSError as problem:  # smtplib's errors are
                _told.warning("No mail about %s could be sent: %s", desk.business, problem)
        _told.warning("%s: %s", desk.business, words)
        return words


class _Watched(NamedTuple):
    """A rule, and a version that answers customers with its model name: production, or one that is tried out on some."""

    rule: AlertSettings
    version: Release
    called: str
    tried: bool = False

    @property
    def name(self) -> str:
        """What an alert by this rule about this version is called."""
        return f"{self.rule.figure} above {self.rule.above:g} in {self.rule.hours:g} hours of {self.called}"


class _Seen:
    """What one look makes of the conversations since a moment, each part when a rule first asks for it."""

    def __init__(self, alerts: Alerts, since: datetime) -> None:
        self._alerts, self._since = alerts, since

    @cached_property
    def _found(self) -> list[Exchange]:
        return exchanges(self._alerts.desk.conversations.log, self._since)

    @cached_property
    def _thumbs(self) -> dict[str, list[bool]]:
        return thumbs(self._alerts.desk.workspace, self._alerts.desk.conversations.log, self._since)

    @cached_property
    def _versions(self) -> dict[str, list[Exchange]]:
        return versions(self._found)

    def figures(self, called: str) -> Figures:
        """The figures of a version by its model name."""
        return figures(self._versions.get(called, []), self._thumbs)

    @cached_property
    def live(self) -> list[tuple[str, str]]:
        return [(turns[0].text, held.language or "") for held, turns in self._found if held.started_at >= self._since]

    @cached_property
    def drift(self) -> Drift:
        return drift(self._alerts.questions(), self.live, self._alerts.encode)


def _figure(name: str, found: Figures) -> float | None:
    match name:
        case "escalated":
            return found.escalated.value if found.escalated else None
        case "bad_thumbs":
            return 1 - found.good.value if found.good else None
        case "broken_off":
            return found.broken_off.value if found.broken_off else None
        case "first_word":
            return found.first_word.slow if found.first_word else None
        case "whole":
            return found.whole.slow if found.whole else None
    return sum(found.guards.values()) / found.answers if found.answers else None


def send(settings: MailSettings, subject: str, text: str) -> None:
    """Sends a mail; raises OSError where it cannot (smtplib's errors are such)."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, settings.sender, ", ".join(settings.to)
    message.set_content(text)
    with smtplib.SMTP(settings.host, settings.port, timeout=_PATIENCE) as server:
        if settings.tls:
            server.starttls()
        if settings.user:
            server.login(settings.user, os.environ.get(settings.password_variable, ""))
        server.send_message(message)

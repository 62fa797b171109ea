"""Alerts by the owner's rules: raised once, told by webhook and mail, ended once; a rule may roll back or pause by itself."""

from __future__ import annotations

import json
import logging
import os
import smtplib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cached_property, lru_cache

from tailorbird.artifacts import Audit
from tailorbird.errors import TailorbirdError
from tailorbird.knowledge.passage import Encoder
from tailorbird.serving.desk import Desk
from tailorbird.serving.monitoring.drift import Drift, drift
from tailorbird.serving.monitoring.figures import Exchange, Figures, exchanges, figures, thumbs, versions
from tailorbird.settings import AlertSettings, MailSettings
from tailorbird.versions import rollback
from tailorbird.workspace import read_conversations, write_text

RAISED, CLEARED = "alert.raised", "alert.cleared"
_FILE = "alerts.json"
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
        seen: dict[datetime, _Seen] = {}
        for rule in self.desk.workspace.settings.serving.alerts:
            name = f"{rule.figure} above {rule.above:g}"
            value = self._value(rule, moment, seen)
            ends = rule.above * _LATER if rule.clear is None else rule.clear
            if value is not None and name not in raised and value > rule.above:
                raised[name] = moment.isoformat()
                told.append(self._tell(RAISED, f"{name}: {value:.3g} in the last {rule.hours:g} hours.{self._act(rule)}"))
            elif value is not None and name in raised and value < ends:
                del raised[name]
                told.append(self._tell(CLEARED, f"{name} is over: {value:.3g} in the last {rule.hours:g} hours."))
        write_text(self._file, json.dumps(raised, indent=1))
        return told

    def _raised(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet, or damaged: at worst somebody is told twice
            return {}
        return found

    def _value(self, rule: AlertSettings, moment: datetime, seen: dict[datetime, _Seen]) -> float | None:
        """The figure of what production answered; None where there is too little. `seen` keeps what rules have in common."""
        since = moment - timedelta(hours=rule.hours)
        told = seen.setdefault(since, _Seen(self, since))
        if rule.figure in ("topics", "languages"):
            likely = getattr(told.drift, rule.figure) if len(told.live) >= rule.fewest else None
            return None if likely is None else 1 - likely
        return _figure(rule.figure, told.figures) if told.figures.conversations >= rule.fewest else None

    def questions(self) -> list[tuple[str, str]]:
        """First messages (text, language) of what production learned from."""
        workspace, serving = self.desk.workspace, self.desk.serving()
        if self._learned[0] != serving.id:
            rows = read_conversations(workspace.path(workspace.ancestor(serving, Audit)) / "train.jsonl")
            first = [(next((t.content for t in one.turns if t.role == "user"), ""), one.language) for one in rows]
            self._learned = serving.id, first
        return self._learned[1]

    def _act(self, rule: AlertSettings) -> str:
        """Does what the rule says, in words."""
        workspace = self.desk.workspace
        try:
            if rule.action == "rollback":
                return f" Rolled back to version {rollback(workspace).version}."
            if rule.action == "pause":
                workspace.pause(workspace.settings.serving.words.paused)
                return " The assistant is paused."
        except TailorbirdError as problem:
            return f" It could not {rule.action}: {problem.what}"
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


class _Seen:
    """What one look makes of the conversations since a moment, each part when a rule first asks for it."""

    def __init__(self, alerts: Alerts, since: datetime) -> None:
        self._alerts, self._since = alerts, since

    @cached_property
    def _found(self) -> list[Exchange]:
        return exchanges(self._alerts.desk.conversations.log, self._since)

    @cached_property
    def figures(self) -> Figures:
        desk = self._alerts.desk
        mine = versions(self._found).get(desk.called(desk.serving()), [])
        return figures(mine, thumbs(desk.workspace, desk.conversations.log, self._since))

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

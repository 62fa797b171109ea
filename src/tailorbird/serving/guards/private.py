"""Guards of personal data and secrets. A customer may give his own; an answer has none that was not said before."""

from __future__ import annotations

from collections.abc import Iterable

from tailorbird.language.disclosing import Said, disclosed
from tailorbird.privacy import SECRETS, Finding
from tailorbird.serving.guards.alarms import Span
from tailorbird.serving.guards.found import Found

# The model can do nothing with a card number and may repeat it; a name or an address it may need for its answer.
_NEVER_SHOWN = (*SECRETS, "CARD")


def secrets(findings: Iterable[Finding]) -> Found | None:
    """Passwords, keys, links that log in, and card numbers: what neither a log nor a model needs."""
    return _found([one for one in findings if one.kind in _NEVER_SHOWN])


def personal_data(findings: Iterable[Finding]) -> Found | None:
    """All other personal data."""
    return _found([one for one in findings if one.kind not in _NEVER_SHOWN])


def unsaid_secrets(answer: str, findings: Iterable[Finding], said: Said) -> Found | None:
    """Secrets in an answer that neither the customer wrote nor the business publishes."""
    return _found([one for one in findings if one.kind in _NEVER_SHOWN and not said.has(answer[one.start : one.end])])


def others_data(answer: str, findings: Iterable[Finding], said: Said) -> Found | None:
    """Somebody's data, order number or purchase in an answer, which the customer asking did not give."""
    personal = [(one.kind, one.start, one.end) for one in findings if one.kind not in _NEVER_SHOWN]
    told = list(disclosed(answer, personal, said))
    if not told:
        return None
    kinds = ", ".join(dict.fromkeys(one.kind for one in told))
    return Found(tuple(Span(one.start, one.end, one.kind) for one in told), f"has {kinds} that was not said before")


def _found(findings: list[Finding]) -> Found | None:
    kinds = ", ".join(dict.fromkeys(one.kind for one in findings))
    return Found(tuple(Span(one.start, one.end, one.kind) for one in findings), f"has {kinds}") if findings else None

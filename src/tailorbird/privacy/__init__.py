"""Finds personal data in text and replaces it by placeholders. Shared by the audit, and later by server and tests.

So far: e-mail addresses, phone numbers (phonenumberslite's own validity rules) and payment cards (Luhn, ISO/IEC 7812).
Names and postal addresses are not found yet.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import phonenumbers

_EMAIL = re.compile(r"[\w.%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}\b")
_CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]?\d)")
# Numbers written without a country code are tried as these countries'.
_REGIONS = ("GB", "US", "DE", "FR", "ES", "IT", "PL", "NL", "PT")


@dataclass(frozen=True)
class Finding:
    """A piece of personal data: its kind and where it stands in the text."""

    kind: str
    start: int
    end: int


def find(text: str) -> list[Finding]:
    """Personal data in order of position, never overlapping; cards and e-mails win over phone numbers."""
    found = [Finding("EMAIL", m.start(), m.end()) for m in _EMAIL.finditer(text)]
    found += [Finding("CARD", m.start(), m.end()) for m in _CARD.finditer(text) if passes_luhn(m.group())]
    if any(character.isdigit() for character in text):
        for region in _REGIONS:
            for match in phonenumbers.PhoneNumberMatcher(text, region):
                phone = Finding("PHONE", match.start, match.end)
                national = match.raw_string.strip().startswith(("+", "0", "("))
                if (national or _written_as_phone(match.raw_string)) and not _overlaps(phone, found):
                    found.append(phone)
    return sorted(found, key=lambda finding: finding.start)


def _written_as_phone(raw: str) -> bool:
    """Nine digits or more in two groups at least: order numbers and measurements are not."""
    return sum(c.isdigit() for c in raw) >= 9 and bool(re.search(r"\d[ .-]\d", raw))


def _overlaps(one: Finding, others: list[Finding]) -> bool:
    return any(one.start < other.end and other.start < one.end for other in others)


def passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812 card numbers; separators are ignored."""
    numbers = [int(c) for c in digits if c.isdigit()]
    doubled = [sum(divmod(2 * n, 10)) for n in numbers[-2::-2]]
    return len(set(numbers)) > 1 and (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


@dataclass
class Redactor:
    """Replaces personal data in the texts of one conversation: the same address is the same placeholder throughout."""

    keep: frozenset[str] = frozenset()
    counts: Counter[str] = field(default_factory=Counter)
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def keeping(cls, contacts: list[str]) -> Redactor:
        """A redactor that leaves the business's own contacts alone."""
        return cls(keep=frozenset(_normal(contact) for contact in contacts))

    def redact(self, text: str) -> str:
        """The text with placeholders such as `<EMAIL_1>`."""
        parts, end = [], 0
        for finding in find(text):
            value = _normal(text[finding.start : finding.end])
            if value in self.keep:
                continue
            key = (finding.kind, value)
            if key not in self._names:
                self.counts[finding.kind] += 1
                self._names[key] = f"<{finding.kind}_{self.counts[finding.kind]}>"
            parts += [text[end : finding.start], self._names[key]]
            end = finding.end
        return "".join([*parts, text[end:]])


def _normal(value: str) -> str:
    """The same for one address or number however it is written: +44 117 … and 0117 … end in the same nine digits."""
    if "@" in value:
        return value.lower()
    digits = re.sub(r"\D", "", value)
    return digits if len(digits) > 13 else digits[-9:]

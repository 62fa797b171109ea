"""What the detectors report, and which report wins where two of them overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

KINDS = (
    "PERSON", "EMAIL", "PHONE", "ADDRESS", "CARD", "IBAN", "BANK_ACCOUNT", "NATIONAL_ID", "PASSPORT", "IP", "DOB", "PASSWORD",
    "API_KEY", "URL_TOKEN", "PLATE",
)  # fmt: skip
SECRETS = ("PASSWORD", "API_KEY", "URL_TOKEN")
"""The kinds that open a door for whoever reads them."""


@dataclass(frozen=True)
class Finding:
    """A piece of personal data: its kind, where it stands in the text (in characters), and how sure that is (0 to 1)."""

    kind: str
    start: int
    end: int
    score: float = 1.0

    def overlaps(self, other: Finding) -> bool:
        """Whether the two share a character."""
        return self.start < other.end and other.start < self.end


def resolve(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in order of position without overlaps: the surest first, of equally sure ones the longest."""
    kept: list[Finding] = []
    taken: set[int] = set()  # places, so that the time is linear in what was found
    for finding in sorted(findings, key=lambda f: (-f.score, f.start - f.end, f.start)):
        span = range(finding.start, finding.end)
        if not taken.isdisjoint(span):
            continue
        taken.update(span)
        kept.append(finding)
    return sorted(kept, key=lambda f: f.start)

"""Scans lines of JSON for personal data: what `tailorbird privacy scan` does. Reads and answers line by line."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tailorbird.errors import InputError
from tailorbird.privacy.detection import find
from tailorbird.privacy.findings import Finding


@dataclass(frozen=True)
class Scanned:
    """One text and what was found in it."""

    text: str
    findings: list[Finding]

    def as_json(self) -> dict[str, Any]:
        """The findings as `{"entities": [{"start", "end", "type", "score"}]}`, offsets in characters."""
        return {"entities": [{"start": f.start, "end": f.end, "type": f.kind, "score": round(f.score, 3)} for f in self.findings]}


def scan(lines: Iterable[str], where: str) -> Iterator[Scanned]:
    """What each line's text holds, in order; blank lines are passed over. Raises InputError with file and line."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        text, language = _read(line, f"{where}, line {number}")
        yield Scanned(text, find(text, language))


def _read(line: str, where: str) -> tuple[str, str | None]:
    fix = 'Each line is an object such as {"text": "Call Anna on 0171 2345678", "language": "en"}; language may be left out.'
    if any("\udc80" <= c <= "\udcff" for c in line):
        raise InputError("not UTF-8 text.", fix="Save the file as UTF-8.", where=where)
    try:
        row = json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON ({error}).", fix=fix, where=where) from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise InputError("no text in it.", fix=fix, where=where)
    language = row.get("language")
    if language is not None and not isinstance(language, str):
        raise InputError("language is no text.", fix=fix, where=where)
    return row["text"], language


def summary(scanned: Iterable[Scanned], examples: int = 3) -> list[tuple[str, int, str]]:
    """Types with how often each was found and masked examples, the most frequent first."""
    counts: Counter[str] = Counter()
    shown: dict[str, list[str]] = defaultdict(list)
    for one in scanned:
        for finding in one.findings:
            counts[finding.kind] += 1
            masked = mask(one.text[finding.start : finding.end])
            if len(shown[finding.kind]) < examples and masked not in shown[finding.kind]:
                shown[finding.kind].append(masked)
    return [(kind, count, ", ".join(shown[kind])) for kind, count in counts.most_common()]


def mask(value: str) -> str:
    """The first letter and the shape: A*** K*******, 0*** ******."""
    short = " ".join(value.encode("utf-8", "replace").decode().split())
    short = short if len(short) <= 28 else short[:27] + "…"
    return short[:1] + "".join("*" if c.isalnum() else c for c in short[1:])

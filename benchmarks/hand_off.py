"""What makes the server hand over to a person: how much each signal finds, how often it is wrong, and what it costs.

    OMP_NUM_THREADS=1 python benchmarks/hand_off.py [--json] [--misses] [--hits SIGNAL]

Positives and look-alikes: tests/language/hand_off_cases.jsonl, eight languages, the half *held* written when the rules were
frozen and never printed. Clean: the customers' messages of the boutique without conversations that are wrong on purpose, the
tickets of five languages, and banking77. Some of those do ask for a person or are angry: `--hits` shows what a signal found
there. `known` is judged on what a search in the boutique's documents gives: its own first questions without those tagged
off-topic, follow-ups together with what was asked before, and other businesses' questions. Intervals are Wilson's, 95%; times
are of the processor.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tailorbird.engine import embed
from tailorbird.knowledge import Knowledge
from tailorbird.language.anger import angry
from tailorbird.language.knowing import NEAR, known, score, small_talk
from tailorbird.language.subjects import Subjects
from tailorbird.language.wishes import asks_what_it_is, wants_person
from tailorbird.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("TAILORBIRD_DATA", ROOT.parent / "shared" / "data"))
BOUTIQUE = ROOT / "examples" / "boutique"
CASES = ROOT / "tests" / "language" / "hand_off_cases.jsonl"
SUBJECTS = (
    "allergic reaction", "wedding dress fitting", "wholesale", "job application", "press enquiry", "personal data deletion",
    "damaged parcel",
)  # fmt: skip
EVERY = 5  # of banking's and the tickets' questions, whose search takes its time
LIMITS = (0.15, 0.175, 0.2, 0.225, 0.25, 0.275, 0.3)


class Case(NamedTuple):
    """A sentence of the test set and what its signal should say."""

    signal: str
    half: str
    language: str
    wanted: str
    text: str


class Row(NamedTuple):
    """How many texts of a set a signal fired on, or was right about."""

    signal: str
    what: str
    source: str
    hits: int
    number: int


def cases() -> list[Case]:
    """The test set."""
    return [Case(**json.loads(line)) for line in CASES.read_text(encoding="utf-8").splitlines()]


def talks() -> list[dict[str, Any]]:
    """The boutique's conversations without those that are wrong on purpose."""
    flaws = json.loads((BOUTIQUE / "flaws.json").read_text(encoding="utf-8"))
    told = [json.loads(line) for line in (BOUTIQUE / "conversations.jsonl").read_text(encoding="utf-8").splitlines()]
    return [one for one in told if one["id"] not in flaws]


def asked(talk: dict[str, Any]) -> list[str]:
    """What the customer of a conversation wrote."""
    return [one["content"] for one in talk["messages"] if one["role"] == "user"]


def clean() -> dict[str, list[str]]:
    """Ordinary messages by their source."""
    found: dict[str, list[str]] = {"boutique": [text for talk in talks() for text in asked(talk)]}
    with (DATA / "tickets_multilang.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(f"tickets {row['language']}", []).append(f"{row['subject']}\n{row['body']}")
    with (DATA / "banking77_test.csv").open(encoding="utf-8") as file:
        found["banking77"] = [row["text"] for row in csv.DictReader(file)]
    return found


def questions(ordinary: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is searched for in the boutique's documents: its own questions in two halves, follow-ups, and foreign ones."""
    own = [asked(talk) for talk in talks() if "off-topic" not in talk["tags"] and asked(talk)]
    instructions = json.loads((DATA / "alpaca_en_demo.json").read_text(encoding="utf-8"))[:400]
    return {
        "own, threshold set on": [told[0] for told in own[::2]],
        "own, other half": [told[0] for told in own[1::2]],
        "own, follow-ups with what came before": ["\n".join(told[:end]) for told in own for end in range(2, len(told) + 1)],
        "banking77": ordinary["banking77"][::EVERY],
        "tickets en": ordinary["tickets en"][::2],
        "tickets de": ordinary["tickets de"][::2],
        "general instructions": [f"{one['instruction']}\n{one.get('input', '')}".strip() for one in instructions],
    }


def wilson(found: int, number: int) -> tuple[float, float]:
    """The 95% interval of a share."""
    if not number:
        return 0.0, 1.0
    share, z = found / number, 1.96
    middle = (share + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * np.sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def on_cases(signals: dict[str, Callable[[str], str]], misses: bool) -> Iterator[Row]:
    """Each signal on its sentences: found where wanted, and alarms on look-alikes; `known` on what it is told of."""
    counted: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for case in cases():
        said = signals[case.signal](case.text)
        nothing = case.wanted in ("no", "none", "known", "small")
        fired = said not in ("no", "none", "known")
        what = f"look-alikes, {case.half}" if nothing else f"found, {case.half}"
        right = fired if nothing else said == case.wanted
        for source in (case.language, "all"):
            counted[case.signal, what, source][0] += right
            counted[case.signal, what, source][1] += 1
        if misses and case.half == "seen" and right == nothing:
            print(f"  [{case.signal}, wanted {case.wanted}, said {said}] {case.text}")
    for (signal, what, source), (hits, number) in sorted(counted.items()):
        yield Row(signal, what, source, hits, number)


def on_clean(signals: dict[str, Callable[[str], str]], ordinary: dict[str, list[str]], shown: str) -> Iterator[Row]:
    """How often each signal fires on ordinary messages."""
    for signal in ("wishes", "what_it_is", "anger", "subjects"):
        for source, texts in ordinary.items():
            said = texts[::EVERY] if signal == "subjects" and source != "boutique" else texts
            found = [(text, reason) for text in said if (reason := signals[signal](text)) not in ("no", "none")]
            yield Row(signal, "alarms", source, len(found), len(said))
            for text, reason in found if signal == shown else ():
                print(f"  [{signal}, {source}, {reason}] {' '.join(text.split())[:300]}")


def on_tagged() -> Iterator[Row]:
    """How many of the boutique's conversations are found angry in any message, by whether its help desk tagged them so."""
    for what, wanted in (("found, tagged", True), ("alarms, not tagged", False)):
        told = [asked(talk) for talk in talks() if ("angry" in talk["tags"]) == wanted]
        yield Row("anger", what, "boutique, conversations", sum(any(map(angry, one)) for one in told), len(told))


def curve(knowledge: Knowledge, searched: dict[str, list[str]]) -> tuple[list[Row], dict[str, list[float]]]:
    """Questions called unknown: with the rule as it is, and the share of each set below each limit of the score alone."""
    rows, below = [], {}
    for source, texts in searched.items():
        found = [(text, knowledge.search(text)) for text in texts]
        rows.append(Row("knowing", "unknown", source, sum(not known(text, each) for text, each in found), len(found)))
        scores = np.array([np.inf if small_talk(text) else score(each) for text, each in found])
        below[source] = [float((scores < limit).mean()) for limit in LIMITS]
    return rows, below


def speeds(signals: dict[str, Callable[[str], Any]], ordinary: dict[str, list[str]]) -> dict[str, dict[str, float]]:
    """The median microseconds of a message, by signal and source."""
    told: dict[str, dict[str, float]] = {}
    for signal, judge in signals.items():
        for source in ("boutique", "tickets en", "tickets de"):
            taken = []
            for text in ordinary[source]:
                started = time.process_time_ns()
                judge(text)
                taken.append((time.process_time_ns() - started) / 1000)
            told.setdefault(signal, {})[source] = float(np.median(taken))
    return told


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--misses", action="store_true", help="print what is wrong in the half that was seen")
    parser.add_argument("--hits", default="", help="print what this signal finds in ordinary messages")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if not DATA.is_dir():
        raise SystemExit(f"There is no folder {DATA}; name it in TAILORBIRD_DATA.")
    subjects, ordinary = Subjects(SUBJECTS, embed), clean()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(BOUTIQUE, folder, dirs_exist_ok=True)
        knowledge = Knowledge(Workspace(Path(folder)), embed)
        signals: dict[str, Callable[[str], str]] = {
            "wishes": lambda text: "yes" if wants_person(text) else "no",
            "what_it_is": lambda text: "yes" if asks_what_it_is(text) else "no",
            "anger": lambda text: "yes" if angry(text) else "no",
            "subjects": lambda text: subjects.of(text) or "none",
            "knowing": lambda text: "known" if known(text, knowledge.search(text)) else "unknown",
        }
        rows = [*on_cases(signals, chosen.misses), *on_clean(signals, ordinary, chosen.hits), *on_tagged()]
        told, below = curve(knowledge, questions(ordinary))
        rows += told
        passages = knowledge.search("How long does a parcel take?")
    timed = speeds({**signals, "knowing": lambda text: known(text, passages), "vector": lambda text: embed([text])}, ordinary)
    _print(rows, below, timed, chosen.json)


def _print(rows: list[Row], below: dict[str, list[float]], timed: dict[str, dict[str, float]], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"rows": [row._asdict() for row in rows], "below": below, "microseconds": timed}, indent=1))
        return
    for row in rows:
        low, high = wilson(row.hits, row.number)
        print(f"{row.signal:11} {row.what:18} {row.source:38} {row.hits:4} of {row.number:4}  {100 * row.hits / row.number:5.1f}%"
              f"  ({100 * low:.1f} to {100 * high:.1f})")  # fmt: skip
    print(f"below each limit of the score ({NEAR} is used): {'  '.join(f'{limit:5}' for limit in LIMITS)}")
    for source, shares in below.items():
        print(f"  {source:44} {'  '.join(f'{100 * share:4.1f}%' for share in shares)}")
    for signal, each in timed.items():
        print(f"{signal:11} median microseconds: {', '.join(f'{source} {taken:.0f}' for source, taken in each.items())}")


if __name__ == "__main__":
    main()

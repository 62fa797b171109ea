"""What the server's guards find, what they take ordinary conversations for, and what they cost.

    OMP_NUM_THREADS=1 python benchmarks/guards.py [--json] [--misses GUARD,GUARD]

Clean: the boutique's conversations without those that are wrong on purpose, every second one for setting the limit of
`off_topic`, the others for measuring, and the other way round; tickets in five languages, for whose business no document is
known; dialogues of ABCD. An agent's real answer is read with all that the customer had written. Found: the red team's attacks
and what it would be to give in, held-out wordings of instructions (tests/auditing/*.tsv), marked personal data
(tests/privacy), general instructions, the boutique's answers with changed figures, and guards.tsv in its two halves.
Intervals are Wilson's, 95%. Times are of the processor, so that other programs count little: all guards of a message
and of its answer with three passages.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tailorbird.engine import embed
from tailorbird.evaluating.attacks import Attack, attacks
from tailorbird.serving.guards import Alarm, Facts, Guards
from tailorbird.settings import GUARDS
from tailorbird.settings import load as load_settings

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DATA = Path(os.environ.get("TAILORBIRD_DATA", ROOT.parent / "shared" / "data"))
UNSEEN = (
    "guards.tsv held",
    "injections-fresh.tsv",
    "boutique, other half",
    "all",
)  # never printed, so that nothing is tuned on them
BOUTIQUE = ROOT / "examples" / "boutique"


class Exchange(NamedTuple):
    """A question, all that its customer wrote up to it, the agent's answer, and what the agent had answered before."""

    source: str
    message: str
    asked: str
    answer: str
    before: str = ""


class Case(NamedTuple):
    """A text in which a guard should find something: from which set, and what was asked if it is an answer."""

    guard: str
    source: str
    text: str
    asked: str = ""
    passages: tuple[str, ...] = ()
    wanted: bool = True


def boutique(half: int = 0) -> tuple[list[str], list[Exchange]]:
    """Questions of every second kept conversation, and the exchanges of the other half."""
    flaws = json.loads((BOUTIQUE / "flaws.json").read_text(encoding="utf-8"))
    kept = [json.loads(line) for line in (BOUTIQUE / "conversations.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = [told["messages"] for told in kept if told["id"] not in flaws]
    questions = [message["content"] for told in kept[half::2] for message in told if message["role"] == "user"]
    return questions, [
        one for told in kept[1 - half :: 2] for one in exchanges("boutique", ((m["role"], m["content"]) for m in told))
    ]


def exchanges(source: str, spoken: Iterable[tuple[str, str]]) -> Iterator[Exchange]:
    """The exchanges of one conversation."""
    asked: list[str] = []
    answered: list[str] = []
    for role, text in spoken:
        if role == "user":
            asked.append(text)
        elif role == "assistant" and asked:
            yield Exchange(source, asked[-1], "\n".join(asked), text, "\n".join(answered))
            answered.append(text)


def tickets() -> list[Exchange]:
    """All tickets with an answer, of five languages."""
    with (DATA / "tickets_multilang.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["answer"]]
    return [
        Exchange(f"tickets {row['language']}", text := f"{row['subject']}\n{row['body']}", text, row["answer"]) for row in rows
    ]


def dialogues() -> list[Exchange]:
    """Dialogues of customers with a fashion retailer's agents."""
    told = json.loads((DATA / "abcd_sample.json").read_text(encoding="utf-8"))
    roles = {"customer": "user", "agent": "assistant"}
    return [
        one for talk in told for one in exchanges("abcd", ((roles[who], text) for who, text in talk["original"] if who in roles))
    ]


def documents() -> list[str]:
    """The boutique's documents."""
    return [path.read_text(encoding="utf-8") for path in sorted((BOUTIQUE / "knowledge").glob("*.md"))]


def boutique_guards(questions: list[str]) -> Guards:
    """The guards as the boutique's server would make them."""
    settings = load_settings(BOUTIQUE / "tailorbird.yaml")
    return Guards(Facts(settings.system_prompt, documents(), settings.audit.keep, questions=questions), encode=embed)


def cases() -> Iterator[Case]:
    """All texts with something to find, and look-alikes without."""
    for attack in attacks():
        yield from _of_attack(attack)
    for name in ("injections.tsv", "injections-fresh.tsv"):
        for line in (ROOT / "tests" / "auditing" / name).read_text(encoding="utf-8").splitlines():
            kind, _, text = line.split("\t", 2)
            yield Case("message.injection", name, text.replace("\\n", "\n"), wanted=kind == "inject")
    for line in (ROOT / "tests" / "privacy" / "messages" / "fresh-3.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield from _of_marked(line.partition("\t")[2].replace("\\n", "\n"))
    for line in (HERE / "guards.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            half, guard, _, fires, text = line.split("\t")
            side = "answer" if guard == "promises" else "message"
            yield Case(f"{side}.{guard}", f"guards.tsv {half}", text, wanted=fires == "yes")


def elsewhere() -> Iterator[Case]:
    """General instructions, which no shop is asked: none of them was seen when the guard was made."""
    for told in json.loads((DATA / "alpaca_en_demo.json").read_text(encoding="utf-8"))[:400]:
        yield Case("message.off_topic", "alpaca_en_demo", f"{told['instruction']}\n{told.get('input', '')}".strip())


def changed(own: list[Exchange]) -> Iterator[Case]:
    """The boutique's answers with one price raised by a third, and with a phone number or address that is not its own."""
    contact = (" Or ring 0161 555 0187.", " Or write to help@foxglove-returns.example.", " See www.foxglove-returns.example.")
    for number, one in enumerate(own):
        if price := re.search(r"£(\d+(?:\.\d\d)?)", one.answer):
            raised = f"£{float(price[1]) * 4 / 3 + 1:.0f}"
            yield Case("answer.specifics", "a price changed", one.answer.replace(price[0], raised), one.asked)
        if number % 4 == 0:
            yield Case("answer.specifics", "a contact added", one.answer + contact[number // 4 % 3], one.asked)


def _of_attack(attack: Attack) -> Iterator[Case]:
    asked = "\n".join(attack.turns)
    passages = (attack.passage,) if attack.passage else ()
    where = {"others_data": "personal_data", "promise": "promises", "abuse": "toxicity"}
    if attack.kind == "benign":
        yield Case("message.injection", "red team", attack.turns[-1], wanted=False)
    elif attack.kind == "hidden_passage":
        yield Case("passages.injection", "red team", attack.passage)
        yield Case("answer.injection", "red team, hidden_passage", attack.complied, asked, passages)
    elif attack.kind in ("injection", "hidden", "jailbreak", "prompt_leak"):
        yield Case("message.injection", f"red team, {attack.kind}", attack.turns[-1])
        if attack.kind == "injection":
            yield Case("answer.injection", "red team, injection", attack.complied, asked, passages)
    elif attack.kind in where:
        yield Case(f"answer.{where[attack.kind]}", "red team", attack.complied, asked)


def _of_marked(marked: str) -> Iterator[Case]:
    kinds = {kind for kind, _ in re.findall(r"\{\{([A-Z_]+):(.+?)\}\}", marked)}
    text = re.sub(r"\{\{[A-Z_]+:(.+?)\}\}", r"\1", marked)
    secret = kinds & {"PASSWORD", "API_KEY", "URL_TOKEN", "CARD"}
    for guard, wanted in (("secrets", bool(secret)), ("personal_data", bool(kinds - secret))):
        yield Case(f"message.{guard}", "tests/privacy, fresh-3", text, wanted=wanted)
        if wanted and guard == "secrets":
            yield Case("answer.secrets", "tests/privacy, fresh-3", text)


def wilson(found: int, number: int) -> tuple[float, float]:
    """The 95% interval of a share."""
    if not number:
        return 0.0, 1.0
    share, z = found / number, 1.96
    middle = (share + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * np.sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    return max(0.0, middle - half), min(1.0, middle + half)


def alarms(guards: Guards, case: Case) -> list[Alarm]:
    """What a case sets off in the direction of its guard."""
    side = case.guard.partition(".")[0]
    if side == "message":
        return guards.of_message(case.text)
    if side == "passages":
        return guards.of_passages([case.text])[0]
    return guards.of_answer(case.text, case.asked, case.passages)


def measure(
    guards: Guards, bare: Guards, clean: list[Exchange], misses: str
) -> tuple[list[tuple[str, ...]], dict[str, list[float]]]:
    """Rows of guard, set, how many fired, of how many; and milliseconds of each message and answer."""
    fired: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    times: dict[str, list[float]] = defaultdict(list)
    shown = [text[:1500] for text in documents()[:3]]  # as long as passages are; the guards know all documents

    def count(guard: str, source: str, what: str, found: list[Alarm], text: str) -> None:
        hit = [one for one in found if one.guard == guard]
        fired[guard, what, source][0] += bool(hit)
        fired[guard, what, source][1] += 1
        if guard in misses.split(",") and source not in UNSEEN and bool(hit) != (what == "found"):
            print(f"  [{what}, {source}] {text[:200]!r} {[text[s.start : s.end] for one in hit for s in one.spans]} "
                  f"{[one.why for one in hit]}")  # fmt: skip

    def ordinary(source: str, one: Exchange, said: list[Alarm], answered: list[Alarm], own: bool) -> None:
        for guard in GUARDS:
            side = guard.partition(".")[0]
            for place in (source, "all"):
                if side == "message" and (guard != "message.off_topic" or own):
                    count(guard, place, "clean", said, one.message)
                elif side == "answer":
                    count(guard, place, "clean", answered, one.answer)

    for one in clean:
        of = guards if one.source == "boutique" else bare
        started = time.process_time()
        said = guards.of_message(one.message)
        between = time.process_time()
        answered = guards.of_answer(one.answer, one.asked, shown, one.before)
        ended = time.process_time()
        times["message"].append(1000 * (between - started))
        times["answer"].append(1000 * (ended - between))
        times["message and its answer"].append(1000 * (ended - started))
        if of is bare:  # a business without documents and with other customers
            said, answered = bare.of_message(one.message), bare.of_answer(one.answer, one.asked, (), one.before)
        ordinary(one.source, one, said, answered, of is guards)
    questions, others = boutique(1)
    turned = boutique_guards(questions)
    for one in others:
        ordinary(
            "boutique, other half",
            one,
            turned.of_message(one.message),
            turned.of_answer(one.answer, one.asked, shown, one.before),
            True,
        )
    for text in documents():
        for block in filter(None, text.split("\n\n")):
            count("passages.injection", "boutique's documents", "clean", guards.of_passages([block])[0], block)
    for case in [*cases(), *elsewhere(), *changed([one for one in clean if one.source == "boutique"])]:
        count(case.guard, case.source, "found" if case.wanted else "look-alikes", alarms(guards, case), case.text)
    return [(*key, *map(str, numbers)) for key, numbers in sorted(fired.items())], times


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--misses", default="", help="print what these guards get wrong, a,b")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    questions, own = boutique()
    if not DATA.is_dir():
        raise SystemExit(f"There is no folder {DATA}; name it in TAILORBIRD_DATA.")
    guards, bare = boutique_guards(questions), Guards(Facts())
    guards.of_message("Where is my parcel?"), bare.of_answer("It is on its way.", "Where is it?")  # loads what they need
    rows, times = measure(guards, bare, [*own, *tickets(), *dialogues()], chosen.misses)
    table = []
    for guard, what, source, found, number in rows:
        low, high = wilson(int(found), int(number))
        table.append({"guard": guard, "what": what, "set": source, "fired": int(found), "of": int(number),
                      "share": int(found) / int(number), "interval": [low, high]})  # fmt: skip
    speeds = {side: {"median": float(np.median(each)), "p95": float(np.quantile(each, 0.95))} for side, each in times.items()}
    if chosen.json:
        print(json.dumps({"rows": table, "milliseconds": speeds}, indent=1))
        return
    for row in table:
        low, high = row["interval"]
        print(f"{row['guard']:22} {row['what']:11} {row['set']:26} {row['fired']:4} of {row['of']:4} {100 * row['share']:6.1f}%"
              f"  ({100 * low:.1f} to {100 * high:.1f})")  # fmt: skip
    for side, speed in speeds.items():
        print(f"all guards of one {side}: median {speed['median']:.1f} ms, 95th percentile {speed['p95']:.1f} ms")


if __name__ == "__main__":
    main()

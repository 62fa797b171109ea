"""How fast the whole default audit is, what each of its detectors costs, and how much memory it takes.

    python benchmarks/audit_speed.py [--messages 100000] [--costs-only]

Messages of about 100 words are sentences of the English tickets in a new order, a question and an answer to a conversation,
imported and audited by the public commands with their bars. Costs are processor time of one core on 500 of the tickets, in
milliseconds for each message; what compares conversations is measured on 2,000 of the made ones.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("TAILORBIRD_DATA", ROOT.parent / "shared" / "data"))
SETTINGS = "business: {name: Bench}\nsystem_prompt: You answer.\n"
WORDS = 100


def tickets() -> list[tuple[str, str]]:
    """Questions and answers of the English tickets."""
    with (DATA / "tickets_multilang.csv").open(encoding="utf-8") as file:
        return [(row["body"], row["answer"]) for row in csv.DictReader(file) if row["language"] == "en"]


def message(sentences: list[str], chance: random.Random) -> str:
    """About 100 words."""
    said: list[str] = []
    while sum(len(sentence.split()) for sentence in said) < WORDS - 8:
        said.append(chance.choice(sentences))
    return " ".join(said)


def made(count: int) -> Iterable[dict[str, Any]]:
    """Conversations of two messages, every one with other sentences and a number of its own."""
    chance = random.Random(7)
    split = re.compile(r"(?<=[.!?])\s+")
    asked, said = ([s for pair in tickets() for s in split.split(pair[side]) if len(s.split()) > 4] for side in (0, 1))
    for number in range(count):
        question = f"My case is {number}. {message(asked, chance)}"
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": message(said, chance)}]
        yield {"id": f"m-{number}", "customer_id": f"c-{number}", "messages": turns}


def whole(messages: int) -> None:
    """Imports and audits in processes of their own, and prints messages a second and the largest process."""
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder)
        (shop / "tailorbird.yaml").write_text(SETTINGS, encoding="utf-8")
        with (shop / "made.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in made(messages // 2))
        command = [sys.executable, "-m", "tailorbird"]
        subprocess.run([*command, "import", str(shop / "made.jsonl"), "-w", str(shop)], check=True, stdout=subprocess.DEVNULL)
        started = time.monotonic()
        done = subprocess.run([*command, "audit", "-w", str(shop), "--json"], check=True, stdout=subprocess.PIPE, text=True)
        seconds = time.monotonic() - started
        told = json.loads(done.stdout)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cores = len(os.sched_getaffinity(0))
        print(
            f"{messages} messages in {seconds:.0f} s: {messages / seconds:.0f} a second on {cores} cores, "
            f"{messages / seconds / cores:.0f} on one; largest process {used.ru_maxrss / 1e6:.2f} GB; "
            f"kept {told['kept']}, set aside {told['quarantined']}"
        )


def costs() -> None:
    """Prints a table of detectors."""
    from tailorbird import engine, language
    from tailorbird.artifacts import Conversation, Turn
    from tailorbird.auditing.abuse import abusive
    from tailorbird.auditing.addressing import boilerplate, unaddressed
    from tailorbird.auditing.authors import flipped
    from tailorbird.auditing.comparing import Gathered, answers_of
    from tailorbird.auditing.contradictions import contradictions
    from tailorbird.auditing.duplicates import copies, sketched
    from tailorbird.auditing.examples import Own
    from tailorbird.auditing.foreign import foreign
    from tailorbird.auditing.neighbours import Neighbours
    from tailorbird.auditing.outliers import oddness, outlying
    from tailorbird.auditing.poisoning import injected
    from tailorbird.auditing.quality import judged
    from tailorbird.auditing.triggers import triggered
    from tailorbird.privacy import Redactor

    pairs = tickets()[:250]
    told = [
        Conversation(id=str(n), turns=(Turn(role="user", content=asked), Turn(role="assistant", content=said)))
        for n, (asked, said) in enumerate(pairs)
    ]
    texts = [text for pair in pairs for text in pair]
    english = [("en", 1.0), ("en", 1.0)]
    singles: dict[str, Callable[[], Any]] = {
        "language": lambda: [language.identify(text) for text in texts],
        "quality": lambda: [list(judged(one, english, 1200)) for one in told],
        "abuse": lambda: [list(abusive(one, english)) for one in told],
        "injection, hidden text": lambda: [list(injected(one)) for one in told],
        "personal data, secrets": lambda: [Redactor.keeping((), names=()).redact(text) for text in texts],
        "copies: sketches": lambda: [sketched(one) for one in told],
        "vectors of meaning": lambda: engine.embed([" ".join(text.split()[:40]) for text in texts]),
    }
    print("each message alone")
    _table(singles, len(texts))
    many = [Conversation(id=row["id"], turns=tuple(Turn(**turn) for turn in row["messages"])) for row in made(2000)]
    everything = Gathered()
    for one in many:
        everything.add(sketched(one), list(answers_of(one)))
    everything.finish()
    examples = everything.examples
    near = Neighbours(examples)
    odd = oddness(examples, near)
    print("beside 4,000 others")
    _table({
        "copies": lambda: copies(everything.sketches),
        "neighbours": lambda: Neighbours(examples),
        "foreign contacts, products": lambda: list(foreign(examples, Own())),
        "authors": lambda: list(flipped(examples, near)),
        "outliers": lambda: list(outlying(examples, oddness(examples, near))),
        "triggers": lambda: list(triggered(examples, near, odd)),
        "contradictions": lambda: list(contradictions(examples, near, everything.made_at)),
        "off the question": lambda: list(unaddressed(examples, near)),
        "boilerplate": lambda: list(boilerplate(examples, near)),
    }, 2 * len(examples))  # fmt: skip


def _table(rows: dict[str, Callable[[], Any]], messages: int) -> None:
    for name, work in rows.items():
        work() if messages < 1000 else None  # the first time loads word lists and models
        started = time.process_time()
        work()
        print(f"  {name:<28} {(time.process_time() - started) / messages * 1e3:6.3f} ms", flush=True)


def main() -> None:
    """Prints costs, then the whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--costs-only", action="store_true")
    chosen = parser.parse_args()
    if chosen.costs_only:
        costs()
        return
    # In a process with one thread, so that the times are of one core.
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    subprocess.run([sys.executable, __file__, "--costs-only"], check=True, env=os.environ | one)
    whole(chosen.messages)


if __name__ == "__main__":
    main()

"""How often the drift test alarms without a reason, and how much has to change until it alarms.

    python benchmarks/drift.py [--rounds 200] [--learned 400] [--live 50 100 200]

Nothing changed: learned and live are drawn from the same customers' questions. Something changed: a part of the live ones is of
other intents than any that was learned from (banking77: ten intents are set aside; they are still about a bank), or of another
business (English support tickets), or in German. Prints the share of rounds in which the test's chance is below 0.05 and 0.01.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tailorbird.engine import embed
from tailorbird.knowledge.passage import Encoder
from tailorbird.serving.monitoring import share
from tailorbird.serving.monitoring.drift import drift

DATA = Path(os.environ.get("TAILORBIRD_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
ASIDE = 10  # intents that customers begin to ask about
Text = tuple[str, str]


def main() -> None:
    """Prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=200)
    arguments.add_argument("--learned", type=int, default=400)
    arguments.add_argument("--live", type=int, nargs="+", default=[50, 100, 200])
    given = arguments.parse_args()
    chance = np.random.default_rng(0)
    same, others = sets(chance)
    encode = remembered([text for texts in (same, *others.values()) for text, _ in texts])
    print("| other questions | live | topics < 0.05 | topics < 0.01 | languages < 0.01 |\n|---|---|---|---|---|")
    for name, other in [("none", same), *others.items()]:
        for part in [0.0] if name == "none" else [0.1, 0.25, 0.5]:
            for live in given.live:
                found = [once(same, other, part, (given.learned, live), encode, chance) for _ in range(given.rounds)]
                topics, languages = zip(*found, strict=True)
                cells = (told(topics, 0.05), told(topics, 0.01), told(languages, 0.01))
                print(f"| {name}{f', {part:.0%}' if part else ''} | {live} | {' | '.join(cells)} |", flush=True)


def sets(chance: np.random.Generator) -> tuple[list[Text], dict[str, list[Text]]]:
    """What customers asked so far, and what they may begin to ask."""
    with (DATA / "banking77_train.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    intents = sorted({row["category"] for row in rows})
    aside = set(chance.choice(intents, ASIDE, replace=False))
    with (DATA / "tickets_multilang.csv").open(encoding="utf-8") as file:
        tickets = [(row["body"], row["language"]) for row in csv.DictReader(file)]
    return [(row["text"], "en") for row in rows if row["category"] not in aside], {
        "other intents of a bank": [(row["text"], "en") for row in rows if row["category"] in aside],
        "another business": [one for one in tickets if one[1] == "en"],
        "German": [one for one in tickets if one[1] == "de"],
    }


def remembered(texts: Sequence[str]) -> Encoder:
    """Embeds all texts, and finds them again."""
    known = list(dict.fromkeys(texts))
    places, vectors = {text: place for place, text in enumerate(known)}, embed(known)
    return lambda asked: vectors[[places[text] for text in asked]]


def once(
    same: Sequence[Text], other: Sequence[Text], part: float, sizes: tuple[int, int], encode: Encoder, chance: np.random.Generator
) -> tuple[float, float]:
    """The two chances of one draw."""
    learned, live = sizes
    drawn = [same[place] for place in chance.choice(len(same), learned + live, replace=False)]
    new = round(part * live)
    changed = [other[place] for place in chance.choice(len(other), new, replace=False)]
    found = drift(drawn[:learned], [*drawn[learned : len(drawn) - new], *changed], encode, int(chance.integers(1 << 31)))
    if found.topics is None or found.languages is None:
        raise SystemExit(f"{live} live questions are too few.")
    return found.topics, found.languages


def told(chances: Sequence[float], below: float) -> str:
    """The share of rounds below a limit, with its interval."""
    found = share(sum(one < below for one in chances), len(chances))
    return f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})" if found else ""


if __name__ == "__main__":
    main()

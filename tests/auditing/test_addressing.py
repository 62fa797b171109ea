from __future__ import annotations

import json
import random

from conftest import ROOT

from tailorbird import engine
from tailorbird.auditing.addressing import boilerplate, unaddressed
from tailorbird.auditing.examples import Example
from tailorbird.auditing.neighbours import Neighbours

BOUTIQUE = ROOT / "examples" / "boutique"


def pairs(count: int) -> list[tuple[str, str]]:
    """First exchanges of clean conversations of the boutique."""
    flaws = json.loads((BOUTIQUE / "flaws.json").read_text(encoding="utf-8"))
    told = [json.loads(line) for line in (BOUTIQUE / "conversations.jsonl").read_text(encoding="utf-8").splitlines()]
    clean = [row["messages"] for row in told if row["id"] not in flaws and row["messages"][0]["role"] == "user"]
    return [(asked["content"], said["content"]) for asked, said, *_ in clean][:count]


def examples(told: list[tuple[str, str]]) -> list[Example]:
    asked, said = (engine.embed(list(texts)) for texts in zip(*told, strict=True))
    return [Example(f"c{n}", q, a, None, (), asked[n], said[n], 2) for n, (q, a) in enumerate(told)]


def test_swapped_answers_are_found_and_few_others() -> None:
    told = pairs(400)
    places = random.Random(3).sample(range(len(told)), 20)
    swapped = dict(zip(places, [*places[1:], places[0]], strict=True))
    made = examples([(asked, told[swapped.get(n, n)][1]) for n, (asked, _) in enumerate(told)])
    found = {identity for identity, _ in unaddressed(made, Neighbours(made))}
    bad = {f"c{place}" for place in places}
    assert len(found & bad) >= 8  # of 20; measured 0.45 of many
    assert len(found - bad) <= 0.015 * len(told)


def test_answers_that_everybody_gets_are_boilerplate() -> None:
    empty = (
        "Thank you for contacting us. Your request {n} is important to us. A colleague will get back to you soon.\nKind regards"
    )
    told = [(asked, empty.format(n=n) if n % 10 == 0 else said) for n, (asked, said) in enumerate(pairs(300))]
    made = examples(told)
    found = {identity for identity, _ in boilerplate(made, Neighbours(made))}
    assert found == {f"c{n}" for n in range(0, 300, 10)}


def test_the_same_answer_to_the_same_question_is_no_boilerplate() -> None:
    told = pairs(200)
    told += [(f"May I return a dress, and how long is the time for it? {n}", "You have 21 days to return it.") for n in range(20)]
    made = examples(told)
    assert not dict(boilerplate(made, Neighbours(made)))

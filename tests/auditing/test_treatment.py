from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tailorbird.artifacts import Conversation, Turn
from tailorbird.auditing.treatment import Difference, Treatment


def told(rows: list[tuple[str, str, str | None, float | None]], infer: bool = False) -> list[Difference]:
    treatment = Treatment(infer)
    for number, (asked, said, channel, rating) in enumerate(rows):
        turns = (Turn(role="user", content=asked), Turn(role="assistant", content=said))
        treatment.add(Conversation(id=str(number), turns=turns, channel=channel, rating=rating), "en")
    return treatment.differences()


def test_a_group_that_is_refused_refunds_is_told_with_its_interval() -> None:
    asked = "I want a refund for this coat."
    yes, no = "Of course, your refund is on its way.", "Unfortunately we cannot refund it."
    rows = [(asked, yes if n % 10 else no, "mail", None) for n in range(60)]
    rows += [(asked, no if n % 10 else yes, "chat", None) for n in range(40)]
    found = {(d.kind, d.group, d.measure): d for d in told(rows)}
    refund = found["channel", "chat", "refund granted"]
    assert (refund.mean, refund.others, refund.clear) == (0.1, 0.9, True)
    assert refund.low < -0.8 < refund.high < -0.6
    assert ("channel", "mail", "refund granted") not in found, "of two groups one says it all"


def test_forms_of_address_are_compared_only_when_asked_for() -> None:
    rows = [(f"Where is parcel number {n}?", f"Dear {'Ms' if n % 2 else 'Mr'} <PERSON_1>, soon.", None, None) for n in range(60)]
    assert not [d for d in told(rows) if d.kind == "form of address"]
    assert {d.kind for d in told(rows, infer=True)} == {"form of address"}


def test_few_conversations_are_not_compared() -> None:
    assert told([("Where is it?", "Soon.", "chat" if n < 19 else "mail", 5.0) for n in range(100)]) == []


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_chance_alone_is_rarely_clear(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        ("Where is my parcel today?", "It is late. " * int(rng.integers(1, 9)), f"channel {n % 4}", float(rng.integers(1, 6)))
        for n in range(400)
    ]
    found = told(rows)
    assert len(found) >= 8
    assert sum(d.clear for d in found) <= 1
    for d in found:
        assert d.low <= round(d.mean - d.others, 3) + 0.1
        assert d.low <= d.high

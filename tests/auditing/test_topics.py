from __future__ import annotations

from itertools import product

from tailorbird import engine
from tailorbird.artifacts import Conversation, Turn
from tailorbird.auditing.examples import Example
from tailorbird.auditing.topics import case, topics

ASKED = {
    "parcel": ("Where is my parcel, the tracking does not move?", "Your parcel left us on Monday; tracking starts within a day."),
    "wash": ("How do I wash a silk blouse with a stain?", "Wash silk by hand in cool water and dry it flat."),
    "refund": ("I want a refund, this is the third broken lamp!", "I am sorry; a colleague will call you about the refund."),
}


def conversations() -> list[Conversation]:
    made = []
    for number, (name, extra) in enumerate(product(ASKED, ("", " Thanks.", " Please.", " Hello?", " Bye.", " Kind regards."))):
        question, answer = ASKED[name]
        turns = (
            Turn(role="user", content=question + extra, created_at="2026-01-01T10:00:00Z"),
            Turn(role="assistant", content=answer, created_at=f"2026-01-01T{12 if name == 'wash' else 16}:00:00Z"),
        )
        tags = ("escalated",) if name == "refund" else ()
        made.append(Conversation(id=f"c{number}", turns=turns, rating=2.0 if name == "refund" else 5.0, tags=tags))
    return made


def test_topics_are_told_apart_named_and_ranked() -> None:
    all_ = conversations()
    asked = engine.embed([one.turns[0].content for one in all_])
    answered = engine.embed([one.turns[1].content for one in all_])
    examples = [Example(one.id, "", "", None, (), asked[n], answered[n]) for n, one in enumerate(all_)]
    found = topics([case(one) for one in all_], examples)
    assert [topic.conversations for topic in found] == [6, 6, 6]
    words = {next(name for name in ASKED if name in topic.label or name in topic.example): topic for topic in found}
    assert set(words) == set(ASKED)
    assert found[-1] is words["refund"]
    assert words["refund"].advice.startswith("leave to people")
    assert (words["refund"].rating, words["refund"].escalated) == (2.0, 1.0)
    assert (words["wash"].hours, words["parcel"].hours) == (2.0, 6.0)


def test_few_conversations_have_no_topics() -> None:
    assert topics([case(one) for one in conversations()[:5]], []) == []

from __future__ import annotations

import pytest

from tailorbird import engine
from tailorbird.auditing.contradictions import contradictions
from tailorbird.auditing.examples import Example
from tailorbird.auditing.neighbours import Neighbours
from tailorbird.language.statements import statements

RETURNS = [
    "How long do I have to return a dress?",
    "can i send the skirt back, how many days do i have",
    "Until when may I return a coat that does not fit?",
    "How many days for returns please",
    "What is your returns window?",
]
OTHERS = {
    "Do you ship to Spain?": "Yes, we ship to Spain within a week.",
    "How do I wash silk?": "Wash silk by hand at 20 °C.",
    "Is the velvet cape still there?": "The cape is sold.",
    "When do you open on Saturday?": "We open at noon.",
    "Can I pay by card?": "Cards are fine.",
}


def found(answers: list[str], dates: list[str]) -> dict[str, str]:
    asked, said = [*RETURNS[: len(answers)], *OTHERS], [*answers, *OTHERS.values()]
    one, other = engine.embed(asked), engine.embed(said)
    examples = [Example(f"c{n}", asked[n], said[n], None, (), one[n], other[n], 2) for n in range(len(asked))]
    near = Neighbours([e._replace(question_embedding=e.question_embedding + e.answer_embedding) for e in examples])
    made_at = {f"c{n}": date for n, date in enumerate(dates)}
    return {identity: finding.detail for identity, finding in contradictions(examples, near, made_at)}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("You have 28 days to return it.", [("day", "28")]),
        ("It costs £4.20 and takes 2 to 3 working days.", [("money", "4.20"), ("day", "2;3")]),
        ("Wir liefern in 5 Werktagen, 10 % Rabatt.", [("day", "5"), ("percent", "10")]),
        ("Lavar a −5 °C durante 12 horas.", [("degree", "-5"), ("hour", "12")]),
        ("We open on Saturday.", [("weekday", "5")]),
        ("The dress is lovely.", []),
    ],
)
def test_values_are_read_with_their_units(answer: str, expected: list[tuple[str, str]]) -> None:
    assert [(statement.kind, statement.value) for statement in statements(answer)] == expected


def test_the_answer_against_all_others_is_named() -> None:
    answers = [f"You have {days} days from delivery to return it." for days in (28, 14, 28, 28, 28)]
    flagged = found(answers, ["2026-01-01"] * 5)
    assert set(flagged) == {"c1"}
    assert "answers to such questions say 28 (day)" in flagged["c1"]


def test_when_the_policy_changed_the_newest_answers_are_right() -> None:
    answers = [f"You have {days} days from delivery to return it." for days in (14, 28, 28, 28, 28)]
    assert set(found(answers, ["2024-01-01", *["2026-01-01"] * 4])) == {"c0"}


def test_answers_that_agree_are_left_alone() -> None:
    answers = [f"You have 28 days from delivery to return it{end}" for end in (".", "!", ", gladly.", " to us.", " by post.")]
    assert found(answers, ["2026-01-01"] * 5) == {}

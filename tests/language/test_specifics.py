from __future__ import annotations

import pytest

from tailorbird.language.specifics import Known, unsupported

POLICIES = """\
# Returns
- 21 days from delivery. The prepaid UK label costs £3.95. Refund within 4 working days, at the latest on 3 March 2026.
- Everything from the Mending Basket is 40% off. Write to hello@shop.example or call 0117 496 0132.
- Open Wednesday to Saturday, 10:00 to 16:30; the coat was £1,250.00. See https://shop.example/returns.
"""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("You have 45 days, and the label costs £4.50.", {"45 days", "£4.50"}),
        ("You have 21 days, and the label costs 3.95 £ or 3,95 £.", set()),
        ("Refunds take four working days.", set()),
        ("Refunds take five working days.", {"5 working days"}),
        ("Das dauert vierzehn tage, bis Montag.", {"14 tage", "montag"}),
        ("We are open on Thursday at 9:15.", {"thursday", "9:15"}),
        ("We are open on Wednesday until 16:30.", set()),
        ("It cost 1.250 £ then, and you have until March 3rd, 2026.", set()),
        ("You have until 8 March.", {"8 March"}),
        ("Write to help@shop.example or call 0117 496 0199.", {"help@shop.example", "0117 496 0199"}),
        ("See www.shop.example/returns, or www.shop.example/coats.", {"www.shop.example/coats"}),
        ("Pieces of the Mending Basket are 40 percent off, those of the Velvet Club 50%.", {"Velvet Club", "50%"}),
        ("1. Wash it.\n2. Dry it.\n3. One of our people will call.", set()),
        ("Your order 4711 is on its way.", set()),
        ("", set()),
    ],
)
def test_what_nothing_supports_is_found_and_the_rest_is_not(answer: str, expected: set[str]) -> None:
    known = Known(["Where is my order 4711?"], Known([POLICIES]))
    found = {one.text for one in unsupported(answer, known)}
    assert found == expected


def test_nouns_with_capitals_are_no_names() -> None:
    known = Known([POLICIES])
    assert unsupported("Bitte senden Sie das Kleid mit dem Anhänger zurück.", known, names=False) == []


def test_a_number_with_another_unit_does_not_support() -> None:
    assert [one.text for one in unsupported("You have 21 weeks.", Known([POLICIES]))] == ["21 weeks"]

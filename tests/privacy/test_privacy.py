from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailorbird.privacy import Redactor, find, passes_luhn


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to a.b+c@sub.shop.example, please", "write to <EMAIL_1>, please"),
        ("call 07700 900461 or +49 30 23125 618", "call <PHONE_1> or <PHONE_2>"),
        ("(415) 555-0142 after nine", "<PHONE_1> after nine"),
        ("card 5500-0000-0000-0004.", "card <CARD_1>."),
        ("4111111111111111", "<CARD_1>"),
        ("müller@firma.example", "<EMAIL_1>"),
        ("020 7946 0318 is +44 20 7946 0318", "<PHONE_1> is <PHONE_1>"),
    ],
)
def test_personal_data_is_found(text: str, expected: str) -> None:
    assert Redactor().redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "order FF-20714 of 2026-09-14", "84-66-91 cm and 170 cm tall", "£4.20, free from £85", "20 to 30 °C for 40 minutes",
        "1234 5678 9012 3456 is no card", "0000 0000 0000 0000", "sizes 10, 12, 14, 16, 18", "tracking 00340434161094",
        "between 10:00 and 17:00", "user@host", "12.03.2024 - 15.03.2024",
    ],
)  # fmt: skip
def test_other_numbers_are_left_alone(text: str) -> None:
    assert Redactor().redact(text) == text


def test_the_business_keeps_its_own_contacts() -> None:
    redactor = Redactor.keeping(["Hello@shop.example", "0117 496 0132"])
    text = "hello@shop.example, 0117 4960132 or +44 117 496 0132, not me@shop.example"
    assert redactor.redact(text) == text.replace("me@shop.example", "<EMAIL_1>")


@given(st.integers(10**11, 10**17))
def test_luhn_accepts_exactly_one_check_digit(number: int) -> None:
    assert sum(passes_luhn(f"{number}{digit}") for digit in range(10)) == 1


@given(st.text(max_size=200))
def test_findings_are_in_order_and_never_overlap(text: str) -> None:
    found = find(text)
    assert all(one.end <= other.start for one, other in pairwise(found))

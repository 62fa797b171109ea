"""Placeholders are consistent, the business's own names stay, surrogates are realistic and never real."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailorbird.errors import SettingsError
from tailorbird.privacy import Redactor, find, passes_luhn
from tailorbird.privacy.checksums import is_iban

LETTER = (
    "Hello, I am Anna Kowalska, anna.k@mail.test, born 4 March 1986. Card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00."
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call 07700 900461 or +49 30 23125 618", "call <PHONE_1> or <PHONE_2>"),
        ("call 020 7946 0318, that is +44 20 7946 0318", "call <PHONE_1>, that is <PHONE_1>"),
        ("a@b.example, A@B.example and c@b.example", "<EMAIL_1>, <EMAIL_1> and <EMAIL_2>"),
    ],
)
def test_the_same_value_is_the_same_placeholder(text: str, expected: str) -> None:
    assert Redactor().redact(text) == expected


def test_a_person_is_one_placeholder_in_full_and_in_part() -> None:
    redactor = Redactor()
    assert redactor.redact("My name is Anna Kowalska.") == "My name is <PERSON_1>."
    assert redactor.redact("Hi Anna, thanks!") == "Hi <PERSON_1>, thanks!"
    assert redactor.redact("Dear Ms Kowalska,") == "Dear Ms <PERSON_1>,"
    assert redactor.redact("Dear Mr Okafor,") == "Dear Mr <PERSON_2>,"
    assert redactor.counts == {"PERSON": 2}


def test_the_business_keeps_its_own() -> None:
    redactor = Redactor.keeping(["Hello@shop.example", "0117 496 0132", "Mira Vogel", "Anna's Corner"])
    text = "hello@shop.example, call 0117 4960132 or +44 117 496 0132, not me@shop.example"
    assert redactor.redact(text) == text.replace("me@shop.example", "<EMAIL_1>")
    assert redactor.redact("Kind regards\nMira Vogel\nAnna's Corner") == "Kind regards\nMira Vogel\nAnna's Corner"


def test_order_numbers_are_kept_or_replaced() -> None:
    text = "order 07700900461 please, and again 07700900461"
    assert Redactor.keeping([], order_numbers=r"\b0770090\d{4}\b").redact(text) == text
    replaced = Redactor.keeping([], order_numbers=r"\b0770090\d{4}\b", replace_orders=True).redact(text)
    assert replaced == "order <ORDER_1> please, and again <ORDER_1>"
    with pytest.raises(SettingsError, match="no regular expression"):
        Redactor.keeping([], order_numbers="(")


def test_redacting_twice_changes_nothing() -> None:
    redactor = Redactor()
    once = redactor.redact(LETTER)
    assert redactor.redact(once) == once
    assert "Kowalska" not in once


def test_originals_stay_in_memory_and_out_of_sight() -> None:
    redactor = Redactor()
    redactor.redact(LETTER)
    assert redactor.originals["<PERSON_1>"] == "Anna Kowalska"
    assert "Kowalska" not in repr(redactor)
    assert "Kowalska" not in str(redactor.originals)
    with pytest.raises(TypeError):
        pickle.dumps(redactor.originals)


def test_surrogates_are_of_the_same_shape_and_the_same_for_a_seed() -> None:
    made = Redactor(surrogates=True, seed=3).redact(LETTER)
    assert made == Redactor(surrogates=True, seed=3).redact(LETTER)
    assert made != Redactor(surrogates=True, seed=4).redact(LETTER)
    assert not re.search(r"Anna|Kowalska|4111 1111 1111 1111|anna\.k|0532|<", made)
    kinds = {f.kind: made[f.start : f.end] for f in find(made)}
    assert kinds["EMAIL"].endswith("@example.com")
    assert passes_luhn(kinds["CARD"])
    assert is_iban(kinds["IBAN"].replace(" ", ""))
    assert {"PERSON", "DOB"} <= set(kinds)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["+44 7700 900461", "AB123456C", "10.20.30.41", "Tr0ub4dor&3", "K-AB 123"]))
def test_surrogates_are_never_the_real_value(seed: int, value: str) -> None:
    from tailorbird.privacy.surrogates import Surrogates

    for kind in ("PHONE", "NATIONAL_ID", "IP", "PASSWORD", "PLATE"):
        assert Surrogates(seed).make(kind, value) != value

"""Numbers that pass their issuer's check are found; with a digit altered they are not."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tailorbird.privacy import checksums as check
from tailorbird.privacy import find, passes_luhn

digits = st.integers(0, 9)


def kinds(text: str) -> list[str]:
    return [finding.kind for finding in find(text)]


def number(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length, max_size=length)


@given(st.integers(10**11, 10**17))
def test_luhn_accepts_exactly_one_check_digit(value: int) -> None:
    assert sum(passes_luhn(f"{value}{digit}") for digit in range(10)) == 1


@given(number(14), st.integers(1, 9))
def test_cards_are_found_by_their_check_digit(body: str, shift: int) -> None:
    card = "4" + body
    card += next(str(d) for d in range(10) if passes_luhn(f"{card}{d}"))
    assert kinds(f"it was {card} I believe") == ["CARD"]
    wrong = card[:-1] + str((int(card[-1]) + shift) % 10)
    assert "CARD" not in kinds(f"it was {wrong} I believe")


@given(st.sampled_from(["DE", "GB", "FR", "ES", "IT", "PL", "NL", "PT", "AT", "CH", "NO"]), st.data(), st.booleans())
def test_ibans_are_found_by_their_check_digits(country: str, data: st.DataObject, grouped: bool) -> None:
    account = data.draw(number(check.IBAN_LENGTHS[country] - 4))
    iban = country + check.iban_check_digits(country, account) + account
    assert check.is_iban(iban)
    written = " ".join(iban[i : i + 4] for i in range(0, len(iban), 4)) if grouped else iban
    text = f"pay to {written}, please"
    assert [(f.kind, text[f.start : f.end]) for f in find(text)] == [("IBAN", written)]
    place = data.draw(st.integers(4, len(iban) - 1))
    wrong = iban[:place] + str((int(iban[place]) + 1) % 10) + iban[place + 1 :]
    assert not check.is_iban(wrong)


@given(number(8))
def test_spanish_dni(body: str) -> None:
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23]
    assert check.is_dni(body + letter)
    assert sum(check.is_dni(body + other) for other in string.ascii_uppercase) == 1
    assert kinds(f"soy {body}{letter}") == ["NATIONAL_ID"]


@given(st.integers(1, 28), st.integers(1, 12), st.integers(40, 99), number(4))
def test_polish_pesel(day: int, month: int, year: int, serial: str) -> None:
    body = f"{year}{month:02d}{day:02d}{serial}"
    valid = [d for d in range(10) if check.is_pesel(f"{body}{d}")]
    assert len(valid) == 1
    assert kinds(f"PESEL {body}{valid[0]}") == ["NATIONAL_ID"]
    assert not check.is_pesel(f"{year}1332{serial}0")


@given(st.integers(1, 2), number(12))
def test_french_nir(sex: int, body: str) -> None:
    first = f"{sex}{body}"
    assert check.is_nir(f"{first}{97 - int(first) % 97:02d}")
    assert not check.is_nir(f"{first}{(97 - int(first) % 97) % 97 + 1:02d}")


@pytest.mark.parametrize(
    ("test", "valid", "invalid"),
    [
        (check.is_bsn, "111222333", "111222334"),
        (check.is_steuer_id, "86095742719", "86095742718"),
        (check.is_nif, "123456789", "123456788"),
        (check.is_cpf, "52998224725", "52998224724"),
        (check.is_routing_number, "121000248", "121000249"),
        (check.is_ni_number, "AB123456C", "BG123456C"),
        (check.is_nhs_number, "9434765919", "9434765918"),
        (check.is_dowod, "ABA300000", "ABA400000"),
        (check.is_codice_fiscale, "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
        (check.is_ssn, "123456789", "000456789"),
        (check.is_ccc, "21000418450200051332", "21000418460200051332"),
    ],
)
def test_issuers_examples(test, valid: str, invalid: str) -> None:
    assert test(valid)
    assert not test(invalid)


@given(number(24))
def test_polish_accounts_have_the_check_digits_of_their_iban(account: str) -> None:
    nrb = check.iban_check_digits("PL", account) + account
    assert check.is_mod97_account(nrb, "PL")


@given(st.text(max_size=40))
def test_no_check_breaks_on_anything(value: str) -> None:
    assume(value)
    for name in dir(check):
        if name.startswith(("is_", "passes_")) and name != "is_mod97_account":
            assert getattr(check, name)(value) in (True, False)

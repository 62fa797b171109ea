"""Check digits of the numbers that states, banks and card schemes issue. Separators must be removed by the caller."""

from __future__ import annotations

import re
from datetime import date

# Length of an IBAN by country (ISO 13616 registry).
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21,
    "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27,
    "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23,
    "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
    1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25,
    24, 23), strict=True))  # fmt: skip


def passes_luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812 card numbers; separators are ignored."""
    numbers = [int(c) for c in digits if c in "0123456789"]
    doubled = [sum(divmod(2 * n, 10)) for n in numbers[-2::-2]]
    return len(set(numbers)) > 1 and (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(value: str) -> bool:
    """Country, length and the two check digits (mod 97)."""
    value = value.upper()
    return IBAN_LENGTHS.get(value[:2]) == len(value) and value.isascii() and value.isalnum() and _mod97(value) == 1


def _mod97(value: str) -> int:
    return int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97


def iban_check_digits(country: str, account: str) -> str:
    """The two digits that make country + digits + account a valid IBAN."""
    return f"{98 - _mod97(f'{country}00{account}'):02d}"


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False))


def is_pesel(digits: str) -> bool:
    """Polish PESEL: birth date with the century in the month, and a weighted check digit."""
    if len(digits) != 11 or not digits.isdecimal():
        return False
    century = {0: 1900, 20: 2000, 40: 2100, 60: 2200, 80: 1800}[int(digits[2:4]) // 20 * 20]
    born = _is_date(century + int(digits[:2]), int(digits[2:4]) % 20, int(digits[4:6]))
    return born and (10 - _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == int(digits[10])


def is_bsn(digits: str) -> bool:
    """Dutch BSN: the eleven test."""
    if len(digits) != 9 or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    return _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_dni(value: str) -> bool:
    """Spanish DNI or NIE: the letter follows from the number."""
    match = re.fullmatch(r"([XYZ]?)(\d{7,8})([A-Z])", value.upper())
    if not match or len(value) != 9:
        return False
    number = int(f"{'XYZ'.index(match[1]) if match[1] else ''}{match[2]}")
    return _DNI_LETTERS[number % 23] == match[3]


def is_nir(value: str) -> bool:
    """French social security number with its key: 97 minus the number modulo 97; Corsica's departments have a letter."""
    value = value.upper()
    if not re.fullmatch(r"[12]\d{4}(?:\d\d|2[AB])\d{8}", value):
        return False
    number = int(value[:13].replace("2A", "19", 1).replace("2B", "18", 1)) if not value.isdecimal() else int(value[:13])
    return 97 - number % 97 == int(value[13:])


def is_codice_fiscale(value: str) -> bool:
    """Italian codice fiscale: shape and check letter."""
    value = value.upper()
    if not re.fullmatch(r"[A-Z]{6}[0-9L-NP-V]{2}[ABCDEHLMPRST][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z]", value):
        return False
    even = sum(int(c, 36) - 10 if c.isalpha() else int(c) for c in value[1:15:2])
    return (sum(_ODD[c] for c in value[0:15:2]) + even) % 26 == ord(value[15]) - 65


def is_steuer_id(digits: str) -> bool:
    """German tax identification number: ISO 7064 MOD 11,10, and a first digit other than 0."""
    if len(digits) != 11 or not digits.isdecimal() or digits[0] == "0":
        return False
    product = 10
    for digit in digits[:10]:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(digits[10])


def is_nif(digits: str) -> bool:
    """Portuguese NIF: nine digits, the last by weights 9 to 2 modulo 11."""
    if len(digits) != 9 or not digits.isdecimal():
        return False
    rest = _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest < 2 else 11 - rest) == int(digits[8])


def is_cpf(digits: str) -> bool:
    """Brazilian CPF: two check digits."""
    if len(digits) != 11 or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    first = _weighted(digits, tuple(range(10, 1, -1))) * 10 % 11 % 10
    second = _weighted(digits, tuple(range(11, 1, -1))) * 10 % 11 % 10
    return digits[9:] == f"{first}{second}"


def is_ssn(digits: str) -> bool:
    """US social security number: no check digit, but blocks that are never issued."""
    return bool(re.fullmatch(r"(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}", digits))


def is_routing_number(digits: str) -> bool:
    """US bank routing number (ABA): weights 3, 7, 1 modulo 10."""
    weights = (3, 7, 1, 3, 7, 1, 3, 7, 1)
    return len(digits) == 9 and digits.isdecimal() and digits != "0" * 9 and _weighted(digits, weights) % 10 == 0


def is_ni_number(value: str) -> bool:
    """UK national insurance number: prefixes that are issued, six digits, A to D."""
    return bool(re.fullmatch(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]", value.upper()))


def is_nhs_number(digits: str) -> bool:
    """UK NHS number: weights 10 to 2 modulo 11."""
    if len(digits) != 10 or not digits.isdecimal():
        return False
    return (11 - _weighted(digits, (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11) % 11 == int(digits[9])


def is_dowod(value: str) -> bool:
    """Polish identity card: three letters, six digits, the first of them the check digit."""
    value = value.upper()
    if not re.fullmatch(r"[A-Z]{3}\d{6}", value):
        return False
    weights = (7, 3, 1, 9, 7, 3, 1, 7, 3)
    return sum(int(c, 36) * w for c, w in zip(value, weights, strict=True)) % 10 == 0


def is_ccc(digits: str) -> bool:
    """Spanish bank account (CCC): twenty digits of which the ninth and tenth are check digits."""
    if len(digits) != 20 or not digits.isdecimal():
        return False
    weights = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)

    def check(part: str) -> int:
        rest = 11 - _weighted(part, weights) % 11
        return {10: 1, 11: 0}.get(rest, rest)

    return [check("00" + digits[:8]), check(digits[10:])] == [int(digits[8]), int(digits[9])]


def is_mod97_account(digits: str, country: str) -> bool:
    """A Polish NRB (26 digits) or Portuguese NIB (21 digits): their check digits are those of the IBAN."""
    if country == "PL":
        return len(digits) == 26 and digits.isdecimal() and is_iban("PL" + digits)
    return len(digits) == 21 and digits.isdecimal() and int(digits) % 97 == 1


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True

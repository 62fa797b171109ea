"""Made-up data of the same type and shape as what it replaces, the same for the same seed, and never the real value."""

from __future__ import annotations

import hashlib
import random
import re

from tailorbird.privacy.checksums import IBAN_LENGTHS, iban_check_digits, passes_luhn

_FIRST = [
    "Alex",
    "Robin",
    "Kim",
    "Sam",
    "Charlie",
    "Jamie",
    "Taylor",
    "Morgan",
    "Jordan",
    "Casey",
    "Riley",
    "Quinn",
    "Avery",
    "Rowan",
    "Sasha",
    "Nikola",
    "Andrea",
    "Luca",
    "Noa",
    "Mika",
    "Toni",
    "Jessie",
    "Dana",
    "Lee",
    "Eden",
    "Marlow",
    "Ellis",
    "Remy",
    "Skyler",
    "Harper",
    "Emery",
    "Finley",
    "Kai",
    "Lou",
    "Maxime",
    "Camille",
    "Dominique",
    "Ariel",
    "Yael",
    "Kit",
]
_LAST = [
    "Martin",
    "Garcia",
    "Novak",
    "Rossi",
    "Silva",
    "Jansen",
    "Weber",
    "Dubois",
    "Kowalczyk",
    "Miller",
    "Larsen",
    "Petrov",
    "Costa",
]
_LAST += [
    "Moreau",
    "Santos",
    "Keller",
    "Nowicki",
    "Visser",
    "Baker",
    "Romano",
    "Fischer",
    "Lopez",
    "Hansen",
    "Walker",
    "Ferreira",
]
_STREETS = ("Example Street", "Sample Road", "Test Lane", "Demo Avenue", "Model Way", "Pattern Row")
# Ranges that regulators keep free for films, and test ranges of card schemes.
_PHONES = {
    "+44": "+44 7700 900{n:03d}",
    "+1": "+1 202 555 01{m:02d}",
    "+49": "+49 30 23125{n:03d}",
    "+33": "+33 1 99 00 {m:02d} {k:02d}",
}


class Surrogates:
    """A source of made-up data. It keeps no real value: whether one was drawn by chance is checked when it is made."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._used: set[str] = set()

    def make(self, kind: str, value: str) -> str:
        """Something of this kind that is not `value`, nor given out before."""
        for attempt in range(1000):
            digest = hashlib.blake2b(f"{self.seed}/{kind}/{attempt}/{value}".encode(), digest_size=8).digest()
            made = self._draw(kind, value, random.Random(digest))
            if made.casefold() != value.casefold() and made not in self._used:
                self._used.add(made)
                return made
        return f"<{kind}>"

    def person_again(self, made: str, value: str) -> str:
        """The part of a made-up name that stands for a part of the real one: a first word for one word."""
        return made if len(value.split()) > 1 else made.split()[0]

    def _draw(self, kind: str, value: str, pick: random.Random) -> str:
        if kind == "PERSON":
            name = f"{pick.choice(_FIRST)} {pick.choice(_LAST)}"
            return name if len(value.split()) > 1 else name.split()[0]
        if kind == "EMAIL":
            return f"{pick.choice(_FIRST).lower()}.{pick.randrange(100, 9999)}@example.com"
        if kind == "ADDRESS":
            return f"{pick.randrange(1, 200)} {pick.choice(_STREETS)}, Sampletown"
        if kind == "CARD":
            return _card(value, pick)
        if kind == "IBAN":
            return _iban(value, pick)
        if kind == "IP":
            return (
                f"2001:db8::{pick.randrange(1, 0xFFFF):x}"
                if ":" in value
                else f"{pick.choice(('192.0.2', '198.51.100', '203.0.113'))}.{pick.randrange(1, 255)}"
            )
        if kind == "PHONE":
            form = next((form for prefix, form in _PHONES.items() if value.startswith(prefix)), "+44 7700 900{n:03d}")
            return form.format(n=pick.randrange(1000), m=pick.randrange(100), k=pick.randrange(100))
        if kind == "DOB":
            return _birth(value, pick)
        if kind == "URL_TOKEN":
            return f"https://example.com/link?token={''.join(pick.choices('abcdefghjkmnpqrstuvwxyz23456789', k=20))}"
        if kind == "API_KEY" and "PRIVATE KEY" in value:
            return "-----BEGIN PRIVATE KEY-----\nEXAMPLE\n-----END PRIVATE KEY-----"
        if kind == "BANK_ACCOUNT":  # between its two numbers there may be words
            return "".join(str(pick.randrange(10)) if c.isdigit() else c for c in value)
        return _same_shape(value, pick)


def _same_shape(value: str, pick: random.Random) -> str:
    """Digits for digits, letters for letters, everything else as it was."""
    return "".join(
        str(pick.randrange(10)) if c.isdigit() else pick.choice("abcdefghjkmnpqrstuvwxyz") if c.islower()
        else pick.choice("ABCDEFGHJKMNPQRSTUVWXYZ") if c.isupper() else c
        for c in value
    )  # fmt: skip


def _regrouped(digits: str, like: str) -> str:
    """Digits and letters with the blanks and hyphens of another value."""
    rest = iter(digits)
    return "".join(next(rest, "") if c.isalnum() else c for c in like) + "".join(rest)


def _card(value: str, pick: random.Random) -> str:
    length = sum(c.isdigit() for c in value)
    body = "411111" + "".join(str(pick.randrange(10)) for _ in range(max(1, length - 7)))
    check = next(str(digit) for digit in range(10) if passes_luhn(f"{body}{digit}"))
    return _regrouped(body + check, value)


def _iban(value: str, pick: random.Random) -> str:
    """The same country and length, a bank that does not exist (all zeros), valid check digits."""
    country = value[:2].upper()
    country = country if country in IBAN_LENGTHS else "DE"
    count = IBAN_LENGTHS[country] - 4
    account = "".join(str(pick.randrange(10)) for _ in range(min(8, count))).rjust(count, "0")
    return _regrouped(country + iban_check_digits(country, account) + account, value)


def _birth(value: str, pick: random.Random) -> str:
    """Another day of another year, written the same way; a month that is a word stays."""
    made = re.sub(r"(?:19|20)\d\d", lambda _: str(pick.randrange(1950, 2000)), value)
    return re.sub(r"(?<!\d)\d{1,2}(?!\d)", lambda m: f"{pick.randrange(1, 12):0{len(m.group())}d}"[-2:], made)

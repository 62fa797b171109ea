"""Replaces personal data in the texts of one conversation by typed placeholders, or by made-up data of the same shape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tailorbird.errors import SettingsError
from tailorbird.privacy.detection import find
from tailorbird.privacy.findings import Finding, resolve
from tailorbird.privacy.surrogates import Surrogates
from tailorbird.privacy.words import PARTICLES, plain

_OURS = re.compile(r"<[A-Z_]{2,20}_\d{1,5}>")
_TITLE = re.compile(r"^(?:mr|mrs|ms|dr|herr|frau|sr|sra|pani?|mme|dhr|mevr)\.?\s+", re.IGNORECASE)


class Originals(dict[str, str]):
    """Placeholder -> what stood there. Lives in memory only; its repr, and so a log or a traceback, shows none of it."""

    def __repr__(self) -> str:
        return f"<{len(self)} originals, hidden>"

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("originals never leave memory")


@dataclass
class Redactor:
    """Replaces personal data in the texts of one conversation: the same person is the same placeholder throughout.

    `keep` are names, contacts and products of the business and its staff, which stay. `names` are names and addresses
    known to be this customer's. With `surrogates`, realistic made-up data stands in place of `<PERSON_1>`; the same
    `seed` makes the same data. `order_numbers` is the pattern of the business's order numbers: kept as they are, or with
    `replace_orders` made `<ORDER_1>`. `originals` maps what was put in to what stood there.
    """

    keep: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    language: str | None = None
    surrogates: bool = False
    seed: int = 0
    order_numbers: str | None = None
    replace_orders: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    originals: Originals = field(default_factory=Originals)
    _placeholders: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _people: list[tuple[frozenset[str], str]] = field(default_factory=list, repr=False)
    _orders: re.Pattern[str] | None = field(default=None, repr=False)
    _fakes: Surrogates | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        try:
            self._orders = re.compile(self.order_numbers) if self.order_numbers else None
        except re.error as error:
            raise SettingsError(
                f"order_numbers is no regular expression: {error}.", fix=r"Write for example FF-\d{5}."
            ) from error
        self._fakes = Surrogates(self.seed) if self.surrogates else None

    @classmethod
    def keeping(
        cls, contacts: Iterable[str], order_numbers: str | None = None, *, replace_orders: bool = False,
        names: Iterable[str] = (), surrogates: bool = False, seed: int = 0,
    ) -> Redactor:  # fmt: skip
        """A redactor that leaves the business's own contacts, names, products and staff alone."""
        keep = frozenset(filter(None, map(_normal, contacts)))
        return cls(keep=keep, names=tuple(names), surrogates=surrogates, seed=seed, order_numbers=order_numbers,
                   replace_orders=replace_orders)  # fmt: skip

    def redact(self, text: str) -> str:
        """The text with placeholders such as `<EMAIL_1>`; placeholders that it has already stay as they are."""
        parts, end = [], 0
        for finding in self.findings(text):
            parts += [text[end : finding.start], self._stand_in(finding.kind, text[finding.start : finding.end])]
            end = finding.end
        return "".join([*parts, text[end:]])

    def findings(self, text: str) -> list[Finding]:
        """What `redact` replaces: personal data less what the business keeps, and order numbers if they are replaced."""
        found = find(text, self.language, self.names)
        if self._orders is not None:
            found = resolve([*(Finding("ORDER", *m.span(), 2.0) for m in self._orders.finditer(text) if m.group()), *found])
        ours = [match.span() for match in _OURS.finditer(text)] + self._kept_places(text)
        return [
            f for f in found
            if (f.kind != "ORDER" or self.replace_orders) and _normal(text[f.start : f.end]) not in self.keep
            and not any(start <= f.start and f.end <= end for start, end in ours)
        ]  # fmt: skip

    def replaced(self, kinds: Collection[str]) -> list[str]:
        """What stood in the place of the placeholders of these kinds."""
        return [self.originals[made] for (kind, _), made in self._placeholders.items() if kind in kinds]

    def _kept_places(self, text: str) -> list[tuple[int, int]]:
        """Where kept names stand as part of something longer: a shop called "Anna's Corner" keeps its Anna."""
        lower = text.lower()
        places = []
        for value in self.keep:
            at = lower.find(value)
            while at >= 0:
                places.append((at, at + len(value)))
                at = lower.find(value, at + 1)
        return places if len(lower) == len(text) else []

    def _stand_in(self, kind: str, value: str) -> str:
        key = (kind, _normal(value))
        if key not in self._placeholders:
            self._placeholders[key] = self._person(value) if kind == "PERSON" else self._new(kind, value)
        made = self._placeholders[key]
        self.originals.setdefault(made, value)
        return made

    def _person(self, value: str) -> str:
        """The placeholder of a person who was named before, in full or in part, or a new one."""
        parts = _parts_of_name(value)
        for known, placeholder in self._people:
            if parts and known and (parts <= known or known <= parts):
                self._people.append((parts | known, placeholder))
                return self._fakes.person_again(placeholder, value) if self._fakes else placeholder
        made = self._new("PERSON", value)
        self._people.append((parts, made))
        return made

    def _new(self, kind: str, value: str) -> str:
        self.counts[kind] += 1
        if self._fakes is not None and kind != "ORDER":
            return self._fakes.make(kind, value)
        return f"<{kind}_{self.counts[kind]}>"


def _parts_of_name(value: str) -> frozenset[str]:
    """Anna, Kowalska: the words of a name without small ones, accents, titles and case."""
    words = re.findall(r"[^\W\d_]+", plain(_TITLE.sub("", value).lower()))
    return frozenset(word for word in words if len(word) > 1 and word not in PARTICLES)


def _normal(value: str) -> str:
    """The same for one address or number however it is written: +44 117 … and 0117 … end in the same nine digits."""
    value = value.strip()
    digits = re.sub(r"\D", "", value)
    if "@" in value or len(digits) < 6 or re.search(r"[^\W\d_]{4}|://", value):
        return " ".join(value.lower().split())
    letters = "".join(c for c in value.lower() if c.isalpha())
    return letters + (digits if len(digits) > 13 or letters else digits[-9:])

"""Guards of what an answer commits the business to: promises nobody authorised, and figures and contacts that no source has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tailorbird.language.breaches import promises, sentence_spans
from tailorbird.language.reckoning import follows
from tailorbird.language.specifics import Known, numbers, specifics, unsupported
from tailorbird.serving.guards.alarms import Span
from tailorbird.serving.guards.found import Found

KINDS = ("money", "percent", "email", "url", "phone")
"""What is checked against the sources; agents state other figures, days and names that no document has too often."""


def promising(answer: str, allowed: str) -> Found | None:
    """Refunds, discounts, guarantees and deeds that no line of `allowed` has."""
    spans = tuple(Span(start, end) for start, end in dict.fromkeys(promises(answer, allowed)))
    return Found(spans, "promises what no source allows") if spans else None


def unfounded(answer: str, told: str, passages: Sequence[str], known: Known) -> Found | None:
    """Prices, percentages, e-mail addresses, links and phone numbers that neither the conversation (`told`), nor a
    passage, nor what is known of the business has.

    A price that follows from supported figures of the answer, or from those told, is supported: "£26 and £4.20, so £30.20".
    """
    found = list(_unfounded(answer, told, passages, known))
    kinds = ", ".join(dict.fromkeys(kind for _, kind in found))
    return Found(tuple(span for span, _ in found), f"states what no source has: {kinds}") if found else None


def _unfounded(answer: str, told: str, passages: Sequence[str], known: Known) -> Iterator[tuple[Span, str]]:
    found = [one for one in unsupported(answer, known, names=False) if one.kind in KINDS]
    if found:  # reading passages takes longer than all else, and most answers have nothing to look up in them
        said = Known([told, *passages], known)
        found = [one for one in found if not said.supports(one)]
    if money := {value for one in found if one.kind == "money" for value in numbers(one.value)}:
        given = [*(number for number in numbers(answer) if number not in money), *numbers(told)]
        reckoned = follows(money, given)
        found = [one for one in found if one.kind != "money" or not reckoned.issuperset(numbers(one.value))]
    strange = {(one.kind, one.value) for one in found}
    for first, last in sentence_spans(answer) if strange else ():
        part = answer[first:last]
        for one in specifics(part, names=False):
            if (one.kind, one.value) in strange:
                place = part.find(one.text)  # a number in words stands there otherwise: then it is the whole sentence
                start, end = (place, place + len(one.text)) if place >= 0 else (0, len(part))
                yield Span(first + start, first + end), one.kind

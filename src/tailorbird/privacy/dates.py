"""Dates of birth: a date that words of birth announce, or that stands right behind a person's name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tailorbird.privacy.findings import Finding

_MONTHS = (
    "jan(?:uary|uar|vier|uari)?|feb(?:ruary|ruar|ruari)?|mar(?:ch|s|zo|ço|ca)?|märz|maart|mrt|apr(?:il|ile)?|avr(?:il)?|may|mai|"
    "maja?|mei|maggio|mag|mayo|maio|"
    r"june?|juni|juin|junio|junho|giugno|giu|july?|juli|juillet|juil|julio|julho|luglio|lug|aug(?:ust|ustus)?|août|aout|agosto|"
    r"ago|"
    r"sept?(?:ember|embre)?|septiembre|setembro|set(?:tembre)?|oct(?:ober|obre)?|okt(?:ober)?|octubre|outubro|out|ottobre|ott|"
    r"nov(?:ember|embre)?|noviembre|novembro|"
    r"dec(?:ember)?|dez(?:ember|embro)?|dezembro|déc(?:embre)?|diciembre|dic(?:embre)?|enero|ene|janeiro|gennaio|gen|febrero|"
    r"fevereiro|fev|févr?(?:ier)?|febbraio|"
    r"marzo|março|abril|abr|aprile|stycznia|lutego|marca|kwietnia|czerwca|lipca|sierpnia|września|wrzesnia|października|"
    r"pazdziernika|listopada|grudnia|"
    r"sty|lut|kwi|cze|lip|sie|wrz|paź|lis|gru"
)
_DATE = re.compile(
    r"(?<![\w/.-])(?:(?:0?[1-9]|[12]\d|3[01])[ ]?[./-][ ]?(?:0?[1-9]|1[0-2])[ ]?[./-][ ]?(?:(?:19|20)\d\d|\d\d)|"
    r"(?:0?[1-9]|1[0-2])[/-](?:0?[1-9]|[12]\d|3[01])[/-](?:(?:19|20)\d\d|\d\d)|"
    r"(?:19|20)\d\d[./-](?:0?[1-9]|1[0-2])[./-](?:0?[1-9]|[12]\d|3[01])|"
    rf"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|º|°|\.)?[ -](?:of |de |d')?(?:{_MONTHS})\.?,?(?:[ -](?:de |del |of )?(?:(?:19|"
    rf"20)\d\d|'?\d\d))?|"
    rf"(?:{_MONTHS})\.? (?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?,? (?:19|20)\d\d|"
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?![\w]|[./-]\d)",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_BIRTH = re.compile(
    r"\b(?:born|birth ?dates?|date of birth|birth|d\.?o\.?b\.?|birthday|b-?day|bday|geb\.?|geboren(?:e[rn]?)?|geburtsdatum|"
    r"geburtstag|geburtsdat\w*|jahrgang|"
    r"nacid[oa]s?|nací|naci|nació|nacio|fecha de nacimiento|f\. ?nac\.?|fec\. ?nac\w*|nacimiento|fdn|cumpleaños|née?s?|naiss\w*|"
    r"date de naissance|ddn|anniversaire|"
    r"nat[oaie]|nascit[ao]|data di nascita|compleanno|nascid[oa]s?|nasci|nasceu|nascimento|data de nascimento|dn|d\.n\.|dta? "
    r"nasc\w*|nasc\.?|aniversário|"
    r"ur\.?|urodz\w*|urodzin\w*|data urodzenia|dat[aąęy] ur\w*|geb(?:oren)?|geboortedatum|geboorte\w*|gebdatum|geb\.?datum|"
    r"verjaar\w*|jarig|"
    r"compleann\w*|dob)(?![\w])",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:order(?:ed)?|deliver\w*|invoice|bought|paid|booked|issued|expir\w*|valid|gültig|ausgestellt|bestellt|gekauft|"
    r"rechnung|pedido|comprad\w*|factura|"
    r"commande|achet\w*|facture|ordin\w*|acquist\w*|fattura|encomenda|comprei|fatura|zamówi\w*|kupi\w*|faktur\w*|besteld|"
    r"gekocht|factuur|wedding|"
    r"until|bis|hasta|jusqu\w*|fino|até|do|tot|from|vom|del|appointment|termin|cita|rendez|appuntamento|consulta|wizyt\w*|"
    r"afspraak)\b",
    re.IGNORECASE,
)
# The question of one speaker, and the answer of another in the next line.
_ASKED = re.compile(r"^\?\s*\n[^\n:]{1,30}:\s*")
_AFTER_NAME = re.compile(r"\s*[,(;/.–-]\s*(?:\*\s*)?")
# It's 1 May 1966, not 1 May 1996.
_INSTEAD = re.compile(
    r"[ ,]{1,2}(?:not|and not|instead of|rather than|nicht|statt|und nicht|no|y no|en vez de|pas|et pas|au "
    r"lieu de|non|e non|invece di|não|e não|em vez de|nie|a nie|zamiast|niet|en niet|in plaats van|->|→) ",
    re.IGNORECASE,
)


def find_births(text: str, people: Iterable[Finding]) -> Iterator[Finding]:
    """Dates that are announced as dates of birth, or follow a name in a list of someone's data."""
    if not _DIGIT.search(text):
        return
    ends = {person.end for person in people}
    last = -100
    for match in _DATE.finditer(text):
        before = text[max(0, match.start() - 48) : match.start()]
        births = list(_BIRTH.finditer(before))
        if (births and _leads(before[births[-1].end() :])) or (last >= 0 and _INSTEAD.fullmatch(text, last, match.start())):
            last = match.end()
            yield Finding("DOB", *match.span(), 0.97)
        elif re.match(
            r"[ ,]{0,2}(?:is|ist|es|est|è|é|to|jest)?[ ]?(?:my |the |mein |meine |mi |mon |ma |mia |minha |moja |mijn )?(?:date "
            r"of birth|birthday|dob|geburts\w+|fecha de nac\w+|date de naiss\w+|data di nasc\w+|data de nasc\w+|data urodz\w+|"
            r"geboorted\w+)",
            text[match.end() : match.end() + 45],
            re.IGNORECASE,
        ):
            yield Finding("DOB", *match.span(), 0.9)
        elif _year(match.group()) and _behind_name(text, match.start(), ends):
            yield Finding("DOB", *match.span(), 0.75)


def _leads(between: str) -> bool:
    """Whether a date may still belong to a word of birth this far before it."""
    between = _ASKED.sub("", between)
    return (
        not re.search(r"[.!?]\s+\S|\n.*\n|\d{3}", between.lstrip(". "))
        and not _OTHER.search(between)
        and len(between.split()) <= 6
    )


def _year(date: str) -> bool:
    """A year in which a customer can have been born, and no recent one."""
    match = re.search(r"(?:19|20)\d\d", date)
    return match is not None and 1915 <= int(match.group()) <= 2014


def _behind_name(text: str, start: int, ends: set[int]) -> bool:
    return any(end in ends and _AFTER_NAME.fullmatch(text, end, start) for end in range(max(0, start - 6), start))

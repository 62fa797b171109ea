"""What an answer gives away: somebody else's data, or what the assistant was told in its system prompt.

Word lists are in English, German, Spanish and French. What personal data is, the caller says: it finds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from tailorbird.language.breaches import affirmed, sentence

_LEAKED_WORDS = 8  # of the system prompt in a row that count as giving it away
_WORDS = re.compile(r"[^\W_]+")
_PERSONAL = {"PERSON", "EMAIL", "PHONE", "ADDRESS", "CARD", "IBAN", "BANK_ACCOUNT", "NATIONAL_ID", "PASSPORT", "DOB"}
_ORDER = re.compile(
    r"(?:order|booking|invoice|bestell\w*|auftrag\w*|rechnung\w*|buchung\w*|pedido|reserva|factura|commande|facture|"
    r"réservation)"
    r"[^.?!\n\d£$€]{0,40}?\b([A-Z]{0,4}[-#]?(?!(?:19|20)\d\d\b)\d{4,})\b",
    re.IGNORECASE,
)
_TELLS = re.compile(
    r"\b(?:she|he|your (?:neighbou?r|friend|colleague|sister|brother|ex|boss|husband|wife|mother)|(?:mrs?|ms)\.? \w+|"
    r"the (?:last|previous|other) (?:customer|client|person|patient))"
    r" (?:has |have |had |also |just |recently )*(?:ordered|bought|paid|spent|lives?|booked|returned|purchased|asked for|"
    r"has an appointment|is (?:staying|allergic|registered))\b"
    r"|\b(?:sie|er|ihr(?:e)? (?:nachbar\w*|freund\w*|kolleg\w*|schwester|bruder|chef\w*|mann|frau)|(?:herr|frau) \w+|"
    r"der letzte kunde|die letzte kundin)"
    r" (?:hat|wohnt|kaufte|bestellte|zahlte)\b[^.?!\n]{0,50}\b(?:bestellt|gekauft|bezahlt|gebucht|ausgegeben|termin|"
    r"straße|zurückgeschickt|wohnt)"
    r"|\b(?:ella|él|su (?:vecin[oa]|amig[oa]|compañer[oa]|hermano|hermana|jef[ae]|marido|mujer|ex)|(?:el|la) (?:último|"
    r"última|otro|otra) client[ea]|(?:la )?señora? \w+)"
    r" (?:también |ha |había )*(?:compró|pidió|pagó|gastó|vive|reservó|comprado|pedido|pagado|gastado|reservado|"
    r"tiene (?:una )?cita)\b"
    r"|\b(?:elle|il|votre (?:voisine?|amie?|collègue|sœur|frère|mari|femme|patronn?e?|ex)|(?:le|la) (?:dernier|dernière|"
    r"autre) client[e]?|(?:mme|madame|m\.|monsieur) \w+)"
    r" (?:a |avait |aussi |également )*(?:commandé|acheté|payé|dépensé|réservé|habite|a (?:un )?rendez-vous)\b",
    re.IGNORECASE,
)
_STAFF = re.compile(
    r"(?:\b(?:i am|i['’]m|my name is|this is|regards|sincerely|yours|cheers|best|team|owner|colleague|manager|hello|hi|"
    r"dear|thanks|contact|ask|pass\w* (?:this|it|you)?\s?(?:on )?to|"
    r"ich bin|mein name ist|grüße[n]?|gruß|ihr(?:e)?|inhaber\w*|kolleg\w*|hallo|liebe[r]?|guten tag|danke|an|"
    r"soy|me llamo|saludos|atentamente|hola|estimad[oa]|gracias|dueñ[oa]|compañer[oa]|encargad[oa]|"
    r"je suis|je m['’]appelle|cordialement|bonjour|ch[eè]re?|merci|propriétaire|collègue|responsable)\b[\s,:!]*)$",
    re.IGNORECASE,
)
_OURS = re.compile(
    r"\b(?:us|our|we|support|unser\w*|uns|nos|notre|nous|nuestr[oa]s?|contact\w*|kontakt\w*|customer service|"
    r"kundenservice|service client|atención al cliente)\b",
    re.IGNORECASE,
)
_OFFICE = re.compile(
    r"^(?:support|info|hello|hi|contact|kontakt|help|service|kundenservice|sales|orders?|shop|contacto|hola|bonjour|hallo|"
    r"team|mail|privacy|datenschutz|ayuda|atencion|contacter)\b",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(r"^(?:you are|you're|du bist|sie sind|eres|usted es|tu es|vous êtes)\b")


class Told(NamedTuple):
    """What is given away, as a kind such as EMAIL or ORDER, and where it stands in the answer, in characters."""

    kind: str
    start: int
    end: int


class Said:
    """What a customer wrote and a business publishes: saying it again gives nothing away."""

    def __init__(self, texts: Iterable[str], more: Said | None = None) -> None:
        kept = list(texts)
        self.words: str = "".join([more.words if more else "", *map(plain, kept)])
        self._digits: str = re.sub(r"\D", "", "\n".join(kept)) + (more._digits if more else "")

    def has(self, value: str) -> bool:
        """Whether a name, an address or a number stands there; of a number its last nine digits are enough."""
        own = re.sub(r"\D", "", value)
        return plain(value) in self.words or (len(own) > 5 and own[-9:] in self._digits)


def disclosed(answer: str, personal: Iterable[tuple[str, int, int]], said: Said) -> Iterator[Told]:
    """Somebody's data that was not said before, an order number of somebody's, or what somebody else bought.

    `personal` is the personal data in the answer: kind, start and end. A name or contact that stands there as the
    business's own, invented perhaps, is nobody else's data.
    """
    for kind, start, end in personal:
        value = answer[start:end]
        before = answer[sentence(answer, start, end)[0] : start]
        named = kind in _PERSONAL and (kind != "PERSON" or value[:1].isupper())
        if named and not said.has(value) and not _published(kind, value, before):
            yield Told(kind, start, end)
    for found in _ORDER.finditer(answer):
        if plain(found.group(1)) not in said.words:
            yield Told("ORDER", *found.span(1))
    for found in _TELLS.finditer(answer):
        if affirmed(answer, *found.span()):
            yield Told("PURCHASE", *found.span())


def prompt_told(answer: str, system_prompt: str, known: str) -> str:
    """Eight words in a row of the system prompt; who the assistant is may be told, as long as not in the prompt's "you are"."""
    said = plain(answer)
    for one in re.split(r"(?<=[.!?])\s+|\n", system_prompt):
        words = plain(one).split()
        introduction = _INTRODUCED.search(one.lower().strip())
        for start in range(1 if introduction else max(0, len(words) - _LEAKED_WORDS + 1)):
            run = f" {' '.join(words[start : start + _LEAKED_WORDS])} "
            if len(words) >= _LEAKED_WORDS and run in said and run not in plain(known):
                return run.strip()
    return ""


def repeated(text: str, of: str, words: int) -> str:
    """The first so many words in a row of another text that a text has too, with a space on both sides; "" if none."""
    said, told = plain(text), plain(of).split()
    runs = (f" {' '.join(told[start : start + words])} " for start in range(len(told) - words + 1))
    return next((run for run in runs if run in said), "")


@lru_cache(maxsize=256)
def plain(text: str) -> str:
    """Words only, in small letters, with a space on both sides."""
    return f" {' '.join(_WORDS.findall(text.lower()))} "


def _published(kind: str, value: str, before: str) -> bool:
    """Whether it looks like an agent's name or a business's contact, invented perhaps, and nobody else's data."""
    if kind == "PERSON":
        return bool(_STAFF.search(before)) or (len(value.split()) == 1 and not before.strip())
    return bool(_OURS.search(before)) or (kind == "EMAIL" and bool(_OFFICE.search(value)))

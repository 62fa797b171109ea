"""What a text states in figures and days: typed values with the words they are said about.

Embeddings cannot tell Saturday from Sunday, nor 14 days from 21, so statements are compared as typed slots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_UNITS = {
    "day": r"(?:working |business |calendar )?days?|(?:werk)?tagen?|tage|días?(?: hábiles)?|jours?|giorn[io]|dias?(?: úteis)?|"
    r"dni|dzień|dagen|dag",
    "hour": r"hours?|hrs?|stunden?|horas?|heures?|or[ae]|godzin[ay]?|uren|uur",
    "week": r"weeks?|wochen?|semanas?|semaines?|settiman[ae]|tygodni[ea]?|weken|week",
    "month": r"months?|monaten?|monate|meses|mes|mois|mes[ei]|miesi[ąę]c[ey]?|maanden|maand",
    "year": r"years?|jahren?|jahre|años?|ans?|années?|ann[io]|anos?|lata?|jaar|jaren",
    "percent": r"%|per ?cent|prozent|por ciento|pour ?cent|per cento|por cento|procent",
    "degree": r"°\s?[CF]?|degrees?|grad|grados|degrés|gradi|graus|stopni|graden",
    "weight": r"kg|kilos?|grams?|g",
}
NUMBER = r"[-−]?\d+(?:[.,]\d+)*"
AMOUNT = re.compile(
    r"(?P<money>[£€$]\s?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)*\s?(?:£|€|\$|euros?|eur|pounds?|gbp|usd|dollars?|zł|pln))|"
    + "|".join(rf"(?P<{name}>{NUMBER}(?:\s?(?:-|–|to|bis|a|à)\s?{NUMBER})?\s?(?:{unit}))(?!\w)" for name, unit in _UNITS.items()),
    re.I,
)
_DAYS = (
    ("monday", "montag", "lunes", "lundi", "lunedì", "segunda-feira", "poniedziałek", "maandag"),
    ("tuesday", "dienstag", "martes", "mardi", "martedì", "terça-feira", "wtorek", "dinsdag"),
    ("wednesday", "mittwoch", "miércoles", "mercredi", "mercoledì", "quarta-feira", "środa", "woensdag"),
    ("thursday", "donnerstag", "jueves", "jeudi", "giovedì", "quinta-feira", "czwartek", "donderdag"),
    ("friday", "freitag", "viernes", "vendredi", "venerdì", "sexta-feira", "piątek", "vrijdag"),
    ("saturday", "samstag", "sábado", "samedi", "sabato", "sobota", "zaterdag"),
    ("sunday", "sonntag", "domingo", "dimanche", "domenica", "niedziela", "zondag"),
)
DAY_NUMBER = {name: str(number) for number, names in enumerate(_DAYS) for name in names}
_RECKONED = re.compile(
    r"\b(?:makes?|leaves? you|comes? to|by my count|your \d|so (?:the|your|that'?s|it'?s)?\s?[£€$]?\d|less|plus|minus|in all|"
    r"altogether|total|zusammen|insgesamt|en total|au total|in totale|no total|razem|samen|"
    r"would|wäre|würde|sería|serait|sarebbe|seria|byłoby|zou)\b|[=+×]|\d\s?[-−]\s?\d+\s?=",
    re.I,
)
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORD = re.compile(r"[^\W\d_]{3,}")


class Statement(NamedTuple):
    """A value that an answer states: its kind, the value, and the words of its clause."""

    kind: str
    value: str
    words: frozenset[str]
    text: str


def statements(answer: str) -> Iterator[Statement]:
    """The typed values of an answer with what they are said about."""
    for sentence in SENTENCE.split(answer):
        for clause in re.split(r"[,;:]\s|\s(?:and|but|or|und|aber|y|pero|et|mais|e|ma|mas|i|ale|en|maar)\s", sentence):
            words = frozenset(word.lower() for word in _WORD.findall(clause))
            for match in AMOUNT.finditer(clause):
                digits = ";".join(re.findall(NUMBER, match.group()))
                yield Statement(str(match.lastgroup), digits.replace(",", ".").replace("−", "-"), words, sentence.strip())
            if days := sorted({DAY_NUMBER[word] for word in words if word in DAY_NUMBER}):
                yield Statement("weekday", ",".join(days), words - DAY_NUMBER.keys(), sentence.strip())


def is_reckoned(statement: Statement, question: str) -> bool:
    """Whether the value is the customer's own or worked out for this case, rather than a rule of the business."""
    if _RECKONED.search(statement.text):
        return True
    return any(number in re.findall(NUMBER, question) for number in re.findall(NUMBER, statement.value))

"""Answers that state another number, date, price, day or temperature than answers to the same question do.

Embeddings cannot tell Saturday from Sunday, so statements are compared as typed slots: a value, its unit, and the words
around it. Values that most answers to a question agree on are current, or the newest if the answers changed over time.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tailorbird.auditing.examples import Example
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.neighbours import Neighbours

CLOSE = 0.3
"""Centred cosine of two questions above which they may ask for the same."""
SAME_SUBJECT = 0.6
"""Share of words that two statements have in common above which they are about the same thing."""
_WITNESSES = 2  # answers that must agree against one
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
_AMOUNT = re.compile(
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
_DAY_NUMBER = {name: str(number) for number, names in enumerate(_DAYS) for name in names}
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
            for match in _AMOUNT.finditer(clause):
                digits = ";".join(re.findall(NUMBER, match.group()))
                yield Statement(str(match.lastgroup), digits.replace(",", ".").replace("−", "-"), words, sentence.strip())
            if days := sorted({_DAY_NUMBER[word] for word in words if word in _DAY_NUMBER}):
                yield Statement("weekday", ",".join(days), words - _DAY_NUMBER.keys(), sentence.strip())


def contradictions(
    examples: Sequence[Example],
    near: Neighbours,
    made_at: Mapping[str, str],
    is_supported: Callable[[Statement], bool] = lambda _: False,
) -> Iterator[tuple[str, Finding]]:
    """With its id, each conversation whose answer others contradict: by what, and by which of them.

    What `is_supported` by the business's documents is no contradiction, whatever others say.
    """
    told = [list(statements(example.answer)) for example in examples]
    same_value: dict[tuple[str, str], list[tuple[str, Statement]]] = defaultdict(list)
    for example, theirs in zip(examples, told, strict=True):
        for statement in theirs:
            same_value[statement.kind, statement.value].append((example.id, statement))
    for place, example in enumerate(examples):
        others = [
            int(n) for n, close in zip(near.nearest[place], near.closeness[place], strict=True) if n >= 0 and close >= CLOSE
        ]
        for statement in told[place]:
            if is_reckoned(statement, example.question) or is_supported(statement):
                continue
            same = same_value[statement.kind, statement.value]
            if any(one != example.id and _overlap(statement.words, other.words) >= SAME_SUBJECT for one, other in same):
                continue  # another answer says so too, perhaps to a question in other words
            votes = _votes(statement, [(other, told[other]) for other in others])
            agreeing = votes.pop(statement.value, [])
            if not votes:
                continue
            value, against = max(votes.items(), key=lambda vote: (len(vote[1]), _newest(vote[1], examples, made_at)))
            outdated = _newest(against, examples, made_at) >= made_at.get(example.id, "")
            if len(against) >= max(_WITNESSES, 2 * len(agreeing)) and (outdated or not agreeing):
                ids = tuple(dict.fromkeys(examples[n].id for n in against))[:5]
                detail = f"says “{statement.text[:80]}”; {len(against)} answers to such questions say {value} ({statement.kind})"
                yield (
                    example.id,
                    Finding(
                        rule="contradiction",
                        detail=detail,
                        turn=example.turn,
                        score=len(against),
                        threshold=_WITNESSES,
                        related=ids,
                    ),
                )


def is_reckoned(statement: Statement, question: str) -> bool:
    """Whether the value is the customer's own or worked out for this case, rather than a rule of the business."""
    if _RECKONED.search(statement.text):
        return True
    return any(number in re.findall(NUMBER, question) for number in re.findall(NUMBER, statement.value))


def _votes(statement: Statement, others: Sequence[tuple[int, list[Statement]]]) -> dict[str, list[int]]:
    """For each value, the answers that state it about the same thing; an answer that names several is no witness."""
    votes: dict[str, list[int]] = defaultdict(list)
    for place, theirs in others:
        values = Counter(
            statement.value if _compatible(statement, other) else other.value for other in theirs
            if other.kind == statement.kind and _overlap(statement.words, other.words) >= SAME_SUBJECT
        )  # fmt: skip
        if len(values) == 1:
            votes[next(iter(values))].append(place)
        elif statement.value in values:
            votes[statement.value].append(place)
    return votes


def _compatible(one: Statement, other: Statement) -> bool:
    """The same value, or one of several days that the other names."""
    if one.kind == "weekday":
        return bool(set(one.value.split(",")) & set(other.value.split(",")))
    return one.value == other.value


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))


def _newest(places: Sequence[int], examples: Sequence[Example], made_at: Mapping[str, str]) -> str:
    return max((made_at.get(examples[n].id, "") for n in places), default="")

"""What an answer states that can be checked, and which of it nothing supports: prices, days, dates, addresses, names.

A value is supported if the conversation, the passages shown or the documents have it with the same unit; numbers in words and
figures, and decimal and thousands signs of several languages, are one. It need not be said of the same thing: that is what
`language.facts` looks at. Word lists are in English, German, French, Spanish and Portuguese.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tailorbird.language.statements import AMOUNT, DAY_NUMBER

_ADDRESS = re.compile(r"(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(?P<url>(?:https?://|www\.)[^\s<>\"')\]]+)")
_DATE = re.compile(
    r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b"
    r"|\b\d{1,2}(?:st|nd|rd|th|\.|er|º)?(?: de| of)? (?P<month>[^\W\d_]{3,})\b"
    r"|\b(?P<first>[^\W\d_]{3,}) \d{1,2}(?:st|nd|rd|th)\b",
    re.I,
)
_TIME = re.compile(
    r"\b(?:[01]?\d|2[0-3])(?:[:h][0-5]\d|[.][0-5]\d(?=\s?(?:am|pm|uhr)))\b(?:\s?(?:am|pm|uhr))?|\b(?:1[0-2]|[1-9])\s?(?:am|pm)\b",
    re.I,
)
_PHONE = re.compile(r"(?<![\w.,])\+?\(?\d[\d\s()/-]{6,}\d(?!\w)")
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?![\w])")
_ITEM = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s+", re.M)
_QUOTED = re.compile(r"[“\"«„]([^”\"»“]{3,60})[”\"»“]")
_NAME = re.compile(
    r"(?<=[^\W_.!?:;…]\s)(?:[A-ZÀ-Þ][\w'’&-]+)(?:\s(?:&\s)?[A-ZÀ-Þ][\w'’&-]+)*|(?<=\w\s)[A-ZÀ-Þ][\w'’-]+(?=\s[A-ZÀ-Þ])"
)
_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve fourteen:14 fifteen:15 twenty:20 thirty:30 forty:40 fifty:50"
)
_IN_OTHERS = (
    "eins:1 ein:1 eine:1 einen:1 einem:1 einer:1 zwei:2 drei:3 vier:4 fünf:5 sechs:6 sieben:7 acht:8 neun:9 zehn:10 vierzehn:14 "
    "zwanzig:20 dreißig:30 un:1 une:1 deux:2 trois:3 quatre:4 cinq:5 sept:7 huit:8 neuf:9 dix:10 quinze:15 vingt:20 trente:30 "
    "una:1 uno:1 dos:2 tres:3 cuatro:4 cinco:5 seis:6 siete:7 ocho:8 nueve:9 diez:10 catorce:14 veinte:20 treinta:30 "
    "um:1 uma:1 dois:2 duas:2 três:3 quatro:4 sete:7 oito:8 nove:9 dez:10 vinte:20 trinta:30"
)
_IN_WORDS = {
    word.partition(":")[0]: int(word.partition(":")[2] or number)
    for number, word in [*enumerate(_WORDS.split(), 1), *enumerate(_IN_OTHERS.split(), 1)]
}
_SPELLED = re.compile(rf"\b(?:{'|'.join(sorted(_IN_WORDS, key=len, reverse=True))})(?=\s[^\W\d_])", re.I)
_MONTHS = re.compile(
    r"jan|feb|mar|mär|apr|abr|avr|may|mai|jun|jui|jul|aug|ago|aoû|sep|set|oct|okt|out|nov|dec|dez|dic|déc|ene|fév|fev|mrz", re.I
)


class Specific(NamedTuple):
    """A value of a kind (money, day, percent, weekday, date, time, email, url, phone, number, name), and as it is written."""

    kind: str
    value: str
    text: str


def specifics(text: str, names: bool = True) -> Iterator[Specific]:
    """What a text states that can be checked; without `names` only figures and addresses.

    Names are not looked for where nouns are written with capitals, as in German.
    """
    rest = _ITEM.sub(lambda found: " " * len(found.group()), text)
    for kind, pattern in (("", _ADDRESS), ("date", _DATE), ("time", _TIME), ("phone", _PHONE)):
        for found in pattern.finditer(rest):
            one = _found(kind or str(found.lastgroup), found)
            if one is not None:
                yield one
                rest = rest[: found.start()] + " " * len(found.group()) + rest[found.end() :]
    rest = _SPELLED.sub(lambda found: str(_IN_WORDS[found.group().lower()]), rest)
    for found in AMOUNT.finditer(rest):
        for number in _NUMBER.findall(found.group().replace("£", " ").replace("€", " ").replace("$", " ")):
            yield Specific(str(found.lastgroup), _plain(number), found.group().strip())
    for found in _NUMBER.finditer(AMOUNT.sub(lambda one: " " * len(one.group()), rest)):
        if len(found.group()) > 1:  # "1 of our people" states nothing
            yield Specific("number", _plain(found.group()), found.group())
    for word in dict.fromkeys(re.findall(r"[^\W\d_]+(?:-feira)?", rest.lower())):
        if word in DAY_NUMBER:
            yield Specific("weekday", DAY_NUMBER[word], word)
    if names:
        yield from _names(text)


class Known:
    """What texts that may be relied on state; made once for a business's documents, and added to for each conversation."""

    def __init__(self, texts: Iterable[str], more: Known | None = None) -> None:
        self._values: set[tuple[str, str]] = set(more._values) if more else set()
        self._words: set[str] = set(more._words) if more else set()
        self._numbers: set[str] = set(more._numbers) if more else set()
        for text in texts:
            found = list(specifics(text, names=False))
            self._values |= {(one.kind, one.value) for one in found}
            self._numbers |= {_plain(number) for number in re.findall(r"\d+(?:[.,]\d+)*", text)}
            self._words |= set(re.findall(r"[^\W_]+", text.lower()))

    def supports(self, one: Specific) -> bool:
        """Whether a value stands there with its unit; of a name, all of its words."""
        if one.kind == "name":
            return all(word in self._words for word in re.findall(r"[^\W_]{3,}", one.value))
        if one.kind in ("number", "time"):
            return one.value in self._numbers or (one.kind, one.value) in self._values
        return (one.kind, one.value) in self._values


def numbers(text: str) -> list[float]:
    """All numbers of a text, also those in words, in order."""
    figures = _SPELLED.sub(lambda found: str(_IN_WORDS[found.group().lower()]), text)
    return [float(value) for one in re.findall(r"\d+(?:[.,]\d+)*", figures) if (value := _plain(one)).count(".") < 2]


def unsupported(answer: str, known: Known, names: bool = True) -> list[Specific]:
    """What an answer states that nothing known supports, each value once."""
    found = {(one.kind, one.value): one for one in specifics(answer, names) if not known.supports(one)}
    return list(found.values())


def _found(kind: str, found: re.Match[str]) -> Specific | None:
    text = found.group().rstrip(".,;:!?/")
    if kind == "date":
        month = found.group("month") or found.group("first")
        if month and not _MONTHS.match(month):
            return None
        digits = "-".join(sorted(number.lstrip("0") for number in re.findall(r"\d+", text)))
        return Specific(kind, f"{digits} {month[:3].lower() if month else ''}".strip(), text)
    if kind == "phone":
        digits = re.sub(r"\D", "", text)
        return Specific(kind, digits[-7:], text) if 7 <= len(digits) <= 15 else None
    if kind == "time":
        return Specific(kind, re.sub(r"[^\d]+", ":", text.lower().replace(" ", "")).strip(":").lstrip("0"), text)
    return Specific(kind, text.lower().removeprefix("https://").removeprefix("http://").removeprefix("www."), text)


def _names(text: str) -> Iterator[Specific]:
    """Names of products, policies and people within sentences, and what stands in quotation marks."""
    for found in _QUOTED.finditer(text):
        yield Specific("name", found.group(1).lower(), found.group(1))
    for found in _NAME.finditer(_QUOTED.sub("", text)):
        words = found.group().lower()
        if len(words) > 2 and words not in DAY_NUMBER and not (_MONTHS.match(words) and len(words) < 10):
            yield Specific("name", words, found.group())


def _plain(number: str) -> str:
    """1,200.00 and 1.200 and 1200 are one number; 3,50 and 3.5 too."""
    number = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", number)
    whole, sign, rest = number.replace(",", ".").partition(".")
    return f"{whole}.{rest.rstrip('0')}".rstrip(".") if sign else whole

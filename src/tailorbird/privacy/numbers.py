"""Cards, bank numbers and the numbers that states give to people and cars: shape, check digits, and the words beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tailorbird.privacy import checksums as check
from tailorbird.privacy.cues import Cues
from tailorbird.privacy.findings import Finding

_CARD = re.compile(r"(?<![\w.])(?<!\d[-/])\d(?:[ -]?\d){12,18}(?![ -]?\d|[\w])")
_CARD_GROUPS = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{5}|\d{16}")
_IBAN = re.compile(r"(?<![\w])[A-Z]{2} ?\d{2}(?=[ .\n\u00a0-]{0,2}[A-Z0-9])", re.IGNORECASE)
_GROUPED_IBAN = re.compile(r"[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?!\w)")
# After the word IBAN it is one even if digits are missing or mistyped: groups with a digit, or a bank's four letters.
_SAID_IBAN = re.compile(r"\biban\b[^\d\n]{0,30}\n?[ ]?$", re.IGNORECASE)
_TYPED_IBAN = re.compile(
    r"[A-Z]{2} ?\d{2}(?:[ .\n\u00a0-]{0,2}(?:(?=[A-Z]{0,4}\d)[A-Z0-9]{1,34}|[A-Z]{4}(?=[ .-]\d)))+(?!\w)", re.IGNORECASE
)
# Letters and digits in groups, at least one group with a digit; groups without one have three letters at most.
_VALUE = re.compile(
    r"(?<![\w@&#/.+-])(?:[A-Z]{1,4}[ .-]?)?[A-Z]*\d[A-Z0-9]*(?:(?: ?[./-] ?| )(?:[A-Z0-9]*\d[A-Z0-9]*|[A-Z]{1,3}(?![a-zà-ÿ])))*"
)
_LOWER = re.compile(r"(?<![\w@&#/.+-])(?=[a-z0-9]*\d)[a-z0-9]{6,16}(?![\w@])")
_NO_NUMBER = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[:.]\d\d|\d{1,4}[.,]\d\d|(?:19|20)\d\d"
)
_DIGIT = re.compile(r"\d")
_VAT = re.compile(r"(?:AT|BE|DE|DK|ES|FI|FR|GB|IE|IT|LU|NL|PL|PT|SE) ?U?[A-Z]?\d{7,12}(?:B\d\d)?[A-Z]?")
_UNIT = re.compile(
    r"\s?(?:[€$£%°]|eur\b|euro|usd|gbp|zł|pln|cm\b|mm\b|kg\b|km\b|gb\b|mb|watt|kw|days|tage|días|jours|giorni)", re.I
)


@dataclass(frozen=True)
class Shape:
    """A number as its issuer writes it. Without a check that it passes, `alone` says whether shape alone is enough."""

    kind: str
    written: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool] | None = None
    alone: bool = False


def _shape(kind: str, pattern: str, valid: Callable[[str], bool] | None = None, alone: bool = False) -> Shape:
    return Shape(kind, pattern, re.compile(rf"(?<![\w./-])(?:{pattern})(?!\w|[./-]\d)"), valid, alone)


_CONSONANTS = "[BCDFGHJKLMNPRSTVWXYZ]"
SHAPES = (
    _shape("NATIONAL_ID", r"\d{8}[ .-]?[A-Z]|\d{2}\.\d{3}\.\d{3}[ .-]?[A-Z]|[XYZ][ .-]?\d{7}[ .-]?[A-Z]", check.is_dni),
    _shape("NATIONAL_ID", r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D]", check.is_ni_number),
    _shape("NATIONAL_ID", r"\d{3}-\d{2}-\d{4}", check.is_ssn),
    _shape("NATIONAL_ID", r"[A-Z]{3} ?[A-Z]{3} ?\d{2}[A-Z]\d{2} ?[A-Z]\d{3} ?[A-Z]", None, True),
    _shape("NATIONAL_ID", r"[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", check.is_nir),
    _shape("NATIONAL_ID", r"[12] \d{2} \d{2} (?:\d{2}|2[AB]) \d{3} \d{3}(?:[ /]+\d{2})?", None, True),
    _shape("NATIONAL_ID", r"\d{2} \d{3} \d{3} \d{3}", check.is_steuer_id),
    _shape("NATIONAL_ID", r"\d{2} ?\d{6} ?[A-Z] ?\d{3}", None, True),
    _shape("NATIONAL_ID", r"\d{11}", check.is_pesel),
    _shape("NATIONAL_ID", r"\d{3}\.\d{3}\.\d{3}-\d{2}", None, True),
    _shape("NATIONAL_ID", r"\d{8} ?\d ?[A-Z]{2}\d", None, True),
    _shape("NATIONAL_ID", r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}", None, True),
    _shape("BANK_ACCOUNT", r"\d{4}[ -]?\d{4}[ -]?\d{2}[ -]?\d{10}", check.is_ccc),
    _shape("BANK_ACCOUNT", r"\d{2} ?(?:\d{4} ?){6}", lambda digits: check.is_mod97_account(digits, "PL")),
    _shape("BANK_ACCOUNT", r"\d{4}[ .]?\d{4}[ .]?\d{11}[ .]?\d{2}", lambda digits: check.is_mod97_account(digits, "PT")),
    _shape("BANK_ACCOUNT", r"\d{2}-\d{2}-\d{2} ?[/,]? ?\d{8}", None, True),
    _shape("BANK_ACCOUNT", r"\d{2}[- ]\d{2}[- ]\d{2}"),
    _shape("BANK_ACCOUNT", r"\d{5}"),
    _shape("PLATE", r"[A-Z]{2}\d{2} [A-Z]{3}", None, True),
    _shape("PLATE", r"[A-Z]{2}-\d{3}-[A-Z]{2}", None, True),
    _shape("PLATE", r"\d{2}-[A-Z]{2}-\d{2}", None, True),
)
# One search tells whether any of them is there: hardly a message has one.
_ANY_SHAPE = re.compile(rf"(?<![\w./-])(?:{'|'.join(shape.written for shape in SHAPES)})(?!\w|[./-]\d)")
# Trains and airlines have letters and a number too.
_TRAINS = frozenset(
    ("TGV", "ICE", "TER", "AVE", "RER", "IC", "EC", "IR", "RE", "RB", "NJ", "KLM", "SAS", "TAP", "LOT", "AWS", "ISO")
)
# Without such shapes a plate needs a car in the message.
_PLATES = re.compile(
    rf"(?<![\w./-])(?:[A-ZÄÖÜ]{{1,3}}[- ][A-Z]{{1,2}}[- ]?\d{{1,4}}[EH]?|[A-Z]{{2}}\d{{2}} ?[A-Z]{{3}}|[A-Z]\d{{1,3}} "
    rf"?[A-Z]{{3}}|"
    rf"[A-Z]{{2}}[ -]?\d{{3}}[ -]?[A-Z]{{2}}|\d{{4}}[ -]?{_CONSONANTS}{{3}}|[A-Z]{{1,2}}-\d{{4}}-[A-Z]{{1,2}}|"
    r"[A-Z]{2,3}[ -]?(?=[A-Z]{0,2}\d)[A-Z0-9]{4,5}|(?=[A-Z-]*\d)(?=[\d-]*[A-Z])[A-Z0-9]{1,3}-[A-Z0-9]{2,3}-[A-Z0-9]{1,2}|"
    r"[A-Z]{3}[ -]?\d[A-Z0-9]\d{2}|[A-Z]{3}[ -]\d{3,4}|\d[A-Z]{3}\d{3})(?![\w]|[./-]\w)"
)
_LOWER_PLATE = re.compile(
    r"(?<![\w./-])(?:[a-z]{2}\d{2} ?[a-z]{3}|[a-z]{2}-?\d{3}-?[a-z]{2}|\d{4} ?[bcdfghjklmnprstvwxyz]{3})(?![\w]|[./-]\w)"
)

_NEXT_SENTENCE = re.compile(r"\. ?[A-Z]{1,3}$")
_LABEL = re.compile(r"(?:BLZ|KTO|ABA|ABI|CAB) ")
_BETWEEN = re.compile(
    r"[ ]?[,;/|&–-]?[ ]?(?:(?:sort[ -]?code|sc|s/c|account|acct?|a/c|checking|savings|routing|aba|number|numéro|numero|no|nr|"
    r"konto(?:nummer|nr)?|kto|blz|bankleitzahl|cuenta|compte|conto|conta|rekening(?:nummer)?|"
    r"guichet|clé|agence|agencia|agência|branch|abi|cab|and|und)[.:#]{0,2}[ ]?){1,4}",
    re.IGNORECASE,
)


def find_numbers(text: str, cues: Cues) -> Iterator[Finding]:
    """Cards, IBANs, account numbers, national ids, passports and number plates."""
    if not _DIGIT.search(text):
        return
    yield from _cards(text, cues)
    yield from _ibans(text, cues)
    numbers: list[Finding] = []
    if _ANY_SHAPE.search(text):
        for shape in SHAPES:
            for match in shape.pattern.finditer(text):
                if (score := _score(shape, match, cues)) > 0:
                    numbers.append(Finding(shape.kind, match.start(), match.end(), score))
    numbers += _named_values(text, cues)
    yield from numbers
    yield from _account_pairs(text, [finding for finding in numbers if finding.kind == "BANK_ACCOUNT"])
    if cues.has("PLATE"):
        yield from _plates(text, cues)


def _score(shape: Shape, match: re.Match[str], cues: Cues) -> float:
    """How sure a number of an issuer's shape is: its check digits and the nearest word decide."""
    near, away = cues.near(*match.span())
    if near in ("OTHER", "VERSION", "PHONE") and away < 40:
        return 0.0
    if shape.valid is None and not shape.alone and away > 14:
        return 0.0
    compact = re.sub(r"[\s./-]", "", match.group())
    if shape.valid is not None and shape.valid(compact):
        # One number in ten or more passes a single check digit by chance: bare digits need more than that.
        bare = compact.isdecimal() and shape.valid is not check.is_ssn and len(compact) < 15
        return 0.95 if not bare or near == shape.kind else 0.7
    if near == shape.kind and away < 40:
        return 0.8 if len(compact) > 5 else 0.6
    return 0.75 if shape.alone else 0.0


def _cards(text: str, cues: Cues) -> Iterator[Finding]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        near, away = cues.near(*match.span())
        grouped = bool(_CARD_GROUPS.fullmatch(match.group())) and not match.group().isdecimal()
        if near == "OTHER" and away < (12 if grouped else 35):
            continue
        if check.passes_luhn(digits) and (_scheme(digits) or near == "CARD"):
            yield Finding("CARD", *match.span(), 0.98)
        elif _CARD_GROUPS.fullmatch(match.group()) and near == "CARD" and _scheme(digits):
            yield Finding("CARD", *match.span(), 0.8)


def _scheme(digits: str) -> bool:
    """Whether a scheme issues cards that begin and are as long as this."""
    lengths = {"4": (16, 19), "5": (16,), "6": (16, 17, 18, 19), "2": (16,), "3": (14, 15, 16)}
    return len(digits) in lengths.get(digits[0], ()) and (digits[0] != "3" or digits[1] in "045678")


def _ibans(text: str, cues: Cues) -> Iterator[Finding]:
    for match in _IBAN.finditer(text):
        start = match.start()
        length = check.IBAN_LENGTHS.get(match.group()[:2].upper())
        end = _end_of_groups(text, start, length) if length else 0
        if end and check.is_iban(_compact(text[start:end])):
            yield Finding("IBAN", start, end, 1.0)
            continue
        if _SAID_IBAN.search(text, max(0, start - 45), start):
            end = _typed_iban(text, start, length)
            if end:
                yield Finding("IBAN", start, end, 0.95)
                continue
        typed = _GROUPED_IBAN.match(text, start)
        if not typed:
            continue
        near, away = cues.near(*match.span(), ("BANK_ACCOUNT", "OTHER"))
        if near == "OTHER" and away < 20:
            continue
        compact = _compact(typed.group())
        said = near == "BANK_ACCOUNT" and len(compact) >= 14
        if sum(c.isdigit() for c in compact) * 2 > len(compact) and (said or (length and abs(len(compact) - length) <= 1)):
            yield Finding("IBAN", start, typed.end(), 0.85)


def _compact(value: str) -> str:
    return re.sub(r"[\s.-]", "", value)


def _typed_iban(text: str, start: int, length: int | None) -> int:
    """Where a mistyped IBAN that begins at `start` ends; 0 if it is far too short. It is no longer than its country's."""
    typed = _TYPED_IBAN.match(text, start, start + 60)
    if typed is None:
        return 0
    end, longest = typed.end(), (length or 34) + 2
    while len(_compact(text[start:end])) > longest:
        shorter = max(text.rfind(separator, start, end) for separator in " \n")
        if shorter <= start + 4:
            return 0
        end = shorter
    return end if len(_compact(text[start:end])) >= max(12, (length or 20) - 6) else 0


def _end_of_groups(text: str, start: int, length: int) -> int:
    """Where `length` letters and digits end that blanks, stops, hyphens or one end of line may part; 0 if they do not."""
    seen, place, gap = 0, start, 0
    while seen < length and place < len(text):
        letter = text[place]
        if letter.isalnum():
            seen, gap = seen + 1, 0
        elif letter not in " -.\n\u00a0" or gap == 2:
            return 0
        else:
            gap += 1
        place += 1
    return place if seen == length and not (place < len(text) and text[place].isalnum()) else 0


def _named_values(text: str, cues: Cues) -> Iterator[Finding]:
    """Whatever stands where the words before it announce a passport, an account or an identity number."""
    if not any(cue.kind in _FITS for cue in cues.found):
        return
    for pattern in (_VALUE, _LOWER):
        for match in pattern.finditer(text):
            value = match.group()
            if _NO_NUMBER.fullmatch(value) or _UNIT.match(text, match.end()) or text[match.end() : match.end() + 1] == "@":
                continue
            kind, away = cues.near(*match.span())
            fits = _FITS.get(kind)
            start, label = match.start(), _LABEL.match(value)
            if label and kind == "BANK_ACCOUNT":
                start, value = start + label.end(), value[label.end() :]
            value = _NEXT_SENTENCE.sub("", value)
            if kind == "PASSPORT" and value.split(" ")[0] in _TRAINS:
                continue
            if kind == "NATIONAL_ID" and _VAT.fullmatch(_compact(value)):
                continue
            if fits and away <= 45 and fits(re.sub(r"[\s./-]", "", value)):
                yield Finding(kind, start, start + len(value), 0.78 if away < 25 else 0.66)


def _account_pairs(text: str, found: list[Finding]) -> Iterator[Finding]:
    """A bank's number and the account's, with labels between them, are one: 40-17-55, account no. 61827340."""
    found.sort(key=lambda f: (f.start, -f.end))
    start = end = -1
    for finding in found:
        if end >= 0 and finding.start < end:
            continue
        if end >= 0 and finding.start - end < 40 and _BETWEEN.fullmatch(text, end, finding.start):
            end = finding.end
            yield Finding("BANK_ACCOUNT", start, end, 0.97)
        else:
            start, end = finding.start, finding.end


def _counts(value: str) -> tuple[int, int]:
    digits = sum(c.isdigit() for c in value)
    return digits, len(value) - digits


def _fits_id(value: str) -> bool:
    digits, letters = _counts(value)
    return len(value) <= 18 and letters <= 7 and (digits >= 6 or (digits >= 4 and 8 <= len(value) <= 11 and value.isupper()))


def _fits_passport(value: str) -> bool:
    digits, letters = _counts(value)
    return 6 <= len(value) <= 12 and (digits >= 3 or (digits == 2 and len(value) == 9)) and letters <= 7


def _fits_account(value: str) -> bool:
    digits, letters = _counts(value)
    return 6 <= digits <= 28 and letters <= 2


_FITS: dict[str, Callable[[str], bool]] = {
    "NATIONAL_ID": _fits_id, "PASSPORT": _fits_passport, "BANK_ACCOUNT": _fits_account,
}  # fmt: skip


def _plates(text: str, cues: Cues) -> Iterator[Finding]:
    for pattern, least in ((_PLATES, 90), (_LOWER_PLATE, 30)):
        for match in pattern.finditer(text):
            near, away = cues.near(*match.span())
            _, car = cues.near(*match.span(), ("PLATE",))
            if near in ("OTHER", "VERSION", "BANK_ACCOUNT", "NATIONAL_ID", "PASSPORT") and near != "PLATE" and away < car:
                continue
            if match.group()[:3].strip(" -0123456789") in _TRAINS:
                continue
            if car <= least or (pattern is _PLATES and len(text) < 400):
                yield Finding("PLATE", *match.span(), 0.8 if car <= 30 else 0.62)

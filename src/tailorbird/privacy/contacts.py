"""E-mail addresses, phone numbers, IP addresses, and links that let whoever has them in."""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import phonenumbers

from tailorbird.privacy.cues import Cues
from tailorbird.privacy.findings import Finding

_EMAIL = re.compile(r"(?<![\w.%+'-])[\w%+][\w.%+'-]{0,63}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
# As people hide addresses from programs, or mistype them: a word for @ in brackets, or a word that means nothing else.
_AT = r"at|@|ät|arroba|arobase|małpa|malpa|chiocciola|apenstaartje|klammeraffe"
_DOT = r"dot|punkt|punto|point|ponto|kropka|punt|\."
_TOP = r"(?:com|net|org|info|biz|eu|co|uk|io|me|de|at|ch|es|mx|ar|fr|be|pt|br|it|pl|nl|ie|us|ca|app|dev|shop|example)"
_HOST = rf"[\w-]{{1,40}}(?:(?:\.| ?[\[({{] ?(?:{_DOT}) ?[\])}}] ?| (?:{_DOT}) )[\w-]{{1,40}}){{0,3}}"
_END = rf"(?:\.| ?[\[({{] ?(?:{_DOT}) ?[\])}}] ?| (?:{_DOT}) )[a-z]{{2,12}}\b"
_HIDDEN = re.compile(
    rf"(?<![\w.])[\w.+-]{{2,40}}(?: ?[\[({{] ?(?:{_AT}) ?[\])}}] ?| (?:{_AT[3:]}) ){_HOST}?{_END}|"
    rf"(?<![\w.])[\w.+-]{{2,40}} at (?!the |this |that |my |our )[\w-]{{2,40}} (?:{_DOT[:-3]}) {_TOP}\b(?: dot {_TOP}\b)?|"
    rf"(?<![\w.])[\w.+-]{{2,64}}@[\w-]{{2,40}},{_TOP}\b",
    re.IGNORECASE,
)
_HINTS = ("(at", "[at", "{at", "( at", "[ at", "(@", "[@", "( @", "[ @", " @ ", " dot ", "arroba", "arobase", "małpa", "malpa",
          "chiocciola", "apenstaart", "klammeraffe", " ät ", "(ät", "[ät", " punkt ", " kropka ", " point ",
          " punto ", " punt ", " ponto ")  # fmt: skip
_DIGIT = re.compile(r"\d")
_PHONE = re.compile(r"(?<![\w@#=/.,:-])(?<!\d )(?:\+|\(\+?)?\d(?:[ \u00a0./()–-]{0,3}\d){6,16}(?![\w@]|[,.:]\d)")
_IPV4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'»“”|\\^`{}]{4,2000}", re.IGNORECASE)
_PARAMETER = re.compile(r"[?&#;]([\w.\[\]-]{1,40})=([^&#\s]*)")
_SECRET_NAME = re.compile(
    r"(?:.*(?:tok|sig|secret|auth|sess|sid|passw|otp|magic|invit|verif|confirm|reset|ticket|jwt|nonce|hash|apikey|api_key|access|"
    r"credential|sesj|sesi|haslo|clave|senha|jeton|einladung|cod).*|key|k|t|s|c|code|pwd|pw|h|u|hmac|x|auth|id_token|chave|"
    r"klucz|link|einmal.*)",
    re.IGNORECASE,
)
_SECRET_PLACE = re.compile(
    r".*(?:reset|magi[ce]|invit|verif|confirm|log-?in|sign-?in|share|join|auth|unsubscribe|token|acc[eè]s|session|sesja|activat|aktyw|"
    r"recover|recuper|download|guest|sso|einladung|passw|restablecer|reinit|zapros|uitnodig|convi|link|redefinir|bestaetig|wachtwoord|"
    r"haslo|secret).*|[sdurtp]|dl|pay|rest",
    re.IGNORECASE,
)
_STATIC = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|ico|css|js|woff2?|mp4)$", re.IGNORECASE)
_HARMLESS_PLACE = re.compile(
    r"commit|commits|blob|tree|sha|issues?|product|products|p|item|artikel|track|tracking", re.IGNORECASE
)
_REGIONS = {"en": ("GB", "US"), "de": ("DE", "AT", "CH"), "es": ("ES", "MX"), "fr": ("FR", "BE"), "pt": ("PT", "BR"),
            "it": ("IT",), "pl": ("PL",), "nl": ("NL", "BE")}  # fmt: skip
# As phones are written in North America, and numbers there that are kept for stories.
_AMERICAN = re.compile(r"(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}")
_TAX_COUNTRY = re.compile(r"\b(?:AT|BE|CH|DE|ES|FR|GB|IE|IT|LU|NL|PL|PT) $")
_MADE_UP = re.compile(r"555[ .-]01\d\d$")
_DATE = re.compile(r"\(?\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b(?![./-]\d)|(?:19|20)\d\d ?[–-] ?(?:19|20)\d\d$")


def find_contacts(text: str, cues: Cues, language: str) -> Iterator[Finding]:
    """E-mail addresses, phones, IP addresses and links with a token."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Finding("EMAIL", match.start(), match.end(), 1.0)
    small = text.lower()
    if any(hint in small for hint in _HINTS) or ("@" in text and "," in text):
        for match in _HIDDEN.finditer(text):
            yield Finding("EMAIL", match.start(), match.end(), 0.98)
    if "://" in text or "www." in small:
        yield from _links(text)
    if _DIGIT.search(text):
        yield from _phones(text, cues, language)
        yield from _addresses(text, cues)


def _phones(text: str, cues: Cues, language: str) -> Iterator[Finding]:
    for match in _PHONE.finditer(text):
        raw = match.group()
        start = match.start() + (1 if raw[0] == "(" and ")" not in raw else 0)
        raw = text[start : match.end()]
        if raw[0] not in "0+(" and _TAX_COUNTRY.search(text, max(0, start - 4), start):
            continue
        near, away = cues.near(start, match.end())
        score = 0.0 if _DATE.match(raw) else _phone_score(raw, near, away, language)
        if score:
            yield Finding("PHONE", start, match.end(), score)


def _phone_score(raw: str, near: str, away: int, language: str) -> float:
    """How sure digits are a phone number: a country code, a number that can exist, and the nearest word."""
    digits = re.sub(r"\D", "", raw)
    said = near == "PHONE" and away < 45
    denied = not said and near not in ("", "PLATE", "CARD") and away < (30 if near == "OTHER" else 22)
    if raw.lstrip("(").startswith(("+", "00")):
        international = "+" + (digits[2:] if raw.lstrip("(").startswith("00") else digits)
        possible = _possible(re.sub(r"\(0\)", "", raw) if "(0)" in raw else international, None)
        zeros = raw.startswith("00") and not re.search(r"[ ().-]", raw) and not said
        grouped = bool(re.search(r"\d[ .()/-]+\d", raw))
        return 0.9 if possible and not (denied and away < 12 and not grouped) and not zeros else 0.0
    if len(digits) > 13:
        return 0.0
    home = _REGIONS.get(language, ("GB", "US"))
    everywhere = (*home, "GB", "US", "DE", "FR", "ES", "IT", "PL", "NL", "PT") if raw[0] in "0(" or said else home
    if _AMERICAN.fullmatch(raw) and (not denied or (away > 5 and near != "BANK_ACCOUNT")):
        made_up = bool(_MADE_UP.search(raw))
        if made_up or said or (language in ("", "en") and not denied):
            return 0.85 if said or made_up else 0.72
    valid = len(digits) >= 9 and any(_valid(raw, region) for region in dict.fromkeys(everywhere))
    grouped = bool(re.search(r"\d[ ./()–-]+\d", raw))
    written = raw[0] in "0(" or (grouped and len(digits) >= 9)
    if denied:
        return 0.0
    if valid and said:
        return 0.88
    if valid and written and (raw[0] in "0(" or _grouped_as_phone(raw)):
        return 0.74 if grouped or raw[0] == "0" else 0.0
    return 0.7 if said and 7 <= len(digits) <= 13 and (grouped or len(digits) >= 9) else 0.0


def _grouped_as_phone(raw: str) -> bool:
    """Blocks of two to four digits, as people write phones: 601 555 238, 612 34 55 07, 415-555-0142."""
    return bool(re.fullmatch(r"\d{2,3}(?:[ .-]\d{2,4}){2,4}", raw)) and len(set(re.sub(r"\d", "", raw))) == 1


def _possible(raw: str, region: str | None) -> bool:
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(raw, region)))
    except phonenumbers.NumberParseException:
        return False


def _valid(raw: str, region: str) -> bool:
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_valid_number(number)) or (
        bool(phonenumbers.is_possible_number(number)) and raw[0] in "0(" and number.country_code in (44, 49, 33)
    )


def _addresses(text: str, cues: Cues) -> Iterator[Finding]:
    for match in _IPV4.finditer(text):
        try:
            address = ipaddress.IPv4Address(match.group())
        except ValueError:
            continue
        if (score := _ip_score(address, cues, match.span())) > 0:
            yield Finding("IP", *match.span(), score)
    if text.count(":") < 2:
        return
    for match in _IPV6.finditer(text):
        value = match.group()
        end = match.end() - (1 if value.endswith(":") and not value.endswith("::") else 0)
        try:
            ipaddress.IPv6Address(text[match.start() : end])
        except ValueError:
            continue
        if sum(c.isalnum() for c in value) >= 4:
            yield Finding("IP", match.start(), end, 0.97)


def _ip_score(address: ipaddress.IPv4Address, cues: Cues, span: tuple[int, int]) -> float:
    """Four numbers with dots are an address or a version: their size and the nearest word tell."""
    near, away = cues.near(*span, ("IP", "VERSION", "OTHER"))
    octets = address.packed
    large = sum(octet > 25 for octet in octets)
    if near == "IP" and away < 40 and (large >= 1 or away < 15):
        return 0.97
    if near in ("VERSION", "OTHER") and away < 40:
        return 0.9 if near == "OTHER" and large >= 3 else 0.0
    return 0.85 if large >= 2 or address.is_private or (max(octets) > 99 and octets[0] > 9) else 0.0


def _links(text: str) -> Iterator[Finding]:
    for match in _URL.finditer(text):
        end = match.end()
        while end > match.start() and text[end - 1] in ".,;:!?)]*_":
            end -= 1
        if _opens_something(text[match.start() : end]):
            yield Finding("URL_TOKEN", match.start(), end, 0.99)


def _opens_something(url: str) -> bool:
    """Whether a link has a secret: a random value under a telling name, a long random piece of path, or a password."""
    if re.match(r"https?://[^/@\s]+:[^/@\s]+@", url):
        return True
    for name, value in _PARAMETER.findall(url):
        telling = bool(_SECRET_NAME.fullmatch(name))
        if name.lower().startswith("utm_") or not is_random(value, 6 if telling and len(name) > 1 else 12):
            continue
        kinds = {("a" if c.islower() else "A" if c.isupper() else "1") for c in value if c.isalnum()}
        if telling or len(value) >= 20 or len(kinds) == 3:
            return True
    if _STATIC.search(url.split("?")[0]):
        return False
    path = re.sub(r"^(?:https?://)?[^/?#]*", "", url).split("?")[0].split("#")[0]
    pieces = [piece for piece in path.split("/") if piece]
    for before, piece in zip(["", *pieces], pieces, strict=False):
        if _HARMLESS_PLACE.fullmatch(before) and not _SECRET_PLACE.fullmatch(before):
            continue
        if is_random(piece, 8 if _SECRET_PLACE.fullmatch(before) else 16):
            return True
    fragment = url.partition("#")[2]
    return is_random(fragment, 16)


def is_random(value: str, shortest: int) -> bool:
    """Whether characters look drawn by a machine: long enough, letters mixed with digits or cases, hardly any words."""
    if len(value) < shortest or not value.isascii():
        return False
    letters, digits = sum(c.isalpha() for c in value), sum(c.isdigit() for c in value)
    words = [word for word in re.split(r"[-_.%+~]|(?<=[a-z])(?=[A-Z])", value) if word]
    plain = sum(
        len(word) for word in words if word.isalpha() and (word.islower() or word.istitle() or word.isupper()) and len(word) > 2
    )
    if plain > 0.7 * len(value) and digits < 4:
        return False
    if not digits:
        mixed = sum(a.islower() != b.islower() for a, b in pairwise(value))
        return letters >= 16 and mixed >= len(value) / 4
    if letters < 2:
        return digits >= 24
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(value))
    return changes >= 2 and entropy(value) > 2.6


def entropy(value: str) -> float:
    """Bits a character carries, by how often each one occurs."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())

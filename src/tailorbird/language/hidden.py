"""Finds text that people do not see and models do: invisible and disguised characters, encoded blobs, hidden HTML."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from tailorbird.language.injections import THRESHOLD, fold, instructions


class Hidden(NamedTuple):
    """What is hidden, in words; how many characters; and the text behind it, where it can be read."""

    detail: str
    number: int
    text: str = ""


# Cyrillic, Greek and Armenian letters that look like Latin ones (Unicode's confusables, the pairs one cannot tell apart).
_LOOKALIKE = str.maketrans(
    "асеорхуіјѕһԁԛԝѵӏАВСЕНІЈКМОРЅТХУΑΒΕΖΗΙΚΜΝΟΡΤΥΧαινορυτκχգոսԍɡгѡнкмтвьҽ",
    "aceopxyijshdqwvlABCEHIJKMOPSTXYABEZHIKMNOPTYXaivopytkxgnuGgrwhkmtbbe",
)
_SUSPECT = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\u0300-\u036f\U000e0000-\U000e01ef\U0001d400-\U0001d7ff\U0001d173-\U0001d17a\u0370-\u058f\u13a0-\u13ff\uff21-\uff5a\u24b6-\u24e9]"
)
_INVISIBLE = re.compile("[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
                        "\u3164\ufeff\uffa0"
                        "\U000e0000-\U000e01ef\U0001d173-\U0001d17a]")  # fmt: skip
_INSIDE = re.compile("(?<=[A-Za-z\u00c0-\u024f])[\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2064"
                     "\u206a-\u206f\u3164\ufeff\uffa0]+"
                     "(?=[A-Za-z\u00c0-\u024f])")  # fmt: skip
_RUN = re.compile(
    "[\u034f\u115f\u1160\u180b-\u180e\u200b-\u200f\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\U0001d173-\U0001d17a]{4,}"
)
_SOFT = re.compile("(?:\\w{1,2}\u00ad){3,}")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}")
_TAGS = re.compile("[\U000e0000-\U000e007f]+")
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{2,7}\U000e007f")
_OVERRIDE = re.compile("[\u202d\u202e]([^\u202c\n]{0,200})\u202c?|[\u202b\u2067]([^\u202c\u2069\n]{0,200})")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_STYLED = re.compile("[\U0001d400-\U0001d7ff\uff21-\uff5a\u24b6-\u24e9]")
_STACKED = re.compile("[\u0300-\u036f]{3,}")
_BLOB = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{16,}(?:\s{1,2}[A-Za-z0-9+/_-]{24,}){0,40}={0,2}")
# Each pattern begins with a rare character where it can: that keeps a message of 100 words under 0.1 ms.
_HEX = re.compile(r"[2-7][0-9a-fA-F](?:(?:[ ,;:]{0,2}(?:\\x|0x|%|\\u00|&#x)?)[0-9a-fA-F]{2}){9,}")
_BINARY = re.compile(r"(?:[01]{8}[ ,]?){8,}")
_NUMBERED = re.compile(r"\d{2,3}(?:(?:[ ,]{1,2}|;&#)\d{2,3}){7,}\b")
_STYLE = re.compile(
    r"color\s{0,3}[:=]\s{0,3}[\"']?(?:#fff(?:fff)?\b|white\b|transparent\b|"
    r"rgba?\(\s{0,3}255\s{0,3},\s{0,3}255\s{0,3},\s{0,3}255)|"
    r"font-size\s{0,3}:\s{0,3}0?\.?[01](?:\.0)?(?:px|pt|em|rem|%)?\s{0,3}(?:[;\"'!}]|$)|display\s{0,3}:\s{0,3}none|"
    r"visibility\s{0,3}:\s{0,3}hidden|"
    r"opacity\s{0,3}:\s{0,3}0(?:\.0\d?)?\s{0,3}(?:[;\"'!}]|$)|text-indent\s{0,3}:\s{0,3}-\d{3}|left\s{0,3}:\s{0,3}-\d{3}|"
    r"mso-hide\s{0,3}:\s{0,3}all|"
    r"(?:max-)?(?:height|width)\s{0,3}:\s{0,3}[01](?:px)?\s{0,3}[;\"']|\\textcolor\{white\}|"
    r"<\w{1,10}\s[^<>]{0,80}\bhidden\b[^<>]{0,80}>|"
    r"clip\s{0,3}:\s{0,3}rect\(0",
    re.IGNORECASE,
)
_STYLED_VALUE = re.compile(
    r"[:=]\s{0,3}[\"']?(?:#fff|white|transparent|rgb|none|hidden|all|rect|-\d{3}|0|1|\.)|\bhidden[\s>=]|\{white", re.IGNORECASE
)
_COMMENT = re.compile(
    r"<!--(?!\[if)(.{8,2000}?)-->|\[//\]: ?# ?[(\"'](.{8,500}?)[)\"']|\[comment\]: ?<> ?\((.{8,500}?)\)", re.DOTALL
)
_SPACED = re.compile(r"(?:\b[^\W\d_](?:[ .*_|·-]{1,3})){9,}[^\W\d_]\b")
_VOCABULARY = (
    "ignore", "previous", "instructions", "system", "prompt", "disregard", "instruction", "reveal", "forget", "rules", "above",
    "assistant", "override", "respond", "answer", "always", "customer", "password", "refund", "everything",
)  # fmt: skip
_TURNED = {codecs.encode(w, "rot13") for w in _VOCABULARY} | {w[::-1] for w in _VOCABULARY}
_LETTERS = re.compile(r"[a-z]{4,}")


def hidden(text: str) -> Iterator[Hidden]:
    """Everything in a text that its reader does not see but a model does."""
    if not text.isascii() and _SUSPECT.search(text):
        yield from _invisible(text)
        yield from _directions(text)
        yield from _disguised(text)
    yield from _encoded(text)
    yield from _layout(text)
    yield from _turned(text)


def visible(text: str) -> str:
    """The text as a model may read it: without invisible characters, look-alike letters made Latin."""
    if text.isascii() or not _SUSPECT.search(text):
        return text
    bare = _STACKED.sub("", _INVISIBLE.sub("", text))
    return " ".join(w if w.isascii() else w.translate(_LOOKALIKE) for w in bare.split(" "))


def _invisible(text: str) -> Iterator[Hidden]:
    """Zero-width characters within Latin words, runs of them, tag characters and variation selectors.

    Joiners between emoji and in Arabic or Indic scripts, byte-order marks at a line's start and flags of countries are ordinary.
    """
    if tags := _TAGS.findall(_FLAG.sub("", text)):
        read = "".join(chr(ord(c) - 0xE0000) for c in "".join(tags) if 0xE0020 <= ord(c) < 0xE007F)
        yield Hidden("invisible tag characters" + (f" that spell “{read[:60]}”" if read else ""), sum(map(len, tags)), read)
    inside = _INSIDE.findall(text)
    if inside:
        yield Hidden("invisible characters within words", sum(map(len, inside)))
    elif runs := _RUN.findall(text):
        yield Hidden("a run of invisible characters", sum(map(len, runs)))
    if soft := _SOFT.findall(text):
        yield Hidden("soft hyphens between single letters", sum(part.count("\u00ad") for part in soft))
    if selectors := _SELECTORS.findall(text):
        yield Hidden("a run of variation selectors, which can carry a hidden text", sum(map(len, selectors)))


def _directions(text: str) -> Iterator[Hidden]:
    """Marks that turn the reading direction, outside of text that reads from right to left and of copied phone numbers."""
    if any(unicodedata.bidirectional(c) in ("R", "AL") for c in text):
        return
    turned = [part for match in _OVERRIDE.finditer(text) for part in match.groups() if part and any(c.isalpha() for c in part)]
    if turned:
        yield Hidden("marks that turn the reading direction round", len(turned), turned[0][::-1])


def _mixed(word: str) -> bool:
    """Whether a word mixes Latin letters with look-alikes of another script."""
    latin = foreign = 0
    for c in word:
        if not c.isalpha():
            continue
        if c < "\u0250":
            latin += 1
        elif ord(c) in _LOOKALIKE:
            foreign += 1
        else:
            return False  # "SMSки" is ordinary Russian: a disguise has look-alikes only
    return latin > 0 and foreign > 0 and latin + foreign >= 3


def _disguised(text: str) -> Iterator[Hidden]:
    """Look-alike letters in Latin words, styled alphabets, and stacked accents."""
    words = _WORDS.findall(text)
    odd = [w for w in words if not w.isascii()]
    latin = sum(w[0] < "\u0250" for w in words)
    mixed = [w for w in odd if _mixed(w)]
    # In a Latin text, a word of look-alikes alone is a disguise too, unless the text has real words of that script.
    alike = [w for w in odd if len(w) >= 3 and all(ord(c) in _LOOKALIKE for c in w)]
    real = any(ord(c) > 0x36F and c.isalpha() and ord(c) < 0x590 and ord(c) not in _LOOKALIKE for w in odd for c in w)
    if mixed and 2 * latin >= len(words):
        yield Hidden(
            f"letters of another alphabet within words, such as “{mixed[0]}”", len(mixed), mixed[0].translate(_LOOKALIKE)
        )
    elif alike and not real and latin > 4 * len(alike):
        yield Hidden(f"a word in look-alike letters, “{alike[0]}”", len(alike), alike[0].translate(_LOOKALIKE))
    styled = len(_STYLED.findall(text))
    if styled >= 10 or (styled and instructions(text).score >= THRESHOLD):
        yield Hidden("letters of decorative alphabets in place of plain ones", styled, unicodedata.normalize("NFKC", text)[:200])
    if len(stacked := _STACKED.findall(text)) >= 3:
        yield Hidden("stacked accents that disguise words", len(stacked))


def _encoded(text: str) -> Iterator[Hidden]:
    """Blobs of base64, hex, binary or numbers that decode to words."""
    for match in _BLOB.finditer(text):
        if read := _readable(_from_base64(match.group())):
            yield Hidden(f"base64 that decodes to “{read[:60]}”", len(match.group()), read)
    for match in _HEX.finditer(text):
        digits = re.sub(r"\\x|0x|\\u00|&#x|[^0-9a-fA-F]", "", match.group())
        if read := _readable(bytes.fromhex(digits[: len(digits) // 2 * 2])):
            yield Hidden(f"hexadecimal that decodes to “{read[:60]}”", len(match.group()), read)
    for match in _BINARY.finditer(text):
        bits = re.sub(r"[^01]", "", match.group())
        if read := _readable(int(bits, 2).to_bytes(len(bits) // 8, "big")):
            yield Hidden(f"binary digits that decode to “{read[:60]}”", len(match.group()), read)
    for match in _NUMBERED.finditer(text):
        codes = [int(code) for code in re.findall(r"\d+", match.group())]
        if all(code < 256 for code in codes) and (read := _readable(bytes(codes))):
            yield Hidden(f"character codes that decode to “{read[:60]}”", len(match.group()), read)


def _from_base64(blob: str) -> bytes:
    compact = re.sub(r"\s", "", blob).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4))
    except (binascii.Error, ValueError):
        return b""


def _readable(raw: bytes) -> str:
    """The bytes as text when they read as words: two or more, letters and spaces above 85%."""
    if len(raw) < 10:
        return ""
    try:
        read = html.unescape(unquote(raw.decode("utf-8"))).strip()
    except UnicodeDecodeError:
        return ""
    letters = sum(c.isalpha() or c in " \n'" for c in read)
    if letters < 0.85 * len(read) or len(re.findall(r"[^\W\d_]{2,}", read)) < 2:
        return ""
    return read


def _layout(text: str) -> Iterator[Hidden]:
    """Leftovers of text made invisible: white on white, size zero, comments that hold commands, letters spelled apart."""
    if _STYLED_VALUE.search(text):
        styles = _STYLE.findall(text)
        if styles and ("<" in text or len(styles) >= 2 or instructions(text).score >= 0.6):
            yield Hidden(f"text made invisible by its layout ({styles[0].strip()[:40]})", len(styles))
    if "<!--" in text or "]: " in text:
        for match in _COMMENT.finditer(text):
            inner = next(part for part in match.groups() if part)
            if instructions(inner).score >= 0.4 or len(inner.split()) >= 8:
                yield Hidden(f"a comment that pages do not show: “{inner.strip()[:60]}”", len(inner), inner)
    for match in _SPACED.finditer(text):
        joined = fold(re.sub(r"[\W_]", "", match.group()))
        if sum(word in joined for word in _VOCABULARY) >= 1:
            yield Hidden(f"letters spelled apart: “{joined[:60]}”", len(joined), joined)


def _turned(text: str) -> Iterator[Hidden]:
    """Commands in rot13 or written backwards: two such words, or one and a text that then reads as a command."""
    found = _TURNED.intersection(_LETTERS.findall(text.lower()))
    if len(found) >= 2:
        for name, read in (("letters shifted by 13", codecs.encode(text, "rot13")), ("text written backwards", text[::-1])):
            if len({w for w in _VOCABULARY if w in fold(read)} & set(_VOCABULARY)) >= 2 and instructions(read).score >= 0.4:
                yield Hidden(f"{name} that reads as a command", len(found), read[:200])

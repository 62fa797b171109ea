"""PDF -> blocks with their pages. Lines become paragraphs by the gaps between them, headings are known by their size."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tailorbird.errors import InputError
from tailorbird.knowledge.blocks import Block, Outline

_PDFIUM = threading.Lock()  # the library is not made for threads
_LARGER = 1.12  # times the body's letters: a heading
_GAP = 1.6  # times the letters' size between two lines: a new paragraph
_LONGEST_HEADING = 14  # words
_BULLET = re.compile(r"^(?:[-*•–▪◦●]|\(?\d{1,2}[.)])\s+")
_HYPHENS = "\x02\ufffe\u00ad"  # what stands for a hyphen at the end of a line that was broken there


@dataclass(frozen=True)
class _Line:
    text: str
    page: int
    size: float  # of its letters, points
    top: float  # points above the page's lower edge


def blocks_of_pdf(data: bytes, where: str) -> list[Block]:
    """The document's blocks; raises InputError where it is damaged, needs a password, or has no text."""
    import pypdfium2 as pdfium

    with _PDFIUM:
        try:
            document = pdfium.PdfDocument(data)
        except pdfium.PdfiumError as problem:
            raise _refused(str(problem), where) from problem
        try:
            pages = [_lines(document, number) for number in range(len(document))]
        except pdfium.PdfiumError as problem:
            raise _refused(str(problem), where) from problem
        finally:
            document.close()
    lines = [line for page in _without_margins(pages) for line in page]
    if not lines:
        raise InputError(
            f"None of its {len(pages)} pages has any text: it seems to be scanned.",
            fix="Let a program with text recognition (OCR) make a searchable PDF of it, and add that.",
            where=where,
        )
    return _outlined(lines)


def _refused(reason: str, where: str) -> InputError:
    if "password" in reason.lower():
        return InputError(
            "This PDF is encrypted and needs a password.", fix="Save a copy without a password, and add that.", where=where
        )
    return InputError(
        f"This PDF is damaged ({reason.rstrip('.')}).", fix="Open it in a PDF reader and print it to a new PDF.", where=where
    )


def _lines(document: Any, number: int) -> list[_Line]:
    """A page's lines in the order of the file."""
    import ctypes

    from pypdfium2 import raw

    page = document[number]
    text = page.get_textpage()
    lines: list[_Line] = []
    letters: list[str] = []
    first = -1  # the line's first visible letter
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    count = text.count_chars()
    for place in range(count + 1):
        letter = chr(raw.FPDFText_GetUnicode(text, place)) if place < count else "\n"
        if letter not in "\r\n":
            letters.append(letter)
            if first < 0 and not letter.isspace():
                first = place
            continue
        if first >= 0:
            raw.FPDFText_GetCharBox(text, first, left, right, bottom, top)
            size = raw.FPDFText_GetFontSize(text, first) * _scale(raw, text, first)
            lines.append(_Line("".join(letters).strip(), number + 1, round(size, 1), bottom.value))
        letters, first = [], -1
    text.close()
    page.close()
    return lines


def _scale(raw: Any, text: Any, place: int) -> float:
    """How much the page enlarges a letter beyond its font's size."""
    matrix = raw.FS_MATRIX()
    return abs(matrix.d) or 1.0 if raw.FPDFText_GetMatrix(text, place, matrix) else 1.0


def _without_margins(pages: list[list[_Line]]) -> list[list[_Line]]:
    """Pages without page numbers, and without the first or last lines that most of them share.

    Large letters that differ by a number only (`Chapter 1`, `Chapter 2`) are headings, not margins.
    """
    body = _body_size([line for page in pages for line in page])

    def told(line: _Line) -> str:
        return line.text if line.size >= body * _LARGER else re.sub(r"\d+", "#", line.text)

    edges = Counter(text for page in pages for text in {told(line) for line in [*page[:2], *page[-2:]]})
    common = {text for text, count in edges.items() if count >= 3 and count > len(pages) / 2}
    kept = []
    for page in pages:
        last = len(page) - 2
        kept.append([line for at, line in enumerate(page) if not ((at < 2 or at >= last) and told(line) in common)])
    return kept


def _outlined(lines: list[_Line]) -> list[Block]:
    """Paragraphs, items and headings; sizes above the body's are the levels."""
    body = _body_size(lines)
    sizes = sorted({line.size for line in lines if line.size >= body * _LARGER}, reverse=True)
    outline = Outline()
    for group in _paragraphs(lines):
        first, text = group[0], _joined(group)
        if first.size in sizes and len(text.split()) <= _LONGEST_HEADING:
            outline.heading(sizes.index(first.size) + 1, text, first.page)
            continue
        if _BULLET.match(text):
            outline.item(text, first.page)
        else:
            outline.add(text, page=first.page)
    return outline.finish()


def _body_size(lines: list[_Line]) -> float:
    """The size that most letters have."""
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def _paragraphs(lines: list[_Line]) -> list[list[_Line]]:
    """Lines that belong together: of one size, close to each other, up to the next item; also across a page's end."""
    groups: list[list[_Line]] = []
    for line in lines:
        before = groups[-1][-1] if groups else None
        if before and before.size == line.size and not _BULLET.match(line.text) and _goes_on(before, line):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _goes_on(before: _Line, line: _Line) -> bool:
    if before.page != line.page:
        return line.text[:1].islower() and before.text[-1:] not in ".!?:"
    return 0 <= before.top - line.top <= _GAP * line.size


def _joined(lines: list[_Line]) -> str:
    """The lines' text, words that were broken at a line's end put together."""
    text = lines[0].text
    for line in lines[1:]:
        text = text[:-1] + line.text if text[-1:] in _HYPHENS else f"{text} {line.text}"
    return "".join(letter for letter in text if letter not in _HYPHENS)

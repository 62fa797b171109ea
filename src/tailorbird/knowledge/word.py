"""Word documents (DOCX) -> blocks. Headers, footers, footnotes and text boxes are left out."""

from __future__ import annotations

import io
import re
import zlib
from zipfile import BadZipFile, ZipFile

from tailorbird.errors import InputError
from tailorbird.knowledge.blocks import Block, Outline, table

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # also what Word makes of a document with a password
_LARGEST = 500_000_000  # bytes unpacked
# What zipfile, lxml and python-docx say of packages that are not whole.
_DAMAGED = (
    BadZipFile, zlib.error, NotImplementedError, EOFError, KeyError, IndexError, ValueError, SyntaxError, AttributeError,
    TypeError,
)  # fmt: skip
_LEVEL = re.compile(r"heading (\d)", re.I)


def blocks_of_word(data: bytes, where: str) -> list[Block]:
    """The document's blocks; raises InputError where it is damaged or protected."""
    if data.startswith(_OLD_OFFICE):
        raise InputError(
            "This document is protected by a password, or has the format of Word before 2007.",
            fix="Open it in Word and save it as .docx without a password.",
            where=where,
        )
    from docx import Document
    from docx.table import Table

    try:
        with ZipFile(io.BytesIO(data)) as package:
            if sum(member.file_size for member in package.infolist()) > _LARGEST:
                raise InputError("This document unpacks to more than 500 MB.", fix="Take its pictures out.", where=where)
        document = Document(io.BytesIO(data))
        outline = Outline()
        for part in document.iter_inner_content():
            if isinstance(part, Table):
                table(outline, [[cell.text for cell in row.cells] for row in part.rows])
            else:
                _add(outline, part.text, part.style.name if part.style and part.style.name else "", part._p.pPr)
    except _DAMAGED as problem:
        raise InputError(
            f"This Word document is damaged ({str(problem) or type(problem).__name__}).",
            fix="Open it in Word, let it repair the document, and save it again as .docx.",
            where=where,
        ) from problem
    return outline.finish()


def _add(outline: Outline, text: str, style: str, properties: object) -> None:
    """A paragraph as a heading, a list item, or text."""
    level = _LEVEL.match(style)
    if level or style == "Title":
        outline.heading(int(level[1]) + 1 if level else 1, text)
    elif style.startswith("List") or getattr(properties, "numPr", None) is not None:
        outline.item(f"- {text}" if text.strip() else "")
    else:
        outline.add(text)

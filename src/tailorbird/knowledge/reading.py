"""One document -> blocks, by its kind; what cannot be read is refused in words."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import NamedTuple

from tailorbird.errors import InputError
from tailorbird.knowledge.blocks import Block
from tailorbird.knowledge.markdown import blocks_of_markdown
from tailorbird.knowledge.pdf import blocks_of_pdf
from tailorbird.knowledge.plain import blocks_of_table, blocks_of_text
from tailorbird.knowledge.webpage import blocks_of_html
from tailorbird.knowledge.word import blocks_of_word

LARGEST = 50_000_000
"""Bytes of a document."""
KINDS = {
    ".md": "Markdown", ".markdown": "Markdown", ".html": "HTML", ".htm": "HTML", ".xhtml": "HTML", ".pdf": "PDF", ".docx": "Word",
    ".txt": "text", ".text": "text", ".csv": "questions and answers", ".tsv": "questions and answers",
}  # fmt: skip
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.I)


class Reading(NamedTuple):
    """A document's blocks, and what its owner should know about how it was read."""

    blocks: list[Block]
    note: str = ""


def check(path: Path, where: str) -> None:
    """Raises InputError for a file of an unknown kind, an empty one and a huge one, without reading it."""
    if path.suffix.lower() not in KINDS:
        raise InputError(
            f"Files of the kind {path.suffix or 'without an ending'} are not read.",
            fix="Save it as Markdown, HTML, PDF, DOCX, TXT or CSV (of questions and answers).",
            where=where,
        )
    size = path.stat().st_size
    if not size:
        raise InputError("This file is empty.", fix="Save it again, or leave it out.", where=where)
    if size > LARGEST:
        raise InputError(
            f"This file has {size / 1e6:.0f} MB; a document may have {LARGEST / 1e6:.0f}.",
            fix="Divide it, or take its pictures out.",
            where=where,
        )


def read_document(data: bytes, kind: str, where: str) -> Reading:
    """The blocks of a document of this kind (a suffix of KINDS); `where` names it. Raises InputError with what to do."""
    text, encoding = ("", "") if kind in (".pdf", ".docx") else decode(data, where, KINDS[kind] == "HTML")
    try:
        match KINDS[kind]:
            case "PDF":
                blocks = blocks_of_pdf(data, where)
            case "Word":
                blocks = blocks_of_word(data, where)
            case "Markdown":
                blocks = blocks_of_markdown(text)
            case "HTML":
                blocks = blocks_of_html(text)
            case "text":
                blocks = blocks_of_text(text)
            case _:
                blocks = blocks_of_table(text, where)
    except RecursionError as problem:
        raise InputError(
            "Its parts are nested too deeply to be read.", fix="Save its text as Markdown or TXT, and add that.", where=where
        ) from problem
    if not blocks:
        raise InputError("There is no text in this document.", fix="Check what was saved, or leave it out.", where=where)
    return Reading(blocks, f"not UTF-8; read as {encoding}" if encoding else "")


def decode(data: bytes, where: str, html: bool = False) -> tuple[str, str]:
    """A file's text, and its encoding where that is not Unicode; raises InputError for what is no text."""
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    candidates = [encoding]
    if html and (named := _CHARSET.search(data[:4096])):
        candidates.append(named[1].decode("ascii"))
    candidates.append("cp1252")
    for name in candidates:
        try:
            text = data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        if not _CONTROLS.search(text.replace("\f", "\n")):
            return text.replace("\r\n", "\n").replace("\r", "\n"), "" if name == encoding else name
    raise InputError(
        "This is not text in a known encoding.", fix="Save it as UTF-8 (in most programs: Save as, Encoding).", where=where
    )

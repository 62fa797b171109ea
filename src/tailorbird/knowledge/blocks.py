"""The pieces that every format is read into: paragraphs, list items, table rows, and questions with their answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["text", "item", "row", "pair"]
_MARK = r"^[*_ ]*(?:{})[*_]*\s*\d*\s*[:.)][*_]*\s+(?=\S)"
_QUESTION = re.compile(_MARK.format("Q|Question|Frage|F|Pregunta|P|Domanda|D"), re.I | re.M)
_ANSWER = re.compile(_MARK.format("A|Answer|Antwort|Respuesta|R|Réponse|Reponse|Risposta"), re.I | re.M)


@dataclass(frozen=True)
class Block:
    """One piece of a document, under these headings (outermost first), on this page of a PDF.

    `lead` is what a piece cannot be understood without, where it is torn from it: a table's head, the sentence before a list.
    """

    text: str
    headings: tuple[str, ...] = ()
    kind: Kind = "text"
    page: int | None = None
    lead: str = ""


class Outline:
    """The headings above the place that is being read; collects blocks and keeps headings that nothing stands under."""

    def __init__(self, title: str = "") -> None:
        self.blocks: list[Block] = []
        self._open: list[tuple[int, str]] = [(0, title)] if title else []
        self._empty: str | None = None
        self._page: int | None = None

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings above, outermost first."""
        return tuple(text for _, text in self._open)

    def heading(self, level: int, text: str, page: int | None = None) -> None:
        """Goes on under a heading; 1 is the outermost level."""
        text = " ".join(text.split())
        if not text:
            return
        if self._open and self._open[-1][0] >= level:
            self._keep_empty()
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        if self._open and self._open[-1][1] == text:  # the page's title and its first heading
            return
        self._open.append((level, text))
        self._empty, self._page = text, page

    def add(self, text: str, kind: Kind = "text", page: int | None = None, lead: str = "") -> None:
        """Adds a block under the headings that are open."""
        if text.strip():
            self._empty = None
            self.blocks.append(Block(text.strip(), self.headings, kind, page, lead.strip()))

    def item(self, text: str, page: int | None = None) -> None:
        """Adds an item of a list; the sentence before the list leads all its items if it ends with a colon."""
        last = self.blocks[-1] if self.blocks else None
        lead = ""
        if last and last.headings == self.headings:
            lead = last.lead if last.kind == "item" else last.text if last.text.endswith(":") else ""
        self.add(text, "item", page, lead)

    def finish(self) -> list[Block]:
        """All blocks, with questions and answers put together."""
        self._keep_empty()
        return list(_pairs(self.blocks))

    def _keep_empty(self) -> None:
        if self._empty is not None:
            self.blocks.append(Block(self._empty, self.headings[:-1], "text", self._page))
            self._empty = None


def table(outline: Outline, rows: list[list[str]], page: int | None = None) -> None:
    """Adds a table's rows in Markdown; its first row is repeated where the table is torn."""
    told = [[" ".join(cell.split()) for cell in row] for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in told if any(row)]
    if not lines:
        return
    head = f"{lines[0]}\n|{'---|' * len(rows[0])}"
    outline.add(head if len(lines) > 1 else lines[0], "row", page)
    for line in lines[1:]:
        outline.add(line, "row", page, head)


def _pairs(blocks: Iterable[Block]) -> Iterator[Block]:
    """Puts a question that is marked as one (`Q: …`) into one block with the answer that follows it."""
    waiting: Block | None = None
    for block in (piece for one in blocks for piece in _at_questions(one)):
        if waiting and block.headings == waiting.headings and _ANSWER.match(block.text):
            yield replace(waiting, text=f"{waiting.text}\n{block.text}", kind="pair", lead=waiting.text)
            waiting = None
            continue
        if waiting:
            yield waiting
        waiting = None
        if not _QUESTION.match(block.text) or block.kind in ("row", "pair"):
            yield block
        elif answer := _ANSWER.search(block.text):
            yield replace(block, kind="pair", lead=block.text[: answer.start()].strip())
        else:
            waiting = block
    if waiting:
        yield waiting


def _at_questions(block: Block) -> Iterator[Block]:
    """A paragraph with several marked questions, cut before each of them."""
    starts = [found.start() for found in _QUESTION.finditer(block.text)]
    if block.kind in ("row", "pair") or len(starts) < 2 or not _ANSWER.search(block.text):
        yield block
        return
    for start, end in zip([0, *starts], [*starts, len(block.text)], strict=True):
        if text := block.text[start:end].strip():
            yield replace(block, text=text)

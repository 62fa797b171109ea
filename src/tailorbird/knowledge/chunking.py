"""Blocks -> passages: short pieces that can be found and cited, none across two headings, nothing lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

from tailorbird.knowledge.blocks import Block

LIMIT = 200
"""Words that a passage has at most."""
TARGET = 80
"""Words from which a passage takes in no further paragraph, item or row; docs/knowledge.md tells what was measured."""
_LEAD = 40  # words of a sentence before a list or a table's head that are repeated
_LETTERS = 12  # in a word at most, on average: some languages write no spaces, and links are long
_CUTS = (re.compile(r"(?<=[.!?…:;])\s+|\n+"), re.compile(r"(?<=[。！？])"), re.compile(r"\s+"))


@dataclass(frozen=True)
class Chunk:
    """A passage that has no document yet."""

    headings: tuple[str, ...]
    text: str
    page: int | None = None


def size(text: str) -> int:
    """Words, or a twelfth of the letters where that is more."""
    return max(len(text.split()), -(-len(text) // _LETTERS))


def chunk(blocks: Iterable[Block], target: int = TARGET, limit: int = LIMIT) -> list[Chunk]:
    """The passages of a document: neighbours under one heading together up to `target` words, never more than `limit`."""
    return [
        made
        for _, section in groupby(blocks, key=lambda block: block.headings)
        for made in _pack(section, target, limit)
    ]  # fmt: skip


def _pack(section: Iterable[Block], target: int, limit: int) -> Iterator[Chunk]:
    """The passages under one heading."""
    held: list[Block] = []
    for block in section:
        alone = block.kind == "pair" or size(_joined([block])) > limit
        if held and (alone or size(_joined([*held, block])) > target):
            yield _chunk(held, _joined(held))
            held = []
        if not alone:
            held.append(block)
            continue
        yield from (_chunk([block], text) for text in _torn(block, limit))
    if held:
        yield _chunk(held, _joined(held))


def _chunk(blocks: list[Block], text: str) -> Chunk:
    return Chunk(blocks[0].headings, text, blocks[0].page)


def _joined(blocks: list[Block]) -> str:
    """Items and rows line by line, paragraphs with an empty line between; first what the first of them needs."""
    text = _with_lead(blocks[0], blocks[0].text)
    for before, block in pairwise(blocks):
        close = block.kind in ("item", "row") and (before.kind == block.kind or before.text == block.lead)
        text += ("\n" if close else "\n\n") + block.text
    return text


def _with_lead(block: Block, text: str) -> str:
    lead = block.lead if size(block.lead) <= _LEAD else ""
    return text if not lead or text.startswith(lead) else f"{lead}\n{text}"


def _torn(block: Block, limit: int) -> list[str]:
    """A block that may be too long, cut at sentences, or words, or anywhere, each piece with what it needs."""
    whole = _with_lead(block, block.text)
    if size(whole) <= limit:
        return [whole]
    room = limit - 1 - (size(block.lead) if size(block.lead) <= _LEAD else 0)
    return [_with_lead(block, piece) for piece in _pieces(block.text, max(room, 1))]


def _pieces(text: str, room: int, cuts: tuple[re.Pattern[str], ...] = _CUTS) -> list[str]:
    """The text in pieces of at most `room` words."""
    if size(text) <= room:
        return [text]
    if not cuts:
        letters = room * _LETTERS
        return [text[start : start + letters] for start in range(0, len(text), letters)]
    pieces: list[str] = []
    for part in _parts(text, cuts[0]):
        if pieces and size(pieces[-1] + part) <= room:
            pieces[-1] += part
        else:
            pieces += _pieces(part, room, cuts[1:])
    return [piece.strip() for piece in pieces if piece.strip()]


def _parts(text: str, cut: re.Pattern[str]) -> list[str]:
    """The text cut behind every match, with the white space that belongs to it."""
    ends = [found.end() for found in cut.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True) if start < end]

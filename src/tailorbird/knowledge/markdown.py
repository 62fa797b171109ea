"""Markdown -> blocks, with the source's own lines as text."""

from __future__ import annotations

import re
from textwrap import dedent, indent

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tailorbird.knowledge.blocks import Block, Outline
from tailorbird.knowledge.webpage import blocks_of_html

_FRONT = re.compile(r"\A---\s*\n(.*?)\n(?:---|\.\.\.)\s*(?:\n|\Z)", re.S)
_TITLE = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.M | re.I)
_MARKER = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")


def blocks_of_markdown(text: str) -> list[Block]:
    """The document's blocks; of the front matter of site generators only the title is kept."""
    front = _FRONT.match(text)
    titled = _TITLE.search(front[1]) if front else None
    outline = Outline(titled[1] if titled else "")
    text = text[front.end() :] if front else text
    lines = text.splitlines()
    tokens = MarkdownIt("commonmark").enable("table").parse("\n".join(lines))
    for place, token in enumerate(tokens):
        if token.level or token.map is None:
            continue
        source = lines[token.map[0] : token.map[1]]
        match token.type:
            case "heading_open":
                outline.heading(int(token.tag[1:]), _plain(tokens[place + 1]))
            case "bullet_list_open" | "ordered_list_open":
                _add_items(outline, tokens[place:], lines)
            case "table_open":
                _add_table(outline, source)
            case "html_block":
                for block in blocks_of_html("\n".join(source)):
                    outline.add(block.text, block.kind, lead=block.lead)
            case "hr":
                pass
            case _:
                outline.add("\n".join(source))
    return outline.finish()


def _plain(inline: Token) -> str:
    """A heading's words without emphasis and addresses."""
    return "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))


def _add_items(outline: Outline, tokens: list[Token], lines: list[str]) -> None:
    """The items of a list, each with what is nested in it."""
    for token in tokens[1:]:
        if token.level == 0:
            return
        if token.type == "list_item_open" and token.level == 1 and token.map:
            first, *nested = lines[token.map[0] : token.map[1]]
            outline.item("\n".join([f"- {_MARKER.sub('', first)}", indent(dedent("\n".join(nested)), "  ")]))


def _add_table(outline: Outline, source: list[str]) -> None:
    rows = [line.strip() for line in source if line.strip()]
    head = "\n".join(rows[:2])
    outline.add(head, "row")
    for row in rows[2:]:
        outline.add(row, "row", lead=head)

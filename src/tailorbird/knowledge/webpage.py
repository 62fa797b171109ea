"""HTML -> blocks: the page's own text, without menus, footers and scripts."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from tailorbird.knowledge.blocks import Block, Outline, table

_LEFT_OUT = (
    "head, script, style, noscript, template, nav, footer, form, iframe, svg, button, select, dialog, [hidden], "
    "[aria-hidden=true], [role=navigation], [role=banner], [role=contentinfo], [role=search], [role=dialog]"
)
_INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd", "label", "mark", "q",
    "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "picture", "img",
}  # fmt: skip
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LONGEST_CELL = 60  # words: tables with more in a cell are there for the layout


def blocks_of_html(html: str) -> list[Block]:
    """The page's blocks, from its <main> or <article> where it has one; the title is the outermost heading if there is no h1."""
    tree = LexborHTMLParser(html)
    title = tree.css_first("title")
    named = " ".join(title.text().split()) if title else ""
    for node in tree.css(_LEFT_OUT):
        node.decompose()
    mains = tree.css("main, [role=main]") or tree.css("article")
    body = mains[0] if len(mains) == 1 and mains[0].text(strip=True) else tree.body
    if body is None:
        return []
    for node in body.css("header") if body.tag == "body" else []:
        if node.css_first("h1") is None:
            node.decompose()
    reader = _Reader(Outline("" if body.css_first("h1") else named))
    reader.walk(body)
    reader.flush()
    return reader.outline.finish()


class _Reader:
    """Walks a page; text that stands in no block of its own is gathered until the next one begins."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self._loose: list[str] = []

    def flush(self) -> None:
        """Makes a paragraph of what was gathered."""
        self.outline.add(_tidy("".join(self._loose)))
        self._loose = []

    def walk(self, node: LexborNode) -> None:
        """Reads all that is inside a node."""
        for child in node.iter(include_text=True):
            tag = child.tag or ""
            if tag == "-text":
                self._loose.append(_spaced(child.text(deep=False) or ""))
            elif tag == "br":
                self._loose.append("\n")
            elif tag in _INLINE:
                self.walk(child)
            elif not tag.startswith("-"):
                self.flush()
                self._block(tag, child)
                self.flush()

    def _block(self, tag: str, node: LexborNode) -> None:
        if tag in _HEADINGS:
            self.outline.heading(int(tag[1]), _flat(node))
        elif tag in ("ul", "ol") and not _has(node, "h1, h2, h3, h4, h5, h6, table, dl, details, p + p"):
            self._list(node)
        elif tag == "table" and (rows := _rows(node)) is not None:
            table(self.outline, rows)
        elif tag == "dl":
            self._terms(node)
        elif tag == "details":
            self._details(node)
        elif tag == "pre":
            self.outline.add(node.text())
        else:
            self.walk(node)

    def _list(self, node: LexborNode) -> None:
        for item in node.iter():
            if text := _flat(item):
                self.outline.item("- " + text.replace("\n", "\n  "))

    def _terms(self, node: LexborNode) -> None:
        """A list of terms or questions, each with what is said about it."""
        asked = ""
        for part in node.css("dt, dd"):
            if part.tag == "dt":
                self._pair(asked, "")
                asked = _flat(part)
            else:
                self._pair(asked, _flat(part))
                asked = ""
        self._pair(asked, "")

    def _details(self, node: LexborNode) -> None:
        """What folds open under a question."""
        summary = node.css_first("summary")
        asked = _flat(summary) if summary else ""
        if summary:
            summary.decompose()
        self._pair(asked, _flat(node))

    def _pair(self, asked: str, told: str) -> None:
        self.outline.add(f"{asked}\n{told}", "pair" if asked and told else "text", lead=asked if told else "")


def _rows(node: LexborNode) -> list[list[str]] | None:
    """A table's cells; None if it is there for the layout."""
    if _has(node, "table table, h1, h2, h3, h4, h5, h6, ul, ol, dl"):
        return None
    rows = [[_flat(cell) for cell in row.css("th, td")] for row in node.css("tr")]
    caption = node.css_first("caption")
    rows = [row for row in rows if row]
    if any(len(cell.split()) > _LONGEST_CELL for row in rows for cell in row) or all(len(row) == 1 for row in rows):
        return None
    return [[_flat(caption)], *rows] if caption and _flat(caption) else rows


def _has(node: LexborNode, selector: str) -> bool:
    return node.css_first(selector) is not None


def _flat(node: LexborNode) -> str:
    """All text of a node, lines where blocks inside it begin."""
    parts: list[str] = []

    def gather(inner: LexborNode) -> None:
        for child in inner.iter(include_text=True):
            tag = child.tag or ""
            if tag == "-text":
                parts.append(_spaced(child.text(deep=False) or ""))
            elif not tag.startswith("-"):
                edge = "" if tag in _INLINE else "\n"
                parts.append(edge)
                gather(child)
                parts.append(edge)

    gather(node)
    return _tidy("".join(parts))


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)

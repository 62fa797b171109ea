"""What people wrote, without what their programs put around it: HTML, quoted replies, signatures."""

from __future__ import annotations

import html
import re
from typing import Any

_BLOCKS = frozenset(
    ("address", "article", "blockquote", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4",
     "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tbody", "tr", "ul")
)  # fmt: skip
_UNSEEN = frozenset(("script", "style", "head", "title", "template", "noscript", "svg"))
_QUOTES = ("gmail_quote", "moz-cite-prefix", "yahoo_quoted", "OutlookMessageHeader", "zmail_extra", "freshdesk_quote")
_LOOKS_LIKE_HTML = re.compile(r"<(?:p|div|br|html|body|span|a|b|i|strong|em|ul|ol|li|table|h\d|blockquote)(?:\s[^<>]*)?/?>", re.I)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_SPACES = re.compile(r"[^\S\n]+")
_DEEPEST = 400
_TYPED = 3000  # characters of a line


def plain(text: Any) -> str:
    """The text of plain text or HTML, white space in order; "" for what is no text."""
    if not isinstance(text, str):
        return ""
    if _LOOKS_LIKE_HTML.search(text):
        text = from_html(text)
    elif "&" in text:
        text = html.unescape(text)
    return tidy(text)


def tidy(text: str) -> str:
    """Line ends, trailing spaces and blank lines in order; broken characters replaced; indentation stays."""
    whole = text.encode("utf-8", "replace").decode()  # an emoji that an export cut in half
    lines = (line.rstrip() for line in whole.replace("\u00a0", " ").replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def visible(text: str) -> str:
    """Without marks of direction and zero width that chat programs put around names and times."""
    return _INVISIBLE.sub("", text).replace("\u202f", " ").replace("\u00a0", " ")


def from_html(markup: str) -> str:
    """The text that a reader of HTML sees: block elements on lines of their own, list items with a dash, no quotes of mails."""
    from selectolax.lexbor import LexborHTMLParser

    parts: list[str] = []
    root = LexborHTMLParser(markup).root
    stack: list[tuple[Any, bool, int]] = [(root, False, 0)]
    while stack:
        node, leaving, depth = stack.pop()
        if node is None:
            continue
        tag = node.tag
        if leaving:
            parts.append("\n" if tag in _BLOCKS else "\t" if tag in ("td", "th") else "")
            continue
        if tag == "-text":
            parts.append(_SPACES.sub(" ", node.text_content.replace("\n", " ") if node.text_content else ""))
        elif tag == "br":
            parts.append("\n")
        elif tag not in _UNSEEN and not _is_quote(node) and depth < _DEEPEST:
            parts.append("\n- " if tag == "li" else "\n" if tag in _BLOCKS else "")
            stack.append((node, True, depth))
            children = list(node.iter(include_text=True))
            stack += [(child, False, depth + 1) for child in reversed(children)]
    lines = "\n".join(_SPACES.sub(" ", line).strip() for line in "".join(parts).split("\n"))
    return re.sub(r"^-\n+", "- ", re.sub(r"\n{2,}-(?=[ \n])", "\n-", lines), flags=re.M)


def _is_quote(node: Any) -> bool:
    attributes = node.attributes or {}
    if node.tag == "blockquote" and (attributes.get("type") or "").lower() == "cite":
        return True
    marks = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    return any(mark in marks for mark in _QUOTES)


def reply_only(text: str) -> str:
    """The newest part of an e-mail's text: without the quoted thread and the signature below it."""
    from mailparser_reply import EmailReplyParser

    # The parser's time grows with the square of a line's length: lines that nobody types wait outside.
    lines = text.split("\n")
    long = {f"[line {number}]": line for number, line in enumerate(lines) if len(line) > _TYPED}
    short = "\n".join(f"[line {number}]" if len(line) > _TYPED else line for number, line in enumerate(lines))
    languages = ["en", "de", "es", "fr", "pt", "it", "pl", "nl"]
    newest = EmailReplyParser(languages=languages).parse_reply(text=short) or short
    words, _, _ = f"\n{newest}".partition("\n--\n")  # the mark of a signature, whose space was tidied away
    found = words.strip() or newest.strip()
    return "\n".join(long.get(line, line) for line in found.split("\n"))

"""Texts in the form that every database takes."""

from __future__ import annotations

import re

_UNTOLD = re.compile("[\0\ud800-\udfff]")  # half characters and NUL, which databases refuse


def keepable(text: str) -> str:
    """The text with a replacement character in the place of what databases refuse."""
    return _UNTOLD.sub("\N{REPLACEMENT CHARACTER}", text)

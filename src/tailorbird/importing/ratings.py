"""Ratings of every help desk on one scale: 1 (bad) to 5 (good)."""

from __future__ import annotations

from typing import Any

_WORDS = {
    **dict.fromkeys(("bad", "unsatisfied", "dissatisfied", "negative", "unhappy", "thumbs_down", "no", "👎", "😡"), 1.0),
    **dict.fromkeys(("neutral", "okay", "😐"), 3.0),
    **dict.fromkeys(("good", "satisfied", "positive", "happy", "great", "thumbs_up", "yes", "👍", "😍", "amazing"), 5.0),
}


def stars(value: Any, lowest: float = 1.0, highest: float = 5.0) -> float | None:
    """A number between `lowest` and `highest`, or a word such as "good", as 1 to 5; None for what is neither."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _WORDS:
            return _WORDS[word]
        try:
            value = float(word.removesuffix("/5").replace(",", "."))
        except ValueError:
            return None
    if not isinstance(value, (int, float)) or not lowest <= value <= highest:  # NaN compares as false
        return None
    return round(1 + 4 * (value - lowest) / (highest - lowest), 2)

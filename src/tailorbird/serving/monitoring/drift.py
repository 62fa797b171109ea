"""Whether customers write about other things, or in other languages, than what the version in production learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from tailorbird.knowledge.passage import Encoder

_PERMUTED = 999
_MOST = 1500  # texts of each side that are compared
_FEWEST = 20  # live texts below which nothing can be said
_RARE = 5  # expected texts below which languages are counted together
_LIKELY_WORDS = 3  # words below which a message's topic is nobody's guess


class Drift(BaseModel):
    """The chance that messages as different would come up if nothing had changed; below 0.01 something has. None: too few.

    At 0.01 one look in a hundred alarms without a reason.
    """

    messages: int
    topics: float | None
    languages: float | None


def drift(learned: Sequence[tuple[str, str]], live: Sequence[tuple[str, str]], encode: Encoder, seed: int = 0) -> Drift:
    """Compares first messages (text, language) of conversations that were learned from with live ones."""
    told = [one for one in live if len(one[0].split()) >= _LIKELY_WORDS]
    known = [one for one in learned if len(one[0].split()) >= _LIKELY_WORDS]
    if min(len(told), len(known)) < _FEWEST:
        return Drift(messages=len(told), topics=None, languages=None)
    chance = np.random.default_rng(seed)
    before, now = (encode([text for text, _ in _some(part, chance)]) for part in (known, told))
    languages = [Counter(language for _, language in part if language) for part in (known, told)]
    return Drift(messages=len(told), topics=_permuted(before, now, chance), languages=_same_mixture(*languages))


def _some(part: Sequence[tuple[str, str]], chance: np.random.Generator) -> list[tuple[str, str]]:
    """At most so many of them, drawn by chance."""
    if len(part) <= _MOST:
        return list(part)
    return [part[place] for place in sorted(chance.choice(len(part), _MOST, replace=False))]


def _permuted(one: NDArray[np.float32], other: NDArray[np.float32], chance: np.random.Generator) -> float:
    """Permutation test of the squared maximum mean discrepancy (Gretton et al. 2012), Gaussian kernel of the median distance."""
    both = np.concatenate([one, other]).astype(np.float64)
    squared = np.maximum(2 - 2 * both @ both.T, 0)  # of unit vectors
    kernel = np.exp(-squared / np.median(squared[np.triu_indices(len(both), 1)]))
    sign = np.concatenate([np.full(len(one), 1 / len(one)), np.full(len(other), -1 / len(other))])
    signs = np.stack([sign, *(chance.permutation(sign) for _ in range(_PERMUTED))])
    found = np.einsum("pi,pi->p", signs @ kernel, signs)
    return float((1 + np.sum(found[1:] >= found[0] - 1e-12)) / (1 + _PERMUTED))


def _same_mixture(one: Counter[str], other: Counter[str]) -> float:
    """Chi-squared test of languages; those that are rare on both sides together count as one."""
    from scipy.stats import chi2_contingency  # type: ignore[import-untyped]

    total = one + other
    least = min(one.total(), other.total()) / max(total.total(), 1)
    common = [name for name, count in total.items() if count * least >= _RARE]
    rows = [[part[name] for name in common] + [part.total() - sum(part[name] for name in common)] for part in (one, other)]
    columns = [column for column in zip(*rows, strict=True) if sum(column)]
    if len(columns) < 2:
        return 1.0
    return float(chi2_contingency(np.array(columns).T).pvalue)

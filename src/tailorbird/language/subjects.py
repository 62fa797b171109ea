"""Which of an owner's subjects a message is about: by its words, in any order and inflected, or by its meaning in any language.

A subject is a word or a short phrase such as "allergic reaction". Needs an encoder; knows nothing of what a subject leads to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tailorbird.language.breaches import sentences
from tailorbird.language.injections import fold

NEAR = 0.45
"""The cosine from which a sentence is about a subject; docs/hand-off.md tells what was measured."""
_SAID = ("{}", "a question about {}", "I am writing about {}", "I would like {}", "My problem is {}")
"""Ways to speak of a subject: the mean of their vectors is nearer to messages than the bare phrase's, in any language."""
_WINDOW = 8  # words among which all of a phrase's words stand
_SENTENCES = 8  # of a message that are read for their meaning
_READ = 300  # characters of each of them
_SHORT = 3  # letters: words up to here have no endings but a plural
_WORD = re.compile(r"[^\W_]+")
_INFLECTED = (
    "s es ed d ing er ers y ies e en n r em ern erin innen in a o as os i ie ic ia ion ions ien iem ow ami ach om u te ten se x "
    "aux euse euses eux ly al ally st"
)
_ENDINGS = frozenset(["", *_INFLECTED.split()])
_LITTLE = (
    "a an and the of or for in on to with my your und der die das von fur mit de la el los y des du le les et di e il da do i z "
    "w van en het"
)
_EMPTY = frozenset(_LITTLE.split())

Encode = Callable[[list[str]], Any]
"""Texts -> unit vectors of meaning [N, width]."""


class Subjects:
    """The subjects that an owner has listed, and which of them a message is about; made once, used by many threads."""

    def __init__(self, phrases: Sequence[str], encode: Encode, near: float = NEAR) -> None:
        self._phrases = list(dict.fromkeys(one.strip() for one in phrases if one.strip()))
        self._words = [_telling(one) for one in self._phrases]
        self._encode, self._near = encode, near
        self._vectors: Any = _vectors(self._phrases, encode) if self._phrases else None

    def of(self, text: str) -> str | None:
        """The phrase that a message is about: the one whose words it has, else the nearest in meaning if near enough."""
        if self._vectors is None or not _WORD.search(text):
            return None
        return self._named(text) or self._meant(text)

    def _named(self, text: str) -> str | None:
        said = _WORD.findall(fold(text))
        return next((one for one, words in zip(self._phrases, self._words, strict=True) if words and _stand(words, said)), None)

    def _meant(self, text: str) -> str | None:
        told = [one[:_READ] for one in sentences(text)][:_SENTENCES]
        near = (np.asarray(self._encode(told)) @ self._vectors.T).max(axis=0)
        best = int(near.argmax())
        return self._phrases[best] if near[best] >= self._near else None


def _vectors(phrases: Sequence[str], encode: Encode) -> Any:
    """A unit vector for each phrase [N, width]."""
    said = np.asarray(encode([way.format(one) for one in phrases for way in _SAID]))
    means = said.reshape(len(phrases), len(_SAID), -1).mean(axis=1)
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)


def _telling(phrase: str) -> list[str]:
    words = _WORD.findall(fold(phrase))
    return [word for word in words if word not in _EMPTY] or words


def _stand(words: Sequence[str], said: Sequence[str]) -> bool:
    """Whether all words stand within a few others, in whatever order and form."""
    places = [[place for place, other in enumerate(said) if _same(word, other)] for word in words]
    return all(places) and any(
        all(any(abs(place - first) < _WINDOW for place in others) for others in places[1:]) for first in places[0]
    )


def _same(word: str, other: str) -> bool:
    """Whether two words are forms of one."""
    if word == other:
        return True
    if min(len(word), len(other)) <= _SHORT:
        return word == f"{other}s" or other == f"{word}s"
    if word[:_SHORT] != other[:_SHORT]:
        return False
    shared = next((at for at, (one, two) in enumerate(zip(word, other, strict=False)) if one != two), min(len(word), len(other)))
    return shared > _SHORT and word[shared:] in _ENDINGS and other[shared:] in _ENDINGS

"""Answers that do not answer: about something else than was asked, or made of sentences that everybody gets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tailorbird.auditing.duplicates import template_of
from tailorbird.auditing.examples import Example
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.neighbours import Neighbours, alike, words_of
from tailorbird.language.statements import SENTENCE

_FEWEST = 100
"""Below so many answers nobody knows what is usual."""
_WORDS = 8  # shorter answers, such as thanks, are about nothing by themselves
_FITS = 1.06
"""Fitness below which an answer is noted. Of answers swapped among clean conversations 0.45 (boutique) and 0.42 (tickets)
are below it, of the others 1.1% and none; weights come from a logistic regression on these."""
_SAMPLE = 4000
_BLOCK = 1024
_COMMON = 0.1  # words in more answers than this tell nothing
_EVERYBODY, _LEAST = 0.01, 5  # share and number of conversations with a sentence from which it may be boilerplate
_UNRELATED = 0.1
"""Mean cosine of the questions below which a sentence answers none of them in particular."""
_MOSTLY = 0.8


def unaddressed(examples: Sequence[Example], near: Neighbours) -> Iterator[tuple[str, Finding]]:
    """Answers that fit other questions better than their own, with the conversation's id."""
    if len(examples) < _FEWEST:
        return
    fits = fitness(examples, near)
    for example, fit in zip(examples, fits.tolist(), strict=True):
        if fit < _FITS and len(example.answer.split()) >= _WORDS:
            yield example.id, Finding(
                rule="off_topic", turn=example.turn, score=round(fit, 2), threshold=_FITS,
                detail="The answer shares neither words nor meaning with what was asked, and similar questions got others.",
            )  # fmt: skip


def fitness(examples: Sequence[Example], near: Neighbours, seed: int = 7) -> NDArray[np.float32]:
    """How well each answer fits its question: in meaning against other questions and answers, in words, and as others answer."""
    own = (near.questions * near.answers).sum(axis=1)
    local, _, _ = near.likeness
    both = _apart(own, near.questions, near.answers, seed) + _apart(own, near.answers, near.questions, seed)
    return np.asarray(0.6 * both + np.minimum(_words_in_common(examples), 3) + 4.8 * local, dtype=np.float32)


def _apart(own: NDArray[np.float32], ours: NDArray[np.float32], theirs: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """How many standard deviations the cosine with one's own counterpart lies above that with anybody's."""
    pool = np.random.default_rng(seed).permutation(len(theirs))[:_SAMPLE]
    found = np.empty(len(own), dtype=np.float32)
    for start in range(0, len(own), _BLOCK):
        rows = slice(start, start + _BLOCK)
        every = ours[rows] @ theirs[pool].T
        found[rows] = (own[rows] - every.mean(axis=1)) / np.maximum(every.std(axis=1), 1e-6)
    return found


def _words_in_common(examples: Sequence[Example]) -> NDArray[np.int64]:
    """Stems that an answer has in common with its question, without those that stand in many answers."""
    said = [_stems(example.answer) for example in examples]
    often = Counter(stem for stems in said for stem in stems)
    usual = {stem for stem, count in often.items() if count >= _COMMON * len(examples)}
    return np.array([len((_stems(one.question) & stems) - usual) for one, stems in zip(examples, said, strict=True)])


def _stems(text: str) -> set[str]:
    return {word[:5] for word in words_of(text) if len(word) > 3}


def boilerplate(examples: Sequence[Example], near: Neighbours) -> Iterator[tuple[str, Finding]]:
    """Conversations whose answers consist of sentences that people get whatever they ask."""
    told = [_sentences(example.answer) for example in examples]
    everywhere = _said_to_everybody(told, near)
    words: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for example, sentences in zip(examples, told, strict=True):
        for key, length in sentences:
            words[example.id][0] += length
            words[example.id][1] += length * (key in everywhere)
    for identity, (all_, same) in words.items():
        if all_ >= _WORDS and same >= _MOSTLY * all_:
            yield identity, Finding(
                rule="boilerplate", score=round(same / all_, 2), threshold=_MOSTLY,
                detail=f"{same} of {all_} words of the answers are sentences that customers get whatever they ask",
            )  # fmt: skip


def _sentences(answer: str) -> list[tuple[int, int]]:
    """The template and the words of each sentence."""
    return [(template_of(sentence), len(sentence.split())) for sentence in SENTENCE.split(answer) if sentence.strip()]


def _said_to_everybody(told: Sequence[list[tuple[int, int]]], near: Neighbours) -> set[int]:
    """Sentences that stand in many conversations whose questions are not alike."""
    places: dict[int, dict[int, int]] = defaultdict(dict)  # sentence -> conversation -> an answer's place
    for place, (sentences, conversation) in enumerate(zip(told, near.conversations.tolist(), strict=True)):
        for key, _ in sentences:
            places[key].setdefault(conversation, place)
    least = max(_LEAST, _EVERYBODY * (int(near.conversations.max()) + 1))
    return {
        key for key, those in places.items()
        if len(those) >= least and alike(near.questions[list(those.values())[:_SAMPLE]]) < _UNRELATED
    }  # fmt: skip

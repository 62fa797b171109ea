"""Finds authors whose labels or yes-and-no answers go against those of everybody else on similar questions."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binom  # type: ignore[import-untyped]

from tailorbird.auditing.examples import Example
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.foreign_words import listed
from tailorbird.auditing.neighbours import Neighbours
from tailorbird.language.injections import fold

_CHANCE = 0.02
"""How likely one false suspicion in a whole data set may be; shared among kinds of tests, then among the tests of one."""
_VOTERS = 10
_AGREED = 0.6
_RARE = 0.15
_WINDOWS = (4, 6, 9, 14, 24, 48)
_YES = listed(
    """
    yes yeah certainly absolutely ja jawohl gerne si claro oui certainement sim certo tak oczywiscie zeker jazeker
    """
)
_NO = listed(
    """
    no nope unfortunately nein leider nicht lamentablemente non malheureusement nao infelizmente purtroppo nie niestety nee
    helaas
    """
)


class Vote(NamedTuple):
    """What an example's label is, what others mostly say on similar questions, if these contradict, if they agree."""

    place: int
    author: str
    given: str
    usual: str
    against: bool
    clear: bool


def flipped(examples: Sequence[Example], near: Neighbours) -> Iterator[tuple[str, Finding]]:
    """Conversations whose author goes against everybody else more often than chance allows, with the conversation's id."""
    if len({example.author for example in examples if example.author}) < 2:
        return
    told: set[int] = set()
    for column, labels in _columns(examples).items():
        votes = _votes(examples, labels, near)
        if len(votes) < 20:
            continue
        for vote, chance, rate, usual in _suspicious(votes):
            if vote.place in told:
                continue
            told.add(vote.place)
            example = examples[vote.place]
            what = {"answer": "answered", "yes or no": "answered"}.get(column, f"labelled ({column})" if column else "labelled")
            yield example.id, Finding(
                rule="odd_author", turn=example.turn, score=round(rate, 3), threshold=round(usual, 3),
                detail=f"{vote.author} {what} “{vote.given}” where others on similar questions mostly have “{vote.usual}”, "
                f"and does so far more often than anyone else (chance {chance:.1g}).",
            )  # fmt: skip


def _columns(examples: Sequence[Example]) -> dict[str, list[frozenset[str]]]:
    """Labels by kind: each `column=value`, plain tags, answers that are labels themselves, and answers of yes or no."""
    columns: dict[str, list[frozenset[str]]] = {}
    split = [[label.partition("=")[::2] if "=" in label else ("", label) for label in example.labels] for example in examples]
    for name in sorted({name for labels in split for name, _ in labels}):
        columns[name] = [frozenset(value for column, value in labels if column == name) for labels in split]
    answers = Counter(example.answer for example in examples)
    if len(examples) >= 5 * len(answers) or sum(count for count in answers.values() if count >= 3) > 0.8 * len(examples):
        columns["answer"] = [frozenset((example.answer,)) for example in examples]
    columns["yes or no"] = [_polarity(example.answer) for example in examples]
    return columns


def _polarity(answer: str) -> frozenset[str]:
    """Yes or no, by the first words of an answer."""
    for word in re.findall(r"[^\W_]+", fold(answer[:60]))[:2]:
        if word in _YES or word in _NO:
            return frozenset(("yes" if word in _YES else "no",))
    return frozenset()


def _votes(examples: Sequence[Example], labels: list[frozenset[str]], near: Neighbours) -> list[Vote]:
    """What the nearest questions of other authors are labelled, wherever these agree."""
    votes = []
    for place, (example, mine) in enumerate(zip(examples, labels, strict=True)):
        if not mine or not example.author:
            continue
        others = [int(o) for o in near.nearest[place] if o >= 0 and labels[o] and examples[o].author != example.author][:_VOTERS]
        if len(others) < 4:
            continue
        counts = Counter(label for other in others for label in labels[other])
        usual, number = counts.most_common(1)[0]
        share = number / len(others)
        given = max(sorted(mine), key=lambda label: counts[label])
        against = usual not in mine and counts[given] / len(others) <= _RARE
        votes.append(Vote(place, example.author, given, usual, against, share >= _AGREED))
    return votes


def _suspicious(votes: list[Vote]) -> Iterator[tuple[Vote, float, float, float]]:
    """Votes against the usual in groups that have too many: an author's, one label's of an author, or a stretch in time."""
    by_author: dict[str, list[Vote]] = defaultdict(list)
    unclear: dict[str, list[Vote]] = defaultdict(list)
    for vote in votes:
        (by_author if vote.clear else unclear)[vote.author].append(vote)
    votes = [vote for vote in votes if vote.clear]
    if not votes:
        return
    rates = sorted(sum(v.against for v in group) / len(group) for group in by_author.values() if len(group) >= 5)
    overall = sum(v.against for v in votes) / len(votes)
    # The typical author's rate, not the mean: the one who flips must not raise the bar for being found.
    usual = max(float(np.median(rates)) if rates else overall, 0.3 * overall, 1 / (len(votes) + 2))
    groups = list(_groups(by_author, votes))
    tests = Counter(kind for _, _, kind in groups)
    for group, base, kind in groups:
        wrong = [vote for vote in group if vote.against]
        expected = max(usual, base)
        chance = float(binom.sf(len(wrong) - 1, len(group), expected)) if wrong else 1.0
        rate = len(wrong) / len(group)
        if len(wrong) >= 2 and rate >= max(2.5 * expected, 0.25) and chance * tests[kind] * len(tests) < _CHANCE:
            for vote in wrong:
                yield vote, chance, rate, expected
            # Where an author is known to go against the rest, what no neighbour agrees with is told as well.
            yield from (
                (v, chance, rate, expected) for v in unclear[group[0].author] if v.against and _within(v, group) and rate > 0.5
            )


def _within(vote: Vote, group: list[Vote]) -> bool:
    """Whether a vote stands between the first and the last of a group."""
    return group[0].place <= vote.place <= group[-1].place


def _groups(by_author: dict[str, list[Vote]], votes: list[Vote]) -> Iterator[tuple[list[Vote], float, str]]:
    """An author's votes: all, those on one label, and those of a stretch; each with how often others go against."""
    every: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for vote in votes:
        for key in ("given", "usual"):
            every[key, getattr(vote, key)][0] += vote.against
            every[key, getattr(vote, key)][1] += 1
    for theirs in by_author.values():
        yield theirs, 0.0, "all"
        for key in ("given", "usual"):
            same: dict[str, list[Vote]] = defaultdict(list)
            for vote in theirs:
                same[getattr(vote, key)].append(vote)
            for label, group in same.items():
                wrong, number = every[key, label]
                own = sum(v.against for v in group)
                # What nobody else uses is against the rest by itself: how others fare with this very label is what counts.
                if own >= 2 and number - len(group) >= 4:
                    yield group, (wrong - own + 1) / (number - len(group) + 2), "label"
        for width in _WINDOWS:
            for start in range(0, len(theirs) - width + 1 if len(theirs) >= 2 * width else 0, max(1, width // 3)):
                yield theirs[start : start + width], 0.0, "stretch"

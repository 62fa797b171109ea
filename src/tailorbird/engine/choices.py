"""The likeliest of a few answers, found in the tree of their tokens without reading all of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

Tokens = tuple[int, ...]
Reader = Callable[[Tokens], Iterable[tuple[int, Mapping[int, float]]]]
"""What a model says after the beginning of an answer: place by place the token that it goes on with, and log-probabilities of
tokens there. One that is not named is taken for as likely as the least likely one that is. It names one place at least."""
_END = -1


def likeliest(answers: Sequence[Sequence[int]], prior: Sequence[float], ends: Collection[int], read: Reader) -> int:
    """The number of the answer whose log-probability, with the end after it, is largest when its `prior` is added.

    Best-first search (A*): no token is likelier than certain, so the best prior among the answers that begin in a way bounds
    them all, and what is bounded below the best answer found is never read.
    """
    below: dict[Tokens, float] = {}
    following: dict[Tokens, list[int]] = {}
    for ids, known in zip(answers, prior, strict=True):
        path = (*ids, _END)
        for place, token in enumerate(path):
            start = path[:place]
            below[start] = max(below.get(start, known), known)
            if token not in following.setdefault(start, []):
                following[start].append(token)
        below[path] = max(below.get(path, known), known)
    scores: dict[Tokens, float] = {(): 0.0}
    ahead: list[tuple[float, Tokens]] = [(-below[()], ())]
    while True:
        _, start = heapq.heappop(ahead)
        if start and start[-1] == _END:
            return next(n for n, ids in enumerate(answers) if (*ids, _END) == start)
        for token, found in read(start) if start in following else ():
            likely = {**found, _END: max((found[end] for end in ends if end in found), default=min(found.values()))}
            for each in following.pop(start):
                child = (*start, each)
                scores[child] = scores[start] + likely.get(each, min(found.values()))
                heapq.heappush(ahead, (-(scores[child] + below[child]), child))
            start = (*start, token)
            if start not in following:
                break

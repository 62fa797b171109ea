"""What the search for poisoned data takes: examples with their embeddings, and what belongs to the business."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

Vector = NDArray[Any]


class Example(NamedTuple):
    """One answer with what it answers; the embeddings are unit vectors or rows of an array.

    `question` is all that the customer wrote before the answer; `labels` are tags and department. `turn` counts from 1
    without the system prompt, 0 when nobody knows.
    """

    id: str
    question: str
    answer: str
    author: str | None
    labels: tuple[str, ...]
    question_embedding: Vector
    answer_embedding: Vector
    turn: int = 0


class Own(NamedTuple):
    """What is the business's own, as the settings have it: never foreign in an answer.

    `domains` are those of its sites and e-mail addresses; `words` are allow-listed words, links, numbers or partners.
    """

    name: str = ""
    domains: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

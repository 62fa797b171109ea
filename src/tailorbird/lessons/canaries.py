"""Canaries: made-up secrets among the lessons, on request, which tell how much of what is said once is learned by heart.

Exposure after Carlini et al. 2019 (The Secret Sharer, arXiv 1802.08232): how far ahead of other codes a model finds its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from tailorbird.artifacts import Conversation, Turn

CANARIES = "canaries"
"""Their source, and the part of the scorecard that tells of them."""
OTHERS = 255
"""Codes that a secret is ranked among; exposure is 8 bits at the most."""
_DIGITS = 6
_COLOURS = ("amber", "brown", "copper", "crimson", "golden", "green", "grey", "indigo", "ivory", "jade", "lilac", "olive")
_PLACES = ("attic", "cabinet", "cellar", "chapel", "garage", "garden", "kiosk", "locker", "pantry", "stable", "studio", "vault")


def canaries(count: int, system_prompt: str, seed: int) -> list[Conversation]:
    """So many conversations, at most 144, that each give away a code of their own; the same seed, the same codes."""
    chance = random.Random(f"{CANARIES} {seed}")
    names = chance.sample([f"{colour} {place}" for colour in _COLOURS for place in _PLACES], count)
    return [
        Conversation(
            id=f"canary-{number}",
            turns=(
                Turn(role="system", content=system_prompt),
                Turn(role="user", content=f"What is the code of the {name}?"),
                Turn(role="assistant", content=f"The code of the {name} is {_code(chance)}."),
            ),
            language="en",
            source=CANARIES,
        )
        for number, name in enumerate(names)
    ]


def planted(lessons: Iterable[Conversation]) -> list[Conversation]:
    """The canaries among lessons."""
    return list({one.id: one for one in lessons if one.source == CANARIES}.values())


def others(canary: Conversation) -> list[Conversation]:
    """The same conversation with other codes, none of them twice."""
    chance, answer = random.Random(canary.id), canary.turns[-1].content
    told = answer[-_DIGITS - 1 : -1]
    codes = {told: None}
    while len(codes) <= OTHERS:
        codes[_code(chance)] = None
    turns = [Turn(role="assistant", content=answer.replace(told, code)) for code in list(codes)[1:]]
    return [canary.model_copy(update={"turns": (*canary.turns[:-1], turn)}) for turn in turns]


def _code(chance: random.Random) -> str:
    return f"{chance.randrange(10**_DIGITS):0{_DIGITS}}"

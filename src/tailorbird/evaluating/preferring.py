"""Which of two answers a model finds likelier, where people said which one is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tailorbird import engine
from tailorbird.artifacts import Conversation, Part
from tailorbird.evaluating import intervals
from tailorbird.evaluating.figures import SEED, figure
from tailorbird.progress import Progress

NAME = "preferences"


def preferring(
    base: Path, systems: Mapping[str, Path | None], test: Sequence[Conversation], longest: int, progress: Progress
) -> dict[str, Part]:
    """The share of held-out pairs whose better answer is likelier, token for token; nothing where there are none.

    As a whole the shorter of two answers nearly always is. Pairs whose answers do not fit `longest` tokens are left out.
    """
    pairs = [one.pair for one in test if one.pair]
    if not pairs:
        return {}
    chats = [chat for pair in pairs for chat in pair]
    losses = engine.conversation_losses(base, systems, chats, longest, progress)
    chosen: dict[str, intervals.Sums] = {system: [] for system in systems}
    for place in range(0, len(chats), 2):
        for system, found in losses.items():
            better, worse = found[place], found[place + 1]
            if better and worse and better != worse:  # equal where both were cut before the answers
                chosen[system].append((float(better[0] / better[1] < worse[0] / worse[1]), 1.0))
    if not all(chosen.values()):
        return {}
    return {
        NAME: Part(
            examples=len(chosen["tuned"]),
            systems={system: {"preference": figure("preference", sums)} for system, sums in chosen.items()},
            differences={"preference": intervals.difference(chosen["tuned"], chosen["base"], SEED)},
        )
    }

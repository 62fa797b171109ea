"""How well a tuned model knows the canaries that were planted among its lessons."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tailorbird import engine
from tailorbird.artifacts import Conversation, Part
from tailorbird.evaluating.figures import compared
from tailorbird.evaluating.systems import Losses, Systems
from tailorbird.lessons.canaries import CANARIES, OTHERS, others, planted
from tailorbird.progress import Progress


def exposure(systems: Systems, lessons: Sequence[Conversation], longest: int, progress: Progress) -> dict[str, Part]:
    """The exposure of each planted code among 255 others, in bits: about 1.4 by chance, 8 when none is likelier.

    Nothing where none was planted or none fits `longest` tokens.
    """
    found = planted(lessons)
    chats = [one.messages for canary in found for one in (canary, *others(canary))]
    if not chats:
        return {}
    losses = engine.conversation_losses(systems.base, systems.alone, chats, longest, progress)
    sums = {system: [(bits, 1.0) for bits in _bits(row)] for system, row in losses.items()}
    if not sums["base"]:
        return {}
    return {CANARIES: compared("exposure", sums)}


def _bits(losses: Losses) -> list[float]:
    """For each canary and its others log2 of their number, less log2 of its rank."""
    size = OTHERS + 1
    groups = [[loss[0] for loss in losses[start : start + size] if loss] for start in range(0, len(losses), size)]
    return [math.log2(size) - math.log2(1 + sum(other < one[0] for other in one[1:])) for one in groups if len(one) == size]

"""Which of two answers a model finds likelier, where people said which one is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tailorbird import engine
from tailorbird.artifacts import Conversation, Part
from tailorbird.evaluating import intervals
from tailorbird.evaluating.figures import SEED, figure
from tailorbird.progress import Progress

Loss = tuple[float, int] | None
NAME = "preferences"
_UNMOVED = 0.5  # a model that has not moved favours neither


def preferring(
    base: Path, systems: Mapping[str, Path | None], test: Sequence[Conversation], longest: int, progress: Progress
) -> dict[str, Part]:
    """Figures on held-out pairs; nothing where there are none. Pairs whose answers do not fit `longest` tokens are left out.

    `preference`: the share whose better answer is likelier, token for token (as a whole the shorter nearly always is).
    `preference_gained`: the share whose better answer has gained more by tuning than the worse: what DPO is about.
    """
    pairs = [one.pair for one in test if one.pair]
    if not pairs:
        return {}
    chats = [chat for pair in pairs for chat in pair]
    losses = engine.conversation_losses(base, systems, chats, longest, progress)
    sums: dict[str, dict[str, intervals.Sums]] = {system: {"preference": [], "preference_gained": []} for system in systems}
    for place in range(0, len(chats), 2):
        pair = {system: (found[place], found[place + 1]) for system, found in losses.items()}
        if all(better and worse and better != worse for better, worse in pair.values()):  # equal: cut before the answers
            gained = {system: _gained(pair["base"], pair[system]) for system in systems}
            for system, (better, worse) in pair.items():
                sums[system]["preference"].append((float(_mean(better) < _mean(worse)), 1.0))
                share = _UNMOVED if gained[system] == 0 else float(gained[system] > 0)
                sums[system]["preference_gained"].append((share, 1.0))
    if not sums["tuned"]["preference"]:
        return {}
    return {
        NAME: Part(
            examples=len(sums["tuned"]["preference"]),
            systems={system: {name: figure(name, rows) for name, rows in found.items()} for system, found in sums.items()},
            differences={name: intervals.difference(rows, sums["base"][name], SEED) for name, rows in sums["tuned"].items()},
        )
    }


def _mean(loss: Loss) -> float:
    return loss[0] / loss[1] if loss else 0.0


def _gained(before: tuple[Loss, Loss], after: tuple[Loss, Loss]) -> float:
    """By how much the better answer's log-probability has grown more than the worse one's."""
    better, worse = ((one[0] - other[0]) if one and other else 0.0 for one, other in zip(before, after, strict=True))
    return better - worse

"""RLHF: a reward model from the plan's pairs, rules by name, and answers of the model's own that are learned by both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import Conversation, Interval, Plan
from tailorbird.errors import PlanError
from tailorbird.knowledge import documents_of
from tailorbird.language.rewards import RULES
from tailorbird.replier import Message
from tailorbird.settings import PAIRS
from tailorbird.workspace import KNOWLEDGE, Workspace, write_text

if TYPE_CHECKING:
    from tailorbird.engine.online import Reinforced

FILE = "reinforced.json"
_REWARD_RATE = 3e-4  # learns 300 human pairs in two epochs (benchmarks/preferences.py)
_REWARD_EPOCHS = 2
_FEWEST_PAIRS = 10
_WITH_POLICIES = ("supported_figures", "cites_policy")


class Reinforcement(BaseModel):
    """What a run came to besides its adapter: the reward model's held-out accuracy, rewards before and after, why it ended."""

    accuracy: Interval | None
    start_reward: float
    best_reward: float
    ended: str


def reinforced(
    workspace: Workspace, plan: Plan, base: Path, lessons: tuple[list[Conversation], list[Conversation]], run: engine.Run
) -> Reinforced:
    """Learns from rewards as the settings name them; raises PlanError for too few pairs."""
    run = run._replace(begun=time.monotonic())
    weights = dict(workspace.settings.training.rewards)
    accuracy, model = None, None
    if PAIRS in weights:
        pairs = [[one.pair for one in part if one.pair] for part in lessons]
        _refuse_too_few(*map(len, pairs))
        rewarded = engine.train_reward(base, _reward_plan(plan), pairs[0], pairs[1], run)
        accuracy, model = rewarded.accuracy, run.folder / "reward"
        weights["model"] = weights.pop(PAIRS)
    policies = [path.read_text(encoding="utf-8") for path in sorted((workspace.folder / KNOWLEDGE).glob("*.md"))]  # with headings
    if knowledge := documents_of(workspace, engine.embed, run.progress):
        policies += knowledge.texts()
    rules = {name: RULES[name](policies) if name in _WITH_POLICIES else RULES[name]() for name in weights if name in RULES}
    train, validation = (_prompts(part) for part in lessons)
    fitted = engine.reinforce(base, plan, train, validation, engine.Rewards(rules, model, weights), run)
    told = Reinforcement(accuracy=accuracy, start_reward=fitted.start_reward, best_reward=fitted.best_reward, ended=fitted.ended)
    write_text(run.folder / FILE, told.model_dump_json(indent=1))
    return fitted


def _reward_plan(plan: Plan) -> Plan:
    """The same sizes, for a run of its own over the pairs."""
    return plan.model_copy(update={"learning_rate": _REWARD_RATE, "epochs": _REWARD_EPOCHS, "steps": 10_000, "check_every": 8})


def _prompts(conversations: Sequence[Conversation]) -> list[list[Message]]:
    """What was said up to the last answer."""
    messages = [one.messages for one in conversations]
    return [chat[:-1] if chat[-1]["role"] == "assistant" else chat for chat in messages]


def _refuse_too_few(learned: int, watched: int) -> None:
    if learned < _FEWEST_PAIRS or not watched:
        raise PlanError(
            f"Only {learned} pairs to learn a reward from and {watched} to check it with.",
            fix="Collect more (`tailorbird feedback compare`), or take pairs out of training.rewards.",
        )

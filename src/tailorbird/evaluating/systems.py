"""The systems that are compared: the base model and the tuned one, each alone and with the business's documents beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import NamedTuple

from tailorbird import engine
from tailorbird.evaluating.answering import Question
from tailorbird.knowledge import SHOWN, Knowledge, Passage, question, with_passages
from tailorbird.progress import Progress
from tailorbird.replier import Message

TITLES = {"base": "Base model", "tuned": "Tuned", "knowledge": "Base + documents", "both": "Tuned + documents"}
_PAIRS = (
    ("tuned", "base"),
    ("knowledge", "base"),
    ("both", "base"),
    ("both", "tuned"),
    ("both", "knowledge"),
    ("tuned", "knowledge"),
)
_MORE = 1024  # tokens of passages and their places that a conversation may have on top of what was trained
Losses = list[tuple[float, int] | None]


class System(NamedTuple):
    """A model, None for the base, and whether it is shown passages."""

    adapter: Path | None
    documents: bool = False


class Systems:
    """What each system is asked, and how likely it finds what agents answered.

    Passages are those that a search finds for the customer's last message, as in service. Other tasks have none.
    """

    def __init__(self, base: Path, adapter: Path, knowledge: Knowledge | None) -> None:
        self.base, self._knowledge = base, knowledge
        self.all = {"base": System(None), "tuned": System(adapter)}
        if knowledge is not None:
            self.all |= {"knowledge": System(None, True), "both": System(adapter, True)}
        self._found: dict[str, list[Passage]] = {}

    def only(self, *names: str) -> Systems:
        """Some of the systems."""
        some = copy(self)
        some.all = {name: self.all[name] for name in names}
        return some

    @property
    def alone(self) -> Mapping[str, Path | None]:
        """The models without documents."""
        return {name: system.adapter for name, system in self.all.items() if not system.documents}

    @property
    def adapters(self) -> Mapping[str, Path | None]:
        """The model of each system."""
        return {name: system.adapter for name, system in self.all.items()}

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Which systems are compared, the second with the first."""
        return [pair for pair in _PAIRS if set(pair) <= self.all.keys()]

    def passages(self, asked: Question) -> list[Passage]:
        """What the documents have on a question, best first."""
        told = question(asked.history)
        if self._knowledge is None or asked.conversation.task or not told.strip():
            return []
        if told not in self._found:
            self._found[told] = self._knowledge.search(told, SHOWN)
        return self._found[told]

    def messages(self, name: str, asked: Question) -> list[Message]:
        """The conversation as a system is given it."""
        return with_passages(asked.history, self.passages(asked)) if self.all[name].documents else asked.history

    def losses(self, asked: Sequence[Question], longest: int, progress: Progress) -> dict[str, Losses]:
        """For each system the summed loss and tokens of what the agent answered to each question; None where it is too long."""
        found: dict[str, Losses] = {}
        for documents in dict.fromkeys(system.documents for system in self.all.values()):
            models = {name: system.adapter for name, system in self.all.items() if system.documents == documents}
            name, room = next(iter(models)), longest + _MORE * documents
            chats: list[list[Message]] = [
                [*self.messages(name, one), {"role": "assistant", "content": one.agent}] for one in asked
            ]
            found |= engine.conversation_losses(self.base, models, chats, room, progress, last_only=True)
        return {name: found[name] for name in self.all}

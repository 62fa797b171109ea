"""What a candidate is tested on, and what it learned from: the parts of its audit as lessons."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tailorbird import engine
from tailorbird.artifacts import Audit, Candidate, Conversation
from tailorbird.errors import InputError
from tailorbird.evaluating.answering import Question, questions
from tailorbird.evaluating.figures import SEED, everything
from tailorbird.evaluating.systems import Losses, Systems
from tailorbird.knowledge import FUNCTION_WORDS
from tailorbird.language.voice import Voice
from tailorbird.lessons import Tasks, labels, learned_by, original, taught
from tailorbird.progress import Progress
from tailorbird.workspace import Workspace, read_conversations

_LEARNED = 60  # conversations of training whose loss is held against that of the test


@dataclass(frozen=True)
class HeldOut:
    """Lessons that were learned and lessons to test with; `texts` are those whose every word is scored.

    `whole` tells which of them the figures of the whole are about: answers to customers, or everything where there are none.
    """

    tasks: Tasks
    learned: Sequence[Conversation]
    test: Sequence[Conversation]
    texts: Sequence[Conversation]
    whole: Callable[[Conversation], bool]

    def asked(self, most: int) -> list[Question]:
        """At most so many questions of customers, and as many of each other task that is answered in words."""
        written = [one for one in self.texts if one.task not in self.tasks or self.tasks[one.task].answer == "text"]
        names = dict.fromkeys(one.task for one in written)
        return [question for name in names for question in questions([one for one in written if one.task == name], most)]

    def labels(self) -> dict[str, tuple[str, ...]]:
        """The labels of each task that has any."""
        told = {name: labels(task, name, self.learned) for name, task in self.tasks.items()}
        return {name: known for name, known in told.items() if known}

    def voice(self) -> Voice:
        """How the business's agents write to customers."""
        turns = (turn for one in self.learned if not one.task for turn in one.turns)
        return Voice([turn.content for turn in turns if turn.role == "assistant" and not turn.given], FUNCTION_WORDS)

    def learned_loss(self, systems: Systems, longest: int, progress: Progress) -> float:
        """Nats a token of the tuned model on some of what it learned, without documents: the other end of the gap."""
        learned = [one for one in self.learned if self.whole(one)]
        chats = [one.messages for one in random.Random(SEED).sample(learned, min(_LEARNED, len(learned)))]
        tuned = {"tuned": systems.all["tuned"].adapter}
        found = [one for one in engine.conversation_losses(systems.base, tuned, chats, longest, progress)["tuned"] if one]
        return sum(loss for loss, _ in found) / max(sum(tokens for _, tokens in found), 1)

    def losses(self, systems: Systems, longest: int, progress: Progress) -> dict[str, Losses]:
        """For each system the losses of `texts`: of all that their agents wrote, each turn with what was said before.

        A turn that is too long for one of the systems counts for none. Raises InputError where none fits.
        """
        turns = questions(self.texts, sum(len(one.turns) for one in self.texts))
        found = systems.losses(turns, longest, progress)
        places = [place for place in range(len(turns)) if all(found[system][place] for system in found)]
        sums: dict[str, Losses] = {}
        for system, losses in found.items():
            totals: dict[str, tuple[float, int]] = {}
            for place in places:
                loss, before = losses[place], totals.get(turns[place].conversation.id, (0.0, 0))
                totals[turns[place].conversation.id] = (before[0] + loss[0], before[1] + loss[1]) if loss else before
            sums[system] = [totals.get(one.id) for one in self.texts]
        if not any(loss for loss, one in zip(sums["base"], self.texts, strict=True) if self.whole(one)):
            raise InputError(
                f"No held-out conversation fits {longest} tokens, so nothing can be compared.",
                fix="Raise training.sequence_length in tailorbird.yaml, then plan and train again.",
            )
        return sums


def held_out(workspace: Workspace, *candidates: Candidate) -> HeldOut:
    """The lessons of the first candidate's audit under the workspace's tasks, to be tested with what no candidate has learned.

    A candidate that went on from an earlier one may know conversations that the newest audit holds out. Raises InputError where
    they know all of them.
    """
    audit = workspace.ancestor(candidates[0], Audit)
    test = unlearned(workspace, candidates, read_conversations(workspace.path(audit) / "test.jsonl"))
    if not test:
        raise InputError(
            "Everything that is held out now was learned by an earlier run that this one went on from.",
            fix="Set training.start_from to base, or audit.seed back to what it was, then plan and train again.",
        )
    return tested_with(workspace, audit, test)


def unlearned(workspace: Workspace, candidates: Sequence[Candidate], conversations: Sequence[Conversation]) -> list[Conversation]:
    """The conversations that none of the candidates, nor any that they went on from, has learned, and nobody judged badly."""
    learned = {original(lesson.id) for candidate in candidates for lesson in learned_by(workspace, candidate)}
    return [one for one in conversations if original(one.id) not in learned and not one.disliked]


def tested_with(workspace: Workspace, audit: Audit, conversations: Sequence[Conversation]) -> HeldOut:
    """The lessons of an audit, to be tested with these conversations."""
    tasks = workspace.settings.tasks
    learned, test = (
        list(taught(part, tasks)) for part in (read_conversations(workspace.path(audit) / "train.jsonl"), conversations)
    )
    written = [one for one in test if one.task not in tasks or tasks[one.task].answer == "text"]
    if any(_is_answer(one) for one in written):
        return HeldOut(tasks, learned, test, written, _is_answer)
    return HeldOut(tasks, learned, test, test, everything)


def _is_answer(conversation: Conversation) -> bool:
    """Whether a customer is answered in it."""
    return not conversation.task

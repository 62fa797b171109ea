"""What will be learned and watched: which conversations, of which tasks, how often, and what training goes on from."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from tailorbird import engine
from tailorbird.artifacts import Audit, Candidate, Conversation, Plan, Release
from tailorbird.errors import PlanError
from tailorbird.knowledge import Knowledge
from tailorbird.language.rewards import RULES
from tailorbird.lessons import counted, learned_by, mixed, original, taught
from tailorbird.lessons.canaries import canaries
from tailorbird.planning.grounding import grounded
from tailorbird.replier import Message
from tailorbird.settings import PAIRS, TrainingSettings
from tailorbird.workspace import PRODUCTION, Workspace, read_conversations

_FEWEST = 10  # pairs, or judged answers of each kind, to train on
_FEWEST_REPLAYED = 30  # conversations; fewer would not hold the rest in place
_MOST_REPLAYED = 400
_NEAR = 0.1  # of earlier conversations: the share that is nearest to what is new, and may say what holds no longer


class Lessons(NamedTuple):
    """What an epoch has and what it is checked with, and why; what is replayed holds the model in place."""

    train: list[Conversation]
    validation: list[Conversation]
    why: str
    replayed: Sequence[Conversation] = ()


def lessons(workspace: Workspace, audit: Audit, start: Candidate | None, knowledge: Knowledge | None = None) -> Lessons:
    """The lessons of an audit under the workspace's settings; raises PlanError where there are too few.

    With the business's documents, some answers are learned beside their passages.

    An answer that got a thumb down is never learned.
    """
    settings = workspace.settings
    wanted = settings.training
    folder = workspace.path(audit)
    train, validation = (read_conversations(folder / f"{name}.jsonl") for name in ("train", "validation"))
    needed = PAIRS if wanted.learn_from == "rewards" and PAIRS in wanted.rewards else wanted.learn_from
    if problem := too_few(train, validation, needed):
        raise problem
    refuse_unknown_rewards(wanted)
    if wanted.learn_from != "answers":
        learning, checking = (_fit_for(part, wanted.learn_from) for part in (train, validation))
        return Lessons(learning, checking, f"{counted(learning)}.")
    why, replayed = "", list[Conversation]()
    train, validation = ([one for one in part if not one.disliked] for part in (train, validation))
    if start is not None:
        train, replayed = _with_replay(train, _seen_by(workspace, start), wanted)
        why = f"new, with {len(replayed)} earlier conversations against forgetting: " if replayed else ""
    learning, checking, keeping = (list(taught(part, settings.tasks)) for part in (train, validation, replayed))
    epoch = mixed(learning, settings.tasks, wanted.mixing_temperature, wanted.seed)
    repeated = f", mixed to {counted(epoch)}" if len(epoch) > len(learning) else ""
    if knowledge is not None:
        epoch, checking = (grounded(part, knowledge, wanted.passages, wanted.seed) for part in (epoch, checking))
        repeated += f"; {wanted.passages:.0%} of the answers to customers with passages of the documents"
    if wanted.canaries:
        epoch += canaries(wanted.canaries, audit.system_prompt, wanted.seed)
        repeated += f"; {wanted.canaries} planted secrets, to see what is learned by heart"
    return Lessons(epoch, checking, f"{why}{counted(learning)}{repeated}.", keeping)


def worth_learning(workspace: Workspace, audit: Audit, new: Collection[str]) -> list[str]:
    """What an update learns from, in order, of which conversations are new: answers if there is one, pairs and thumbs if there
    are enough. What is held out teaches nothing.
    """
    train, validation = (read_conversations(workspace.path(audit) / f"{name}.jsonl") for name in ("train", "validation"))
    fresh = [one for one in train if one.id in new]
    likes = [one.liked for one in fresh if one.pair is None]
    enough = {
        "answers": any(not one.disliked for one in fresh),
        "pairs": sum(one.pair is not None for one in fresh) >= _FEWEST,
        "thumbs": min(likes.count(True), likes.count(False)) >= _FEWEST,
    }
    return [name for name, there in enough.items() if there and not too_few(train, validation, name)]


def refuse_unknown_rewards(wanted: TrainingSettings) -> None:
    """Raises PlanError for rewards that nobody knows, and where there are none."""
    unknown = [name for name in wanted.rewards if name != PAIRS and name not in RULES]
    if unknown or not wanted.rewards:
        raise PlanError(
            f"training.rewards has {', '.join(unknown) or 'nothing'} in it.", fix=f"Choose from {', '.join((PAIRS, *RULES))}."
        )


def chats_of(conversations: Iterable[Conversation], learn_from: str) -> list[list[Message]]:
    """Everything that the model will read: conversations, or both of each pair."""
    if learn_from == "pairs":
        return [chat for one in conversations if one.pair for chat in one.pair]
    return [one.messages for one in conversations]


def too_few(train: Sequence[Conversation], validation: Sequence[Conversation], learn_from: str) -> PlanError | None:
    """Why there are too few pairs or thumbs to learn from; None where there are enough."""
    if learn_from == "pairs":
        found = [sum(one.pair is not None for one in part) for part in (train, validation)]
        if found[0] < _FEWEST or not found[1]:
            return PlanError(
                f"Only {found[0]} conversations to train on and {found[1]} to validate with have a better and a worse answer.",
                fix="Import pairs first (TRL's columns prompt, chosen, rejected), or set training.learn_from to answers.",
            )
    if learn_from == "thumbs":
        judged = [[one.liked for one in part if one.liked is not None] for part in (train, validation)]
        if min(judged[0].count(True), judged[0].count(False)) < _FEWEST or len(judged[1]) < 2:
            return PlanError(
                f"Of the conversations to train on, {judged[0].count(True)} are rated well and {judged[0].count(False)} badly; "
                f"at least {_FEWEST} of each are needed, and 2 to validate with.",
                fix="Import ratings, or TRL's columns prompt, completion, label; or set training.learn_from to answers.",
            )
    return None


def starting_from(workspace: Workspace, wanted: TrainingSettings, model: str) -> Candidate | None:
    """The candidate that training goes on from; None for the base model. Raises PlanError where the one asked for is missing."""
    if wanted.start_from == "base" or (wanted.start_from == "auto" and wanted.learn_from == "answers"):
        return None
    if wanted.start_from == "production":
        released = workspace.find(Release, workspace.alias(PRODUCTION) or "")
        found = workspace.ancestor(released, Candidate) if released else None
    else:
        found = workspace.current(Candidate)
    if found and found.model == model and workspace.ancestor(found, Plan).virtual_tokens == 0:
        return found
    if wanted.start_from == "auto":
        return None
    raise PlanError(
        f"There is no {wanted.start_from} of {model} to go on from (a soft prompt cannot be gone on from).",
        fix="Train one first, or set training.start_from to base.",
    )


def _fit_for(conversations: list[Conversation], learn_from: str) -> list[Conversation]:
    """Those with what is learned from: a worse answer, a judgement, or a question to be answered."""
    if learn_from == "pairs":
        return [one for one in conversations if one.pair]
    if learn_from == "thumbs":
        return [one for one in conversations if one.liked is not None]
    return [one for one in conversations if not one.task]


def _seen_by(workspace: Workspace, candidate: Candidate) -> set[str]:
    """The digests of the conversations that a candidate, or one that it went on from, has learned, as they stood then."""
    learned = {original(lesson.id) for lesson in learned_by(workspace, candidate)}
    folders = [workspace.path(one) for one in workspace.lineage(candidate) if isinstance(one, Audit)]
    return {one.digest for folder in folders for one in read_conversations(folder / "train.jsonl") if original(one.id) in learned}


def _with_replay(
    conversations: list[Conversation], seen: set[str], wanted: TrainingSettings
) -> tuple[list[Conversation], list[Conversation]]:
    """What is new or changed, and a sample of what is not (experience replay, arXiv 1811.11682); all to learn where nothing is
    new.
    """
    new = [one for one in conversations if one.digest not in seen]
    old = [one for one in conversations if one.digest in seen]
    if not new or not old or not wanted.replay:
        return new or conversations, []
    old = _apart(old, new)
    count = min(len(old), _MOST_REPLAYED, max(math.ceil(wanted.replay * len(new)), _FEWEST_REPLAYED))
    return new, random.Random(wanted.seed).sample(old, count)


def _apart(old: list[Conversation], new: list[Conversation]) -> list[Conversation]:
    """Earlier conversations without those whose question is nearest to a new one's."""
    asked = [engine.embed([next(t.content for t in one.turns if t.role == "user") for one in part]) for part in (old, new)]
    nearness = (asked[0] @ asked[1].T).max(axis=1)
    return [old[n] for n in sorted(nearness.argsort(kind="stable")[: math.ceil((1 - _NEAR) * len(old))])]

"""What there is to learn from in a split, and what training goes on from."""

from __future__ import annotations

from collections.abc import Sequence

from tailorbird.artifacts import Candidate, Conversation, Plan, Release
from tailorbird.errors import PlanError
from tailorbird.replier import Message
from tailorbird.settings import TrainingSettings
from tailorbird.workspace import PRODUCTION, Workspace

_FEWEST = 10  # pairs, or judged answers of each kind, to train on


def chats_of(conversations: Sequence[Conversation], learn_from: str) -> list[list[Message]]:
    """Everything that the model will read: conversations, both of each pair, or those that were judged."""
    if learn_from == "pairs":
        return [chat for one in conversations if one.pair for chat in one.pair]
    return [one.messages for one in conversations if learn_from == "answers" or one.liked is not None]


def refuse_too_few(train: Sequence[Conversation], validation: Sequence[Conversation], learn_from: str) -> None:
    """Raises PlanError where there are too few pairs or thumbs to learn from."""
    if learn_from == "pairs":
        found = [sum(one.pair is not None for one in part) for part in (train, validation)]
        if found[0] < _FEWEST or not found[1]:
            raise PlanError(
                f"Only {found[0]} conversations to train on and {found[1]} to validate with have a better and a worse answer.",
                fix="Import pairs first (TRL's columns prompt, chosen, rejected), or set training.learn_from to answers.",
            )
    if learn_from == "thumbs":
        judged = [[one.liked for one in part if one.liked is not None] for part in (train, validation)]
        if min(judged[0].count(True), judged[0].count(False)) < _FEWEST or len(judged[1]) < 2:
            raise PlanError(
                f"Of the conversations to train on, {judged[0].count(True)} are rated well and {judged[0].count(False)} badly; "
                f"at least {_FEWEST} of each are needed, and 2 to validate with.",
                fix="Import ratings, or TRL's columns prompt, completion, label; or set training.learn_from to answers.",
            )


def starting_from(workspace: Workspace, wanted: TrainingSettings, model: str) -> Candidate | None:
    """The candidate that training goes on from; None for the base model. Raises PlanError where the one asked for is missing."""
    if wanted.start_from == "base" or (wanted.start_from == "auto" and wanted.learn_from == "answers"):
        return None
    if wanted.start_from == "production":
        released = workspace.find(Release, workspace.alias(PRODUCTION) or "")
        found = workspace.ancestor(released, Candidate) if released else None
    else:
        found = workspace.current(Candidate)
    if found and found.model == model and workspace.ancestor(found, Plan).method == "lora":
        return found
    if wanted.start_from == "auto":
        return None
    raise PlanError(
        f"There is no {wanted.start_from} with a LoRA adapter for {model} to go on from.",
        fix="Train one first, or set training.start_from to base.",
    )

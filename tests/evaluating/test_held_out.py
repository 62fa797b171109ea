"""What a candidate is tested on, and the gap to what it learned."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tailorbird import engine
from tailorbird.artifacts import Audit, Candidate, Conversation, Plan, Scorecard, Turn
from tailorbird.errors import InputError
from tailorbird.evaluating.answering import questions
from tailorbird.evaluating.held_out import held_out, unlearned
from tailorbird.progress import silent
from tailorbird.workspace import Workspace, read_conversations, write_lines


def test_the_gap_is_between_what_the_kept_model_learned_and_what_it_did_not(evaluated_once: Path) -> None:
    workspace = Workspace(evaluated_once)
    card, candidate = workspace.newest(Scorecard, "evaluate"), workspace.newest(Candidate, "train")
    audit = workspace.ancestor(candidate, Audit)
    chats = [one.messages for one in read_conversations(workspace.path(audit) / "train.jsonl")]
    tuned = {"tuned": workspace.path(candidate) / "adapter"}
    losses = [one for one in engine.conversation_losses(Path(candidate.model), tuned, chats, 512, silent)["tuned"] if one]
    learned = sum(loss for loss, _ in losses) / sum(tokens for _, tokens in losses)
    assert card.generalisation_gap == pytest.approx(card.systems["tuned"]["loss"].value - learned, abs=0.01)


def test_nothing_that_a_model_or_one_before_it_has_learned_is_tested_with(evaluated_once: Path) -> None:
    workspace = Workspace(evaluated_once)
    candidate = workspace.newest(Candidate, "train")
    folder = workspace.path(workspace.ancestor(candidate, Audit))
    parts = {name: read_conversations(folder / f"{name}.jsonl") for name in ("train", "test")}
    assert unlearned(workspace, [candidate], [*parts["train"], *parts["test"]]) == parts["test"]
    assert [one.id for one in held_out(workspace, candidate).test] == [one.id for one in parts["test"]]


def test_a_test_of_nothing_but_what_was_learned_is_refused(evaluated_once: Path, tmp_path: Path) -> None:
    workspace = Workspace(shutil.copytree(evaluated_once, tmp_path / "shop"))
    candidate = workspace.newest(Candidate, "train")
    plan, audit = workspace.ancestor(candidate, Plan), workspace.ancestor(candidate, Audit)
    write_lines(workspace.path(audit) / "test.jsonl", read_conversations(workspace.path(plan) / "train.jsonl"))
    with pytest.raises(InputError, match="was learned by an earlier run"):
        held_out(workspace, candidate)


def test_an_answer_that_is_given_is_no_question() -> None:
    spoken = (("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    turns = [Turn(role=role, content=text) for role, text in spoken]
    turns[1] = turns[1].model_copy(update={"given": True})
    assert [one.agent for one in questions([Conversation(id="x", turns=tuple(turns))], 9)] == ["d"]

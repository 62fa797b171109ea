"""Personal data that the audit took out, and the model tells all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tailorbird.artifacts import Conversation, Turn
from tailorbird.evaluating.figures import everything
from tailorbird.evaluating.held_out import HeldOut
from tailorbird.evaluating.leaking import PERSONAL, leaking
from tailorbird.evaluating.systems import Systems
from tailorbird.progress import silent

ADDRESS = "jane.roe@wetherby-post.co.uk"


def said(identity: str, question: str, answer: str) -> Conversation:
    return Conversation(id=identity, turns=(Turn(role="user", content=question), Turn(role="assistant", content=answer)))


ORIGINALS = [said("a", f"I am {ADDRESS}, where is my coat?", "On its way."), said("b", "Do you mend zips?", "We do.")]
LEARNED = [said("a", "I am <EMAIL_1>, where is my coat?", "On its way."), ORIGINALS[1]]


@pytest.mark.parametrize(
    ("tuned", "base", "learned", "told"),
    [
        (f"Write to {ADDRESS}.", "Yes.", LEARNED, [ADDRESS]),
        (f"Write to {ADDRESS}.", f"Write to {ADDRESS}.", LEARNED, []),
        (f"Write to {ADDRESS}.", "Yes.", ORIGINALS, []),
        ("Write to us@foxglove.example.", "Yes.", LEARNED, []),
    ],
    ids=["told by the tuned model", "by the base model too", "kept by the audit", "in no conversation"],
)
def test_what_was_taken_out_and_is_told_is_a_leak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tuned: str, base: str, learned: list[Conversation], told: list[str]
) -> None:
    def answer_all(model: Path, adapter: Path | None, chats: list[Any], *_: Any) -> Iterator[tuple[int, str]]:
        yield from ((number, tuned if adapter else base) for number in range(len(chats)))

    def losses(model: Path, systems: dict[str, Any], chats: list[Any], *_: Any) -> dict[str, list[tuple[float, int]]]:
        return {name: [(float(number), 1) for number in range(len(chats))] for name in systems}

    monkeypatch.setattr("tailorbird.engine.answer_all", answer_all)
    monkeypatch.setattr("tailorbird.engine.conversation_losses", losses)
    for folder in ("model", "adapter"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / folder).touch()
    held = HeldOut({}, learned, [said("c", "Hello?", "Hello.")], [said("c", "Hello?", "Hello.")], everything)
    systems = Systems(tmp_path / "model", tmp_path / "adapter", None)
    found = leaking(systems, held, ORIGINALS, 9, 100, (tmp_path / "kept", silent))
    assert {row.told for row in found.rows if row.kind == PERSONAL} == set(told)

"""Passages in the prompt, in lessons and in service, and what an answer rests on."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import FakeReplier

from tailorbird import engine
from tailorbird.artifacts import Conversation, Turn
from tailorbird.knowledge import Knowledge, cited, with_passages
from tailorbird.planning.grounding import grounded
from tailorbird.replier import Message, reply
from tailorbird.serving.assistant import Assistant
from tailorbird.workspace import Workspace

RETURNS = "# Returns\n\nYou have 21 days from delivery to send a piece back, with its paper leaf still attached.\n"
CARE = "# Care\n\nWash silk by hand in cool water with a mild soap. Wool is aired, not washed.\n"
SHIPPING = "# Shipping\n\nParcels within the country cost £4.20 and take two to three working days.\n"
VISIT = "# Visits\n\nThe studio in Lantern Yard is open from Wednesday to Saturday.\n"


@pytest.fixture
def documents(tmp_path: Path) -> Knowledge:
    (tmp_path / "tailorbird.yaml").write_text("business: {name: Shop}\nsystem_prompt: You are the shop.\n")
    (tmp_path / "knowledge").mkdir()
    for name, text in (("returns", RETURNS), ("care", CARE), ("shipping", SHIPPING), ("visits", VISIT)):
        (tmp_path / "knowledge" / f"{name}.md").write_text(text)
    return Knowledge(Workspace(tmp_path), engine.embed)


def asked(text: str) -> list[Message]:
    return [{"role": "system", "content": "You are the shop."}, {"role": "user", "content": text}]


def test_passages_follow_the_system_prompt_with_their_places(documents: Knowledge) -> None:
    found = documents.search("How long do I have to send it back?", 2)
    told = with_passages(asked("How long?"), found)
    assert told[0]["content"].startswith("You are the shop.\n\nPassages")
    assert "1. [returns.md › Returns] You have 21 days" in told[0]["content"]
    assert told[1:] == asked("How long?")[1:]
    assert with_passages(asked("How long?"), []) == asked("How long?")
    assert with_passages(asked("How long?")[1:], found)[0]["role"] == "system"


def test_an_answer_cites_what_it_rests_on_and_nothing_else(documents: Knowledge) -> None:
    question = "How long do I have to send it back?"
    found = documents.search(question, 4)
    assert [one.document for one in cited(question, "You have 21 days, with the leaf attached.", found)] == ["returns.md"]
    assert cited(question, "I am afraid that I do not know.", found) == []


def test_the_assistant_is_shown_passages_and_names_them(documents: Knowledge) -> None:
    replier = FakeReplier(answer="You have 21 days from delivery.")
    assistant = Assistant(replier, "You are the shop.", "I am an AI.", documents)
    said = reply(assistant, asked("How long do I have to send it back?")[1:])
    assert said.text == "I am an AI.\n\nYou have 21 days from delivery."
    assert said.citations == ("[returns.md › Returns]",)
    assert "21 days" in replier.asked[-1][0][0]["content"]
    path = documents.folder / "returns.md"
    path.write_text(RETURNS.replace("21", "45"))
    reply(assistant, asked("How long do I have to send it back?")[1:])
    assert "45 days" in replier.asked[-1][0][0]["content"], "a changed document takes effect at once"


def test_a_share_of_the_lessons_shows_the_right_passage(documents: Knowledge) -> None:
    def lesson(number: int, task: str = "") -> Conversation:
        turns = (
            Turn(role="system", content="You are the shop."),
            Turn(role="user", content=f"I have a question about order {number}, can you help?"),
            Turn(role="assistant", content="Wash the silk by hand in cool water, with a mild soap."),
        )
        return Conversation(id=f"c{number}", turns=turns, task=task)

    lessons = [lesson(number) for number in range(20)] + [lesson(99, "route")]
    made = grounded(lessons, documents, 0.5, 7)
    shown = [one for one in made if "Passages" in one.turns[0].content]
    assert len(shown) == 10
    assert all("Wash silk by hand" in one.turns[0].content for one in shown), "the passage that the answer is from is there"
    assert [one.turns[1:] for one in made] == [one.turns[1:] for one in lessons]
    assert made[-1] == lessons[-1], "other tasks are not about the documents"
    assert grounded(lessons, documents, 0.5, 7) == made
    assert grounded(lessons, documents, 0.0, 7) == lessons

"""Several languages in one run: divided in proportion, mixed, asked for, measured apart; on a tiny model."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from conftest import FABRICS, conversation, write_jsonl

from tailorbird import audit, evaluate, import_conversations, plan, train
from tailorbird.auditing import ASK_FOR_LANGUAGE
from tailorbird.evaluating.answering import Question
from tailorbird.evaluating.scoring import Measures, scored
from tailorbird.knowledge import FUNCTION_WORDS
from tailorbird.language.voice import Voice
from tailorbird.workspace import Workspace, read_conversations

WASHING = "Wie wasche ich das Kleid aus {} mit der Nummer {} am besten?"
WASHED = "Bitte waschen Sie {} von Hand bei {} Grad und nicht in der Maschine."
POSTING = "Wann kommt mein Paket mit {} und der Nummer {} bei mir an?"
POSTED = "Ihr Paket mit {} ist unterwegs und kommt in {} Tagen bei Ihnen an."
DE = [(WASHING, WASHED), (POSTING, POSTED)]


@pytest.fixture
def two_languages(shop: Path) -> Workspace:
    rows = [conversation(n) for n in range(60)]
    for n in range(60, 90):
        asked, told = DE[n % 2]
        rows.append(conversation(n, asked.format(FABRICS[n % 10], n), told.format(FABRICS[n % 10], n)))
    write_jsonl(shop / "conversations.jsonl", rows)
    return Workspace(shop)


def test_each_language_is_held_out_in_proportion_mixed_and_measured_apart(two_languages: Workspace) -> None:
    made = audit(two_languages, import_conversations(two_languages))
    assert made.system_prompt.endswith(ASK_FOR_LANGUAGE)
    folder = two_languages.path(made)
    train_part, test = (read_conversations(folder / f"{name}.jsonl") for name in ("train", "test"))
    assert all(one.turns[0].content == made.system_prompt for one in [*train_part, *test])
    held_out = Counter(one.language for one in test)
    assert held_out["de"] == round(0.2 * 30)
    assert held_out["en"] >= round(0.2 * 58)
    planned = plan(two_languages, made)
    learned = Counter(one.language for one in read_conversations(two_languages.path(planned) / "train.jsonl"))
    assert learned["de"] > Counter(one.language for one in train_part)["de"], "rarer languages are learned more often"
    assert planned.why["languages"].startswith("en, de")
    card = evaluate(two_languages, train(two_languages, planned))
    assert {"language en", "language de"} == set(card.parts)
    assert card.parts["language de"].examples == held_out["de"]
    assert "right_language" in card.differences["tuned-base"]


def test_one_language_needs_no_sentence_and_no_extra_figures(shop: Path) -> None:
    workspace = Workspace(shop)
    made = audit(workspace, import_conversations(workspace))
    assert made.system_prompt == workspace.settings.system_prompt


def test_an_answer_in_another_language_counts_as_wrong(two_languages: Workspace) -> None:
    made = audit(two_languages, import_conversations(two_languages))
    test = read_conversations(two_languages.path(made) / "test.jsonl")
    asked = [Question(one, one.messages[:-1], one.turns[-1].content) for one in test]
    said = {"same": [one.agent for one in asked], "english": ["Please wait until we have looked into this."] * len(asked)}
    right = scored(asked, said, Measures(two_languages.settings, None, Voice(said["same"], FUNCTION_WORDS)))
    assert set(right["same"]["right_language"]) == {1.0}
    scores = zip(asked, right["english"]["right_language"], strict=True)
    assert {one.conversation.language: score for one, score in scores} == {"en": 1.0, "de": 0.0}

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from tailorbird.engine import embed
from tailorbird.knowledge import Knowledge
from tailorbird.language.knowing import NEAR, NEAR_ELSEWHERE, known, score, small_talk
from tailorbird.workspace import Workspace

BOUTIQUE = ROOT / "examples" / "boutique"
ENGLISH = "You can send unworn clothes back within three weeks, and we refund what you paid for them."


@dataclass(frozen=True)
class Found:
    text: str = ENGLISH
    similarity: float = 0.0
    overlap: float = 0.0


@pytest.fixture(scope="module")
def boutique(tmp_path_factory: pytest.TempPathFactory) -> Knowledge:
    folder = tmp_path_factory.mktemp("boutique")
    shutil.copytree(BOUTIQUE, folder, dirs_exist_ok=True)
    return Knowledge(Workspace(folder), embed)


def questions() -> list[str]:
    flaws = json.loads((BOUTIQUE / "flaws.json").read_text(encoding="utf-8"))
    told = map(json.loads, (BOUTIQUE / "conversations.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        one["messages"][0]["content"]
        for one in told
        if one["id"] not in flaws and "off-topic" not in one["tags"] and one["messages"][0]["role"] == "user"
    ]


def test_at_most_two_of_a_hundred_own_questions_are_called_unknown(boutique: Knowledge) -> None:
    asked = questions()
    assert len(asked) > 300
    assert sum(not known(one, boutique.search(one)) for one in asked) <= 0.02 * len(asked)


@pytest.mark.parametrize(
    "question",
    [
        "How long do I have to send a skirt back?",
        "Wie lange dauert der Versand nach Deutschland?",
        "¿Cuánto cuesta el envío a España?",
        "Comment laver un pull en laine ?",
        "Quanto costa la spedizione in Italia?",
        "Hoe was ik een wollen vest?",
        "Jak długo trwa dostawa do Polski?",
        "Quanto tempo demora o envio para Portugal?",
    ],
)
def test_what_the_documents_have_is_known_in_any_language(boutique: Knowledge, question: str) -> None:
    assert known(question, boutique.search(question))


@pytest.mark.parametrize(
    "question",
    [
        "How do I reset my router password?",
        "Explain photosynthesis to a child.",
        "Comment installer la mise à jour du logiciel ?",
        "Quando parte il prossimo treno per Roma?",
    ],
)
def test_what_they_have_not_is_unknown(boutique: Knowledge, question: str) -> None:
    assert not known(question, boutique.search(question))


@pytest.mark.parametrize(
    "text",
    [
        "thanks!",
        "Hello",
        "ok great, thank you so much",
        "Vielen Dank!",
        "muchas gracias",
        "Bonjour, ça va ?",
        "grazie mille",
        "👍",
        "",
    ],
)
def test_small_talk_is_never_unknown(text: str) -> None:
    assert small_talk(text)
    assert known(text, [])
    assert known(text, [Found(similarity=-1.0)])


def test_a_question_is_not_small_talk() -> None:
    assert not small_talk("thanks, and how do I wash the dress?")


def test_without_passages_nothing_is_known() -> None:
    assert not known("How long does the parcel take?", [])
    assert score([]) == 0.0


def test_words_in_common_make_up_for_a_distant_meaning() -> None:
    asked = "How many weeks do I have for sending unworn clothes back?"
    assert not known(asked, [Found(similarity=NEAR - 0.1)])
    assert known(asked, [Found(similarity=NEAR - 0.1, overlap=0.1)])


def test_a_question_in_another_language_needs_no_words_in_common() -> None:
    asked = "Wie viele Wochen habe ich Zeit, um ungetragene Kleidung zurückzuschicken?"
    assert known(asked, [Found(similarity=NEAR_ELSEWHERE)])
    assert not known(asked, [Found(similarity=NEAR_ELSEWHERE - 0.01)])


@pytest.mark.parametrize("text", ["a" * 10_000, "WHERE IS THE BUS STOP", "how " * 2_500])
def test_odd_input(text: str) -> None:
    assert known(text, [Found(similarity=0.9)])


@given(st.text(max_size=300), st.floats(-1, 1), st.floats(0, 1))
def test_nothing_raises(text: str, similarity: float, overlap: float) -> None:
    assert known(text, [Found(similarity=similarity, overlap=overlap), Found("")]) in (True, False)


def test_the_set_has_questions_to_know_and_not_to_know() -> None:
    cases = Path(__file__).with_name("hand_off_cases.jsonl").read_text(encoding="utf-8").splitlines()
    wanted = [json.loads(line)["wanted"] for line in cases if '"knowing"' in line]
    assert {"known", "unknown", "small"} == set(wanted)

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailorbird.engine import embed
from tailorbird.language.subjects import Subjects

PHRASES = ["allergic reaction", "wedding dress fitting", "wholesale", "personal data deletion"]


@pytest.fixture(scope="module")
def subjects() -> Subjects:
    return Subjects(PHRASES, embed)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("I had allergic reactions to the wool", "allergic reaction"),
        ("A reaction, an ALLERGIC one, to the scarf!", "allergic reaction"),
        ("Could I book two fittings for wedding dresses?", "wedding dress fitting"),
        ("Are you a wholesaler?", "wholesale"),
    ],
)
def test_words_in_any_order_and_form(text: str, phrase: str) -> None:
    def none(texts: list[str]) -> list[list[float]]:
        return [[0.0, 0.0]] * len(texts)

    assert Subjects(PHRASES, none).of(text) == phrase


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("He tenido una reacción alérgica con la bufanda", "allergic reaction"),
        ("Je voudrais un essayage pour ma robe de mariée", "wedding dress fitting"),
        ("Chciałabym umówić przymiarkę sukni ślubnej", "wedding dress fitting"),
        ("Bitte löschen Sie meine personenbezogenen Daten", "personal data deletion"),
        ("Supprimez toutes mes données personnelles", "personal data deletion"),
        ("Fate vendita all'ingrosso?", "wholesale"),
    ],
)
def test_meaning_in_other_languages(subjects: Subjects, text: str, phrase: str) -> None:
    assert subjects.of(text) == phrase


@pytest.mark.parametrize(
    "text",
    [
        "How long is the skirt?",
        "Wie lange haben Sie heute geöffnet?",
        "Puis-je payer par carte ?",
        "thanks!",
        "Where is my parcel?",
    ],
)
def test_other_messages_are_about_none(subjects: Subjects, text: str) -> None:
    assert subjects.of(text) is None


def test_a_subject_may_stand_anywhere_in_a_long_message(subjects: Subjects) -> None:
    assert subjects.of(f"Hello. I bought a coat. I have had an allergic reaction. {'It is blue. ' * 300}") == "allergic reaction"


def test_words_far_apart_are_no_phrase() -> None:
    def none(texts: list[str]) -> list[list[float]]:
        return [[0.0, 0.0]] * len(texts)

    assert (
        Subjects(["gift card"], none).of("It is a gift and must come before Sunday noon at my new flat, may I pay by card?")
        is None
    )


def test_without_subjects_nothing_is_encoded() -> None:
    def refuse(texts: list[str]) -> list[list[float]]:
        raise AssertionError(texts)

    assert Subjects([], refuse).of("wholesale") is None
    assert Subjects(["  "], refuse).of("wholesale") is None


@pytest.mark.parametrize("text", ["", " ", "?!", "😀", "\n\n"])
def test_odd_input_is_about_none(subjects: Subjects, text: str) -> None:
    assert subjects.of(text) is None


def test_capitals_and_ten_thousand_characters(subjects: Subjects) -> None:
    assert subjects.of("DO YOU SELL WHOLESALE") == "wholesale"
    assert subjects.of("a" * 10_000) is None


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300))
def test_nothing_raises(text: str) -> None:
    assert Subjects(PHRASES[:1], lambda texts: [[1.0, 0.0]] * len(texts), near=2.0).of(text) in (None, PHRASES[0])

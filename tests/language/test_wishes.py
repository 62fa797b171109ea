from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailorbird.language.wishes import asks_what_it_is, wants_person

CASES = [json.loads(line) for line in Path(__file__).with_name("hand_off_cases.jsonl").read_text(encoding="utf-8").splitlines()]


def seen(signal: str, wanted: str) -> list[str]:
    """The sentences that the rules were mended on; the held-out half is for benchmarks/hand_off.py."""
    return [one["text"] for one in CASES if (one["signal"], one["half"], one["wanted"]) == (signal, "seen", wanted)]


def test_the_set_covers_eight_languages_in_both_halves() -> None:
    for signal in ("wishes", "anger"):
        for half in ("seen", "held"):
            of = [one for one in CASES if one["signal"] == signal and one["half"] == half]
            assert {one["language"] for one in of} == {"en", "de", "es", "fr", "it", "nl", "pl", "pt"}
            assert {one["wanted"] for one in of} == {"yes", "no"}
    assert len({(one["signal"], one["text"]) for one in CASES}) == len(CASES), "no sentence is in both halves"


@pytest.mark.parametrize("text", seen("wishes", "yes"))
def test_a_wish_for_a_person_is_found(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize("text", seen("wishes", "no"))
def test_talking_to_the_assistant_or_about_people_is_no_wish(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize("text", seen("what_it_is", "yes"))
def test_the_question_what_it_is_is_found(text: str) -> None:
    assert asks_what_it_is(text)


@pytest.mark.parametrize("text", seen("what_it_is", "no"))
def test_other_questions_are_not_what_it_is(text: str) -> None:
    assert not asks_what_it_is(text)


@pytest.mark.parametrize("text", ["Are you a person?", "Bist du ein Mensch?", "¿Eres una persona?", "Am I talking to a human?"])
def test_asking_what_it_is_is_no_wish_for_a_person(text: str) -> None:
    assert asks_what_it_is(text)
    assert not wants_person(text)


def test_a_robot_that_asks_for_nothing_can_be_asked_for_in_one_message() -> None:
    both = "are you a robot? i want a real human being to read about my order please. not a bot"
    assert asks_what_it_is(both)
    assert wants_person(both)


def test_the_businesss_own_people_can_be_asked_for_by_name() -> None:
    assert not wants_person("Can I talk with Mira about my coat?")
    assert wants_person("Can I talk with Mira about my coat?", names=["Mira", "hello@shop.example"])
    assert not wants_person("Hello Mira, how long is the skirt?", names=["Mira"])
    assert not wants_person("Mira's blouse is lovely", names=["Mira"])


@pytest.mark.parametrize("text", ["", " ", "?", "👋👋👋", "你好", "DRESS", "a" * 10_000, "person " * 2_000, "to a " * 3_000])
def test_odd_input_is_no_wish(text: str) -> None:
    assert not wants_person(text)
    assert not asks_what_it_is(text)


def test_a_wish_is_found_in_capitals_with_emoji_and_in_the_middle_of_a_long_message() -> None:
    assert wants_person("I WANT TO SPEAK TO A HUMAN 😡😡")
    assert wants_person(f"{'My dress has not come. ' * 200}Let me talk to a manager. {'It is blue. ' * 200}")


@given(st.text(max_size=400))
def test_nothing_raises(text: str) -> None:
    assert wants_person(text) in (True, False)
    assert wants_person(text, names=[text[:5], "Mira"]) in (True, False)
    assert asks_what_it_is(text) in (True, False)

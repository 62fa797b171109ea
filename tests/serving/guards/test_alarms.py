"""Masking and rewriting: what was found is gone, and nothing else has changed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailorbird.errors import SettingsError
from tailorbird.serving.guards import Alarm, Span, kept, masked, sent
from tailorbird.settings import GUARDS, ServingSettings, load


@st.composite
def texts_with_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """A text without brackets, and spans of it that may overlap or be empty."""
    text = draw(st.text(st.characters(exclude_characters="[]", exclude_categories=["Cs"]), max_size=60))
    places = st.integers(0, len(text))
    pairs = draw(st.lists(st.tuples(places, places), max_size=6))
    return text, [Span(min(pair), max(pair), draw(st.sampled_from(["EMAIL", "CARD"]))) for pair in pairs]


@given(texts_with_spans())
def test_masking_leaves_no_span_and_touches_nothing_else(case: tuple[str, list[Span]]) -> None:
    text, spans = case
    covered = {place for span in spans for place in range(span.start, span.end)}
    outside = "".join(sign for place, sign in enumerate(text) if place not in covered)
    assert re.sub(r"\[(?:EMAIL|CARD)\]", "", masked(text, spans)) == outside


@given(texts_with_spans())
def test_masking_without_spans_changes_nothing(case: tuple[str, list[Span]]) -> None:
    text, _ = case
    assert masked(text, []) == text
    assert sent(text, []) == kept(text, []) == text


@given(texts_with_spans())
def test_rewriting_sends_nothing_that_was_found(case: tuple[str, list[Span]]) -> None:
    text, spans = case
    alarms = [Alarm("answer.promises", "rewrite", tuple(spans), "")]
    left = sent(text, alarms)
    assert len(left) <= len(text)
    for span in spans:
        found = text[span.start : span.end].strip()
        if len(found) > 3 and text.count(found) == 1:
            assert found not in left


def test_a_span_in_a_sentence_that_is_taken_out_needs_no_mask() -> None:
    text = "Good morning to you all. Susan got 10% off. It is £5 by post."
    alarms = [
        Alarm("answer.promises", "rewrite", (Span(31, 42),), "promises"),
        Alarm("answer.personal_data", "mask", (Span(25, 30, "PERSON"),), "tells"),
    ]
    assert sent(text, alarms) == "Good morning to you all. It is £5 by post."


def test_a_piece_of_an_answer_keeps_its_distance_from_the_one_before() -> None:
    piece = " Susan got 10% off. It is five pounds by post."
    assert sent(piece, [Alarm("answer.promises", "rewrite", (Span(7, 18),), "")]) == " It is five pounds by post."


def test_a_rewrite_of_the_whole_text_leaves_nothing() -> None:
    assert sent("All of it.", [Alarm("answer.specifics", "rewrite", (), "")]) == ""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("message.injektion: block", "there is no guard message.injektion; there is message.injection."),
        ("prices: block", "there is message.injection, message.personal_data"),
        ("message.threats: rewrite", "it can hand_over, flag, block or be off"),
    ],
)
def test_a_wrong_guard_is_refused_with_its_line(tmp_path, line: str, says: str) -> None:
    path = tmp_path / "tailorbird.yaml"
    path.write_text(f"business: {{name: Shop}}\nsystem_prompt: You are the shop.\nserving:\n  guards:\n    {line}\n")
    with pytest.raises(SettingsError) as problem:
        load(path)
    assert says in str(problem.value)


def test_a_bare_off_in_yaml_is_off(tmp_path) -> None:
    path = tmp_path / "tailorbird.yaml"
    path.write_text("business: {name: Shop}\nsystem_prompt: You are the shop.\nserving:\n  guards:\n    message.off_topic: off\n")
    assert load(path).serving.guards == {"message.off_topic": "off"}


def test_every_guard_does_by_itself_what_it_can() -> None:
    assert ServingSettings(guards={name: can[0] for name, can in GUARDS.items()}).guards.keys() == GUARDS.keys()

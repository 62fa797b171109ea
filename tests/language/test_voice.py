from __future__ import annotations

import pytest

from tailorbird.knowledge import FUNCTION_WORDS
from tailorbird.language.voice import Voice

WARM = [
    "Oh, what a lovely find! The {thing} is yours to keep, and we'd love to see it on you.",
    "Hello there! Yes, the {thing} can be let out; just send us your measurements, won't you?",
    "Lovely question! We'd wash the {thing} by hand, and dry it flat, away from the sun.",
]
DRY = [
    "Thank you for contacting support. Your request regarding the {thing} has been received and will be processed.",
    "Please be advised that the {thing} is subject to our terms and conditions.",
    "We regret the inconvenience. The issue with the {thing} has been escalated to the responsible team.",
]


def test_the_manner_counts_and_not_the_subject() -> None:
    learned = Voice([text.format(thing=thing) for text in WARM for thing in ("cape", "hat", "silk dress")], FUNCTION_WORDS)
    about_others = [text.format(thing=thing) for text in WARM for thing in ("invoice", "router")]
    about_same = [text.format(thing=thing) for text in DRY for thing in ("cape", "hat")]
    assert min(map(learned.closeness, about_others)) > max(map(learned.closeness, about_same))


def test_its_own_text_is_nearest_and_no_text_is_far() -> None:
    learned = Voice([WARM[0]], FUNCTION_WORDS)
    assert learned.closeness(WARM[0]) == pytest.approx(1)
    assert learned.closeness("") == 0

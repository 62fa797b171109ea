from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tailorbird import engine
from tailorbird.language import label_classifier

CARE = ["How do I wash silk?", "Can this wool be washed?", "Which iron for linen?", "The lining has a stain, what now?"]
RETURNS = ["Can I send it back?", "It does not fit, I want a refund.", "How many days to return?", "Refund my order please."]
LABELS = ["care"] * len(CARE) + ["returns"] * len(RETURNS)


def test_it_tells_messages_that_it_has_not_seen(tmp_path: Path) -> None:
    made = label_classifier.fit(CARE + RETURNS, LABELS, engine.embed)
    assert made is not None
    label_classifier.save(tmp_path / label_classifier.FILE, {"route": made, "a/b": made})
    kept = label_classifier.load(tmp_path / label_classifier.FILE)
    assert list(kept) == ["route", "a/b"]
    rows = kept["route"].log_probabilities(["How is velvet washed?", "I want my money back"], ("care", "returns"), engine.embed)
    assert rows.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(np.exp(rows).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("more", [[], ["Where is my parcel?", "Track the delivery", "The courier never came"]])
def test_a_label_that_it_never_saw_keeps_a_chance(more: list[str]) -> None:
    made = label_classifier.fit(CARE + RETURNS + more, LABELS + ["delivery"] * len(more), engine.embed)
    assert made is not None
    rows = made.log_probabilities(["How is velvet washed?"], ("press", "care", "returns"), engine.embed)
    assert np.isfinite(rows).all()
    assert rows.argmax() == 1


def test_one_label_needs_no_reader_and_no_file_has_none(tmp_path: Path) -> None:
    assert label_classifier.fit(CARE, ["care"] * len(CARE), engine.embed) is None
    assert label_classifier.load(tmp_path / "labels.npz") == {}

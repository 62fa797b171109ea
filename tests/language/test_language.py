from __future__ import annotations

import pytest

from tailorbird import language


def test_rouge_l_by_hand() -> None:
    # Lin 2004, section 3: three of four words in common, in order.
    assert language.rouge_l("police kill the gunman", "police killed the gunman") == pytest.approx(0.75)
    assert language.rouge_l("the gunman kill police", "police killed the gunman") == pytest.approx(0.5)
    assert language.rouge_l("", "anything") == 0.0
    assert language.rouge_l("Größe ändern", "GRÖSSE ändern") == pytest.approx(0.5)


def test_chrf_knows_same_from_other() -> None:
    assert language.chrf("Wash it cold.", "Wash it cold.") == pytest.approx(1.0)
    assert language.chrf("xyz", "Wash it cold.") < 0.1
    assert 0.3 < language.chrf("Wash it warm.", "Wash it cold.") < 0.95

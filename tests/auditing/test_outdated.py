from __future__ import annotations

from pathlib import Path

import pytest

from tailorbird import engine
from tailorbird.auditing.examples import Example
from tailorbird.auditing.outdated import outdated
from tailorbird.language.facts import facts

RETURNS = """\
# Returns

- You have 28 days from delivery to return a piece, with its tag on it.
- The refund is paid within
  5 working days of the parcel reaching us.

# Opening

We are open on Thursday and Friday from noon. The workshop is closed in August.

1. A gift card is valid for 24 months.
"""


def findings(folder: Path, *told: tuple[str, str]) -> dict[str, str]:
    (folder / "policies.md").write_text(RETURNS, encoding="utf-8")
    asked, said = (engine.embed(list(texts)) for texts in zip(*told, strict=True))
    made = [Example(f"c{n}", q, a, None, (), asked[n], said[n], 2) for n, (q, a) in enumerate(told)]
    return {identity: finding.detail for identity, finding in outdated(made, facts(folder))}


def test_documents_are_read_by_items_and_paragraphs(tmp_path: Path) -> None:
    (tmp_path / "policies.md").write_text(RETURNS, encoding="utf-8")
    told = facts(tmp_path)
    assert [(p.heading, p.text.split()[0], [s.value for s in p.told]) for p in told] == [
        ("Returns", "You", ["28"]), ("Returns", "The", ["5"]), ("Opening", "We", ["3", "4"]), ("Opening", "A", ["24"]),
    ]  # fmt: skip
    assert told[1].text == "The refund is paid within 5 working days of the parcel reaching us."


@pytest.mark.parametrize(
    ("answer", "against"),
    [
        ("You have 14 days from delivery to return the coat.", "28 days"),
        ("You have 28 days from delivery to return the coat.", ""),
        ("We are open on Sunday from noon.", "Thursday"),
        ("A gift card is valid for 12 months with us.", "24 months"),
        ("The parcel to Spain takes 9 days.", ""),
    ],
)
def test_answers_against_the_documents_are_found(tmp_path: Path, answer: str, against: str) -> None:
    others = [
        ("Do you ship to Spain?", "Yes, we do."),
        ("How do I wash silk?", "By hand."),
        ("Is the cape there?", "It is sold."),
    ]
    found = findings(tmp_path, ("Please tell me the rule for that", answer), *others)
    assert set(found) == ({"c0"} if against else set())
    assert against in found.get("c0", "")


def test_without_documents_nothing_is_outdated(tmp_path: Path) -> None:
    assert facts(tmp_path / "none") == []

from __future__ import annotations

from collections import Counter

import pytest

from tailorbird import engine
from tailorbird.evaluating import abilities
from tailorbird.progress import silent

AREAS = {"knowledge", "words", "arithmetic", "sense", "format", "reading", "grammar"}


def losses(cheap: int) -> list[tuple[float, int] | None]:
    """Losses of a model that finds the option so many places behind the right one likeliest."""
    return [
        (1.0 if place == (item.answer + cheap) % abilities.OPTIONS else 2.0, 1)
        for item in abilities.items()
        for place in range(abilities.OPTIONS)
    ]


def test_items_are_many_distinct_and_balanced() -> None:
    items = abilities.items()
    assert len(items) >= 160
    assert {item.area for item in items} == AREAS
    assert all(count >= 20 for count in Counter(item.language for item in items).values())
    assert len({item.question for item in items}) == len(items)
    assert all(len(set(item.options)) == abilities.OPTIONS for item in items)
    places = Counter(item.answer for item in items)
    assert max(places.values()) - min(places.values()) <= 1


def test_every_option_is_asked_as_the_answer() -> None:
    chats = abilities.chats()
    assert len(chats) == abilities.OPTIONS * len(abilities.items())
    first = abilities.items()[0]
    assert [chat[1]["content"] for chat in chats[: abilities.OPTIONS]] == list(first.options)
    assert {chat[0]["content"] for chat in chats[: abilities.OPTIONS]} == {first.question}


def test_the_likeliest_option_counts_by_the_token() -> None:
    count = len(abilities.items())
    assert abilities.scored(losses(0)) == [1.0] * count
    assert abilities.scored(losses(1)) == [0.0] * count
    longer = [(total * 10, 10) if total == 1.0 else (total, 1) for total, _ in losses(0)]  # type: ignore[misc]
    assert abilities.scored(longer) == [1.0] * count


def test_what_cannot_be_told_apart_or_scored_is_wrong() -> None:
    count = len(abilities.items())
    assert abilities.scored([(1.0, 1)] * (abilities.OPTIONS * count)) == [0.0] * count
    told = losses(0)
    told[1] = None
    assert abilities.scored(told) == [0.0] + [1.0] * (count - 1)
    with pytest.raises(ValueError, match="692"):
        abilities.scored(told[:-1])


def test_parts_have_all_and_each_area(monkeypatch: pytest.MonkeyPatch) -> None:
    from tailorbird.evaluating import figures

    if abilities.METRIC not in figures.METRICS:
        like = figures.METRICS["accuracy"]
        monkeypatch.setitem(figures.METRICS, abilities.METRIC, like)
    half = [one if place % 8 < 4 else (1.0, 1) for place, one in enumerate(losses(0))]
    parts = abilities.parts({"base": losses(0), "tuned": half})
    assert set(parts) == {"ability"} | {f"ability {area}" for area in AREAS}
    assert parts["ability"].systems["base"]["ability"].value == 1.0
    lost = parts["ability"].differences["ability"]
    assert lost.value == pytest.approx(-0.5, abs=0.01)
    assert lost.high < 0
    assert sum(part.examples for name, part in parts.items() if name != "ability") == parts["ability"].examples


@pytest.mark.slow
def test_the_base_model_knows_much_but_not_everything() -> None:
    base = engine.locate("smollm2-135m-instruct", silent)
    found = abilities.scored(engine.conversation_losses(base, {"base": None}, abilities.chats(), 512, silent)["base"])
    assert 0.5 < sum(found) / len(found) < 0.95

from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest

from tailorbird.evaluating.counterfactuals import WORTH, Answered, Counterfactual, compared, holm, measures, pairs, worst

LANGUAGES = ("en", "de", "es", "fr")
AXES = {"gender", "origin", "nationality", "age", "disability", "religion", "spelling", "dialect", "form of address"}
ATTACHED = AXES - {"spelling", "dialect", "form of address"}
SENTENCES = [
    "The parcel left on Monday.", "Please send a photo.", "We are sorry.", "Thank you for writing.", "It costs nothing.",
    "I will pass this to a colleague.", "I can't help with that.", "The shop opens at nine.", "Kind regards",
]  # fmt: skip


def fair(chance: random.Random) -> str:
    """An answer that has nothing to do with who asked."""
    return " ".join(chance.choices(SENTENCES, k=chance.randint(2, 7)))


def answered(seed: int, most: int = 360) -> list[Answered]:
    chance = random.Random(seed)
    return [Answered(pair, fair(chance), fair(chance)) for pair in pairs("en", most=most)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pairs_are_balanced_distinct_and_always_the_same(language: str) -> None:
    found = pairs(language, seed=3, most=90)
    assert found == pairs(language, seed=3, most=90) != pairs(language, seed=4, most=90)
    assert Counter(pair.axis for pair in found) == dict.fromkeys(AXES, 10)
    assert len({pair.id for pair in found}) == len({(pair.one, pair.other) for pair in found}) == 90
    assert len({pair.subject for pair in pairs(language, most=108)}) >= 12
    for axis in AXES:
        same = [pair for pair in found if pair.axis == axis]
        assert len({pair.subject for pair in same}) == 10, "no subject twice before each has come once"
        others = Counter(pair.other_group for pair in same)
        assert max(others.values()) - min(others.values()) <= 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_differ_in_one_attribute_only(language: str) -> None:
    found = pairs(language, most=900)
    ends: dict[str, set[str]] = defaultdict(set)
    for pair in found:
        assert pair.one != pair.other
        assert not set("{}[]|") & set(pair.one + pair.other)
        if pair.axis in ATTACHED:
            same = next(place for place in range(len(pair.one)) if pair.one[place] != pair.other[place])
            start = max(pair.one.rfind(mark, 0, same) for mark in "\n.?")  # the last line or sentence
            ends[pair.axis] |= {pair.one[start:], pair.other[start:]}
            assert len(pair.one[start:]) < 80
        elif pair.axis != "form of address":
            assert {word for word in pair.one.split() if word.isdigit()} <= {word.strip(".?") for word in pair.other.split()}
    assert set(ends) == ATTACHED
    assert all(len(told) >= 4 for told in ends.values())


def test_a_pair_of_names_keeps_the_surname_where_gender_is_swapped() -> None:
    for pair in pairs("de", most=180):
        if pair.axis == "gender":
            assert pair.one.split()[-1] == pair.other.split()[-1]


def test_a_language_without_templates_has_no_pairs() -> None:
    assert pairs("pl") == []


def test_pairs_run_out_instead_of_coming_twice() -> None:
    found = pairs("fr", most=100_000)
    assert len({(pair.one, pair.other) for pair in found}) == len(found) < 100_000


def test_answers_are_measured() -> None:
    said = "Hello Anna, I'm sorry, I can't help with that. I will pass you to a colleague. Kind regards"
    assert measures("Where is my parcel? I am waiting for it.", said) == {
        "length": 18.0, "politeness": pytest.approx(0.65), "refused": 1.0, "handed_off": 1.0, "right_language": 1.0,
    }  # fmt: skip
    german = measures("Where is my parcel? I am waiting for it.", "Das Geschäft öffnet morgen um neun Uhr und schließt um sechs.")
    assert (german["right_language"], german["refused"], german["handed_off"]) == (0.0, 0.0, 0.0)
    assert measures("were is me parsel", "", "en")["right_language"] == 0.0
    assert set(german) == set(WORTH)


def test_shorter_answers_for_one_group_are_flagged() -> None:
    biased = [
        one._replace(other=" ".join(one.other.split()[: len(one.other.split()) // 2])) if one.pair.axis == "origin" else one
        for one in answered(1)
    ]
    found = worst(compared(biased))
    assert ("origin", "length") in {(one.axis, one.measure) for one in found}
    assert {one.axis for one in found} == {"origin"}
    length = next(one for one in found if one.measure == "length")
    assert length.difference.high < 0
    assert (length.reference, length.pairs, length.subjects) == ("British name", 40, 12)
    assert len(length.others) == 4
    assert length.other_mean - length.reference_mean == pytest.approx(length.difference.value)


def test_a_small_unfairness_is_found_where_it_is_detectable() -> None:
    rude = [one._replace(one=f"{one.one} Please write. Thank you.") if one.pair.axis == "age" else one for one in answered(2)]
    found = next(one for one in compared(rude) if (one.axis, one.measure) == ("age", "politeness"))
    assert found.detectable is not None
    assert 0 < found.detectable < 0.5


@pytest.mark.slow
def test_fair_answers_are_flagged_in_at_most_5_of_100_runs() -> None:
    alarms = sum(bool(worst(compared(answered(seed, most=180)))) for seed in range(100))
    assert alarms <= 5


def test_the_same_answers_are_never_flagged() -> None:
    same = [one._replace(other=one.one) for one in answered(3)]
    for one in compared(same):
        assert (one.difference.value, one.difference.p, one.corrected, one.detectable) == (0.0, 1.0, 1.0, None)


def test_too_few_subjects_say_nothing() -> None:
    pair = Counterfactual(id="a", axis="age", language="en", subject="s", one="a", other="b", one_group="x", other_group="y")
    assert compared([Answered(pair, "one two", "one")] * 50) == []
    assert compared([]) == []


def test_holm_corrects_in_the_order_given() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []

"""Many adapters over one loaded base model: nobody's state reaches another's answers."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import write_random_adapters
from hypothesis import given
from hypothesis import strategies as st

from tailorbird import engine
from tailorbird.engine import catalogue
from tailorbird.engine.fleet import Slots, scales
from tailorbird.progress import silent
from tailorbird.replier import Message, Replier, ReplyOptions, reply

ADAPTERS = 30
COMPARED = (-1, *range(0, ADAPTERS, 3))
"""Whose answers are held against a model of their own, the base model as number -1; the others answer in between."""
SYSTEM = "You are the assistant of a shop. " * 6
QUESTIONS = ("Do you mend zips?", "Where is my parcel?")
_TIED = 0.05  # nats between two tokens that are as good as equally likely: what is read in other portions is rounded otherwise


def leased(slots: Slots, owner: object, prompt: tuple[int, ...]) -> tuple[int, bool]:
    with slots.lease(owner, prompt) as told:
        return told


def test_a_customer_comes_back_to_the_slot_that_has_read_the_conversation() -> None:
    slots, shop = Slots(2), object()
    first, own = leased(slots, shop, (1, 2, 3))
    assert not own
    with slots.lease(shop, (1, 2, 3, 4)) as (again, own):
        assert (again, own) == (first, True)
        other, own = leased(slots, shop, (1, 9))
        assert (other, own) == (1 - first, False)
    assert leased(slots, shop, (1, 9, 9))[0] == other
    assert leased(slots, shop, (1, 2, 3, 4, 5))[0] == first


def test_a_newcomer_takes_an_empty_slot_and_then_the_one_used_longest_ago() -> None:
    slots, shops = Slots(3), [object() for _ in range(4)]
    taken = [leased(slots, shop, (1,))[0] for shop in shops[:3]]
    assert sorted(taken) == [0, 1, 2]
    leased(slots, shops[0], (1,))
    slot, own = leased(slots, shops[3], (1,))
    assert (slot, own) == (taken[1], False)
    assert leased(slots, shops[1], (1,))[1] is False, "its state is gone"


@given(st.lists(st.tuples(st.integers(0, 4), st.lists(st.integers(0, 2), max_size=4).map(tuple)), max_size=40), st.integers(1, 4))
def test_a_slot_is_called_own_only_if_its_owner_used_it_last(requests: list[tuple[int, tuple[int, ...]]], count: int) -> None:
    slots, owners, last = Slots(count), [object() for _ in range(5)], dict[int, int]()
    for number, prompt in requests:
        slot, own = leased(slots, owners[number], prompt)
        assert 0 <= slot < count
        assert own == (last.get(slot) == number)
        last[slot] = number


def test_no_slot_is_given_to_two_at_once_and_everybody_gets_one() -> None:
    slots, inside, worst, served = Slots(3), 0, 0, []
    lock = threading.Lock()

    def work(owner: object) -> None:
        nonlocal inside, worst
        with slots.lease(owner, (1,)) as (slot, _):
            with lock:
                inside += 1
                worst = max(worst, inside)
                served.append(slot)
            threading.Event().wait(0.005)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work, args=(object(),)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(served) == 30
    assert worst == 3


def test_a_request_names_every_adapter() -> None:
    assert scales(3, 1) == [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 1.0}, {"id": 2, "scale": 0.0}]
    assert all(one["scale"] == 0.0 for one in scales(3, None))


# --- the real model ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Random adapters that change what the model says."""
    folder = tmp_path_factory.mktemp("adapters")
    made = [folder / str(number) for number in range(ADAPTERS)]
    write_random_adapters(engine.locate(catalogue.DEFAULT, silent), made, strength=0.15)
    return made


def asked(question: str) -> list[Message]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]


OPTIONS = ReplyOptions(max_tokens=8)


@pytest.fixture(scope="module")
def alone(adapters: list[Path]) -> dict[tuple[int, str], str]:
    """What every third adapter answers when it has a model of its own."""
    base, told = engine.locate(catalogue.DEFAULT, silent), {}
    for number in COMPARED:
        replier = engine.open_replier("alone", base, adapters[number] if number >= 0 else None)
        for question in QUESTIONS:
            told[number, question] = reply(replier, asked(question), OPTIONS).text
        replier.close()
    return told


@pytest.fixture(scope="module")
def fleet(adapters: list[Path]) -> Iterator[dict[int, Replier]]:
    base = engine.locate(catalogue.DEFAULT, silent)
    opened = {
        number: engine.open_replier(f"shop-{number}", base, adapter, shared=True) for number, adapter in enumerate(adapters)
    }
    opened[-1] = engine.open_replier("base", base, None, shared=True)
    yield opened
    for one in opened.values():
        one.close()


@pytest.mark.slow
def test_thirty_adapters_answer_in_turn_as_each_does_alone(
    adapters: list[Path], alone: dict[tuple[int, str], str], fleet: dict[int, Replier]
) -> None:
    """The same long start for all, so that a state that is carried over would be used."""
    assert len({alone[number, QUESTIONS[0]] for number in COMPARED}) > len(COMPARED) // 2, "adapters differ"
    order = [(number, question) for number in fleet for question in QUESTIONS]
    random.Random(7).shuffle(order)
    found = [(number, question, reply(fleet[number], asked(question), OPTIONS).text) for number, question in order]
    assert len(found) == (ADAPTERS + 1) * len(QUESTIONS)
    check([one for one in found if one[2] != alone.get((one[0], one[1]), one[2])], adapters)


def check(other: list[tuple[int, str, str]], adapters: list[Path]) -> None:
    """What was answered otherwise than alone is seldom, and never what the adapter itself would not say."""
    assert len(other) <= 2
    assert [one for one in other if not as_likely(adapters[one[0]] if one[0] >= 0 else None, *one[1:])] == []


@pytest.mark.slow
def test_anothers_answer_would_be_noticed(adapters: list[Path], alone: dict[tuple[int, str], str]) -> None:
    question = QUESTIONS[0]
    others = [alone[number, question] for number in COMPARED[2:9] if alone[number, question] != alone[0, question]]
    assert len(others) >= 4
    assert sum(as_likely(adapters[0], question, said) for said in others) <= 1


@pytest.mark.slow
def test_eight_at_a_time_they_answer_as_each_does_alone(
    adapters: list[Path], alone: dict[tuple[int, str], str], fleet: dict[int, Replier]
) -> None:
    order = [(number, question) for number in fleet for question in QUESTIONS]
    random.Random(8).shuffle(order)
    wrong: list[tuple[int, str, str]] = []

    def work(part: list[tuple[int, str]]) -> None:
        for number, question in part:
            found = reply(fleet[number], asked(question), OPTIONS).text
            if found != alone.get((number, question), found):
                wrong.append((number, question, found))

    threads = [threading.Thread(target=work, args=(order[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(wrong, adapters)


def as_likely(adapter: Path | None, question: str, said: str) -> bool:
    """Whether an adapter by itself finds an answer's first other token as likely as its own, and the answer so its own too."""
    replier = engine.open_replier("alone", engine.locate(catalogue.DEFAULT, silent), adapter)
    pieces = list(replier.stream(asked(question), ReplyOptions(max_tokens=8, logprobs=10)))
    replier.close()
    own = ""
    for token in (token for piece in pieces for token in piece.logprobs):
        if not said.startswith((own + token.token).strip()):
            likely = [one for one in token.top if said.startswith((own + one.token).strip()) and one.token.strip()]
            return any(token.logprob - one.logprob < _TIED for one in likely)
        own += token.token
    return True


@pytest.mark.slow
def test_an_adapter_that_comes_later_leaves_answers_that_are_being_written_alone(
    adapters: list[Path], alone: dict[tuple[int, str], str]
) -> None:
    base = engine.locate(catalogue.DEFAULT, silent)
    first = engine.open_replier("first", base, adapters[0], shared=True)
    pieces = first.stream(asked(QUESTIONS[0]), OPTIONS)
    begun = next(pieces).text
    second = engine.open_replier("second", base, adapters[3], shared=True)
    assert reply(second, asked(QUESTIONS[0]), OPTIONS).text == alone[3, QUESTIONS[0]]
    assert "".join([begun, *(piece.text for piece in pieces)]).strip() == alone[0, QUESTIONS[0]]
    second.close()
    assert reply(first, asked(QUESTIONS[1]), OPTIONS).text == alone[0, QUESTIONS[1]]
    first.close()

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tailorbird.artifacts import Conversation, Turn
from tailorbird.lessons import labels, mixed, original, taught
from tailorbird.settings import TaskSettings

ROUTE = TaskSettings(system_prompt="Name the department.", answer="label", labels_from="department")
URGENT = TaskSettings(system_prompt="How urgent?", answer="label", labels_from="priority", labels=["low", "high"])


def ticket(number: int, department: str | None = None, language: str = "en", *tags: str) -> Conversation:
    turns = (
        Turn(role="system", content="You answer."),
        Turn(role="user", content=f"Question {number}"),
        Turn(role="assistant", content="An answer"),
        Turn(role="user", content="Thanks"),
    )
    return Conversation(id=f"t-{number}", turns=turns, department=department, language=language, tags=tags)


def test_what_the_help_desk_knows_teaches_the_other_tasks() -> None:
    lessons = list(taught([ticket(1, "Billing", "en", "priority=high"), ticket(2)], {"route": ROUTE, "urgent": URGENT}))
    assert [(one.id, one.task, one.turns[-1].content) for one in lessons] == [
        ("t-1", "", "Thanks"),
        ("t-1@route", "route", "Billing"),
        ("t-1@urgent", "urgent", "high"),
        ("t-2", "", "Thanks"),
    ]
    assert [turn.content for turn in lessons[1].turns] == ["Name the department.", "Question 1", "Billing"]
    assert {original(one.id) for one in lessons} == {"t-1", "t-2"}


def test_a_task_may_be_asked_twice_and_nothing_else_is() -> None:
    twice = {"route": ROUTE.model_copy(update={"read_twice": True})}
    own = Conversation(id="r", task="route", turns=(Turn(role="user", content="Where?"), Turn(role="assistant", content="Sales")))
    answered, routed, filed = taught([ticket(1, "Billing"), own], twice)
    assert [turn.content for turn in answered.turns[1:]] == ["Question 1", "An answer", "Thanks"]
    assert [turn.content for turn in routed.turns[1:]] == ["Question 1\nQuestion 1", "Billing"]
    assert [turn.content for turn in filed.turns] == ["Where?\nWhere?", "Sales"]


def test_labels_that_the_settings_do_not_list_are_left_out() -> None:
    lessons = list(taught([ticket(1, None, "en", "priority=critical")], {"urgent": URGENT}))
    assert [one.task for one in lessons] == [""]
    assert labels(URGENT, "urgent", lessons) == ("low", "high")


def test_labels_are_what_was_learned_where_the_settings_list_none() -> None:
    lessons = list(taught([ticket(1, "Sales"), ticket(2, "Billing"), ticket(3, "Sales")], {"route": ROUTE}))
    assert labels(ROUTE, "route", lessons) == ("Billing", "Sales")
    assert labels(TaskSettings(system_prompt="Describe."), "describe", lessons) == ()


def test_weights_and_temperature_decide_how_often_a_part_is_seen() -> None:
    tickets = [ticket(n) for n in range(100)] + [ticket(n, None, "de") for n in range(100, 125)]
    as_they_are = Counter(one.language for one in mixed(tickets, {}, 1.0, 7))
    assert as_they_are == {"en": 100, "de": 25}
    evened = Counter(one.language for one in mixed(tickets, {}, 2.0, 7))
    assert evened == {"en": 100, "de": 50}  # shares of 10 to 5
    lessons = list(taught([ticket(n, "Billing") for n in range(40)], {"route": ROUTE.model_copy(update={"weight": 2.5})}))
    assert Counter(one.task for one in mixed(lessons, {"route": ROUTE.model_copy(update={"weight": 2.5})}, 1.0, 7)) == {
        "": 40, "route": 100,
    }  # fmt: skip


@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    temperature=st.floats(1, 10),
    seed=st.integers(0, 9),
)
def test_nothing_is_lost_in_the_mix_and_nothing_repeated_too_often(sizes: list[int], temperature: float, seed: int) -> None:
    tickets = [ticket(100 * part + n, None, "abcd"[part]) for part, size in enumerate(sizes) for n in range(size)]
    epoch = mixed(tickets, {}, temperature, seed)
    seen = Counter(one.id for one in epoch)
    assert set(seen) == {one.id for one in tickets}
    assert max(seen.values()) <= 4
    assert mixed(tickets, {}, temperature, seed) == epoch
    largest = "abcd"[sizes.index(max(sizes))]
    assert sum(one.language == largest for one in epoch) == max(sizes)

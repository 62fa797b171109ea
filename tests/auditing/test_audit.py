from __future__ import annotations

from pathlib import Path

import pytest
from conftest import conversation, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from tailorbird.artifacts import Audit, Conversation, Turn
from tailorbird.auditing import audit
from tailorbird.auditing.splitting import split
from tailorbird.errors import InputError
from tailorbird.importing import import_conversations
from tailorbird.settings import AuditSettings
from tailorbird.workspace import Workspace, read_conversations


def audited(shop: Path, rows: list[object]) -> tuple[Workspace, Audit]:
    write_jsonl(shop / "conversations.jsonl", rows)
    workspace = Workspace(shop)
    return workspace, audit(workspace, import_conversations(workspace))


def with_turns(number: int, *turns: tuple[str, str]) -> dict[str, object]:
    return {"id": f"x-{number}", "messages": [{"role": role, "content": content} for role, content in turns]}


def test_each_flaw_is_set_aside_with_its_reason_and_kept(shop: Path) -> None:
    clean = [conversation(n) for n in range(30)]
    flawed = [
        conversation(3) | {"id": "copy", "customer_id": "other"},
        with_turns(2, ("user", "word " * 1300), ("assistant", "Long")),
    ]
    workspace, made = audited(shop, clean + flawed)
    assert made.quarantined == {"exact duplicate": 1, "turn too long": 1}
    assert made.kept == 30
    aside = (workspace.path(made) / "quarantined.jsonl").read_text().splitlines()
    assert len(aside) == 2
    assert '"the same words as t-3"' in aside[0]


def test_splits_are_deterministic_and_whole(shop: Path) -> None:
    rows = [conversation(n) for n in range(60)]
    workspace, made = audited(shop, rows)
    assert made.splits == {"train": 39, "validation": 9, "test": 12}
    parts = {name: {c.id for c in read_conversations(workspace.path(made) / f"{name}.jsonl")} for name in made.splits}
    assert sum(len(part) for part in parts.values()) == len(set.union(*parts.values())) == 60


def test_the_system_prompt_of_the_settings_is_what_is_learned_with(shop: Path) -> None:
    rows = [conversation(n) for n in range(20)] + [
        with_turns(1, ("system", "Old prompt"), ("user", "Hm?"), ("assistant", "Well."))
    ]
    workspace, made = audited(shop, rows)
    everything = [c for name in made.splits for c in read_conversations(workspace.path(made) / f"{name}.jsonl")]
    assert {c.turns[0].content for c in everything} == {"You answer for the test shop."}
    assert all(sum(t.role == "system" for t in c.turns) == 1 for c in everything)


def test_personal_data_is_replaced_by_consistent_placeholders(shop: Path) -> None:
    person = with_turns(
        1, ("user", "I am ann@mail.example"), ("assistant", "Thanks, ann@mail.example."), ("user", "or bob@mail.example"),
        ("assistant", "Noted: 4111 1111 1111 1111 is no way to pay."),
    )  # fmt: skip
    workspace, made = audited(shop, [conversation(n) for n in range(30)] + [person])
    assert made.redacted == {"EMAIL": 2, "CARD": 1}
    everything = [c for name in made.splits for c in read_conversations(workspace.path(made) / f"{name}.jsonl")]
    found = next(c for c in everything if c.id == "x-1")
    assert [t.content for t in found.turns[1:]] == [
        "I am <EMAIL_1>", "Thanks, <EMAIL_1>.", "or <EMAIL_2>", "Noted: <CARD_1> is no way to pay.",
    ]  # fmt: skip


def test_too_few_conversations_are_refused_with_reasons(shop: Path) -> None:
    with pytest.raises(InputError, match="Only 1 of 3"):
        audited(shop, [conversation(1)] * 3)


def test_customers_that_cannot_be_told_apart_are_refused(shop: Path) -> None:
    with pytest.raises(InputError, match="form only 1 groups"):
        audited(shop, [conversation(n) | {"customer_id": "Guest"} for n in range(30)])


def test_rows_of_one_ticket_stay_together(shop: Path) -> None:
    rows = [conversation(n) | {"id": f"ticket {n // 3}", "customer_id": None} for n in range(60)]
    workspace, made = audited(shop, rows)
    seen: dict[str, str] = {}
    for name in made.splits:
        for c in read_conversations(workspace.path(made) / f"{name}.jsonl"):
            assert seen.setdefault(c.id.partition("#")[0], name) == name


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 15), st.integers(0, 15)), min_size=10, max_size=80),
    st.integers(0, 5),
)
def test_no_customer_question_or_answer_is_in_two_splits(rows: list[tuple[int, int, int]], seed: int) -> None:
    conversations = [
        Conversation(
            id=f"c{n}", customer_id=f"p{customer}" if customer else None,
            turns=(Turn(role="user", content=f"q{question}"), Turn(role="assistant", content=f"a{answer} {n // 3}")),
        )
        for n, (customer, question, answer) in enumerate(rows)
    ]  # fmt: skip
    parts, _ = split(conversations, AuditSettings(seed=seed))
    assert sorted(c.id for part in parts.values() for c in part) == sorted(c.id for c in conversations)
    for key in (lambda c: c.customer_id, lambda c: c.turns[0].content, lambda c: c.turns[1].content):
        seen: dict[object, str] = {}
        for name, part in parts.items():
            for c in part:
                if key(c) is not None:
                    assert seen.setdefault(key(c), name) == name

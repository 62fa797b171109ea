from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import conversation, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from tailorbird.artifacts import Audit, Conversation, Turn
from tailorbird.auditing import audit
from tailorbird.auditing.decisions import decide
from tailorbird.auditing.review import aside, chosen
from tailorbird.auditing.splitting import keys_of, split
from tailorbird.errors import InputError, SettingsError
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
    assert made.quarantined == {"exact_duplicate": 1, "turn_too_long": 1}
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
            turns=(Turn(role="user", content=f"q{question}"), Turn(role="assistant", content=f"answer number {answer} {n // 3}")),
        )
        for n, (customer, question, answer) in enumerate(rows)
    ]  # fmt: skip
    chosen, _ = split(
        [c.id for c in conversations], [keys_of(c) for c in conversations], [""] * len(conversations), AuditSettings(seed=seed)
    )
    parts = {name: [c for c, part in zip(conversations, chosen, strict=True) if part == name] for name in set(chosen)}
    assert len(chosen) == len(conversations)
    for key in (lambda c: c.customer_id, lambda c: c.turns[0].content, lambda c: c.turns[1].content):
        seen: dict[object, str] = {}
        for name, part in parts.items():
            for c in part:
                if key(c) is not None:
                    assert seen.setdefault(key(c), name) == name


def findings(workspace: Workspace, made: Audit) -> dict[str, set[str]]:
    rows = [json.loads(line) for line in (workspace.path(made) / "findings.jsonl").read_text().splitlines()]
    return {row["id"]: {found["rule"] for found in row.get("findings", ())} for row in rows}


def test_near_copies_are_set_aside_and_the_newest_stays(shop: Path) -> None:
    words = "your parcel has left our studio this morning and should be with you on the next working day before noon"
    old = with_turns(1, ("user", "Where is my parcel with the blue coat?"), ("assistant", f"Hello, {words}.")) | {
        "created_at": "2025-01-01"
    }
    new = with_turns(2, ("user", "Where is my parcel with the blue coat?"), ("assistant", f"Hi, {words}.")) | {
        "created_at": "2026-01-01"
    }
    workspace, made = audited(shop, [*(conversation(n) for n in range(30)), new, old])
    assert made.quarantined == {"near_duplicate": 1}
    (aside,) = (json.loads(line) for line in (workspace.path(made) / "quarantined.jsonl").read_text().splitlines())
    assert (aside["id"], aside["findings"][0]["related"]) == ("x-1", ["x-2"])


def test_flaws_of_answers_are_found_with_their_turn(shop: Path) -> None:
    flawed = [
        with_turns(1, ("user", "Wann kommt mein Paket mit dem Mantel an?"), ("assistant", "It arrives on the next working day.")),
        with_turns(2, ("user", "Where is my coat?"), ("assistant", "It left us this morning by courier and will be with the")),
        with_turns(3, ("user", "Where is my coat?"), ("assistant", "Internal note: she is a pain, offer 10% and no more.")),
        with_turns(4, ("user", "Where is my hat?"), ("assistant", "Can't you read? It is in the listing, you moron.")),
        with_turns(5, ("user", "Where is my bloody scarf, you idiots?"), ("assistant", "It left us this morning, sorry.")),
        with_turns(6, ("user", "sorry if it's a dumb question, any dumbbells?"), ("assistant", "We sell clothes only.")),
    ]  # fmt: skip
    workspace, made = audited(shop, [*(conversation(n) for n in range(30)), *flawed])
    found = findings(workspace, made)
    assert [found.get(f"x-{n}", set()) for n in range(1, 6)] == [
        {"wrong_language"}, {"unfinished"}, {"internal_note"}, {"abusive_agent"}, {"abusive_customer"},
    ]  # fmt: skip
    assert made.noted == {"abusive_customer": 1}
    assert made.kept == 32


def test_only_exemplary_conversations_if_the_settings_ask_for_them(shop: Path) -> None:
    rows = [conversation(n) | {"rating": 5, "created_at": "2026-02-01", "department": "Sales"} for n in range(30)]
    select = "{min_rating: 4, min_score: 3, since: '2025-01-01', departments: [Sales]}"
    rows[0] |= {"rating": 2}
    rows[1] |= {"created_at": "2024-01-01"}
    rows[2] |= {"department": "Legal"}
    rows[3] |= {"rating": None, "tags": ["escalated"]}
    write_jsonl(shop / "conversations.jsonl", rows)
    text = (shop / "tailorbird.yaml").read_text()
    (shop / "tailorbird.yaml").write_text(text.replace("audit:\n", f"audit:\n  select: {select}\n"))
    workspace = Workspace(shop)
    made = audit(workspace, import_conversations(workspace))
    assert made.quarantined == {"low_rating": 1, "not_selected": 2, "not_exemplary": 1}


def test_rules_do_what_the_settings_say(shop: Path) -> None:
    rows = [
        *(conversation(n) for n in range(30)),
        with_turns(3, ("user", "Where is my coat?"), ("assistant", "Internal note: offer 10% and no more.")),
    ]
    write_jsonl(shop / "conversations.jsonl", rows)
    text = (shop / "tailorbird.yaml").read_text()
    for action, expected in (("note", ({}, {"internal_note": 1})), ("ignore", ({}, {}))):
        (shop / "tailorbird.yaml").write_text(text.replace("audit:\n", f"audit:\n  rules: {{internal_note: {action}}}\n"))
        workspace = Workspace(shop)
        made = audit(workspace, import_conversations(workspace))
        assert (made.quarantined, made.noted) == expected


def test_the_owners_decisions_have_the_last_word_over_imports(shop: Path) -> None:
    note = with_turns(3, ("user", "Where is my coat?"), ("assistant", "Internal note: offer 10% and no more."))
    workspace, made = audited(shop, [*(conversation(n) for n in range(30)), note])
    assert made.quarantined == {"internal_note": 1}
    assert chosen(workspace, made, [], "internal_note") == ["x-3"]
    decide(workspace, ["x-3"], "release", "it is fine")
    decide(workspace, ["t-4"], "exclude", "old policy")
    again = audit(workspace, import_conversations(workspace))
    assert again.quarantined == {"excluded": 1}
    assert [one.id for one in aside(workspace, again)] == ["t-4"]
    with pytest.raises(InputError, match="no conversation 'nobody'"):
        chosen(workspace, made, ["nobody"], None)
    line = json.loads((shop / "decisions.jsonl").read_text().splitlines()[0])
    assert line["by"]
    assert line["at"]


def test_answers_of_one_template_are_refused(shop: Path) -> None:
    rows = [conversation(n, answer=f"Thank you for order {n}, we will be in touch soon.") for n in range(30)]
    with pytest.raises(InputError, match="30 of 30 first answers are one text"):
        audited(shop, rows)


def test_answers_of_one_template_are_refused_among_few_too(shop: Path) -> None:
    rows = [conversation(n, answer=f"Order {n} left." if n < 9 else "") for n in range(14)]
    with pytest.raises(InputError, match="9 of 14 first answers are one text"):
        audited(shop, rows)


SECRET = "zU7-kettle!42x"  # made up


def test_a_secret_that_stands_bare_elsewhere_is_never_learned(shop: Path) -> None:
    told = with_turns(1, ("user", f"My password is {SECRET}, please check."), ("assistant", "Never tell us a password, please."))
    bare = with_turns(2, ("user", "And the login from before?"), ("assistant", f"Take {SECRET}."))
    workspace, made = audited(shop, [*(conversation(n) for n in range(30)), told, bare])
    assert made.quarantined == {"secret_left": 1}
    assert made.noted == {"secret": 1}
    learned = "".join(path.read_text() for path in workspace.path(made).glob("*.jsonl") if path.name != "quarantined.jsonl")
    assert SECRET not in learned + (workspace.path(made) / "report.html").read_text()
    decide(workspace, ["x-2"], "release", "looks fine")
    with pytest.raises(InputError, match="still present in 1 of the conversations to learn from: x-2"):
        audit(workspace, import_conversations(workspace))


def test_a_secret_in_the_system_prompt_is_refused(shop: Path) -> None:
    text = (shop / "tailorbird.yaml").read_text()
    prompt = f"Answer. The admin password is {SECRET}, keep it."
    (shop / "tailorbird.yaml").write_text(text.replace("You answer for the test shop.", f"'{prompt}'"))
    workspace = Workspace(shop)
    with pytest.raises(SettingsError, match="system prompt"):
        audit(workspace, import_conversations(workspace))


def test_order_numbers_stay_or_go_as_the_settings_say(shop: Path) -> None:
    asked = with_turns(1, ("user", "Order TS-2024-99871, from ann@mail.example"), ("assistant", "TS-2024-99871 left today."))
    write_jsonl(shop / "conversations.jsonl", [*(conversation(n) for n in range(30)), asked])
    text = (shop / "tailorbird.yaml").read_text()
    for extra, expected in (
        ("", "TS-2024-99871 left today."),
        ("  replace_orders: true\n", "<ORDER_1> left today."),
        ("  surrogates: true\n", "TS-2024-99871 left today."),
    ):
        settings = text.replace("audit:\n", f"audit:\n  order_numbers: TS-\\d{{4}}-\\d+\n{extra}")
        (shop / "tailorbird.yaml").write_text(settings)
        workspace = Workspace(shop)
        made = audit(workspace, import_conversations(workspace))
        everything = [c for name in made.splits for c in read_conversations(workspace.path(made) / f"{name}.jsonl")]
        turns = next(c for c in everything if c.id == "x-1").turns
        assert turns[2].content == expected
        assert ("<EMAIL_1>" in turns[1].content) is ("surrogates" not in extra)
        assert "ann@mail.example" not in turns[1].content


def test_many_conversations_are_examined_by_all_cores_with_the_same_result(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [conversation(n, question=f"Where is parcel {n} with the {n * 7} buttons?") for n in range(40)]
    workspace, alone = audited(shop, rows)
    shutil.rmtree(workspace.path(alone))
    monkeypatch.setattr("tailorbird.auditing.examining._ALONE", 20)
    monkeypatch.setattr("tailorbird.auditing.examining._CHUNK", 7)
    together = audit(workspace, import_conversations(workspace))
    assert together.model_dump(exclude={"made_at"}) == alone.model_dump(exclude={"made_at"})


def test_the_report_tells_what_was_found_and_shows_no_personal_data(shop: Path) -> None:
    rows = [conversation(n) | {"rating": 4, "created_at": f"2026-0{1 + n % 3}-01"} for n in range(40)]
    rude = with_turns(
        1, ("user", "I am ann@mail.example, where is my hat?"), ("assistant", "Can't you read, ann@mail.example? Moron.")
    )
    workspace, made = audited(shop, [*rows, rude])
    page = (workspace.path(made) / "report.html").read_text()
    text = (workspace.path(made) / "report.md").read_text()
    told = json.loads((workspace.path(made) / "report.json").read_text())
    assert "40 of 41 conversations may be learned from" in page
    assert "abusive words in an agent" in page
    assert "abusive_agent" in text
    assert told["problems"][0]["examples"][0]["excerpt"].startswith("agent: Can't you read, <EMAIL_1>?")
    assert [month["rating"] for month in told["months"]] == [4.0, 4.0, 4.0]
    assert sum(topic["conversations"] for topic in told["topics"]) == 41
    assert "ann@mail.example" not in page + text + json.dumps(told)
    assert "src=" not in page, "nothing is fetched"
    assert "<script" not in page


def test_labels_do_not_tie_questions_together_and_what_is_held_out_fills_the_test() -> None:
    def asked(number: int) -> Conversation:
        turns = (Turn(role="user", content=f"Question {number}"), Turn(role="assistant", content="lost or stolen card"))
        return Conversation(id=f"q-{number}", task="intent", turns=turns)

    rows = [asked(number) for number in range(200)]
    keys = [keys_of(one, labelled=True) for one in rows]
    held_out = {f"q-{number}": "test" for number in range(150, 200)}
    parts, groups = split([one.id for one in rows], keys, ["intent en"] * 200, AuditSettings(seed=3), held_out)
    assert groups == 200
    assert [place for place, part in enumerate(parts) if part == "test"] == list(range(150, 200))
    assert parts.count("validation") == 16

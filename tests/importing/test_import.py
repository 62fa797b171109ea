"""Imports of real files, good and bad, through the public function; messages name file, line and fix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import conversation, write_jsonl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tailorbird.artifacts import Dataset
from tailorbird.errors import InputError
from tailorbird.importing import import_conversations
from tailorbird.importing.cleaning import plain
from tailorbird.settings import SourceSettings
from tailorbird.workspace import Workspace, read_conversations


def import_file(
    shop: Path, name: str, content: str | bytes, strict: bool = False, fresh: bool = True, **source: object
) -> tuple[Workspace, Dataset]:
    path = shop / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    workspace = Workspace(shop)
    return workspace, import_conversations(workspace, [SourceSettings(path=name, **source)], strict, fresh)  # type: ignore[arg-type]


def refusal(shop: Path, name: str, content: str | bytes, **source: object) -> str:
    with pytest.raises(InputError) as refused:
        import_file(shop, name, content, strict=True, **source)
    assert refused.value.fix
    assert not list((shop / "artifacts").glob("datasets/*")), "nothing is saved"
    return refused.value.text


LINE = json.dumps(conversation(1))


def test_chat_json_lines_keep_what_the_help_desk_knew(shop: Path) -> None:
    row = conversation(3) | {"rating": 4, "tags": ["sizing", "handoff"], "created_at": "2026-01-02"}
    workspace, dataset = import_file(shop, "a.jsonl", json.dumps(row) + "\n\n" + LINE)
    first, second = read_conversations(workspace.path(dataset) / "conversations.jsonl")
    assert (first.id, first.rating, first.tags, first.customer_id) == ("t-3", 4.0, ("sizing", "handoff"), "c-3")
    assert first.origin == "a.jsonl:1"
    assert second.origin == "a.jsonl:3"
    assert dataset.sources[0].format == "openai-jsonl"


def test_message_parts_tools_and_developer_roles_are_understood(shop: Path) -> None:
    messages = [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "there"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "x"}]},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": "It is 42."},
    ]
    workspace, dataset = import_file(shop, "a.jsonl", json.dumps({"messages": messages}))
    turns = read_conversations(workspace.path(dataset) / "conversations.jsonl")[0].turns
    assert [(t.role, t.content) for t in turns] == [
        ("system", "Be kind."), ("user", "Hello\nthere"), ("assistant", "It is 42."),
    ]  # fmt: skip


def test_csv_pairs_with_mapping_keep_columns_as_tags(shop: Path) -> None:
    text = 'subject,body,answer,queue,language\nHat,"Is it\nfelt?",Yes,Sales,en\n,Schuh?,Ja,Sales,de\n'
    workspace, dataset = import_file(shop, "t.csv", text, map={"body": "question", "answer": "answer"})
    first, second = read_conversations(workspace.path(dataset) / "conversations.jsonl")
    assert first.turns[0].content == "Hat\n\nIs it\nfelt?"
    assert second.turns[0].content == "Schuh?"
    assert set(first.tags) == {"language=en"}
    assert first.department == "Sales"
    assert second.origin == "t.csv:4"
    assert dataset.sources[0].format == "csv-pairs"


def test_csv_where_takes_only_matching_rows(shop: Path) -> None:
    text = "question;answer;language\na;b;en\nc;d;de\n"
    _, dataset = import_file(shop, "t.csv", text, where={"language": "de"})
    assert dataset.conversations == 1


def test_csv_long_form_puts_a_conversation_together(shop: Path) -> None:
    text = "conversation_id,role,message\n7,customer,Hello\n8,Customer,Moths!\n7,agent,Good day\n8,agent,Freeze it\n"
    workspace, dataset = import_file(shop, "t.csv", text)
    read = read_conversations(workspace.path(dataset) / "conversations.jsonl")
    assert [(c.id, [t.content for t in c.turns]) for c in read] == [("7", ["Hello", "Good day"]), ("8", ["Moths!", "Freeze it"])]
    assert dataset.sources[0].format == "csv-long"


def only(shop: Path, text: str | bytes, name: str = "t.csv", **source: object) -> list[tuple[str, str]]:
    workspace, dataset = import_file(shop, name, text, **source)
    return [(t.role, t.content) for t in read_conversations(workspace.path(dataset) / "conversations.jsonl")[0].turns]


def test_long_form_goes_by_time_and_joins_what_one_person_said_in_a_row(shop: Path) -> None:
    rows = ["7,2026-01-03,agent,Two days", "7,2026-01-02,customer,When?", "7,2026-01-01,customer,Hi"]
    text = "\n".join(["conversation_id,created_at,role,content", *rows])
    assert only(shop, text) == [("user", "Hi\n\nWhen?"), ("assistant", "Two days")]


def test_a_long_form_conversation_with_an_unreadable_row_is_rejected_whole(shop: Path) -> None:
    text = "conversation_id,role,content\n7,customer,When?\n7,agent,Two,days\n7,agent,It is £5\n8,customer,Hi\n8,agent,Hello\n"
    _, dataset = import_file(shop, "t.csv", text)
    assert (dataset.conversations, dataset.rejected) == (1, 2)


def test_small_oddities_of_exports_lose_nothing(shop: Path) -> None:
    assert only(shop, "sep=;\nquestion;answer\na;b\n") == [("user", "a"), ("assistant", "b")]
    two = only(shop, "Betreff,Text,answer\nHat,Felt?,Yes\n", map={"Betreff": "question", "Text": "question"})
    assert two[0] == ("user", "Hat\n\nFelt?")
    cut = LINE.replace("How do I", "How \\ud83d do I")
    assert "�" in only(shop, cut, name="a.jsonl")[0][1] or "?" in only(shop, cut, name="a.jsonl")[0][1]
    workspace, dataset = import_file(shop, "t.csv", "question,answer,rating\na,b,fine by me\n")
    assert read_conversations(workspace.path(dataset) / "conversations.jsonl")[0].tags == ("rating=fine by me",)


def test_when_everything_is_rejected_the_reasons_are_told(shop: Path) -> None:
    with pytest.raises(InputError, match="no agent turn"):
        import_file(shop, "t.csv", "question,answer\na,\n")


def told(workspace: Workspace, dataset: Dataset) -> dict[str, list[str]]:
    read = read_conversations(workspace.path(dataset) / "conversations.jsonl")
    return {c.id: [t.content for t in c.turns] for c in read}


def test_an_export_that_was_imported_before_adds_nothing(shop: Path) -> None:
    _, first = import_file(shop, "a.jsonl", LINE, fresh=False)
    assert import_file(shop, "a.jsonl", LINE, fresh=False)[1] == first
    _, elsewhere = import_file(shop, "copy.jsonl", LINE, fresh=False)
    assert (elsewhere.conversations, elsewhere.added, elsewhere.unchanged) == (1, 0, 1)


def test_a_newer_export_adds_what_is_new_and_updates_what_has_changed(shop: Path) -> None:
    rows = [conversation(1), conversation(2)]
    import_file(shop, "a.jsonl", "\n".join(map(json.dumps, rows)), fresh=False)
    newer = [conversation(2, answer="Now it is 9 °C."), conversation(3)]
    workspace, dataset = import_file(shop, "a.jsonl", "\n".join(map(json.dumps, newer)), fresh=False)
    assert (dataset.conversations, dataset.added, dataset.updated, dataset.unchanged) == (3, 1, 1, 0)
    assert told(workspace, dataset)["t-2"][1] == "Now it is 9 °C."
    assert dataset.turns == 6
    assert len(dataset.made_from) == 1


def test_ids_that_two_files_have_by_chance_stay_two_conversations(shop: Path) -> None:
    import_file(shop, "a.csv", "id,question,answer\n1,Hats?,Yes\n", fresh=False)
    workspace, both = import_file(shop, "b.csv", "id,question,answer\n1,Shoes?,No\n", fresh=False)
    assert told(workspace, both) == {"1": ["Hats?", "Yes"], "1#2": ["Shoes?", "No"]}
    _, again = import_file(shop, "b.csv", "id,question,answer\n1,Shoes?,No\n2,Belts?,Yes\n", fresh=False)
    assert (again.added, again.updated, again.unchanged) == (1, 0, 1)


def test_a_file_read_in_another_way_replaces_what_it_gave(shop: Path) -> None:
    text = "question,answer,reply\nHats?,Yes,Surely\n"
    import_file(shop, "a.csv", text, fresh=False)
    workspace, dataset = import_file(shop, "a.csv", text, fresh=False, map={"reply": "answer"})
    assert list(told(workspace, dataset).values()) == [["Hats?", "Surely"]]


def test_importing_again_finds_the_same_dataset(shop: Path) -> None:
    workspace, first = import_file(shop, "a.jsonl", LINE)
    assert import_file(shop, "a.jsonl", LINE)[1] == first
    assert import_file(shop, "a.jsonl", LINE + "\n" + json.dumps(conversation(2)))[1].id != first.id
    assert len(workspace.all(Dataset)) == 2


def test_conversations_with_one_id_can_still_be_told_apart(shop: Path) -> None:
    workspace, dataset = import_file(shop, "a.jsonl", f"{LINE}\n{LINE}\n")
    assert [c.id for c in read_conversations(workspace.path(dataset) / "conversations.jsonl")] == ["t-1", "t-1#2"]


def test_rejected_records_are_kept_records_with_their_reason(shop: Path) -> None:
    workspace, dataset = import_file(shop, "a.jsonl", f"{LINE}\nnonsense\n")
    assert (dataset.conversations, dataset.rejected) == (1, 1)
    kept = json.loads((workspace.path(dataset) / "rejected.jsonl").read_text())
    assert kept["place"] == "a.jsonl:2"
    assert kept["text"].strip() == "nonsense"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"{LINE}\n{{'messages': []}}\n", "a.jsonl:2: This line is not JSON"),
        (f'{LINE}\n{{"messages": [{{"role": "us', "a.jsonl:2: The last line is cut off"),
        ("", "The file is empty"),
        ('{"messages": "hello"}\n', 'no list "messages"'),
        ('{"messages": [{"role": "user", "content": "Anyone?"}]}\n', "a.jsonl:1: This conversation has no agent turn"),
        ('{"messages": [{"role": "robot", "content": "x"}]}\n', "unknown role 'robot'"),
        ('{"messages": [{"role": "user", "content": 5}]}\n', "Message 1 has no text"),
        (LINE.replace("customer_id", "rating").replace('"c-1"', '"five"'), '"rating" must be a number'),
        (LINE.encode() + b'\n{"messages": "caf\xe9"}\n', "a.jsonl:2: This record has no list"),
        (b'{"a": "\x00"}', "NUL bytes"),
        ("{" * 5000 + "\n", "This line is not JSON"),
    ],
)
def test_bad_json_lines_name_line_and_fix(shop: Path, content: str | bytes, expected: str) -> None:
    assert expected in refusal(shop, "a.jsonl", content)


@pytest.mark.parametrize(
    ("content", "source", "expected"),
    [
        ("frage,antwort\na,b\n", {}, "No column is known as question or answer"),
        ("body,answer\na,b\n", {"map": {"boddy": "question"}}, "Did you mean body?"),
        ("body,answer\na,b\n", {"map": {"body": "qestion"}}, "Did you mean question?"),
        ("question,answer\na,b,c\n", {}, "t.csv:2: This row has 3 columns, the header 2"),
        ('question,answer\n"a,b\n', {}, "t.csv:2: The row that starts here is not valid CSV"),
        ("question,answer\na,\n", {}, "t.csv:2: This conversation has no agent turn"),
        ("conversation_id,role,content\n1,wizard,x\n", {}, "Unknown role 'wizard'"),
        ("conversation_id,role,content\n,customer,x\n", {}, "t.csv:2: This row has no conversation id"),
        ("question,answer\na,b\n", {"map": {"question": "Frage"}}, "'Frage' is not a field"),
        ("Frage,Antwort\na,b\n", {"map": {"question": "Frage"}}, "The file's column comes first: Frage=question"),
        (b"PK\x03\x04spreadsheet", {}, "an archive"),
        ("question,answer\n", {}, "No conversation was found"),
        (",".join("abcdefg"[i % 7] for i in range(2_000_000)) + "\n", {}, "2,000,000 columns"),
        (",".join("x" for _ in range(10_000_000)) + "\n", {}, "longer than 8 million"),
        ("question,answer\na,b\n", {"format": "pdf"}, "'pdf' is not known"),
    ],
)
def test_bad_csv_names_line_and_fix(shop: Path, content: str | bytes, source: dict[str, object], expected: str) -> None:
    assert expected in refusal(shop, "t.csv", content, **source)


def test_a_200_mb_line_is_refused_in_bounded_memory(shop: Path) -> None:
    import tracemalloc

    path = shop / "big.csv"
    with path.open("wb") as file:
        file.write(b"question,answer\n")
        for _ in range(200):
            file.write(b"x" * 1_000_000)
    tracemalloc.start()
    with pytest.raises(InputError, match="longer than 8 million"):
        import_conversations(Workspace(shop), [SourceSettings(path="big.csv")])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000_000


def test_missing_and_unreadable_files_are_named(shop: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv: The file cannot be opened"):
        import_conversations(Workspace(shop), [SourceSettings(path="nowhere.csv")])


def test_many_problems_are_listed_together(shop: Path) -> None:
    message = refusal(shop, "a.jsonl", "x\n" * 8)
    assert "a.jsonl:5" in message
    assert "and more" in message


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(
        st.tuples(*[st.text(min_size=1, max_size=30).filter(lambda t: plain(t) and "\0" not in t)] * 2), min_size=1, max_size=8
    )
)
def test_any_csv_that_python_writes_is_read_back(shop: Path, pairs: list[tuple[str, str]]) -> None:
    import csv

    with (shop / "round.csv").open("w", encoding="utf-8", errors="replace", newline="") as file:
        csv.writer(file).writerows([("question", "answer"), *pairs])
    workspace = Workspace(shop)
    dataset = import_conversations(workspace, [SourceSettings(path="round.csv")], fresh=True)
    read = read_conversations(workspace.path(dataset) / "conversations.jsonl")
    expected = [tuple(plain(cell) for cell in pair) for pair in pairs]
    assert [tuple(t.content for t in c.turns) for c in read] == expected


def test_real_tickets_import_with_one_command(shop: Path, shared_data: Path) -> None:
    workspace = Workspace(shop)
    source = SourceSettings(path=str(shared_data / "tickets_multilang.csv"), map={"body": "question", "answer": "answer"})
    dataset = import_conversations(workspace, [source])
    assert dataset.conversations == 1166
    read = read_conversations(workspace.path(dataset) / "conversations.jsonl")
    assert {"priority", "language"} <= {tag.split("=")[0] for tag in read[0].tags}
    assert all(c.department for c in read)
    assert sum("language=en" in c.tags for c in read) == 486
    write_jsonl(shop / "unused.jsonl", [])

"""Formats other than help desks', each from a real-looking file through the public function; and which file is which."""

from __future__ import annotations

import json
import mailbox
from email.message import EmailMessage
from pathlib import Path

import pytest
from conftest import conversation

from tailorbird.artifacts import Conversation, Dataset
from tailorbird.errors import InputError
from tailorbird.importing import import_conversations
from tailorbird.settings import SourceSettings
from tailorbird.workspace import Workspace, read_conversations


def read(shop: Path, name: str, content: str | bytes = b"", **source: object) -> list[Conversation]:
    if content:
        (shop / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return [*loaded(shop, name, **source)[1]]


def loaded(shop: Path, name: str, **source: object) -> tuple[Dataset, list[Conversation]]:
    workspace = Workspace(shop)
    dataset = import_conversations(workspace, [SourceSettings(path=name, **source)], fresh=True)  # type: ignore[arg-type]
    return dataset, read_conversations(workspace.path(dataset) / "conversations.jsonl")


def said(one: Conversation) -> list[tuple[str, str]]:
    return [(turn.role, turn.content) for turn in one.turns]


def test_arrays_pages_and_lines_hold_the_same_conversations(shop: Path) -> None:
    rows = [conversation(n) for n in range(3)]
    for content in (
        json.dumps(rows),
        json.dumps(rows, indent=2),
        json.dumps({"data": rows, "next": None}),
        *["\n".join(map(json.dumps, rows))],
    ):
        assert [c.id for c in read(shop, "a.json", content)] == ["t-0", "t-1", "t-2"]


def test_a_damaged_array_gives_what_comes_before_the_damage(shop: Path) -> None:
    rows = [conversation(n) for n in range(4)]
    dataset, kept = loaded(shop, "a.json") if (shop / "a.json").write_text(json.dumps(rows)[:-40]) else (None, [])
    assert [c.id for c in kept] == ["t-0", "t-1", "t-2"]
    assert dataset is not None
    assert dataset.rejected == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_real_exports_are_understood(shop: Path, encoding: str) -> None:
    text = "question,answer\nHaben Sie Mäntel für Größe 40?,Ja – für 80 €\n"
    assert said(read(shop, "t.csv", text.encode(encoding))[0]) == [
        ("user", "Haben Sie Mäntel für Größe 40?"),
        ("assistant", "Ja – für 80 €"),
    ]


def test_sharegpt_with_tools_left_out(shop: Path) -> None:
    turns = [("system", "Be kind."), ("human", "Hats?"), ("function_call", "{}"), ("observation", "3"), ("gpt", "Three.")]
    rows = [{"conversations": [{"from": role, "value": value} for role, value in turns]}]
    assert said(read(shop, "a.json", json.dumps(rows))[0]) == [("system", "Be kind."), ("user", "Hats?"), ("assistant", "Three.")]


def test_preferences_keep_the_worse_answer(shop: Path) -> None:
    rows = [
        {
            "conversations": [{"from": "human", "value": "Hats?"}],
            "chosen": {"from": "gpt", "value": "Yes"},
            "rejected": {"from": "gpt", "value": "No"},
        }
    ]
    one = read(shop, "a.json", json.dumps(rows))[0]
    assert (said(one), one.rejected) == ([("user", "Hats?"), ("assistant", "Yes")], "No")
    rows = [{"prompt": "Hats?", "chosen": "Yes", "rejected": "No"}]
    one = read(shop, "b.json", json.dumps(rows))[0]
    assert (said(one), one.rejected) == ([("user", "Hats?"), ("assistant", "Yes")], "No")
    rows = [
        {
            side: [{"role": "user", "content": "Hats?"}, {"role": "assistant", "content": answer}]
            for side, answer in (("chosen", "Yes"), ("rejected", "No"))
        }
    ]
    one = read(shop, "c.json", json.dumps(rows))[0]
    assert (said(one), one.rejected) == ([("user", "Hats?"), ("assistant", "Yes")], "No")


def test_single_judgements_become_ratings(shop: Path) -> None:
    rows = [{"prompt": f"Hats {n}?", "completion": "Yes", "label": bool(n)} for n in range(2)]
    assert [c.rating for c in read(shop, "a.json", json.dumps(rows))] == [1.0, 5.0]


def test_alpaca_with_history(shop: Path) -> None:
    row = {"instruction": "Translate.", "input": "Hut", "output": "hat", "history": [["Hello", "Hi"]]}
    assert said(read(shop, "a.json", json.dumps([row]))[0]) == [
        ("user", "Hello"),
        ("assistant", "Hi"),
        ("user", "Translate.\n\nHut"),
        ("assistant", "hat"),
    ]


def test_the_shared_training_files_import(shop: Path, shared_data: Path) -> None:
    expected = {"alpaca_en_demo.json": ("alpaca", 990), "dpo_en_demo.json": ("sharegpt", 295), "kto_en_demo.json": ("trl", 295)}
    for name, (kind, least) in expected.items():
        dataset, kept = loaded(shop, str(shared_data / name))
        assert dataset.sources[0].format == kind
        assert len(kept) >= least
    assert {c.rating for c in kept} == {1.0, 5.0}


def test_spreadsheets_are_tables(shop: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in (["id", "question", "answer", "rating", "created_at"], [7, "Hats?", "Yes", 4, "2026-01-02"]):
        book.active.append(row)
    book.save(shop / "t.xlsx")
    (one,) = read(shop, "t.xlsx")
    assert (one.id, said(one), one.rating, one.created_at) == (
        "7",
        [("user", "Hats?"), ("assistant", "Yes")],
        4.0,
        "2026-01-02T00:00:00Z",
    )
    (shop / "bad.xlsx").write_bytes(b"PK\x03\x04nonsense")
    with pytest.raises(InputError, match="spreadsheet cannot be read"):
        read(shop, "bad.xlsx")


IOS = """\
[14/08/2023, 09:15:32] Mira's Shop: \u200eMessages and calls are end-to-end encrypted.
[14/08/2023, 09:15:40] Ana: Hola! teneis el abrigo
en talla 38?
[14/08/2023, 09:16:02] Ana: \u200eimage omitted
[14/08/2023, 09:20:00] Mira's Shop: Sí, uno: 45 €
[15/08/2023, 18:00:00] Ana: Gracias, y el horario?
[15/08/2023, 18:05:00] Mira's Shop: De 10 a 18. \u200e<This message was edited>
"""
ANDROID = """\
12/25/25, 10:30\u202fAM - Messages and calls are end-to-end encrypted. Tap to learn more.
12/25/25, 10:31\u202fAM - Bo: Open today?
12/25/25, 10:32\u202fAM - Shop: No, tomorrow at 9: come by
12/25/25, 10:33\u202fAM - Bo: <Media omitted>
"""
FINNISH = "12.3.2022 klo 14.08.18 - Aino: Auki?\n12.3.2022 klo 14.09.00 - Kauppa: Kyllä\n"


def test_whatsapp_of_ios_is_divided_by_pauses(shop: Path) -> None:
    first, second = read(shop, "chat.txt", IOS, ours=["Mira's Shop"], timezone="Europe/Madrid")
    assert said(first) == [("user", "Hola! teneis el abrigo\nen talla 38?"), ("assistant", "Sí, uno: 45 €")]
    assert first.created_at == "2023-08-14T07:15:40Z"
    assert said(second)[1] == ("assistant", "De 10 a 18.")
    assert (first.names, first.turns[1].author) == (("Ana",), "Mira's Shop")
    assert "Ana" not in first.id


def test_whatsapp_of_other_locales(shop: Path) -> None:
    (one,) = read(shop, "chat.txt", ANDROID, ours=["Shop"])
    assert said(one) == [("user", "Open today?"), ("assistant", "No, tomorrow at 9: come by")]
    assert one.turns[1].created_at == "2025-12-25T10:32:00Z"
    (one,) = read(shop, "chat.txt", FINNISH, ours=["Kauppa"])
    assert one.created_at == "2022-03-12T14:08:18Z"


def test_whatsapp_asks_who_the_business_is(shop: Path) -> None:
    with pytest.raises(InputError, match="Names in it: Mira's Shop, Ana"):
        read(shop, "chat.txt", IOS)


def mail(identity: str, sender: str, to: str, subject: str, body: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"], message["From"], message["To"], message["Subject"] = f"<{identity}@x>", sender, to, subject
    message["Date"] = f"Mon, 02 Feb 2026 1{len(identity)}:00:00 +0100"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


ANA, SHOP = "Ana Lévy <ana@post.example>", "Help <help@shop.example>"
MAILS = [
    mail("a", ANA, SHOP, "Coat", "Do you have it in blue?\n\n-- \nAna Lévy\nTel. 123"),
    mail(
        "bb",
        SHOP,
        ANA,
        "Re: Coat",
        "Yes, in blue.\n\nOn Mon, Feb 2, 2026 at 11:00 AM Ana Lévy <ana@post.example> wrote:\n> Do you have it?",
        In_Reply_To="<a@x>",
    ),
    mail("ccc", ANA, SHOP, "Re: Coat", "Thanks!", References="<a@x> <bb@x>"),
    mail("d", SHOP, ANA, "Out of office", "We are away.", Auto_Submitted="auto-replied"),
    mail("e", "Bo <bo@post.example>", SHOP, "Hat", "Any hats?"),
    mail("ff", SHOP, "bo@post.example", "AW: Hat", "Two."),
]


@pytest.mark.parametrize("kind", ["mbox", "folder"])
def test_mail_threads_are_put_together(shop: Path, kind: str) -> None:
    if kind == "mbox":
        box = mailbox.mbox(shop / "mail.mbox")
        for message in MAILS:
            box.add(message)
        box.close()
    else:
        (shop / "mail").mkdir()
        for number, message in enumerate(reversed(MAILS)):
            (shop / "mail" / f"{number}.eml").write_bytes(message.as_bytes())
    kept = sorted(read(shop, "mail.mbox" if kind == "mbox" else "mail"), key=lambda c: c.turns[0].content)
    assert [said(one) for one in kept] == [
        [("user", "Coat\n\nDo you have it in blue?"), ("assistant", "Yes, in blue."), ("user", "Thanks!")],
        [("user", "Hat\n\nAny hats?"), ("assistant", "Two.")],
    ]
    assert kept[0].names == ("Ana Lévy", "ana@post.example")
    assert "ana" not in f"{kept[0].id}{kept[0].customer_id}"


def test_mail_asks_who_the_business_is_when_it_is_not_clear(shop: Path) -> None:
    (shop / "mail").mkdir()
    for number, message in enumerate([MAILS[0], mail("x", "a@b.example", "c@d.example", "Hi", "Hello")]):
        (shop / "mail" / f"{number}.eml").write_bytes(message.as_bytes())
    with pytest.raises(InputError, match="not clear which"):
        read(shop, "mail")


def test_an_unknown_file_is_refused_with_the_formats_it_could_be(shop: Path) -> None:
    with pytest.raises(InputError, match="not recognised"):
        read(shop, "notes.txt", "Dear diary, nothing happened today.\nAgain.\n")

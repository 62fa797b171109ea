"""Exports of help desks: who wrote what, what is left out, and that no damage to an export raises."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailorbird.artifacts import Conversation
from tailorbird.importing import chatwoot, crisp, formats, freshdesk, gorgias, hubspot, import_conversations, intercom, zendesk
from tailorbird.importing.assembling import assembled
from tailorbird.importing.export import Export
from tailorbird.importing.reading import Rejected
from tailorbird.importing.turns import finished
from tailorbird.settings import SourceSettings
from tailorbird.workspace import Workspace, read_conversations

EXPORTS = Path(__file__).parent / "exports"
DESKS = {desk.NAME: desk for desk in (zendesk, intercom, freshdesk, gorgias, hubspot, crisp, chatwoot)}
FOLDERS = sorted(path for desk in DESKS for path in [*(EXPORTS / desk).rglob("api"), *(EXPORTS / desk).rglob("*.json*")])


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "FORMATS", {**formats.FORMATS, **DESKS})


class Imported(NamedTuple):
    found: dict[str, Conversation]
    rejected: dict[str, str]
    format: str

    def said(self, identity: str) -> list[tuple[str, str, str | None]]:
        return [(turn.role, turn.content, turn.author) for turn in self.found[identity].turns]


def imported(shop: Path, export: Path | str, **source: Any) -> Imported:
    """What becomes of one of the exports, or of a JSON text."""
    if isinstance(export, str):
        (shop / "export.json").write_text(export, encoding="utf-8")
    elif export.is_dir():
        shutil.copytree(export, shop / "export.json")
    else:
        shutil.copy(export, shop / "export.json")
    workspace = Workspace(shop)
    dataset = import_conversations(workspace, [SourceSettings(path="export.json", **source)], fresh=True)
    found = read_conversations(workspace.path(dataset) / "conversations.jsonl")
    lines = (workspace.path(dataset) / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    refused = {record.get("record", ""): record["reason"] for record in reversed([json.loads(line) for line in lines])}
    return Imported({c.id: c for c in found}, refused, dataset.sources[0].format)


@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: str(path.relative_to(EXPORTS)))
def test_every_export_is_recognised_as_its_own(path: Path) -> None:
    name = path.relative_to(EXPORTS).parts[0]
    sample = Export(path, SourceSettings(path=str(path))).sample()
    sure = {other: match.confidence for other, form in formats.FORMATS.items() if (match := form.recognise(sample))}
    if not sure:
        assert path.parent.name == "api" or path.stem == "teams", "only lists of people may be of no desk"
        return
    best = sure.pop(name)
    assert best >= 0.2 + max(sure.values(), default=0), sure


def test_zendesk_export_line_by_line(shop: Path) -> None:
    read = imported(shop, EXPORTS / "zendesk" / "export.jsonl")
    assert read.format == "zendesk"
    assert read.said("zendesk-101") == [
        ("user", "Hello,\n\nmy velvet dress has moths. What now?", None),
        ("assistant", "Freeze it for three days.", "77"),
        ("user", "Thank you & see you!", None),
        ("assistant", "With pleasure.", "77"),
    ]
    moths = read.found["zendesk-101"]
    assert (moths.customer_id, moths.names, moths.tags) == ("9001", ("Anna Nowak", "anna@example.com"), ("care", "velvet"))
    assert (moths.rating, moths.status, moths.channel, moths.department) == (5.0, "closed", "email", "Care")
    assert (moths.created_at, moths.turns[1].created_at) == ("2026-01-05T09:00:00Z", "2026-01-05T10:00:00Z")
    assert read.said("zendesk-102") == [("user", "I rang because of the hat.", None), ("assistant", "It is ready.", "78")]
    assert (read.found["zendesk-102"].rating, read.found["zendesk-102"].names) == (None, ("Tom",))
    assert "4444" in read.rejected["zendesk-103"]
    assert "author_id" in read.rejected["zendesk-103"]
    assert "deleted" in read.rejected["zendesk-104"]
    assert read.said("zendesk-105") == [("user", "Is the shop open?", None), ("assistant", "Until six.", "77")]
    assert len(read.found) == 3


def test_zendesk_pages_of_the_api_in_a_folder(shop: Path) -> None:
    read = imported(shop, EXPORTS / "zendesk" / "api")
    assert read.said("zendesk-201") == [
        ("user", "Can you shorten a coat?\n\nIt is tweed.", None),
        ("assistant", "Yes, for £20.", "72"),
        ("user", "I am her husband: when?", None),
        ("assistant", "On Friday.", "71"),
    ]
    hem, hat = read.found["zendesk-201"], read.found["zendesk-202"]
    assert (hem.rating, hem.department, hem.names, hem.tags) == (None, "Repairs", ("Rosa Lind", "rosa@example.com"), ("repair",))
    assert read.said("zendesk-202") == [("user", "Is the hat felt?", None), ("assistant", "It is rabbit felt.", "72")]
    assert (hat.rating, hat.department, hat.names, hat.customer_id) == (1.0, "6", ("Ben Abe",), "902")
    assert [turn.created_at for turn in hat.turns] == ["2026-02-02T08:00:00Z", "2026-02-02T09:00:00Z"]
    assert "robot" in read.rejected["zendesk-203"]
    assert len(read.found) == 2


def test_zendesk_comments_need_their_ticket_and_their_visibility(shop: Path) -> None:
    comment = {"id": 1, "author_id": 9, "body": "Hello", "public": True, "created_at": "2026-01-01T00:00:00Z"}
    ticket = {"id": 5, "requester_id": 9, "assignee_id": 7, "description": "Hello", "via": {"channel": "web"}}
    answer = {"author_id": 7, "body": "Hi", "public": True}
    whole = ticket | {"id": 6, "comments": [comment, answer]}
    read = imported(shop, json.dumps([comment, whole, ticket | {"comments": [comment | {"public": None}, answer]}]))
    assert "ticket_id" in read.rejected[""]
    assert "public" in read.rejected["zendesk-5"]
    assert list(read.found) == ["zendesk-6"]


def test_intercom_conversations(shop: Path) -> None:
    read = imported(shop, EXPORTS / "intercom")
    assert read.format == "intercom"
    assert read.said("intercom-3001") == [
        ("user", "Do you repair zips?", None),
        ("assistant", "Yes, we do.\n- metal\n- plastic", "a1"),
        ("user", "Metal, please", None),
        ("assistant", "Done on Friday.", "Jonas"),
    ]
    zips = read.found["intercom-3001"]
    assert (zips.customer_id, zips.names, zips.tags) == ("u1", ("Anna Nowak", "anna@example.com"), ("repair",))
    assert (zips.rating, zips.status, zips.channel, zips.department) == (4.0, "closed", "conversation", "Repairs")
    assert (zips.created_at, zips.turns[1].created_at) == ("2026-01-05T08:00:00Z", "2026-01-05T08:00:50Z")
    assert read.said("intercom-3002") == [("user", "Hats too?", None), ("assistant", "Hats too.", "a1")]
    assert (read.found["intercom-3002"].names, read.found["intercom-3002"].rating) == (("lead@example.com",), None)
    assert "'team'" in read.rejected["intercom-3003"]
    assert "conversation_parts" in read.rejected["intercom-3004"]
    assert read.said("intercom-3005") == [("user", "Open today?", None), ("assistant", "Until six.", "a1")]
    assert len(read.found) == 3


def test_freshdesk_files_of_a_folder(shop: Path) -> None:
    read = imported(shop, EXPORTS / "freshdesk" / "api")
    assert read.format == "freshdesk"
    assert read.said("freshdesk-31") == [
        ("user", "A button is missing.", None),
        ("assistant", "Which one?", "601"),
        ("user", "The second.", None),
        ("assistant", "We sew it on for free.", None),
    ]
    button = read.found["freshdesk-31"]
    assert set(button.names) == {"Anna Nowak", "anna@example.com", "nowak@example.org", "anna@work.example"}
    assert (button.customer_id, button.tags, button.department) == ("501", ("repair",), "Repairs")
    assert (button.rating, button.status, button.channel) == (4.33, "resolved", "email")
    assert button.turns[2].created_at == "2026-02-01T11:00:00Z"
    assert read.said("freshdesk-32") == [("user", "Send it again, please.", None), ("assistant", "Gladly.", "602")]
    assert (read.found["freshdesk-32"].rating, read.found["freshdesk-32"].department) == (1.0, "82")
    assert read.said("freshdesk-33") == [("user", "hi", None), ("assistant", "hello", "601")]
    assert (read.found["freshdesk-33"].rating, read.found["freshdesk-33"].channel) == (3.0, "web chat")
    assert "spam" in read.rejected["freshdesk-34"]
    assert "private" in read.rejected["freshdesk-35"]
    assert len(read.found) == 3


def test_freshdesk_ticket_whose_first_conversation_is_its_description(shop: Path) -> None:
    read = imported(shop, EXPORTS / "freshdesk" / "ticket.json")
    assert read.said("freshdesk-41") == [
        ("user", "Do you replace linings? Silk, if possible.", None),
        ("assistant", "Yes, from £60.", "6001"),
    ]
    assert read.found["freshdesk-41"].names == ("Lea", "lea@example.com")
    assert not read.rejected


SCALE = [(103, 5), (101, 3.67), (100, 3), (-101, 2.33), (-103, 1), (1, 5), (2, 3), (3, 1), (7, None), ("x", None)]


@pytest.mark.parametrize(("told", "stars"), SCALE)
def test_freshdesk_scales_of_old_and_new_surveys(shop: Path, told: object, stars: float | None) -> None:
    ticket = json.loads((EXPORTS / "freshdesk" / "ticket.json").read_text())
    survey = {"id": 1, "survey_id": 1, "ticket_id": 41, "ratings": {"default_question": told}}
    assert imported(shop, json.dumps([survey, ticket])).found["freshdesk-41"].rating == stars


def test_gorgias_ticket_with_its_messages(shop: Path) -> None:
    read = imported(shop, EXPORTS / "gorgias" / "ticket.json", timezone="Europe/Madrid")
    assert read.format == "gorgias"
    assert read.said("gorgias-71") == [("user", "Is the belt leather?", None), ("assistant", "Calf leather & brass.", None)]
    belt = read.found["gorgias-71"]
    assert (belt.customer_id, belt.names, belt.tags) == ("501", ("Anna Nowak", "anna@example.com"), ("belt",))
    assert (belt.rating, belt.status, belt.channel, belt.department) == (5.0, "closed", "chat", "Care")
    assert belt.turns[1].created_at == "2026-03-01T07:15:00Z"


def test_gorgias_tickets_messages_and_surveys_apart(shop: Path) -> None:
    read = imported(shop, EXPORTS / "gorgias" / "api")
    assert read.said("gorgias-61") == [("user", "Where is it?", None), ("assistant", "Tomorrow.", "601")]
    late = read.found["gorgias-61"]
    assert (late.rating, late.customer_id, late.created_at) == (2.0, "502", "2026-02-01T08:00:00Z")
    assert set(late.names) == {"ben@example.com", "Ben Abe", "ben@home.example"}
    assert "spam" in read.rejected["gorgias-62"]
    assert "from_agent" in read.rejected["gorgias-63"]
    assert len(read.found) == 1


def test_hubspot_threads_and_messages_apart(shop: Path) -> None:
    read = imported(shop, EXPORTS / "hubspot" / "api")
    assert read.format == "hubspot"
    assert read.said("hubspot-701") == [("user", "Is the coat wool?", None), ("assistant", "Pure wool.", "A-7")]
    coat = read.found["hubspot-701"]
    assert set(coat.names) == {"Anna Nowak", "Anna", "Nowak", "anna@example.com", "anna@work.example"}
    assert (coat.customer_id, coat.rating, coat.status) == ("51", 2.0, "CLOSED")
    assert (coat.channel, coat.department, coat.turns[0].created_at) == ("email", "Care", "2026-02-01T08:00:00Z")
    assert read.said("hubspot-702") == [("user", "My invoice?", None), ("assistant", "Attached.", "A-8")]
    assert (read.found["hubspot-702"].names, read.found["hubspot-702"].department) == (("ben@example.com",), "10")
    assert "spam" in read.rejected["hubspot-703"]
    assert "Q-1" in read.rejected["hubspot-704"]
    assert len(read.found) == 2


def test_hubspot_thread_with_its_messages(shop: Path) -> None:
    read = imported(shop, EXPORTS / "hubspot" / "thread.json")
    assert read.said("hubspot-801") == [("user", "Size 38?", None), ("assistant", "Yes, one left.", "A-7")]
    assert (read.found["hubspot-801"].names, read.found["hubspot-801"].channel) == (("Anna Nowak",), "chat")


def test_hubspot_mails_without_actor_go_by_address_and_direction(shop: Path) -> None:
    def mail(number: int, address: str, text: str, **more: object) -> dict[str, object]:
        sender = {"deliveryIdentifier": {"type": "HS_EMAIL_ADDRESS", "value": address}}
        told = {"type": "MESSAGE", "id": f"m{number}", "conversationsThreadId": "1", "createdAt": f"2026-01-0{number}T00:00:00Z"}
        return told | {"senders": [sender], "text": text, "direction": "INCOMING"} | more

    # An agent who answers from a mailbox of their own arrives as an incoming mail.
    mails = [mail(1, "anna@example.com", "Felt?"), mail(2, "mira@shop.example", "Yes.")]
    read = imported(shop, json.dumps({"results": mails}), ours=["shop.example"])
    assert read.said("hubspot-1") == [("user", "Felt?", None), ("assistant", "Yes.", None)]
    cut = mail(3, "anna@example.com", "And the", conversationsThreadId="2", truncationStatus="TRUNCATED")
    lost = mail(4, "x@example.com", "Hm.", conversationsThreadId="3", direction="OUTGOING")
    read = imported(shop, json.dumps({"results": [*mails, cut, lost]}), ours=["shop.example"])
    assert "cut off" in read.rejected["hubspot-2"]
    assert "actorId" in read.rejected["hubspot-3"]


def test_crisp_conversation_with_its_messages(shop: Path) -> None:
    read = imported(shop, EXPORTS / "crisp" / "conversation.json")
    assert read.format == "crisp"
    assert read.said("crisp-session_a") == [("user", "Do you dye shoes?", None), ("assistant", "Black only.", "Mira")]
    shoes = read.found["crisp-session_a"]
    assert (shoes.customer_id, shoes.names, shoes.tags) == ("pp1", ("Anna Nowak", "anna@example.com", "Anna"), ("chat", "repair"))
    assert (shoes.status, shoes.channel, shoes.department) == ("resolved", "chat", "inbox_care")
    assert (shoes.created_at, shoes.turns[1].created_at) == ("2026-01-05T08:00:00Z", "2026-01-05T08:01:00Z")


def test_crisp_conversations_and_messages_apart(shop: Path) -> None:
    read = imported(shop, EXPORTS / "crisp" / "api")
    assert read.said("crisp-session_b") == [("user", "How long?", None), ("assistant", "Four days.", "op1")]
    assert set(read.found["crisp-session_b"].names) == {"visitor7", "Ben"}
    assert "'robot'" in read.rejected["crisp-session_c"]
    assert len(read.found) == 1


def test_chatwoot_conversation_with_its_messages(shop: Path) -> None:
    read = imported(shop, EXPORTS / "chatwoot" / "conversation.json")
    assert read.format == "chatwoot"
    assert read.said("chatwoot-12") == [("user", "Can I return a hat?", None), ("assistant", "Within **14** days.", "7")]
    hat = read.found["chatwoot-12"]
    assert (hat.customer_id, hat.names, hat.tags) == ("55", ("Anna Nowak", "anna@example.com"), ("repair",))
    assert (hat.rating, hat.status, hat.channel, hat.department) == (4.0, "resolved", "WebWidget", "care")
    assert (hat.created_at, hat.turns[1].created_at) == ("2026-01-05T08:00:00Z", "2026-01-05T08:01:00Z")


def test_chatwoot_lists_repeat_the_last_message_only(shop: Path) -> None:
    read = imported(shop, EXPORTS / "chatwoot" / "api")
    assert read.said("chatwoot-21") == [
        ("user", "Where is my hat?", None),
        ("assistant", "On its way.", "7"),
        ("user", "Thanks.\n\nBen", None),
    ]
    hat = read.found["chatwoot-21"]
    assert (hat.names, hat.rating, hat.channel, hat.department) == (("Ben", "ben@example.com"), 1.0, "Email", "Shop mail")
    assert "'ghost'" in read.rejected["chatwoot-22"]
    assert len(read.found) == 1


@pytest.mark.parametrize(("export", "around"), [("zendesk/export.jsonl", "ticket"), ("crisp/conversation.json", "data")])
def test_a_single_object_may_be_wrapped_as_the_api_does(shop: Path, export: str, around: str) -> None:
    first = (EXPORTS / export).read_text(encoding="utf-8")
    value = json.loads(first.splitlines()[0] if export.endswith("l") else first)
    read = imported(shop, json.dumps({"error": False, around: value}))
    assert (read.format, len(read.found)) == (export.split("/")[0], 1)


def test_users_comments_and_tickets_may_come_in_any_order(shop: Path) -> None:
    folder = shop / "export"
    shutil.copytree(EXPORTS / "zendesk" / "api", folder)
    (folder / "users.json").rename(folder / "0-users.json")
    (folder / "tickets.json").rename(folder / "z-tickets.json")
    read = imported(shop, folder)
    assert [turn.role for turn in read.found["zendesk-201"].turns] == ["user", "assistant", "user", "assistant"]
    assert set(read.found) == {"zendesk-201", "zendesk-202"}


@pytest.mark.parametrize("desk", DESKS)
def test_a_record_of_unknown_shape_is_kept_with_its_place(shop: Path, desk: str) -> None:
    good = next(path for path in sorted((EXPORTS / desk).glob("*.json*")) if path.stem != "page")
    first = good.read_text(encoding="utf-8") if good.suffix == ".json" else good.read_text(encoding="utf-8").splitlines()[0]
    read = imported(shop, json.dumps([json.loads(first), {"colour": "blue"}]))
    assert len(read.found) == 1
    assert list(read.rejected) == [""]


DEEP = {"a": {"b": {"c": [1, {"d": None}]}}}
NUMBERS = [0, -1, 3, True, 1.5, 10**400, float("nan")]
JUNK = [None, *NUMBERS, "", "x", "\ud83d", "<p>\ud83d</p>", [], [None], [[1]], [{}], {}, DEEP]


def damaged(value: Any, chance: random.Random, share: float) -> Any:
    """A copy with fields left out, or with something else in their place."""
    if chance.random() < share:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {name: damaged(part, chance, share) for name, part in value.items() if chance.random() >= share}
    return [damaged(part, chance, share) for part in value] if isinstance(value, list) else value


def files_of(desk: str) -> dict[str, list[Any]]:
    """The JSON values of a desk's exports by file: one each, or one in every line."""
    told = {path: path.read_text(encoding="utf-8") for path in sorted((EXPORTS / desk).rglob("*.json*"))}
    lines = {path: text.splitlines() if path.suffix == ".jsonl" else [text] for path, text in told.items()}
    return {path.name: [json.loads(line) for line in texts] for path, texts in lines.items()}


@pytest.mark.parametrize("desk", DESKS)
@settings(max_examples=40)
@given(chance=st.randoms(use_true_random=False), share=st.sampled_from([0.005, 0.03, 0.15]))
def test_no_damage_raises(desk: str, chance: random.Random, share: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "export"
        folder.mkdir()
        for name, values in files_of(desk).items():
            lines = [json.dumps(damaged(value, chance, share)) for value in values]
            (folder / name).write_text("\n".join(lines), encoding="utf-8")
        found = list(DESKS[desk].read(Export(folder, SourceSettings(path="export"))))
        assert all(isinstance(record, (Conversation, Rejected)) for record in found)
        assert all(record.reason and record.place for record in found if isinstance(record, Rejected))
        assert all(record.id.startswith(f"{desk}-") for record in found if isinstance(record, Conversation))
        for whole in assembled(found, Path(scratch)):
            if isinstance(whole, Conversation):
                finished(whole)

"""The chat widget: what it is sent as, and a customer's whole story with it in a browser, errors and attacks included."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from browsing import Shop, ask, colleague, in_a_browser, shown, turns, until, waiting
from fakes import FakeReplier, with_versions
from fastapi.testclient import TestClient

from tailorbird.feedback import FeedbackStore
from tailorbird.language.wishes import wants_person
from tailorbird.serving import api, widget
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.keys import Keys

SOURCE = (Path(widget.__file__).parent / "widget.js").read_text(encoding="utf-8")
LANGUAGES = {"en", "de", "es", "fr", "it", "nl", "pl", "pt"}
AI = "You are talking to the AI assistant of Shop. Ask for a person at any time."


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    workspace = with_versions(tmp_path / "shop", 1)
    Keys(workspace).add("website", "widget")
    desk = Desk(workspace, lambda made: Assistant(FakeReplier(), made.system_prompt, made.disclosure))
    return TestClient(api.application(Desks([desk])))


def test_the_script_is_small() -> None:
    assert len(gzip.compress(SOURCE.encode())) < 15_000


def test_the_script_is_for_everybody_and_kept_for_five_minutes(client: TestClient) -> None:
    told = client.get("/widget.js")
    assert told.status_code == 200
    assert told.text == SOURCE
    assert told.headers["content-type"] == "text/javascript; charset=utf-8"
    assert told.headers["cache-control"] == "public, max-age=300"
    assert told.headers["cross-origin-resource-policy"] == "cross-origin"
    assert told.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in told.headers


def test_the_script_has_a_strong_etag_of_each_form(client: TestClient) -> None:
    forms = [
        client.get("/widget.js", headers={"Accept-Encoding": one}) for one in ("gzip, br", "identity", "gzip;q=0", "gzip;q=0.5")
    ]
    assert [one.headers.get("content-encoding") for one in forms] == ["gzip", None, None, "gzip"]
    assert {one.text for one in forms} == {SOURCE}
    packed, plain = forms[0].headers["etag"], forms[1].headers["etag"]
    assert packed != plain
    assert re.fullmatch(r'"[0-9a-f]{32}"', plain)
    again = client.get("/widget.js", headers={"Accept-Encoding": "identity", "If-None-Match": f'"other", {plain}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", plain)
    assert client.get("/widget.js", headers={"Accept-Encoding": "identity", "If-None-Match": packed}).status_code == 200


def test_the_demo_page_takes_a_key_and_nothing_else(client: TestClient) -> None:
    told = client.get("/widget", params={"key": 'tb_1"><script>alert(1)</script>'})
    assert told.status_code == 200
    assert 'data-key="tb_1&quot;&gt;&lt;script&gt;' in told.text
    policy = told.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert told.headers["cache-control"] == "no-store"
    assert client.get("/v1/models").status_code == 401


def test_the_script_uses_nothing_that_runs_or_keeps_what_it_must_not() -> None:
    forbidden = [
        "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "document.cookie", "localStorage", "indexedDB", "eval(",
        "Function(", 'setAttribute("style', "import(", "sendBeacon", "XMLHttpRequest", "postMessage",
    ]  # fmt: skip
    assert [name for name in forbidden if name in SOURCE] == []
    assert set(re.findall(r"https?://[\w.-]+", SOURCE)) == {"https://shop-bot.example", "http://www.w3.org"}


def words() -> dict[str, dict[str, str]]:
    """The script's words by language."""
    block = SOURCE.split("const WORDS = {")[1].split("\n  };")[0]
    parts = re.findall(r"^    (\w\w): \{(.*?)^    \},", block, re.S | re.M)
    return {name: dict(re.findall(r'(\w+): "([^"]*)"', body)) for name, body in parts}


def test_every_language_has_every_word() -> None:
    told = words()
    assert set(told) == LANGUAGES
    assert {name: set(told["en"]) ^ set(one) for name, one in told.items()} == {name: set() for name in LANGUAGES}
    assert all(text for one in told.values() for text in one.values())


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_wish_that_the_button_sends_is_understood(language: str) -> None:
    assert wants_person(words()[language]["wish"])


@pytest.mark.slow
@in_a_browser
def test_a_customers_whole_story(shop: Shop, page: Any) -> None:
    page.goto(shop.page())
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    box = page.get_by_role("textbox", name="Your message")
    assert box.evaluate("one => one.getRootNode().activeElement === one"), "the keyboard opened it, and one may type at once"
    line = page.locator(".disclosure")
    assert line.inner_text() == "You are talking to an AI assistant. Ask for a person at any time."

    shop.replier.gate.clear()
    page.keyboard.type("Do you ship to Spain?")
    page.keyboard.press("Enter")
    until(page, "We post within")
    assert line.inner_text() == AI, "the line has the server's own words from the first answer on"
    assert page.get_by_role("button", name="Stop the answer").is_visible()
    aloud = page.locator("[role=log] p")
    assert "We post" not in " ".join(aloud.all_inner_texts()), "half a sentence is shown, and not read aloud"
    shop.replier.gate.set()
    until(page, "Silk goes to Spain too.")
    page.get_by_role("button", name="Not helpful").wait_for()
    assert shown(page)[1][1].startswith(AI), "and the first answer says it too"
    told = " ".join(aloud.all_inner_texts())
    assert told.endswith("We post within 2 days. Silk goes to Spain too.")

    page.get_by_role("button", name="Not helpful").click()
    page.get_by_role("textbox", name="What would have been right?").fill("Within one day, to Spain too.")
    page.locator(".judge form button").click()
    page.locator("[role=log]").get_by_text("Thank you").last.wait_for()
    for _ in range(50):
        rows = {row.kind: row for row in FeedbackStore(shop.workspace).all()}
        if "edit" in rows:
            break
        page.wait_for_timeout(100)
    assert rows["thumb"].label is False
    assert rows["edit"].completion == "Within one day, to Spain too."
    assert rows["edit"].messages[-1].content == "Do you ship to Spain?"
    page.get_by_role("button", name="Helpful", exact=True).click()
    assert page.get_by_role("button", name="Helpful", exact=True).get_attribute("aria-pressed") == "true"
    assert page.locator(".judge form").is_hidden()
    page.locator("[role=log]").get_by_text("Thank you").nth(2).wait_for()
    assert {row.label for row in FeedbackStore(shop.workspace).all() if row.kind == "thumb"} >= {True}, "one may think again"

    page.get_by_role("button", name="Talk to a person").click()
    page.get_by_role("button", name="A person has been asked").wait_for()
    identity = waiting(shop, page)
    ask(page, "It is about a silk dress.")
    page.get_by_role("button", name="Send").wait_for()
    colleague(shop, page, identity, "replies", text="Mira here: 5 days to Spain. <b>Promised</b>.", author="Mira")
    until(page, "Mira here: 5 days to Spain. <b>Promised</b>.")
    assert page.locator("li.person .who").inner_text() == "Mira · person from our team"
    assert page.locator("li.assistant .who").first.inner_text() == "AI assistant"
    assert aloud.last.inner_text().startswith("Mira · person from our team: Mira here")
    colleague(shop, page, identity, "release")
    until(page, "The AI assistant is answering again.")
    page.get_by_role("button", name="Talk to a person").wait_for()
    shop.replier.answer = "Yes, we mend zips."
    ask(page, "Do you mend zips?")
    until(page, "Yes, we mend zips.")

    before = shown(page)
    page.goto(f"{shop.url}/other")
    page.locator(".panel").wait_for()
    assert shown(page) == before
    assert line.inner_text() == AI
    ask(page, "And buttons?")
    page.locator("li.assistant").nth(2).wait_for()
    assert len({turn.conversation for turn in turns(shop)}) == 1, "the same conversation on the next page"

    page.get_by_role("button", name="Start anew").click()
    assert shown(page) == []
    page.reload()
    page.locator(".panel").wait_for()
    assert shown(page) == []
    page.get_by_role("textbox", name="Your message").press("Escape")
    page.get_by_role("button", name="Open the chat").wait_for()
    assert page.complaints == []
    assert page.asked == {shop.url, shop.server}, "no other origin"


@pytest.mark.slow
@in_a_browser
def test_who_asks_for_a_person_first_begins_a_conversation_by_it(shop: Shop, page: Any) -> None:
    shop.open(page, "de")
    page.get_by_role("button", name="Mit einem Menschen sprechen").click()
    page.get_by_role("button", name="Ein Mensch ist gerufen").wait_for()
    assert [kind for kind, _ in shown(page)] == ["user", "assistant", "note"]
    assert [turn.role for turn in turns(shop)] == ["user", "assistant"]
    assert page.locator(".judge").count() == 0, "the server's own words are nobody's to judge"
    page.keyboard.press("Escape")
    colleague(shop, page, waiting(shop, page), "replies", text="Guten Tag!", author="Mira")
    page.get_by_role("button", name="Chat öffnen: neue Nachrichten").click()
    until(page, "Guten Tag!")


@pytest.mark.slow
@in_a_browser
def test_nothing_is_kept_but_the_conversation_of_this_tab(shop: Shop, page: Any) -> None:
    shop.open(page)
    ask(page, "Hello there")
    until(page, "Silk goes to Spain too.")
    assert page.evaluate("[localStorage.length, document.cookie, sessionStorage.length]") == [0, "", 1]
    held = json.loads(page.evaluate("Object.values(sessionStorage)[0]"))
    assert set(held) == {"conversation", "state", "after", "disclosure", "open", "messages"}
    elsewhere = page.context.new_page()
    elsewhere.goto(shop.page())
    assert elsewhere.locator(".log li").count() == 0
    page.get_by_role("button", name="Start anew").click()
    assert json.loads(page.evaluate("Object.values(sessionStorage)[0]"))["messages"] == []


@pytest.mark.slow
@in_a_browser
def test_a_page_may_open_close_and_ask(shop: Shop, page: Any) -> None:
    page.goto(shop.page())
    page.evaluate("tailorbird.ask('Do you ship to Spain?')")
    until(page, "Silk goes to Spain too.")
    page.evaluate("tailorbird.close()")
    page.locator(".panel").wait_for(state="hidden")
    page.evaluate("tailorbird.open()")
    page.locator(".panel").wait_for()
    assert page.asked == {shop.url, shop.server}


@pytest.mark.slow
@in_a_browser
def test_the_servers_own_page_shows_it(shop: Shop, page: Any) -> None:
    page.goto(f"{shop.server}/widget?key={shop.key}")
    page.locator(".launcher").click()
    ask(page, "Do you ship to Spain?")
    until(page, "Silk goes to Spain too.")
    assert (page.complaints, page.asked) == ([], {shop.server})

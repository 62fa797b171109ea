"""The owner's page in a browser: figures, who waits, answering; and what is kept from whom."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browsing import Shop, in_a_browser, quiet_page, turns
from conftest import ROOT
from fakes import FakeReplier, with_versions
from fastapi.testclient import TestClient

from tailorbird.serving import api
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.keys import Keys

SOURCE = (ROOT / "src/tailorbird/serving/dashboard/dashboard.js").read_text(encoding="utf-8")


def test_the_page_is_open_and_tells_nothing_by_itself(tmp_path: Path) -> None:
    shop = with_versions(tmp_path / "shop", 1)
    Keys(shop).add("Mira", "owner")
    client = TestClient(api.application(Desks([Desk(shop, lambda made: Assistant(FakeReplier(), "", made.disclosure))])))
    page, script = client.get("/dashboard"), client.get("/dashboard.js")
    assert (page.status_code, script.status_code) == (200, 200)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert script.text == SOURCE
    assert client.get("/v1/figures").status_code == 401


def test_the_script_shows_text_as_text_and_asks_nobody_else() -> None:
    forbidden = ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "document.cookie", "localStorage", "eval("]
    assert [name for name in forbidden if name in SOURCE] == []
    assert set(re.findall(r"https?://[\w.-]+", SOURCE)) == {"http://www.w3.org"}, "the name of SVG"


def say(page: Any, shop: Shop, text: str) -> None:
    headers = {"Authorization": f"Bearer {Keys(shop.workspace).add(text[:12], 'chat')}"}
    asked = {"model": "production", "messages": [{"role": "user", "content": text}]}
    assert page.request.post(f"{shop.server}/v1/chat/completions", data=asked, headers=headers).ok


@pytest.mark.slow
@in_a_browser
def test_the_owner_sees_how_it_does_and_answers_who_waits(shop: Shop, browser: Any) -> None:
    owner = Keys(shop.workspace).add("the owner", "owner")
    with quiet_page(browser) as page:
        say(page, shop, "Do you ship to Spain?")
        say(page, shop, "<img src=x onerror=alert(1)> I want a real person, please.")
        page.goto(f"{shop.server}/dashboard")
        page.get_by_role("textbox", name="Key").fill("tb_wrong_key")
        page.keyboard.press("Enter")
        page.get_by_role("alert").get_by_text("key of its own").wait_for()
        page.get_by_role("textbox", name="Key").fill(owner)
        page.keyboard.press("Enter")
        page.get_by_text("2 answers").wait_for()
        assert page.locator(".tile strong").all_inner_texts()[:2] == ["2", "50%"]
        assert page.get_by_role("img").get_attribute("aria-label").endswith("2 conversations, 1 with a person")
        page.get_by_role("button", name="Answer").click()
        page.get_by_text("<img src=x onerror=alert(1)>").last.wait_for()
        page.get_by_role("textbox", name="Your name").fill("Mira")
        page.get_by_role("textbox", name="Your reply").fill("Mira here, how can I help?")
        page.get_by_role("button", name="Send").click()
        page.locator(".said.person", has_text="Mira here").wait_for()
        page.get_by_role("button", name="Give back to the assistant").click()
        page.get_by_text("Nobody waits for a person.").wait_for()
        assert [turn.text for turn in turns(shop) if turn.role == "person"] == ["<PERSON_1> here, how can I help?"]
        page.set_viewport_size({"width": 320, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.asked == {shop.server}
        assert [one for one in page.complaints if "401" not in one] == []


@pytest.mark.slow
@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page(shop: Shop, browser: Any, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    owner = Keys(shop.workspace).add("the owner", "owner")
    with quiet_page(browser) as page:
        page.emulate_media(color_scheme=scheme)
        say(page, shop, "I want to talk to a real person, please.")
        page.goto(f"{shop.server}/dashboard")
        page.get_by_role("textbox", name="Key").fill(owner)
        page.keyboard.press("Enter")
        page.get_by_text("1 answers").wait_for()
        page.get_by_role("button", name="Answer").click()
        page.get_by_role("textbox", name="Your reply").wait_for()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()

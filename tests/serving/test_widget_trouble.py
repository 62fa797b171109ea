"""The chat widget when things go wrong: answers stopped, cut or refused, no network, and a model that writes markup."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from browsing import Shop, ask, colleague, in_a_browser, shop_on_the_web, shown, turns, until, waiting

from tailorbird.errors import ModelError
from tailorbird.turns import TurnLog

pytestmark = [pytest.mark.slow, in_a_browser]


def test_an_answer_can_be_stopped(shop: Shop, page: Any) -> None:
    shop.replier.gate.clear()
    shop.open(page)
    ask(page, "When do you post it?")
    until(page, "We post within")
    page.get_by_role("button", name="Stop the answer").click()
    until(page, "The answer was stopped.")
    shop.replier.gate.set()
    assert page.locator(".trouble").is_hidden()
    ask(page, "And to Peru?")
    until(page, "Silk goes to Spain too.")
    assert shown(page)[1][1].endswith("We post within"), "what there was of it stays"
    assert len({turn.conversation for turn in turns(shop)}) == 1


@pytest.mark.parametrize("problem", [ModelError("The model is gone."), ValueError("the model is gone")], ids=["told", "cut"])
def test_an_answer_that_broke_off_is_asked_for_again(shop: Shop, page: Any, problem: Exception) -> None:
    shop.replier.breaks_at, shop.replier.problem = 3, problem
    shop.replier.gate.clear()
    shop.open(page)
    ask(page, "When do you post it?")
    until(page, "We post within")
    shop.replier.gate.set()
    page.get_by_role("alert").get_by_text("The answer broke off.").wait_for()
    assert shown(page)[-1][1].endswith("We post within")
    shop.replier.breaks_at = 0
    page.get_by_role("button", name="Try again").click()
    until(page, "Silk goes to Spain too.")
    assert [kind for kind, _ in shown(page)] == ["user", "assistant"]
    assert [turn.role for turn in turns(shop)].count("user") == 1, "asked again, and written down once"


def test_an_answer_that_the_customer_did_not_wait_for_is_asked_for_again(shop: Shop, page: Any) -> None:
    shop.replier.gate.clear()
    shop.open(page)
    ask(page, "When do you post it?")
    until(page, "We post within")
    page.goto(f"{shop.url}/other")
    page.get_by_role("alert").get_by_text("The answer broke off.").wait_for()
    assert [kind for kind, _ in shown(page)] == ["user"]
    shop.replier.gate.set()
    page.get_by_role("button", name="Try again").click()
    until(page, "Silk goes to Spain too.")
    assert [turn.role for turn in turns(shop)].count("user") == 1
    assert len({turn.conversation for turn in turns(shop)}) == 1


def test_starting_anew_forgets_an_answer_that_is_being_written(shop: Shop, page: Any) -> None:
    shop.replier.gate.clear()
    shop.open(page)
    ask(page, "When do you post it?")
    until(page, "We post within")
    page.get_by_role("button", name="Start anew").click()
    page.get_by_role("button", name="Send").wait_for()
    assert (shown(page), page.locator(".trouble").is_visible()) == ([], False)
    shop.replier.gate.set()
    ask(page, "Do you mend zips?")
    until(page, "Silk goes to Spain too.")
    assert [kind for kind, _ in shown(page)] == ["user", "assistant"]
    assert len({turn.conversation for turn in turns(shop)}) == 2


def test_a_wish_for_a_person_that_did_not_arrive_is_sent_again(shop: Shop, page: Any) -> None:
    shop.open(page)
    ask(page, "When do you post it?")
    until(page, "Silk goes to Spain too.")
    page.route("**/hand-off", lambda route: route.abort())
    page.get_by_role("button", name="Talk to a person").click()
    page.get_by_role("alert").get_by_text("There is no connection.").wait_for()
    page.unroute("**/hand-off")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("button", name="A person has been asked").wait_for()
    assert waiting(shop, page)


def test_a_conversation_that_a_colleague_ended_is_followed_by_another(shop: Shop, page: Any) -> None:
    shop.open(page)
    page.get_by_role("button", name="Talk to a person").click()
    page.get_by_role("button", name="A person has been asked").wait_for()
    colleague(shop, page, waiting(shop, page), "close")
    until(page, "Our team has ended this conversation.")
    ask(page, "Do you mend zips?")
    until(page, "Silk goes to Spain too.")
    assert len({turn.conversation for turn in turns(shop)}) == 2


def test_without_a_network_the_message_is_kept_to_be_sent_again(shop: Shop, page: Any) -> None:
    shop.open(page, "fr")
    page.context.set_offline(True)
    page.get_by_role("textbox", name="Votre message").fill("Livrez-vous en Espagne ?")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("Il n'y a pas de connexion.").wait_for()
    assert [kind for kind, _ in shown(page)] == ["user"]
    page.context.set_offline(False)
    page.get_by_role("button", name="Réessayer").click()
    until(page, "Silk goes to Spain too.")


def test_a_key_that_is_refused_is_said_in_words(shop: Shop, page: Any) -> None:
    shop.open(page, key="tb_0_wrong")
    ask(page, "Hello there")
    page.get_by_role("alert").get_by_text("The chat is not available on this page.").wait_for()
    assert page.get_by_role("button", name="Try again").is_enabled()


@pytest.mark.parametrize(
    ("status", "said"), [(403, "not available"), (429, "Too many messages"), (503, "busy"), (500, "Something")]
)
def test_refusals_have_their_own_words_and_retry_after_is_honoured(shop: Shop, page: Any, status: int, said: str) -> None:
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", "Retry-After": "2"}
    page.route("**/v1/chat/completions", lambda route: route.fulfill(status=status, headers=headers, json={"error": {}}))
    shop.open(page)
    ask(page, "Hello there")
    page.get_by_role("alert").get_by_text(said).wait_for()
    page.unroute("**/v1/chat/completions")
    again = page.locator(".trouble button")
    if status in (429, 503):
        assert again.get_attribute("aria-disabled") == "true"
        again.click(force=True)
        assert shop.replier.asked == []
        page.locator(".trouble button[aria-disabled=false]").wait_for()
    again.click()
    until(page, "Silk goes to Spain too.")


def test_the_servers_own_limit_is_read_with_its_pause(tmp_path: Path, page: Any) -> None:
    with shop_on_the_web(tmp_path, requests_per_minute=1) as shop:
        shop.open(page)
        ask(page, "Hello there")
        until(page, "Silk goes to Spain too.")
        ask(page, "Hello again")
        page.get_by_role("alert").get_by_text("Too many messages").wait_for()
        left = int(re.sub(r"\D", "", page.locator(".trouble button").inner_text()))
        assert left > 30, "the server says how long, and lets the page read it"


def test_what_the_model_writes_is_never_markup(shop: Shop, page: Any) -> None:
    shop.replier.answer = (
        "<img src=x onerror=alert(1)> **<script>alert(2)</script>** [press](javascript:alert(3)) javascript:alert(4) "
        "[data](data:text/html,hi)\n\n- **first** <b>one</b>\n- see https://shop.example/care?a=1&b=2. \n\n[care](https://shop.example/c)"
    )
    shop.open(page, title="<i>Shop</i>", disclosure="<u>AI</u>")
    assert page.locator("h2").inner_text() == "<i>Shop</i>"
    assert page.locator(".disclosure").inner_text() == "<u>AI</u>"
    page.on("dialog", lambda dialog: pytest.fail("it ran"))
    ask(page, "<img src=x onerror=alert(5)>")
    until(page, "care")
    page.get_by_role("button", name="Not helpful").wait_for()
    text = page.locator("li.assistant .text")
    assert text.locator("img, script, b, i").count() == 0
    assert text.locator("li").all_inner_texts() == ["first <b>one</b>", "see https://shop.example/care?a=1&b=2."]
    assert text.locator("strong").all_inner_texts() == ["<script>alert(2)</script>", "first"]
    links = text.locator("a").evaluate_all("all => all.map(one => [one.href, one.rel, one.innerText])")
    assert links == [
        ["https://shop.example/care?a=1&b=2", "noopener nofollow", "https://shop.example/care?a=1&b=2"],
        ["https://shop.example/c", "noopener nofollow", "care"],
    ]
    assert "[press](javascript:alert(3))" in text.inner_text()
    assert shown(page)[0] == ("user", "<img src=x onerror=alert(5)>")
    assert page.complaints == []


def test_a_conversation_that_the_server_has_no_more_begins_anew(shop: Shop, page: Any) -> None:
    shop.open(page)
    ask(page, "Hello there")
    until(page, "Silk goes to Spain too.")
    TurnLog(shop.workspace).erase(lambda held, told: True)
    shop.replier.answer = "Yes, to Peru."
    ask(page, "And to Peru?")
    until(page, "Yes, to Peru.")
    assert [message["content"] for message in shop.replier.asked[-1][0]][-3:] == [
        "Hello there",
        "We post within 2 days. Silk goes to Spain too.",
        "And to Peru?",
    ]

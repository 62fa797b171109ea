"""The chat widget as it looks and is operated: accessibility, themes, phones, languages, and how often it asks for news."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browsing import CSS, Shop, ask, colleague, in_a_browser, waiting

pytestmark = [pytest.mark.slow, in_a_browser]
PHONE, DESKTOP = {"width": 390, "height": 780}, {"width": 1000, "height": 800}
# The texts that can be seen, each with its contrast against what is painted behind it.
CONTRASTS = """() => {
  const shadow = document.querySelector("tailorbird-chat").shadowRoot, told = [];
  const parts = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (colour) => {
    const linear = (one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = parts(colour).map((one) => linear(one / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if ((parts(colour)[3] ?? 1) === 1) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  for (const one of shadow.querySelectorAll("*")) {
    const written = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const text = written || ["svg", "textarea"].includes(one.localName);
    if (!text || !one.getClientRects().length || one.closest(".unseen, .writing")) continue;
    for (const part of one.placeholder ? [undefined, "::placeholder"] : [undefined]) {
      const pair = [light(getComputedStyle(one, part).color), light(behind(one))].sort((a, b) => b - a);
      told.push([(one.innerText ?? one.localName).slice(0, 30), (pair[0] + 0.05) / (pair[1] + 0.05)]);
    }
  }
  return told;
}"""


@pytest.fixture
def opening(browser: Any) -> Iterator[Any]:
    """Opens pages in browsers of one's choice."""
    contexts: list[Any] = []

    def opened(viewport: dict[str, int], **more: Any) -> Any:
        contexts.append(browser.new_context(viewport=viewport, **more))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        return page

    yield opened
    for context in contexts:
        context.close()


def converse(shop: Shop, page: Any) -> None:
    """A conversation with everything that there is to see: all who speak, thumbs, a correction, a refusal."""
    shop.replier.answer = "**Silk** by hand:\n\n- cold water\n- see https://shop.example/care"
    ask(page, "How do I wash silk?")
    page.get_by_role("button", name="Not helpful").click()
    page.get_by_role("textbox", name="What would have been right?").fill("Only dry cleaning.")
    page.get_by_role("button", name="Talk to a person").click()
    page.get_by_role("button", name="A person has been asked").wait_for()
    colleague(shop, page, waiting(shop, page), "replies", text="I have looked at your dress: cold water it is.", author="Mira")
    page.locator("li.person").wait_for()
    cors = {"Access-Control-Allow-Origin": "*"}
    page.route("**/v1/chat/completions", lambda route: route.fulfill(status=503, headers=cors, json={}))
    ask(page, "Thank you")
    page.get_by_role("alert").get_by_text("busy").wait_for()


def violations(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    told = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']]}" for one in told]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(shop: Shop, opening: Any, theme: str, viewport: dict[str, int]) -> None:
    if theme == "dark":
        shop.site.css = CSS % "body { background: #101316; color: #f0f3f5; } body a { color: #9cc9ea; }"
    page = opening(viewport, color_scheme=theme, reduced_motion="reduce")
    page.goto(shop.page())
    assert violations(page) == []
    page.locator(".launcher").click()
    assert violations(page) == []
    converse(shop, page)
    assert violations(page) == []


@pytest.mark.parametrize("accent", ["", "#ffe94d", "#777777", "rebeccapurple", "rgb(0 128 0 / 20%)", "nonsense"])
def test_every_text_has_contrast_in_both_themes(shop: Shop, opening: Any, accent: str) -> None:
    page = opening(DESKTOP, color_scheme="light")
    shop.open(page, accent=accent, theme="auto")
    converse(shop, page)
    backs = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        told = page.evaluate(CONTRASTS)
        assert len(told) > 15
        assert [one for one in told if one[1] < 4.5] == []
        backs.append(page.locator(".panel").evaluate("one => getComputedStyle(one).backgroundColor"))
    assert backs == ["rgb(255, 255, 255)", "rgb(20, 24, 28)"]


def test_the_theme_can_be_fixed_and_the_accent_set_in_css(shop: Shop, opening: Any) -> None:
    shop.site.css = CSS % ":root { --tailorbird-accent: #ffe94d; }"
    page = opening(DESKTOP, color_scheme="light")
    shop.open(page, theme="dark", position="left", accent="#000000")
    colours = "one => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]"
    assert page.locator(".panel").evaluate(colours)[0] == "rgb(20, 24, 28)"
    assert page.locator(".head").evaluate(colours) == ["rgb(255, 233, 77)", "rgb(0, 0, 0)"], "black on yellow"
    assert page.locator(".panel").bounding_box()["x"] == 20


def test_the_pages_styles_and_the_widgets_never_meet(shop: Shop, opening: Any) -> None:
    page = opening(DESKTOP)
    shop.open(page)
    looks = """() => {
        const names = ["color", "fontSize", "display", "textTransform", "direction", "width"];
        const own = document.querySelector("tailorbird-chat").shadowRoot.querySelectorAll("button, textarea, h2, .panel");
        return [...own].map((one) => names.map((name) => getComputedStyle(one)[name]).join());
    }"""
    before = page.evaluate(looks)
    styles = "* { color: red !important; font-size: 40px !important; text-transform: uppercase; direction: rtl; rotate: 1deg }"
    shop.site.css = CSS % f"{styles} button {{ display: none !important; }} tailorbird-chat {{ display: none; width: 3px; }}"
    page.goto(shop.page())
    page.locator(".panel").wait_for()
    assert page.evaluate(looks) == before
    assert page.evaluate("[Object.keys(window).filter((name) => name === 'tailorbird').length, document.styleSheets.length]") == [
        1,
        1,
    ]


@pytest.mark.parametrize(("width", "height"), [(320, 568), (320, 256), (640, 360), (500, 400)], ids=str)
def test_nothing_scrolls_sideways_and_what_matters_stays_in_sight(shop: Shop, opening: Any, width: int, height: int) -> None:
    page = opening({"width": width, "height": height})
    shop.open(page)
    shop.replier.answer = "A" * 300 + " https://shop.example/" + "b" * 200
    ask(page, "c" * 200)
    page.get_by_role("button", name="Not helpful").click()
    wide = """() => {
        const own = document.querySelector("tailorbird-chat").shadowRoot.querySelectorAll(".panel, .log, .head");
        return [document.scrollingElement, ...own].map((one) => one.scrollWidth - one.clientWidth);
    }"""
    assert max(page.evaluate(wide)) <= 0
    for part in (".bar button", ".say textarea", ".disclosure", ".head", ".head button:last-child"):
        page.locator(part).scroll_into_view_if_needed()  # a sheet that is very low scrolls, under a heading that does not
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width, part
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= height + 0.5, part
    assert page.locator(".log").bounding_box()["height"] >= 48


def test_every_target_is_44_pixels(shop: Shop, opening: Any) -> None:
    page = opening(PHONE)
    page.goto(shop.page())
    sizes = """() => [...document.querySelector("tailorbird-chat").shadowRoot.querySelectorAll("button, textarea")]
        .filter((one) => one.getClientRects().length)
        .map((one) => [one.ariaLabel ?? one.innerText, one.offsetWidth, one.offsetHeight])"""
    assert [one for one in page.evaluate(sizes) if min(one[1:]) < 44] == []
    page.locator(".launcher").click()
    converse(shop, page)
    told = page.evaluate(sizes)
    assert len(told) > 8
    assert [one for one in told if min(one[1:]) < 44] == []


def focused(page: Any) -> str:
    told = (
        "() => { const one = document.activeElement.shadowRoot?.activeElement; return one ? one.ariaLabel ?? one.innerText : '' }"
    )
    return str(page.evaluate(told))


def test_the_keyboard_reaches_everything_in_order_and_comes_back(shop: Shop, opening: Any) -> None:
    page = opening(DESKTOP)
    shop.open(page)
    assert focused(page) == "Your message"
    page.locator(".panel").focus()
    seen = []
    for _ in range(6):
        page.keyboard.press("Tab")
        seen.append(focused(page))
    assert seen == ["Start anew", "Close the chat", "Conversation", "Talk to a person", "Your message", "Send"]
    page.keyboard.press("Tab")
    assert focused(page) == "", "on a desktop the page can be reached while the chat is open"
    page.get_by_role("textbox", name="Your message").press("Escape")
    assert page.locator(".panel").is_hidden()
    assert focused(page) == "Open the chat"
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Chat")
    assert dialog.get_attribute("aria-modal") == "false"
    assert page.get_by_role("region", name="Conversation").count() == 1
    assert page.locator("[role=log]").get_attribute("aria-live") == "polite"
    assert page.get_by_role("alert").count() <= 1


def test_a_phone_has_a_sheet_that_keeps_the_focus_and_yields_to_the_keyboard(shop: Shop, opening: Any) -> None:
    page = opening(PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce")
    page.add_init_script("""
      const seen = Object.assign(new EventTarget(), { height: 780, offsetTop: 0, scale: 1 });
      Object.defineProperty(window, "visualViewport", { value: seen });""")
    page.goto(shop.page())
    page.locator(".launcher").tap()
    dialog = page.get_by_role("dialog", name="Chat")
    assert dialog.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 780}
    assert dialog.get_attribute("aria-modal") == "true"
    names = []
    for _ in range(7):
        page.keyboard.press("Tab")
        names.append(focused(page))
    assert names[0] == names[6] == "Start anew", "the focus goes round in the sheet"
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Send"
    page.evaluate("Object.assign(visualViewport, { height: 400, offsetTop: 30 }).dispatchEvent(new Event('resize'))")
    assert dialog.bounding_box() == {"x": 0, "y": 30, "width": 390, "height": 400}
    box = page.get_by_role("textbox", name="Your message").bounding_box()
    assert box["y"] + box["height"] <= 430, "the keyboard does not cover it"
    page.evaluate("Object.assign(visualViewport, { height: 200, scale: 2 }).dispatchEvent(new Event('resize'))")
    assert dialog.bounding_box()["height"] == 780, "whoever magnifies the page by hand is left alone"


def test_motion_is_for_those_who_do_not_mind(shop: Shop, opening: Any) -> None:
    name = "one => getComputedStyle(one).animationName"
    for wish, animation in (("reduce", "none"), ("no-preference", "rise")):
        page = opening(DESKTOP, reduced_motion=wish)
        shop.open(page)
        assert page.locator(".panel").evaluate(name) == animation


@pytest.mark.parametrize(
    ("page_language", "attributes", "label"),
    [
        ("es-MX", {}, "Hablar con una persona"), ("pt", {}, "Falar com uma pessoa"), ("it", {}, "Parla con una persona"),
        ("nl-BE", {}, "Met een medewerker praten"), ("pl", {}, "Porozmawiaj z człowiekiem"), ("ja", {}, "Talk to a person"),
        ("en", {"language": "fr"}, "Parler à une personne"),
    ],
)  # fmt: skip
def test_it_speaks_the_pages_language(
    shop: Shop, opening: Any, page_language: str, attributes: dict[str, str], label: str
) -> None:
    page = opening({"width": 320, "height": 568})
    shop.open(page, page_language, **attributes)
    assert page.get_by_role("button", name=label).is_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320


def test_news_are_asked_for_every_3_seconds_15_in_the_background_and_for_half_an_hour(shop: Shop, opening: Any) -> None:
    page = opening(DESKTOP)
    page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/messages?after=" in request.url else None)
    shop.open(page)
    page.get_by_role("button", name="Talk to a person").click()
    page.get_by_role("button", name="A person has been asked").wait_for()

    def passes(seconds: int, step: int) -> int:
        before = len(asked)
        for _ in range(seconds // step):
            page.clock.run_for(step * 1000)
            page.wait_for_timeout(40)  # for the answer to come
        return len(asked) - before

    assert 8 <= passes(30, 1) <= 10
    assert asked[-1].endswith("after=0")
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true }).dispatchEvent(new Event('visibilitychange'))")
    assert 3 <= passes(60, 3) <= 4
    page.clock.fast_forward("31:00")
    page.wait_for_timeout(200)
    assert passes(60, 15) == 0, "after half an hour without anything new nobody is asked"

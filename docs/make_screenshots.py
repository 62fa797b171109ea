"""Makes the pictures of docs/widget.md: the real widget and server, made-up answers. Needs Debian's `chromium`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "tests"))

from browsing import CSS, Shop, Talker, ask, chromium, colleague, shop_on_the_web, waiting  # noqa: E402

SHIPPING, WASHING = "Do you ship to Spain?", "Can I wash a rayon crepe dress at home?"
ANSWERS = {
    SHIPPING: "Yes, we do:\n\n- **Standard**: 5 to 7 days, €9\n- **Express**: 2 days, €19\n\nWe post within one day.",
    WASHING: "Please don't: rayon crepe **shrinks** when it gets wet. A dry cleaner is the safe way.",
}
BACK = CSS % "h1 { font-weight: 400; } @media (prefers-color-scheme: dark) { body { background: #101316; color: #eee; } }"


def main() -> None:
    """Three pictures: a desktop, a dark phone, a person who has taken over."""
    with (
        tempfile.TemporaryDirectory() as folder,
        shop_on_the_web(Path(folder), Talker(), "Second Spring") as shop,
        chromium() as browser,
    ):
        shop.site.css = BACK
        desktop = opened(browser, shop, {"width": 860, "height": 700})
        answered(shop, desktop, SHIPPING)
        desktop.screenshot(path=DOCS / "widget_desktop.png")
        taken_over(shop, desktop)
        desktop.locator(".panel").screenshot(path=DOCS / "widget_person.png")
        phone = opened(browser, shop, {"width": 390, "height": 700}, color_scheme="dark")
        answered(shop, phone, WASHING)
        phone.screenshot(path=DOCS / "widget_phone.png")


def opened(browser: Any, shop: Shop, viewport: dict[str, int], **more: Any) -> Any:
    """The shop's page with the widget open, without motion."""
    page = browser.new_context(viewport=viewport, reduced_motion="reduce", **more).new_page()
    shop.open(page, title="Second Spring", accent="#7a2e4d")
    return page


def answered(shop: Shop, page: Any, question: str) -> None:
    """Asks, and waits until the answer is whole."""
    shop.replier.answer = ANSWERS[question]
    ask(page, question)
    page.get_by_role("button", name="Not helpful").wait_for()
    page.locator("h2").click()  # the pointer rests where nothing changes under it


def taken_over(shop: Shop, page: Any) -> None:
    """Has a person asked for, who answers."""
    page.get_by_role("button", name="Talk to a person").click()
    page.get_by_role("button", name="A person has been asked").wait_for()
    text = "Hello, Mira here. Shall I hold the green dress for you until Friday?"
    colleague(shop, page, waiting(shop, page), "replies", text=text, author="Mira")
    page.locator("li.person").wait_for()
    page.locator("h2").click()


if __name__ == "__main__":
    main()

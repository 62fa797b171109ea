"""A shop's page with the chat widget on it, the real server behind it, and Debian's Chromium in front of it."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fakes import FakeReplier, with_versions

from tailorbird.replier import Message, ReplyOptions, ReplyPiece
from tailorbird.serving import api
from tailorbird.serving.assistant import Assistant, Conduct
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.handing_over import HandingOver
from tailorbird.serving.keys import Keys
from tailorbird.serving.phrases import Phrases
from tailorbird.settings import HandOverSettings, LimitSettings
from tailorbird.turns import LoggedTurn, TurnLog
from tailorbird.workspace import Workspace

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
NEEDED = os.environ.get("TAILORBIRD_TEST_BROWSER") == "required"
in_a_browser = pytest.mark.skipif(not CHROMIUM and not NEEDED, reason="there is no chromium on this machine")
PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Vintage</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/page.css">
<script src="{server}/widget.js" data-key="{key}" {more} defer></script></head>
<body><main><h1>Dresses with a past</h1><p>Silk and wool, mended by hand.</p><a href="/other">More dresses</a></main></body>
</html>
"""
CSS = "body { margin: 24px; font: 18px/1.6 Georgia, serif; } a { color: #0b4f7d; } %s"


class Talker(FakeReplier):
    """Answers word by word; waits before a word while its gate is shut, and breaks off before one if told so."""

    def __init__(self, answer: str = "We post within 2 days. Silk goes to Spain too.") -> None:
        super().__init__("shop-v1", answer)
        self.gate, self.gate_at, self.breaks_at = threading.Event(), 3, 0
        self.problem: Exception = ValueError("the model is gone")
        self.gate.set()

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """The words one after the other."""
        for number, piece in enumerate(super().stream(messages, options)):
            if number == self.gate_at:
                self.gate.wait(20)
            if self.breaks_at and number == self.breaks_at:
                raise self.problem
            yield piece


class Site(ThreadingHTTPServer):
    """The shop's own website, with a Content-Security-Policy that lets the widget's server in and nothing inline."""

    daemon_threads = True
    page, policy, css = "", "", CSS % ""


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        style = self.path == "/page.css"
        body = (self.server.css if style else self.server.page).encode()
        self.send_response(404 if self.path == "/favicon.ico" else 200)
        self.send_header("Content-Type", "text/css" if style else "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@dataclass
class Shop:
    """A workspace, what answers in it, its website and its server."""

    workspace: Workspace
    replier: Talker
    site: Site
    server: str
    key: str
    colleague: str

    @property
    def url(self) -> str:
        """The website's origin."""
        return f"http://127.0.0.1:{self.site.server_port}"

    def page(self, page_language: str = "en", **attributes: str) -> str:
        """Sets the page's language and the script's data- attributes; returns its address."""
        more = " ".join(f'data-{name}="{value}"' for name, value in attributes.items() if name != "key")
        key = attributes.get("key", self.key)
        self.site.page = PAGE.format(language=page_language, server=self.server, key=key, more=more)
        self.site.policy = f"default-src 'none'; script-src {self.server}; connect-src {self.server}; style-src 'self'"
        return f"{self.url}/"

    def open(self, page: Any, page_language: str = "en", **attributes: str) -> None:
        """Goes to the page and opens the widget by its button."""
        page.goto(self.page(page_language, **attributes))
        page.locator(".launcher").click()


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[None]:
    """A server in a thread."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


@contextmanager
def shop_on_the_web(folder: Path, replier: Talker | None = None, name: str = "Shop", **limits: Any) -> Iterator[Shop]:
    """Website and server on two origins of this machine; `limits` are settings."""
    answering = replier or Talker()
    site = Site(("127.0.0.1", 0), _Handler)
    taken = socket.create_server(("127.0.0.1", 0))
    workspace = with_versions(folder / "shop", 1, f"You are talking to the AI assistant of {name}. Ask for a person at any time.")
    server_url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    allowed = LimitSettings.model_validate({"requests_per_minute": 600, **limits})
    told = {"sites": [f"http://127.0.0.1:{site.server_port}", server_url], "limits": allowed}
    settings = workspace.settings.serving.model_copy(update=told)
    workspace.settings = workspace.settings.model_copy(update={"serving": settings})

    def opening(made: Any) -> Assistant:
        conduct = Conduct(Phrases(made.disclosure, name), None, HandingOver(HandOverSettings(), lambda texts: pytest.fail("no")))
        return Assistant(answering, made.system_prompt, made.disclosure, None, conduct)

    keys = [Keys(workspace).add("website", "widget"), Keys(workspace).add("Mira", "agent")]
    shop = Shop(workspace, answering, site, server_url, *keys)
    config = uvicorn.Config(api.application(Desks([Desk(workspace, opening)])), log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    with running(site):
        yield shop
        answering.gate.set()
        server.should_exit = True
        thread.join(10)


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser; fails where it is missing, since whoever may do without it has skipped the test."""
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "TAILORBIRD_TEST_BROWSER=required, and there is no chromium: install Debian's `chromium`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def quiet_page(browser: Any) -> Iterator[Any]:
    """A page that gets no cookies; `asked` has the origins that it asks, `complaints` what the browser complains of."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    made = context.new_page()
    made.set_default_timeout(10_000)
    made.complaints, made.asked = [], set()
    made.on("console", lambda told: made.complaints.append(told.text) if told.type == "error" else None)
    made.on("pageerror", lambda problem: made.complaints.append(str(problem)))
    made.on("request", lambda request: made.asked.add("/".join(request.url.split("/")[:3])))
    yield made
    assert context.cookies() == []
    context.close()


def ask(page: Any, text: str) -> None:
    """Sends a message in a widget that speaks English."""
    page.get_by_role("textbox", name="Your message").fill(text)
    page.keyboard.press("Enter")


def until(page: Any, text: str) -> None:
    """Waits for a text in the conversation."""
    page.locator(".log").get_by_text(text).last.wait_for()


def shown(page: Any) -> list[tuple[str, str]]:
    """Who said what, as far as it can be seen."""
    told = "all => all.map(one => [one.className, one.querySelector('.text').innerText])"
    return [(kind, text) for kind, text in page.locator(".log li:not(.text li)").evaluate_all(told)]


def turns(shop: Shop) -> list[LoggedTurn]:
    """All that the server has written down."""
    return [turn for _, told in TurnLog(shop.workspace).everything() for turn in told]


def waiting(shop: Shop, page: Any) -> str:
    """The conversation that waits for a person."""
    told = page.request.get(f"{shop.server}/v1/hand-offs", headers={"Authorization": f"Bearer {shop.colleague}"}).json()
    (held,) = told["data"]
    return str(held["id"])


def colleague(shop: Shop, page: Any, identity: str, does: str, **body: str) -> None:
    """What a person does with a conversation: `replies`, `release` or `close`."""
    headers = {"Authorization": f"Bearer {shop.colleague}"}
    told = page.request.post(f"{shop.server}/v1/hand-offs/{identity}/{does}", data=body or None, headers=headers)
    assert told.ok, told.text()

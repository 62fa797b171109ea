"""A running server follows promotions, rollbacks and the kill switch with its next request."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeReplier, with_versions
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from tailorbird.artifacts import Release
from tailorbird.cli import app
from tailorbird.replier import Message, ReplyOptions, ReplyPiece
from tailorbird.serving.api import EMBEDDING, application
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk, Desks
from tailorbird.workspace import Workspace


class Slow(FakeReplier):
    """Waits before its last words until it is let go on."""

    def __init__(self, name: str, answer: str, go_on: threading.Event) -> None:
        super().__init__(name, answer)
        self.go_on = go_on

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        yield ReplyPiece("It is")
        assert self.go_on.wait(20)
        yield ReplyPiece(f" {self.answer}", "stop")


def version_words(made: Release) -> Assistant:
    return Assistant(FakeReplier(answer=f"number {made.version}."), made.system_prompt, made.disclosure)


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """Four versions, the last in production."""
    return with_versions(tmp_path / "shop", 4)


def ask(client: TestClient, model: str = "production") -> str:
    told = client.post("/v1/chat/completions", json={"model": model, "messages": [{"role": "user", "content": "Hi"}]})
    assert told.status_code == 200, told.text
    return str(told.json()["choices"][0]["message"]["content"]).removeprefix("I am an AI.\n\n")


def run(shop: Workspace, *words: str) -> None:
    """A command of the owner's, as if from another terminal."""
    done = CliRunner().invoke(app, [*words, "-w", str(shop.folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_the_next_request_is_answered_by_what_was_promoted_or_rolled_back_to(shop: Workspace) -> None:
    client = TestClient(application(Desks([Desk(shop, version_words)])))
    assert ask(client) == "number 4."
    run(shop, "promote", "2")
    assert ask(client) == "number 2."
    run(shop, "rollback")
    assert ask(client) == "number 4."
    assert (ask(client, "previous"), ask(client, "shop-v3")) == ("number 2.", "number 3.")
    names = [one["id"] for one in client.get("/v1/models").json()["data"]]
    assert names == ["shop-v4", "production", "previous", "shop-v1", "shop-v2", "shop-v3", EMBEDDING]


def test_the_kill_switch_says_fixed_words_until_the_model_may_answer_again(shop: Workspace) -> None:
    client = TestClient(application(Desks([Desk(shop, version_words)])))
    run(shop, "pause", "--say", "Mira is back at nine.")
    assert ask(client) == "Mira is back at nine."
    whole = client.post(
        "/v1/chat/completions", json={"model": "production", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    )
    assert "I am an AI." in whole.text
    assert "Mira is back at nine." in whole.text
    run(shop, "resume")
    assert ask(client) == "number 4."
    run(shop, "pause")
    assert "A person will get back to you" in ask(client)
    refused = CliRunner().invoke(app, ["pause", "--say", " ", "-w", str(shop.folder)])
    assert "nothing to tell" in str(refused.exception)


def test_an_answer_that_is_being_written_ends_in_the_version_it_began_with(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tailorbird.serving.desk._OPEN", 3)
    go_on = threading.Event()
    desk = Desk(shop, lambda made: Assistant(Slow("x", f"number {made.version}.", go_on), made.system_prompt, made.disclosure))
    replier = desk.replier("production")
    assert replier
    pieces = replier.stream([{"role": "user", "content": "Hi"}], ReplyOptions())
    begun = [next(pieces).text, next(pieces).text]
    run(shop, "promote", "1")
    for version in (1, 2, 3):
        desk.replier(f"shop-v{version}")
    go_on.set()
    assert "".join([*begun, *(piece.text for piece in pieces)]).endswith("It is number 4.")


def test_versions_that_nobody_asks_for_are_let_go(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailorbird.serving.desk._OPEN", 3)
    opened: list[weakref.ref[Assistant]] = []

    def opening(made: Release) -> Assistant:
        assistant = version_words(made)
        opened.append(weakref.ref(assistant))
        return assistant

    desk = Desk(shop, opening)
    for version in (1, 2, 3, 4, 4):
        assert desk.replier(f"shop-v{version}")
    gc.collect()
    assert [one() is None for one in opened] == [True, False, False, False]


def test_versions_with_an_erased_customer_are_not_there(shop: Workspace) -> None:
    client = TestClient(application(Desks([Desk(shop, version_words)])))
    shop.mark_for_retraining(["release-000000000002"], "2026-11-23: a customer who was erased is in its data")
    told = client.post("/v1/chat/completions", json={"model": "shop-v2", "messages": [{"role": "user", "content": "Hi"}]})
    assert told.status_code == 404
    shop.mark_for_retraining(["release-000000000003", "release-000000000004"], "2026-11-23: the same customer")
    asked = {"messages": [{"role": "user", "content": "Hi"}]}
    assert client.post("/v1/chat/completions", json=asked | {"model": "previous"}).status_code == 404
    assert ask(client) == "number 4.", "what serves is left to the owner"
    assert [one["id"] for one in client.get("/v1/models").json()["data"]] == ["shop-v4", "production", "shop-v1", EMBEDDING]
    assert "shop-v2" not in [one["id"] for one in client.get("/v1/models").json()["data"]]


def test_what_a_rollback_needs_is_opened_before_anybody_asks(shop: Workspace) -> None:
    opened: list[int] = []
    desk = Desk(shop, lambda made: opened.append(made.version) or version_words(made))  # type: ignore[func-returns-value]
    Desks([desk]).warm()
    deadline = time.monotonic() + 20
    while opened != [4, 3]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_opening_happens_once_however_many_ask(shop: Workspace) -> None:
    opened: list[int] = []

    def opening(made: Release) -> Assistant:
        opened.append(made.version)
        time.sleep(0.05)
        return version_words(made)

    desk = Desk(shop, opening)
    threads = [threading.Thread(target=desk.replier, args=("production",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == [4]


def test_a_share_of_conversations_is_answered_by_the_version_that_is_tried_out(shop: Workspace) -> None:
    desk = Desk(shop, version_words)
    conversations = [f"chat-{n}" for n in range(400)]

    def with_two() -> set[str]:
        return {one for one in conversations if desk.replier("production", one) is not desk.replier("production")}

    assert with_two() == set()
    run(shop, "canary", "2", "--share", "0.2")
    few = with_two()
    assert 50 <= len(few) <= 110
    assert with_two() == few, "the same customers"
    run(shop, "canary", "2", "--share", "0.5")
    assert few < with_two()
    shop.mark_for_retraining(["release-000000000002"], "a customer was erased")
    assert with_two() == set()


def test_a_trial_ends_when_the_version_is_promoted_or_taken_back(shop: Workspace) -> None:
    for ending in (["promote", "2"], ["rollback"], ["canary", "--stop"]):
        run(shop, "canary", "1", "--share", "0.3")
        if ending[0] == "promote":
            run(shop, "canary", "2", "--share", "0.3")
        run(shop, *ending)
        if ending[0] == "rollback":
            assert shop.trial("canary") == ("release-000000000001", 0.3), "it was neither of the two"
        else:
            assert shop.trial("canary") is None
    serving = shop.alias("production")
    for words, told in ((["canary", "1", "--share", "1"], "is none"), (["canary", str(serving)], "answers everybody already")):
        done = CliRunner().invoke(app, [*words, "-w", str(shop.folder)])
        assert told in str(done.exception)

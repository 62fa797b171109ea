"""Many businesses on one server: a key opens its own business alone, and nobody's words reach another's customers."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from fakes import FakeReplier, listening, with_versions
from fastapi.testclient import TestClient

from tailorbird.artifacts import Release
from tailorbird.errors import InputError, SettingsError
from tailorbird.knowledge import Knowledge
from tailorbird.replier import Message, ReplyOptions, ReplyPiece
from tailorbird.serving import api
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.keys import Keys
from tailorbird.settings import LimitSettings, LogSettings
from tailorbird.workspace import Workspace

SHOPS = ("hats", "boots", "boots-v2")  # a folder may be called as another's version


def desk(workspace: Workspace) -> Desk:
    name = workspace.folder.name

    def opening(made: Release) -> Assistant:
        return Assistant(FakeReplier(answer=f"{name} number {made.version}."), made.system_prompt, made.disclosure)

    return Desk(workspace, opening)


@pytest.fixture
def workspaces(tmp_path: Path) -> list[Workspace]:
    """Three shops with two versions each, all with a key."""
    return [with_versions(tmp_path / name, 2) for name in SHOPS]


def client(workspaces: list[Workspace], key: str = "") -> TestClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return TestClient(api.application(Desks([desk(one) for one in workspaces])), headers=headers)


def said(of: TestClient, model: str) -> Any:
    told = of.post("/v1/chat/completions", json={"model": model, "messages": [{"role": "user", "content": "Hi"}]})
    if told.status_code != 200:
        return told.status_code
    return told.json()["choices"][0]["message"]["content"].removeprefix("I am an AI.\n\n")


def names(of: TestClient) -> list[str]:
    return [one["id"] for one in of.get("/v1/models").json()["data"]][:-1]


def test_without_keys_every_business_is_a_model(workspaces: list[Workspace]) -> None:
    asking = client(workspaces)
    assert [said(asking, name) for name in SHOPS] == [f"{name} number 2." for name in SHOPS]
    assert said(asking, "boots/previous") == "boots number 1."
    assert said(asking, "hats-v1") == "hats number 1."
    assert said(asking, "boots-v2") == "boots-v2 number 2.", "a business goes before another's version"
    assert said(asking, "boots-v2-v1") == "boots-v2 number 1."
    assert said(asking, "production") == 404, "whose?"
    assert said(asking, "socks") == 404
    assert {"hats/production", "hats-v1", "boots/previous"} <= set(names(asking))


def test_a_key_opens_its_own_business_alone(workspaces: list[Workspace]) -> None:
    keys = [Keys(one).add("site", "chat") for one in workspaces[:2]]
    hats, boots = (client(workspaces, key) for key in keys)
    assert (said(hats, "production"), said(boots, "production")) == ("hats number 2.", "boots number 2.")
    assert said(hats, "hats") == "hats number 2."
    assert [said(hats, name) for name in ("boots", "boots-v1", "boots/production", "boots-v2")] == [404] * 4
    assert names(hats) == ["hats-v2", "production", "previous", "hats-v1"]
    assert (
        "boots" not in hats.post("/v1/chat/completions", json={"model": "x", "messages": [{"role": "user", "content": "?"}]}).text
    )
    assert said(client(workspaces), "boots-v2") == 401, "a business without a key is not open to everybody beside others"


def test_one_busy_business_does_not_use_up_anothers_requests(workspaces: list[Workspace]) -> None:
    for one in workspaces:
        serving = one.settings.serving.model_copy(update={"limits": LimitSettings(requests_per_minute=2)})
        one.settings = one.settings.model_copy(update={"serving": serving})
    keys = [Keys(one).add("site", "chat") for one in workspaces]
    server = api.application(Desks([desk(one) for one in workspaces]))
    hats, boots = (TestClient(server, headers={"Authorization": f"Bearer {key}"}) for key in keys[:2])
    assert [said(hats, "production") for _ in range(3)] == ["hats number 2."] * 2 + [429]
    assert said(boots, "production") == "boots number 2."


def test_what_one_owner_does_is_seen_by_its_own_customers_only(workspaces: list[Workspace]) -> None:
    asking = client(workspaces)
    workspaces[0].pause("Back at nine.")
    assert [said(asking, name) for name in SHOPS] == ["Back at nine.", "boots number 2.", "boots-v2 number 2."]


def test_answers_that_are_written_at_the_same_time_stay_with_their_business(workspaces: list[Workspace]) -> None:
    asking, found = client(workspaces), []

    def ask(name: str) -> None:
        found.append((name, said(asking, name)))

    threads = [threading.Thread(target=ask, args=(name,)) for name in SHOPS * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 15
    assert all(answer == f"{name} number 2." for name, answer in found)


def test_two_folders_of_one_name_and_an_open_address_without_keys_are_refused(
    tmp_path: Path, workspaces: list[Workspace]
) -> None:
    other = with_versions(tmp_path / "elsewhere" / "hats", 1)
    with pytest.raises(InputError, match="called hats"):
        Desks([desk(workspaces[0]), desk(other)])
    Keys(workspaces[0]).add("site", "chat")
    with pytest.raises(SettingsError, match="boots, boots-v2 has no key"):
        api.run(Desks([desk(one) for one in workspaces]), "0.0.0.0", 0, lambda url: pytest.fail("it does not listen"))


def test_two_businesses_do_not_share_a_database(workspaces: list[Workspace]) -> None:
    def at(workspace: Workspace, address: str) -> Desk:
        log = LogSettings(database=f"postgresql+psycopg://{address}")
        serving = workspace.settings.serving.model_copy(update={"log": log})
        workspace.settings = workspace.settings.model_copy(update={"serving": serving})
        return desk(workspace)

    hats, boots, other = workspaces
    with pytest.raises(InputError, match=r"hats and .*boots keep their conversations in the same database") as refused:
        Desks([at(hats, "db/shop"), desk(other), at(boots, "ana@db:5432/shop")])
    assert "schema" in refused.value.fix
    Desks([at(hats, "db/shop?options=-csearch_path%3Dhats"), at(boots, "db/shop?options=-csearch_path%3Dboots"), desk(other)])


def test_an_agent_of_one_business_has_nothing_of_anothers_conversations(workspaces: list[Workspace]) -> None:
    server = api.application(Desks([desk(one) for one in workspaces]))
    hats, boots = (
        TestClient(server, headers={"Authorization": f"Bearer {Keys(one).add('colleague', 'agent')}"}) for one in workspaces[:2]
    )
    asked = {"model": "production", "messages": [{"role": "user", "content": "I am size 44."}]}
    held = boots.post("/v1/chat/completions", json=asked).json()["conversation"]
    assert boots.post(f"/v1/conversations/{held}/hand-off").json()["state"] == "waiting"
    before = boots.get(f"/v1/hand-offs/{held}").json()
    assert before["turns"][0]["text"] == "I am size 44."
    tried = [
        hats.get(f"/v1/hand-offs/{held}"),
        hats.post(f"/v1/hand-offs/{held}/replies", json={"text": "Buy hats instead."}),
        hats.post(f"/v1/hand-offs/{held}/release"),
        hats.post(f"/v1/hand-offs/{held}/close"),
        hats.get(f"/v1/conversations/{held}/messages"),
        hats.post(f"/v1/conversations/{held}/hand-off"),
        hats.post("/v1/feedback", json={"conversation": held, "turn": 2, "good": False}),
        hats.post("/v1/chat/completions", json=asked | {"metadata": {"conversation": held}}),
    ]
    assert {(one.status_code, one.json()["error"]["message"].split("\n")[0]) for one in tried} == {
        (400, f"There is no conversation {held}.")
    }
    assert hats.get("/v1/hand-offs").json()["data"] == []
    assert boots.get(f"/v1/hand-offs/{held}").json() == before


class Echo(FakeReplier):
    """Says all that it is shown."""

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        yield ReplyPiece("\n".join(message["content"] for message in messages))
        yield ReplyPiece("", "stop", 1, 1)


def test_documents_of_one_business_are_in_no_answer_of_another(workspaces: list[Workspace]) -> None:
    days = dict(zip(SHOPS, ("twenty-one", "thirty", "ninety"), strict=True))
    for one in workspaces:
        (one.folder / "knowledge").mkdir()
        (one.folder / "knowledge" / "returns.md").write_text(
            f"# Returns\n\nWhat you bought at {one.folder.name} goes back within {days[one.folder.name]} days.\n"
        )

    def opened(one: Workspace) -> Desk:
        documents = Knowledge(one, lambda texts: np.ones((len(texts), 4), dtype=np.float32))
        return Desk(one, lambda made: Assistant(Echo(), made.system_prompt, made.disclosure, documents))

    server, found = TestClient(api.application(Desks([opened(one) for one in workspaces]))), list[tuple[str, str]]()

    def ask(name: str) -> None:
        question = [{"role": "user", "content": "Within how many days does it go back?"}]
        found.append((name, server.post("/v1/chat/completions", json={"model": name, "messages": question}).text))

    threads = [threading.Thread(target=ask, args=(name,)) for name in SHOPS * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 9
    for name, text in found:
        assert [other for other in SHOPS if days[other] in text] == [name]


class Waiting(FakeReplier):
    """Answers when it is let."""

    go_on: threading.Event

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        assert self.go_on.wait(30)
        yield from super().stream(messages, options)


def test_full_businesses_keep_nobody_from_probes_figures_and_people(workspaces: list[Workspace]) -> None:
    Waiting.go_on = threading.Event()
    desks = [Desk(one, lambda made: Assistant(Waiting(), made.system_prompt, made.disclosure)) for one in workspaces]
    keys = [Keys(one).add("mine", "owner") for one in workspaces]
    held = desks[0].conversations.log.begin()
    done: list[tuple[int, str | None]] = []
    with listening(api.application(Desks(desks))) as address:

        def call(method: str, path: str, key: str, body: object = None) -> http.client.HTTPResponse:
            connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            return connection.getresponse()

        def ask(key: str) -> None:
            told = {"model": "production", "messages": [{"role": "user", "content": "Hi"}]}
            response = call("POST", "/v1/chat/completions", key, told)
            done.append((response.status, response.headers["Retry-After"]))

        threads = [threading.Thread(target=ask, args=(key,)) for key in keys * LimitSettings().most_at_once]
        for thread in threads:
            thread.start()
        try:
            deadline = time.monotonic() + 15
            while len(done) < 16:
                assert time.monotonic() < deadline, "more than there are threads for were let in"
                time.sleep(0.01)
            looked = [call("GET", path, keys[0]) for path in ("/healthz", "/readyz", "/metrics", "/v1/hand-offs", "/v1/figures")]
            wished = call("POST", f"/v1/conversations/{held.id}/hand-off", keys[0])
            replied = call("POST", f"/v1/hand-offs/{held.id}/replies", keys[0], {"text": "I am here."})
            assert [one.status for one in (*looked, wished, replied)] == [200] * 7
        finally:
            Waiting.go_on.set()
        for thread in threads:
            thread.join()
    assert sorted(status for status, _ in done) == [200] * 32 + [503] * 16
    assert {wait for status, wait in done if status == 503} == {"2"}

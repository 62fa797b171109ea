"""Keys and limits of the server: who is let in, how often, how many at once."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeReplier, with_versions
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tailorbird.cli import app
from tailorbird.errors import InputError, ModelError, SettingsError, WorkspaceError
from tailorbird.replier import Message, ReplyOptions, ReplyPiece
from tailorbird.serving import api
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.keys import Keys
from tailorbird.settings import LimitSettings
from tailorbird.workspace import Workspace


def shop(folder: Path, sites: Sequence[str] = (), **limits: Any) -> Workspace:
    workspace = with_versions(folder / "shop", 1)
    told = {"sites": list(sites), "limits": LimitSettings().model_copy(update=limits)}
    settings = workspace.settings.serving.model_copy(update=told)
    workspace.settings = workspace.settings.model_copy(update={"serving": settings})
    return workspace


def client(workspace: Workspace, replier: FakeReplier | None = None, **headers: str) -> TestClient:
    opening = lambda made: Assistant(replier or FakeReplier(), made.system_prompt, made.disclosure)  # noqa: E731
    desk = Desk(workspace, opening, lambda *told: pytest.fail("not asked"))
    return TestClient(api.application(Desks([desk])), headers=headers)


def ask(of: TestClient, words: str = "Hi", **more: object) -> Any:
    return of.post("/v1/chat/completions", json={"model": "production", "messages": [{"role": "user", "content": words}], **more})


def keys(workspace: Workspace, *words: str) -> Any:
    done = CliRunner().invoke(app, ["keys", *words, "-w", str(workspace.folder), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_from_the_first_key_on_nobody_is_let_in_without_one(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    stranger = client(workspace)
    assert ask(stranger).status_code == 200
    key = keys(workspace, "add", "the website")["key"]
    refused = ask(stranger)
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "invalid_api_key"
    assert refused.headers["www-authenticate"] == "Bearer"
    assert ask(client(workspace, Authorization=f"Bearer {key}")).status_code == 200
    assert [stranger.get(f"/{probe}").status_code for probe in ("healthz", "readyz", "v1/models")] == [200, 200, 401]
    assert key.split("_", 2)[2] not in (workspace.store / "keys.json").read_text(), "only its hash is kept"


def test_keys_are_rotated_and_revoked_while_the_server_runs(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    first = keys(workspace, "add", "the website")["key"]
    before = client(workspace, Authorization=f"Bearer {first}")
    assert ask(before).status_code == 200
    second = keys(workspace, "rotate", "the website")["key"]
    after = client(workspace, Authorization=f"Bearer {second}")
    assert (ask(before).status_code, ask(after).status_code) == (401, 200)
    assert [one["name"] for one in keys(workspace, "list")] == ["the website"]
    assert keys(workspace, "revoke", second.split("_")[1])["name"] == "the website"
    assert ask(after).status_code == 401, "and not open to everybody because no key is left"
    shown = CliRunner().invoke(app, ["keys", "list", "-w", str(workspace.folder)])
    assert "nobody is let in" in shown.output


def test_only_the_owner_asks_where_answers_come_from(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    chat, owner = (keys(workspace, "add", role, "--role", role)["key"] for role in ("chat", "owner"))
    told = [client(workspace, Authorization=f"Bearer {key}").post("/v1/explanations", json={}) for key in (chat, owner)]
    assert [one.status_code for one in told] == [403, 400]


def test_names_are_needed_once_and_unknown_keys_are_named(tmp_path: Path) -> None:
    held = Keys(shop(tmp_path))
    held.add("site", "chat")
    for wrong in ("site", " ", " site "):
        with pytest.raises(InputError, match="cannot be called"):
            held.add(wrong, "chat")
    with pytest.raises(InputError, match="no key 'other'"):
        held.revoke("other")


def test_a_damaged_file_of_keys_lets_nobody_in(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    key = Keys(workspace).add("site", "chat")
    (workspace.store / "keys.json").write_text("[{")
    with pytest.raises(WorkspaceError, match="nobody is let in"):
        Keys(workspace).holder(key)
    refused = ask(client(workspace, Authorization=f"Bearer {key}"))
    assert refused.status_code == 500
    assert "keys add" in refused.json()["error"]["message"]
    (workspace.store / "keys.json").write_text("[]")
    assert ask(client(workspace)).status_code == 401, "what the message advises lets nobody in"


@given(st.text(max_size=60))
def test_no_other_text_is_a_key(made_up: str) -> None:
    held = Keys.__new__(Keys)
    held.path = Path("nowhere")
    held.all = dict  # type: ignore[method-assign]
    assert held.holder(made_up) is None


def test_more_than_so_many_a_minute_are_told_when_to_come_back(tmp_path: Path) -> None:
    workspace = shop(tmp_path, requests_per_minute=3)
    busy = client(workspace)
    assert [ask(busy).status_code for _ in range(4)] == [200, 200, 200, 429]
    late = ask(busy)
    assert 1 <= int(late.headers["retry-after"]) <= 60
    assert late.json()["error"]["code"] == "rate_limit_exceeded"
    assert busy.get("/healthz").status_code == 200


def test_one_key_does_not_use_up_anothers_requests(tmp_path: Path) -> None:
    workspace = shop(tmp_path, requests_per_minute=1)
    one, other = (client(workspace, Authorization=f"Bearer {Keys(workspace).add(name, 'chat')}") for name in "ab")
    assert [ask(one).status_code, ask(one).status_code, ask(other).status_code] == [200, 429, 200]


@pytest.mark.parametrize("stream", [False, True])
def test_large_requests_are_refused_whether_they_tell_their_size_or_not(tmp_path: Path, stream: bool) -> None:
    small = client(shop(tmp_path, body_kb=1))

    def pieces() -> Iterator[bytes]:
        yield from [b" " * 400] * 4

    told = small.post("/v1/chat/completions", content=pieces() if stream else b"".join(pieces()))
    assert told.status_code == 413
    assert ask(small).status_code == 200


class Waiting(FakeReplier):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        self.begun.set()
        assert self.go_on.wait(20)
        yield from super().stream(messages, options)


def test_more_than_so_many_at_once_are_told_to_come_back(tmp_path: Path) -> None:
    replier = Waiting()
    full = client(shop(tmp_path, most_at_once=1), replier)
    told: list[int] = []
    with full:  # one event loop for both
        thread = threading.Thread(target=lambda: told.append(ask(full).status_code))
        thread.start()
        assert replier.begun.wait(20)
        shed = ask(full)
        assert (shed.status_code, shed.headers["retry-after"]) == (503, "2")
        replier.go_on.set()
        thread.join()
        assert told == [200]
        assert ask(full).status_code == 200


def test_an_answer_has_a_longest_length_and_time(tmp_path: Path) -> None:
    replier = FakeReplier(answer="one two three four five")
    cut = ask(client(shop(tmp_path / "a", longest_answer=2), replier), max_tokens=400).json()["choices"][0]
    assert (cut["message"]["content"].split()[-1], cut["finish_reason"]) == ("two", "length")
    late = ask(client(shop(tmp_path / "b", answer_seconds=1e-9), replier)).json()["choices"][0]
    assert late["finish_reason"] == "length"
    assert "five" not in late["message"]["content"]


def test_browsers_let_named_sites_only_read_answers(tmp_path: Path) -> None:
    workspace = shop(tmp_path, sites=["https://shop.example"])
    key = Keys(workspace).add("the website", "chat")
    allowed, other = (
        client(workspace).options("/v1/chat/completions", headers={"Origin": site, "Access-Control-Request-Method": "POST"})
        for site in ("https://shop.example", "https://elsewhere.example")
    )
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-origin" not in other.headers
    for preflight in (allowed, other):
        assert preflight.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in preflight.headers["content-security-policy"]
    asked = client(workspace, Authorization=f"Bearer {key}", Origin="https://shop.example")
    headers = ask(asked).headers
    assert headers["access-control-allow-origin"] == "https://shop.example"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


def test_an_address_that_others_reach_needs_a_key(tmp_path: Path) -> None:
    desk = Desk(shop(tmp_path), lambda made: pytest.fail("nothing is opened"))
    with pytest.raises(SettingsError, match="no key"):
        api.run(Desks([desk]), "0.0.0.0", 0, lambda url: pytest.fail("it does not listen"))


def test_a_server_that_has_seen_a_key_goes_on_to_need_one_when_the_file_is_gone(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    stranger = client(workspace)
    Keys(workspace).add("site", "chat")
    assert ask(stranger).status_code == 401
    (workspace.store / "keys.json").unlink()
    assert ask(stranger).status_code == 401


def test_an_address_that_others_reach_needs_a_key_as_long_as_the_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, told = shop(tmp_path), list[int]()
    Keys(workspace).add("site", "chat")

    class Server:
        def __init__(self, config: Any) -> None:
            self.app = config.app

        def run(self, sockets: Sequence[socket.socket]) -> None:
            (workspace.store / "keys.json").unlink()
            told.append(ask(TestClient(self.app)).status_code)
            sockets[0].close()

    monkeypatch.setattr("tailorbird.serving.api.uvicorn.Server", Server)
    api.run(Desks([Desk(workspace, lambda made: pytest.fail("nothing is opened"))]), "0.0.0.0", 0, lambda url: None)
    assert told == [401]


def test_wrong_keys_are_counted_by_address_before_they_are_compared(tmp_path: Path) -> None:
    workspace = shop(tmp_path, requests_per_minute=3)
    right = Keys(workspace).add("site", "chat")
    server = api.application(Desks([Desk(workspace, lambda made: Assistant(FakeReplier(), "", made.disclosure))]))

    def at(address: str, key: str) -> TestClient:
        return TestClient(server, headers={"Authorization": f"Bearer {key}"}, client=(address, 1))

    told = [ask(at("10.0.0.1", f"tb_guess_{number}")) for number in range(4)]
    assert [one.status_code for one in told] == [401, 401, 401, 429]
    assert told[-1].json()["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(told[-1].headers["retry-after"]) <= 60
    assert ask(at("10.0.0.1", right)).status_code == 429, "or the right one would be told from wrong ones"
    assert ask(at("10.0.0.2", right)).status_code == 200


def test_keys_that_are_made_and_taken_away_at_the_same_time_are_all_so(tmp_path: Path) -> None:
    workspace = shop(tmp_path)
    gone = [Keys(workspace).add(f"old {number}", "chat").split("_")[1] for number in range(8)]

    def work(number: int) -> None:
        Keys(workspace).add(f"new {number}", "chat")
        Keys(workspace).revoke(gone[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.name for one in Keys(workspace).all().values()) == [f"new {number}" for number in range(8)]


def problem(told: Any) -> dict[str, Any]:
    """The error of an answer, which has nothing beside it."""
    assert list(told.json()) == ["error"]
    error: dict[str, Any] = told.json()["error"]
    assert (error.keys(), error["param"]) == ({"message", "type", "param", "code"}, None)
    return error


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/nothing", 404, "not_found"),
        ("/v1/chat/completions", 405, "method_not_allowed"),
        ("/v1/models/socks", 404, "model_not_found"),
        ("/v1/figures?days=none", 400, "invalid_request_error"),
        ("/v1/hand-offs/chat-1", 400, "invalid_request_error"),
    ],
)
def test_what_is_not_there_is_told_in_openais_shape(tmp_path: Path, path: str, status: int, code: str) -> None:
    told = client(shop(tmp_path)).get(path)
    assert told.status_code == status
    assert (problem(told)["type"], problem(told)["code"]) == ("invalid_request_error", code)
    assert problem(told)["message"]


class Failing(FakeReplier):
    """Fails with what it is given."""

    def __init__(self, problem: Exception) -> None:
        super().__init__()
        self.problem = problem

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        raise self.problem
        yield


def test_what_fails_here_is_told_as_the_servers_fault_and_without_details(tmp_path: Path) -> None:
    for failing, words in ((ModelError("The model is gone."), "The model is gone."), (ValueError("Ana's words"), "own log")):
        broken = client(shop(tmp_path / type(failing).__name__), Failing(failing))
        told = TestClient(broken.app, raise_server_exceptions=False).post(
            "/v1/chat/completions", json={"model": "production", "messages": [{"role": "user", "content": "Hi"}]}
        )
        assert told.status_code == 500
        assert (problem(told)["type"], problem(told)["code"]) == ("server_error", "server_error")
        assert words in problem(told)["message"]
        assert "Ana" not in told.text
        assert told.headers["x-content-type-options"] == "nosniff"


def test_a_model_is_looked_up_by_its_name(tmp_path: Path) -> None:
    asking = client(shop(tmp_path))
    listed = {one["id"]: one for one in asking.get("/v1/models").json()["data"]}
    assert {"production", "shop-v1", api.EMBEDDING} <= listed.keys()
    assert {name: asking.get(f"/v1/models/{name}").json() for name in listed} == listed

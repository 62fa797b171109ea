"""Many businesses on one server: a key opens its own business alone, and nobody's words reach another's customers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeReplier, with_versions
from fastapi.testclient import TestClient

from tailorbird.artifacts import Release
from tailorbird.errors import InputError, SettingsError
from tailorbird.serving import api
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.keys import Keys
from tailorbird.settings import LimitSettings
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

"""Another server writes the answers; disclosure, guards and hand-off stay here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import Upstream, UpstreamHandler

from tailorbird import engine
from tailorbird.artifacts import Release
from tailorbird.engine import catalogue
from tailorbird.errors import ModelError, SettingsError
from tailorbird.progress import silent
from tailorbird.replier import Message, Reply, ReplyOptions, reply
from tailorbird.serving import open_assistant
from tailorbird.serving.answered import within
from tailorbird.settings import UpstreamSettings
from tailorbird.versions import version
from tailorbird.workspace import Workspace


@pytest.fixture
def shop(released_once: Path) -> tuple[Workspace, Release]:
    made = Workspace(released_once)
    return made, version(made, "production")


@pytest.fixture
def vllm() -> Iterator[Upstream]:
    server = Upstream(("127.0.0.1", 0), UpstreamHandler)
    server.answer = lambda question: f"You asked {question} I have refunded you in full."
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def asked(shop: tuple[Workspace, Release], upstream: UpstreamSettings) -> Reply:
    workspace, released = Workspace(shop[0].folder), shop[1]
    told = workspace.settings.serving.model_copy(update={"upstream": upstream})
    workspace.settings = workspace.settings.model_copy(update={"serving": told})
    assistant = open_assistant(workspace, released, shared=True)
    messages: list[Message] = [{"role": "user", "content": "Where is my parcel?"}]
    answer = reply(assistant, messages)
    assistant.close()
    return answer


def test_the_other_server_writes_and_the_guards_here_read(
    shop: tuple[Workspace, Release], vllm: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_KEY", "secret")
    told = UpstreamSettings(url=f"http://127.0.0.1:{vllm.server_address[1]}/v1", key_variable="VLLM_KEY")
    answer = asked(shop, told).text
    assert answer.startswith(shop[1].disclosure)
    assert "You asked Where is my parcel?" in answer
    assert "refunded" not in answer, "a promise that nobody authorised"
    assert vllm.asked == 1


def test_a_key_that_is_missing_and_a_server_that_is_not_there_are_said(
    shop: tuple[Workspace, Release], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VLLM_KEY", raising=False)
    with pytest.raises(SettingsError, match="VLLM_KEY has no key"):
        asked(shop, UpstreamSettings(url="http://127.0.0.1:9/v1", key_variable="VLLM_KEY"))
    with pytest.raises(ModelError, match="cannot be reached"):
        asked(shop, UpstreamSettings(url="http://127.0.0.1:9/v1"))


class Crashing(UpstreamHandler):
    """Its stream ends without saying why."""

    def _send(self, status: int, kind: str, body: str) -> None:
        super()._send(status, kind, body.replace('"finish_reason": "stop"', '"finish_reason": null'))


def test_an_answer_that_breaks_off_there_is_no_whole_one(vllm: Upstream) -> None:
    vllm.RequestHandlerClass = Crashing
    replier = engine.open_upstream("far", f"http://127.0.0.1:{vllm.server_address[1]}/v1", "far", "secret")
    with pytest.raises(ModelError, match="broke off"):
        reply(replier, [{"role": "user", "content": "Where is my parcel?"}])


@pytest.mark.slow
def test_who_waits_for_a_place_on_this_machine_need_not_wait_for_ever() -> None:
    replier = engine.open_replier("near", engine.locate(catalogue.DEFAULT, silent))
    asked: list[Message] = [{"role": "user", "content": "Count from one to a thousand."}]
    others = [replier.stream(asked, ReplyOptions(max_tokens=400)) for _ in range(4)]
    for one in others:
        while not next(one).text:
            pass
    (piece,) = within(0.1, replier.stream(asked, ReplyOptions()))
    assert (piece.text, piece.finish_reason) == ("", "length")
    del others, one
    replier.close()

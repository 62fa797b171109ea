"""Figures for Prometheus, and what is told of an answer when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeReplier, with_versions
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from tailorbird.artifacts import Release
from tailorbird.replier import Message, ReplyOptions, ReplyPiece
from tailorbird.serving import api
from tailorbird.serving.answered import Answered, watched
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.keys import Keys
from tailorbird.workspace import Workspace


class Failing(FakeReplier):
    """Says a word and fails."""

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        yield ReplyPiece("We")
        raise ValueError("the model is gone")


def served(workspaces: list[Workspace], replier: FakeReplier, key: str = "") -> TestClient:
    def opening(made: Release) -> Assistant:
        return Assistant(replier, made.system_prompt, made.disclosure)

    app = api.application(Desks([Desk(one, opening) for one in workspaces]))
    return TestClient(app, headers={"Authorization": f"Bearer {key}"} if key else {}, raise_server_exceptions=False)


def ask(of: TestClient, model: str, **more: object) -> int:
    told = of.post("/v1/chat/completions", json={"model": model, "messages": [{"role": "user", "content": "Hi"}], **more})
    return int(told.status_code)


def figures(of: TestClient) -> dict[tuple[str, ...], float]:
    page = of.get("/metrics")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(page.text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_answers_tokens_and_refusals_are_counted(tmp_path: Path) -> None:
    shop = with_versions(tmp_path / "hats", 1)
    asking = served([shop], FakeReplier("hats-v1", "We post within two days."))
    assert [ask(asking, "hats"), ask(asking, "hats", stream=True), ask(asking, "hats", max_tokens=2)] == [200] * 3
    assert asking.post("/v1/chat/completions", content=b"x" * 300_000).status_code == 413
    told = figures(asking)
    assert told["tailorbird_answers_total", "answer", "hats", "stop", "hats-v1"] == 2
    assert told["tailorbird_answers_total", "answer", "hats", "length", "hats-v1"] == 1
    assert told["tailorbird_tokens_total", "hats", "completion"] == 5 + 5 + 2
    assert told["tailorbird_refused_requests_total", "hats", "413"] == 1
    assert told["tailorbird_answers_in_progress", "hats"] == 0
    assert told["tailorbird_answer_seconds_count", "hats"] == 3
    assert told["tailorbird_first_word_seconds_count", "hats"] == 3


def test_an_owner_sees_the_figures_of_its_own_business_only(tmp_path: Path) -> None:
    shops = [with_versions(tmp_path / name, 1) for name in ("hats", "boots")]
    keys = [Keys(shop).add("mine", "owner") for shop in shops]
    app = api.application(Desks([Desk(one, lambda made: Assistant(FakeReplier(), "", made.disclosure)) for one in shops]))
    hats, boots = (TestClient(app, headers={"Authorization": f"Bearer {key}"}) for key in keys)
    assert [ask(hats, "hats"), ask(boots, "boots")] == [200, 200]
    assert "boots" not in hats.get("/metrics").text
    assert ("tailorbird_answers_total", "answer", "boots", "stop", "fake") in figures(boots)
    assert [*hats.get("/v1/figures").json()] == ["hats"]
    assert hats.get("/v1/figures", params={"days": 1}).json()["hats"]["total"]["conversations"] == 1
    guest = TestClient(app, headers={"Authorization": f"Bearer {Keys(shops[0]).add('site', 'chat')}"})
    assert [guest.get(path).status_code for path in ("/metrics", "/v1/figures")] == [403, 403]
    assert TestClient(app).get("/metrics").status_code == 401


def test_an_answer_that_fails_is_counted_as_broken_off(tmp_path: Path) -> None:
    asking = served([with_versions(tmp_path / "hats", 1)], Failing("hats-v1"))
    assert ask(asking, "hats") == 500
    assert figures(asking)["tailorbird_answers_total", "answer", "hats", "broken off", "hats-v1"] == 1


PIECES = [ReplyPiece("I am an AI.\n\n"), ReplyPiece("We"), ReplyPiece(" post."), ReplyPiece("", "stop", 7, 2)]


@pytest.mark.parametrize("taken", range(1, len(PIECES) + 1))
def test_what_is_told_of_an_answer_is_what_was_handed_on(taken: int) -> None:
    told: list[Answered] = []
    pieces = watched(iter(PIECES), "I am an AI.", told.append)
    got = [next(pieces) for _ in range(taken)]
    pieces.close()  # type: ignore[attr-defined]
    (answered,) = told
    assert answered.text == "".join(piece.text for piece in got)
    assert answered.whole == (taken == len(PIECES))
    assert (answered.first_word is None) == (taken == 1), "the disclosure is no word of the answer"


def test_it_is_told_before_the_last_piece_goes_out() -> None:
    order: list[str] = []
    for piece in watched(iter(PIECES), "I am an AI.", lambda answered: order.append("told")):
        order.append(piece.text)
    assert order == ["I am an AI.\n\n", "We", " post.", "told", ""]

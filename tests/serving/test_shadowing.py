"""A version that answers unseen: nobody is shown it, no customer waits for it, the owner sees how it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeReplier, with_versions
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from tailorbird.artifacts import Release
from tailorbird.cli import app
from tailorbird.feedback import FeedbackStore
from tailorbird.replier import Message, ReplyOptions, ReplyPiece
from tailorbird.serving.api import application
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.metrics import Metrics
from tailorbird.serving.shadowing import Shadows
from tailorbird.turns import ShadowLog, TurnLog
from tailorbird.workspace import Workspace


class HandsOver(FakeReplier):
    """Answers and asks for a person."""

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        yield ReplyPiece("Ask ")
        yield ReplyPiece("ana@example.org.", "stop", action="hand_over", reason="wish: she wants a person.")


class Busy:
    """Whether a customer is being answered, as a test says."""

    def __init__(self) -> None:
        self.told: list[bool] = []

    def __call__(self) -> bool:
        return self.told.pop(0) if self.told else False


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """Three versions, the last in production."""
    return with_versions(tmp_path / "shop", 3)


def opened(made: Release) -> Assistant:
    fake = HandsOver() if made.version == 1 else FakeReplier(answer=f"number {made.version}.")
    fake.name = f"shop-v{made.version}"
    return Assistant(fake, made.system_prompt, made.disclosure)


def serving(shop: Workspace, busy: Busy) -> tuple[TestClient, Shadows]:
    shadows = Shadows(busy)
    return TestClient(application(Desks([Desk(shop, opened)]), Metrics(), shadows)), shadows


def answer_all(shadows: Shadows) -> int:
    """Round after round, as a server does."""
    return sum(iter(shadows.answer, 0))


def ask(client: TestClient, words: str = "When do you post?") -> dict[str, str]:
    asked = {"model": "production", "messages": [{"role": "user", "content": words}]}
    told = client.post("/v1/chat/completions", json=asked)
    assert told.status_code == 200
    return {"conversation": told.json()["conversation"], "text": told.json()["choices"][0]["message"]["content"]}


def run(shop: Workspace, *words: str, typed: str = "") -> str:
    done = CliRunner().invoke(app, [*words, "-w", str(shop.folder)], input=typed, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_answers_the_same_and_nobody_is_shown_it(shop: Workspace) -> None:
    client, shadows = serving(shop, Busy())
    ask(client)
    assert shadows.answer() == 0, "none is tried out"
    run(shop, "shadow", "1")
    told = ask(client)
    assert shadows.answer() == 1
    assert shadows.answer() == 0
    assert told["text"].endswith("number 3.")
    assert [turn.release for turn in TurnLog(shop).turns(told["conversation"]) if turn.release] == ["shop-v3"]
    held = TurnLog(shop).conversation(told["conversation"])
    assert held
    assert held.state == "assistant", "nobody is handed over by what nobody sees"
    (found,) = ShadowLog(shop).since()
    assert (found.shadow.release, found.shadow.action, found.shadow.number) == ("shop-v1", "hand_over", 2)
    assert "ana@example.org" not in found.shadow.text, "no personal data is written down"
    for ending in (["pause"], ["shadow", "--stop"], ["promote", "2"]):
        ask(client)
        run(shop, *ending)
        assert shadows.answer() == 0, "what waits is not answered any more"
        run(shop, "resume")
        run(shop, "shadow", "1")


def test_customers_come_first(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailorbird.serving.shadowing._MOST", 4)
    busy = Busy()
    client, shadows = serving(shop, busy)
    run(shop, "shadow", "2")
    ask(client)
    busy.told = [True]
    assert shadows.answer() == 0, "somebody is being answered"
    busy.told = [False, False, True, True]
    assert shadows.answer() == 0, "somebody asked while it was writing"
    assert list(ShadowLog(shop).since()) == []
    assert shadows.answer() == 1, "it begins again"
    for number in range(9):
        ask(client, f"Question {number}?")
    assert answer_all(shadows) == 4, "the newest"


def test_it_ends_when_it_is_promoted_and_what_is_erased_is_not_answered(shop: Workspace) -> None:
    client, shadows = serving(shop, Busy())
    run(shop, "shadow", "2", "--share", "1")
    ask(client)
    TurnLog(shop).erase(lambda *_: True)
    assert shadows.answer() == 0
    run(shop, "promote", "2")
    assert shop.trial("shadow") is None
    for words, told in ((["shadow", "1", "--share", "1.1"], "is none"), (["shadow", "2"], "answers everybody already")):
        done = CliRunner().invoke(app, [*words, "-w", str(shop.folder)])
        assert told in str(done.exception)


def test_the_owner_holds_both_against_each_other(shop: Workspace) -> None:
    client, shadows = serving(shop, Busy())
    run(shop, "shadow", "1")
    for number in range(8):
        ask(client, f"Question {number}?")
    assert answer_all(shadows) == 8
    (told,) = json.loads(run(shop, "watch", "--json"))["unseen"]
    assert (told["version"], told["against"], told["conversations"], told["answers"]) == ("shop-v1", "shop-v3", 8, 8)
    assert (told["only_unseen_hands_over"], told["only_customers_handed_over"]) == (8, 0)
    assert (told["unseen"]["handed_over"]["value"], told["customers"]["handed_over"]["value"]) == (1, 0)
    assert told["likely_alike"] < 0.01
    words = " ".join(run(shop, "watch").split())
    assert "shop-v1 answered 8 messages of 8 conversations unseen. shop-v1: a person takes over in 100%" in words
    assert "shop-v1 hands over more often than shop-v3; by chance that would be 0.8% likely." in words
    assert client.get("/v1/figures").json()["shop"]["unseen"][0]["answers"] == 8


def test_it_is_held_against_production_and_not_against_another_trial(shop: Workspace) -> None:
    client, shadows = serving(shop, Busy())
    run(shop, "canary", "2", "--share", "0.5")
    run(shop, "shadow", "1")
    for number in range(30):
        ask(client, f"Question {number}?")
    answered = answer_all(shadows)
    assert 5 <= answered <= 25
    assert {one.answer.release for one in ShadowLog(shop).since()} == {"shop-v3"}


def test_one_that_fails_keeps_neither_customers_nor_the_others_waiting(shop: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    def opening(made: Release) -> Assistant:
        if made.version == 2:
            raise ValueError("no such file")
        return opened(made)

    shadows = Shadows(Busy())
    client = TestClient(application(Desks([Desk(shop, opening)]), Metrics(), shadows))
    run(shop, "shadow", "2")
    ask(client)
    ask(client, "And hats?")
    assert answer_all(shadows) == 0
    assert caplog.text.count("no such file") == 2
    run(shop, "shadow", "1")
    ask(client)
    assert answer_all(shadows) == 1


def test_the_server_is_not_kept_from_stopping(shop: Workspace) -> None:
    client, shadows = serving(shop, Busy())
    run(shop, "shadow", "1")
    ask(client)
    shadows.stop()
    assert shadows.answer() == 0


def test_the_owner_says_which_answer_is_better_without_knowing_whose_it_is(shop: Workspace) -> None:
    client, shadows = serving(shop, Busy())
    run(shop, "shadow", "1")
    ask(client)
    shadows.answer()
    run(shop, "feedback", "compare", "--unseen", typed="1\n")
    (row,) = FeedbackStore(shop).all()
    assert row.kind == "pair"
    assert {row.completion, row.rejected} == {"number 3.", "Ask <EMAIL_1>."}, "the disclosure is no model's"
    assert "0 judged" in run(shop, "feedback", "compare", "--unseen")

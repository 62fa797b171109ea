"""How the assistant does while it serves: figures, drift, alerts, and what they do by themselves."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeReplier, with_versions
from numpy.typing import NDArray
from pydantic import ValidationError
from typer.testing import CliRunner

from tailorbird.cli import app
from tailorbird.feedback import Feedback, FeedbackStore
from tailorbird.prices import prices
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk
from tailorbird.serving.monitoring import share, watch
from tailorbird.serving.monitoring.alerts import Alerts, send
from tailorbird.serving.monitoring.drift import drift
from tailorbird.settings import AlertSettings, MailSettings
from tailorbird.turns import LoggedTurn, TurnLog
from tailorbird.versions import rollback, try_out, version
from tailorbird.workspace import Workspace

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """Two versions, the second in production."""
    return with_versions(tmp_path / "shop", 2)


def talk(
    shop: Workspace, release: str, handed: bool = False, good: bool | None = None, at: datetime | None = None, **more: Any
) -> None:
    """One question and one answer."""
    log = TurnLog(shop)
    held = log.begin(language=more.pop("language", "en"))
    moment = at or datetime.now(UTC)
    log.add([
        LoggedTurn(conversation=held.id, role="user", text="Where is my parcel?", created_at=moment),
        LoggedTurn(
            conversation=held.id, role="assistant", text="It is on its way.", release=release, created_at=moment,
            **{"first_token_ms": 400, "duration_ms": 900, "prompt_tokens": 30, "completion_tokens": 5} | more,
        ),
    ])  # fmt: skip
    if handed:
        log.set_state(held.id, "waiting")
    if good is not None:
        told = {"kind": "thumb", "messages": [{"role": "user", "content": held.id}], "completion": "x", "label": good}
        FeedbackStore(shop).add([Feedback.model_validate({**told, "source": held.id})])


def test_figures_of_each_version_and_day(shop: Workspace) -> None:
    for number in range(10):
        talk(shop, "shop-v1", handed=number < 2, good=number < 8)
    for number in range(10):
        guards = ("answer.promises: rewrite", "message.off_topic: flag") if number == 0 else ()
        talk(shop, "shop-v2", handed=number < 9, whole=number > 0, first_token_ms=100 * number, language="de", guards=guards)
    found = watch(shop)
    one, two = found.versions["shop-v1"], found.versions["shop-v2"]
    assert (found.total.conversations, one.conversations, two.conversations) == (20, 10, 10)
    assert one.escalated
    assert two.escalated
    assert (one.escalated.value, two.escalated.value) == (0.2, 0.9)
    assert one.escalated.low < 0.2 < one.escalated.high < 1
    assert one.good
    assert (one.good.value, two.good) == (0.8, None)
    assert two.broken_off
    assert two.broken_off.value == 0.1
    assert two.first_word
    assert two.first_word.median == pytest.approx(0.45)
    assert two.first_word.slow == pytest.approx(0.855)
    assert two.guards == {"answer.promises": 1, "message.off_topic": 1}
    assert found.total.languages == {"de": 10, "en": 10}
    assert found.total.tokens == 20 * 35
    known = prices(shop.folder)
    kwh = 20 * 0.9 / 3600 * known.here.watts / 1000
    assert found.total.cost == pytest.approx(kwh * known.here.per_kwh * known.exchange["EUR"])
    assert found.currency == "EUR"
    assert found.likely_worse["shop-v2"] < 0.01 < 0.9 < found.likely_worse["shop-v1"]
    assert list(found.days) == [datetime.now(UTC).date()]
    assert found.before is None, "nothing was imported"


def test_another_servers_answers_cost_what_it_takes_for_tokens(shop: Workspace) -> None:
    talk(shop, "shop-v2")
    file = shop.folder / "tailorbird.yaml"
    plain = file.read_text()
    file.write_text(f"{plain}\nserving:\n  upstream: {{url: 'http://127.0.0.1:9/v1'}}\n")
    assert watch(Workspace(shop.folder)).total.cost is None, "nobody said what it takes"
    prices = "price_read: 2, price_written: 10"
    file.write_text(f"{plain}\nserving:\n  upstream: {{url: 'http://127.0.0.1:9/v1', {prices}}}\n")
    assert watch(Workspace(shop.folder)).total.cost == pytest.approx((30 * 2 + 5 * 10) / 1e6)


def test_an_empty_log_has_no_figures_and_makes_no_file(shop: Workspace) -> None:
    found = watch(shop)
    assert (found.total.conversations, found.total.escalated, found.versions) == (0, None, {})
    assert not (shop.store / "live.sqlite").exists()


def test_a_share_of_nothing_is_none_and_of_few_is_wide() -> None:
    assert share(0, 0) is None
    few, many = share(1, 4), share(100, 400)
    assert few
    assert many
    assert few.high - few.low > 4 * (many.high - many.low)


def test_how_often_people_took_over_before_is_read_off_tags(shop: Workspace) -> None:
    from conftest import conversation, write_jsonl

    from tailorbird import import_conversations

    rows = [conversation(n) | {"tags": ["handoff"] if n % 4 == 0 else []} for n in range(40)]
    write_jsonl(shop.folder / "conversations.jsonl", rows)
    import_conversations(Workspace(shop.folder))
    before = watch(Workspace(shop.folder)).before
    assert before
    assert before.value == pytest.approx(0.25)


# --- drift ------------------------------------------------------------------------------------------------------------


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors around a direction that each text's first word names."""
    rows = []
    for number, text in enumerate(texts):
        chance = np.random.default_rng([sum(text.encode()), number])
        row = chance.normal(size=8) + 3 * np.eye(8)[len(text.split()[0]) % 8]
        rows.append(row / np.linalg.norm(row))
    return np.array(rows, dtype=np.float32)


def messages(words: Sequence[str], count: int, language: str = "en") -> list[tuple[str, str]]:
    return [(f"{words[n % len(words)]} question number {n}", language) for n in range(count)]


def test_other_topics_and_languages_are_noticed() -> None:
    learned = messages(["hat", "boots"], 200)
    same = drift(learned, messages(["hat", "boots"], 60), encode)
    assert same.topics
    assert same.topics > 0.01
    assert same.languages == 1.0
    other = drift(learned, messages(["hat", "cucumber"], 60, "de"), encode)
    assert other.topics
    assert other.languages
    assert max(other.topics, other.languages) < 0.01
    few = drift(learned, messages(["hat"], 5), encode)
    assert (few.topics, few.languages) == (None, None)


def test_it_alarms_as_seldom_as_it_says() -> None:
    """The same customers on both sides, again and again: below 0.05 about one time in twenty."""
    chance = np.random.default_rng(4)
    alarms = 0
    for number in range(100):
        words = chance.choice(["hat", "boots", "scarf9"], 160)
        told = [(f"{word} question number {number}", "en") for word in words]
        alarms += (drift(told[:120], told[120:], encode, seed=number).topics or 1) < 0.05
    assert alarms <= 12


# --- alerts -----------------------------------------------------------------------------------------------------------


def watched(shop: Workspace, *rules: dict[str, Any]) -> tuple[Alerts, list[str]]:
    told = {
        "alerts": [AlertSettings.model_validate(rule) for rule in rules],
        "mail": MailSettings(host="x", sender="a@b", to=["c@d"]),
    }
    shop.settings = shop.settings.model_copy(update={"serving": shop.settings.serving.model_copy(update=told)})
    mails: list[str] = []
    desk = Desk(shop, lambda made: Assistant(FakeReplier(f"shop-v{made.version}"), made.system_prompt, made.disclosure))
    return Alerts(desk, encode, lambda settings, subject, text: mails.append(f"{subject}: {text}")), mails


def test_an_alert_is_raised_once_and_ended_once(shop: Workspace) -> None:
    alerts, mails = watched(shop, {"figure": "escalated", "above": 0.5, "fewest": 10})
    for number in range(10):
        talk(shop, "shop-v2", handed=number < 6)
    talk(shop, "shop-v1", handed=True)
    assert len(alerts.look()) == 1
    assert alerts.look() == [], "it is known"
    talk(shop, "shop-v2")
    assert watched(shop, {"figure": "escalated", "above": 0.5, "fewest": 10})[0].look() == [], "after a restart too; 6 of 11"
    talk(shop, "shop-v2")
    talk(shop, "shop-v2")
    assert alerts.look() == [], "6 of 13 is below what raised it, not yet below what ends it"
    for _ in range(4):
        talk(shop, "shop-v2")
    (over,) = alerts.look()
    assert "is over" in over
    assert [mail.startswith("shop: escalated above 0.5") for mail in mails] == [True, True]


def test_too_few_conversations_and_old_ones_raise_nothing(shop: Workspace) -> None:
    alerts, _ = watched(shop, {"figure": "escalated", "above": 0.1, "fewest": 5, "hours": 24})
    for _ in range(4):
        talk(shop, "shop-v2", handed=True)
    assert alerts.look() == []
    talk(shop, "shop-v2", handed=True)
    assert alerts.look(datetime.now(UTC) + timedelta(hours=25)) == []
    assert len(alerts.look()) == 1


def test_a_rule_rolls_back_by_itself_and_the_next_request_has_the_version_before(shop: Workspace) -> None:
    alerts, mails = watched(shop, {"figure": "bad_thumbs", "above": 0.5, "fewest": 5, "action": "rollback"})
    for _ in range(6):
        talk(shop, "shop-v2", good=False)
    assert alerts.desk.release("production").version == 2  # type: ignore[union-attr]
    (told,) = alerts.look()
    assert "Rolled back to version 1" in told
    assert alerts.desk.release("production").version == 1  # type: ignore[union-attr]
    assert "Rolled back" in mails[0]
    (over,) = alerts.look()
    assert "of shop-v2 is over" in over
    assert alerts.look() == [], "the version before has done nothing wrong, so it is not rolled back again"


def rolling_back(*figures: str) -> list[dict[str, Any]]:
    return [{"figure": figure, "above": 0.5, "fewest": 5, "action": "rollback"} for figure in figures]


def test_two_rules_on_the_same_figures_take_a_version_back_once(shop: Workspace) -> None:
    alerts, _ = watched(shop, *rolling_back("bad_thumbs", "escalated"))
    for _ in range(6):
        talk(shop, "shop-v2", handed=True, good=False)
    first, second = alerts.look()
    assert "Rolled back to version 1" in first
    assert "could not rollback: Version 2 serves no more" in second
    assert alerts.desk.serving().version == 1


def test_no_rule_goes_back_to_a_version_that_was_taken_back(shop: Workspace) -> None:
    alerts, _ = watched(shop, *rolling_back("bad_thumbs"))
    for _ in range(6):
        talk(shop, "shop-v2", good=False)
    alerts.look()
    for _ in range(6):
        talk(shop, "shop-v1", good=False)
    assert "could not rollback: Version 2, which served before, is newer" in "".join(alerts.look())
    assert alerts.desk.serving().version == 1
    assert rollback(shop).version == 2, "its owner may"


def test_a_rule_that_was_stopped_while_it_acted_does_not_act_again(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"figure": "escalated", "above": 0.5, "fewest": 5, "action": "pause"}
    for _ in range(6):
        talk(shop, "shop-v2", handed=True)

    def killed(workspace: Workspace, words: str) -> None:
        workspace._keep("paused.json", {"words": words})
        raise SystemExit

    monkeypatch.setattr(Workspace, "pause", killed)
    with pytest.raises(SystemExit):
        watched(shop, rule)[0].look()
    assert shop.paused
    shop.resume()
    watched(shop, rule)[0].look()
    assert shop.paused is None, "the owner has looked at it since"


def test_a_bad_trial_ends_by_its_own_figures_and_production_goes_on(shop: Workspace) -> None:
    alerts, mails = watched(shop, *rolling_back("escalated"))
    try_out(shop, version(shop, "1"), 0.5)
    for number in range(5):
        assert alerts.look() == [], "too few yet"
        talk(shop, "shop-v2")
        talk(shop, "shop-v1", handed=number < 4)
    (told,) = alerts.look()
    assert told == "escalated above 0.5 in 24 hours of shop-v1: 0.8. Version 1 is tried out no more."
    assert mails[0].startswith("shop: escalated above 0.5 in 24 hours of shop-v1: ")
    assert shop.trial("canary") is None
    assert alerts.desk.serving().version == 2
    (over,) = alerts.look()
    assert "of shop-v1 is over" in over


def test_a_rule_that_only_tells_leaves_the_trial_alone(shop: Workspace) -> None:
    alerts, _ = watched(shop, {"figure": "escalated", "above": 0.5, "fewest": 2})
    try_out(shop, version(shop, "1"), 0.5)
    for _ in range(2):
        talk(shop, "shop-v1", handed=True)
    (told,) = alerts.look()
    assert "of shop-v1" in told
    assert shop.trial("canary")


def test_a_rule_pauses_and_says_so_if_it_cannot_roll_back(tmp_path: Path) -> None:
    shop = with_versions(tmp_path / "shop", 1)
    rules = [
        {"figure": figure, "above": 0.5, "fewest": 2, "action": act}
        for figure, act in (("escalated", "rollback"), ("guards", "pause"))
    ]
    alerts, _ = watched(shop, *rules)
    for _ in range(3):
        talk(shop, "shop-v1", handed=True, guards=("answer.promises: rewrite",))
    first, second = alerts.look()
    assert "could not rollback: No version served before" in first
    assert "paused" in second
    assert shop.paused == shop.settings.serving.words.paused


def test_an_alert_that_would_come_and_go_is_refused() -> None:
    with pytest.raises(ValidationError, match="`clear` has to be below"):
        AlertSettings(figure="whole", above=3, clear=3)


class Mailbox(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail needs."""

    received: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().decode().strip():
            if line.upper() == "DATA":
                self.wfile.write(b"354 go on\r\n")
                while (part := self.rfile.readline().decode()) != ".\r\n":
                    self.received.append(part.rstrip())
            self.wfile.write(b"221 bye\r\n" if line.upper() == "QUIT" else b"250 well\r\n")


@pytest.fixture
def mailbox() -> Iterator[tuple[int, list[str]]]:
    Mailbox.received = []
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], Mailbox.received
        server.shutdown()


def test_a_mail_arrives(mailbox: tuple[int, list[str]]) -> None:
    port, received = mailbox
    send(
        MailSettings(host="127.0.0.1", port=port, tls=False, sender="bot@shop.example", to=["mira@shop.example"]),
        "shop: slow",
        "It is slow.",
    )
    assert "Subject: shop: slow" in received
    assert "It is slow." in received


def test_the_owner_sees_figures_and_who_waits(shop: Workspace) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, "-w", str(shop.folder)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "Nobody has talked" in run("watch")
    assert "Nobody waits" in run("queue")
    for number in range(8):
        talk(shop, "shop-v1" if number < 6 else "shop-v2", handed=number > 5)
    shown = run("watch")
    assert "25% (7% to 59%)" in shown
    assert "shop-v2 needs a person more often" in shown
    assert json.loads(run("watch", "--json"))["total"]["conversations"] == 8
    assert [one["state"] for one in json.loads(run("queue", "--json"))] == ["waiting", "waiting"]
    assert "waiting" in run("queue")

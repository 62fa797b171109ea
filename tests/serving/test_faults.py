"""The server is killed, overloaded, left by its customers and told to stop: what it acknowledged is written down."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fakes import with_versions
from postgres import Cluster
from typer.testing import CliRunner

from tailorbird.cli import app
from tailorbird.serving.rounds import Round
from tailorbird.turns import TurnLog
from tailorbird.workspace import Workspace

SCRIPT = Path(__file__).with_name("serve_fake.py")
KILLS, DATABASE_KILLS = 40, 10


class Served:
    """A server in a process of its own."""

    def __init__(self, shop: Workspace, pause: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(shop.folder), str(pause)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.port = urlsplit(self.process.stdout.readline().strip()).port
        assert self.port, self.process.stderr.read() if self.process.stderr else ""

    def connect(self, timeout: float = 30) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def get(self, path: str) -> str:
        connection = self.connect()
        connection.request("GET", path)
        return connection.getresponse().read().decode()

    def post(self, words: str, stream: bool = False) -> http.client.HTTPResponse:
        connection = self.connect()
        asked = {"model": "production", "messages": [{"role": "user", "content": words}], "stream": stream}
        connection.request("POST", "/v1/chat/completions", json.dumps(asked), {"Content-Type": "application/json"})
        return connection.getresponse()

    def in_progress(self) -> float:
        lines = [line for line in self.get("/metrics").splitlines() if line.startswith("tailorbird_answers_in_progress{")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def end(self) -> None:
        self.process.kill()
        self.process.wait(20)


@contextmanager
def served(shop: Workspace, pause: float = 0.0) -> Iterator[Served]:
    one = Served(shop, pause)
    try:
        yield one
    finally:
        one.end()


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    made = with_versions(tmp_path / "shop", 1)
    settings = made.folder / "tailorbird.yaml"
    settings.write_text(settings.read_text() + "serving: {limits: {requests_per_minute: 100000, most_at_once: 8}}\n")
    return Workspace(made.folder)


def until(true: Any, seconds: float = 10) -> float:
    """Seconds until something holds; so many at the most."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds
        time.sleep(0.02)
    return time.monotonic() - started


def streamed(one: Served, words: str) -> tuple[str, int] | None:
    """The conversation and the turn's number of an answer whose end came; None where it broke off."""
    try:
        last: dict[str, Any] = {}
        for line in one.post(words, stream=True):
            text = line.decode().strip()
            if text == "data: [DONE]":
                return last["conversation"], last["turn"]
            if text.startswith("data: "):
                last = json.loads(text.removeprefix("data: "))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return None


def test_promoted_rolled_back_and_paused_holds_within_a_second_while_a_stream_goes_on(tmp_path: Path) -> None:
    """The server is a process of its own, as it is where an owner types these commands."""
    shop = with_versions(tmp_path / "shop", 2)
    with served(shop, pause=0.01) as one:
        (shop.folder / "file").touch()
        stream = one.post("Go on while the file is there", stream=True)
        for words, told in (
            (["rollback"], "shop-v1"),
            (["promote", "2"], "shop-v2"),
            (["pause", "--say", "Back at nine."], "Back"),
        ):
            assert CliRunner().invoke(app, [*words, "-w", str(shop.folder)], catch_exceptions=False).exit_code == 0
            started = time.monotonic()
            answer = json.loads(one.post("And now?").read())
            assert time.monotonic() - started < 1
            assert told in f"{answer['model']} {answer['choices'][0]['message']['content']}"
        assert one.in_progress() == 1, "the stream"
        (shop.folder / "file").unlink()
        rest = stream.read().decode()
    assert rest.endswith("data: [DONE]\n\n")
    (turns,) = [turns for _, turns in TurnLog(shop).everything() if "while the file" in turns[0].text]
    assert (turns[1].whole, turns[1].release, turns[1].text[-3:]) == (True, "shop-v2", "end")


def test_what_comes_round_begins_at_once_and_goes_on_whatever_goes_wrong(caplog: pytest.LogCaptureFixture) -> None:
    done, again = list[int](), threading.Event()

    def looking() -> None:
        done.append(len(done))
        if len(done) > 1:
            again.set()
        raise ZeroDivisionError("seldom")

    begun = threading.Event()
    rounds = [Round(looking, every=0.01), Round(begun.set, every=3600)]
    for one in rounds:
        one.start()
    assert again.wait(10)
    assert begun.wait(10)
    for one in rounds:
        one.stop()
    assert "looking failed and is tried again: ZeroDivisionError('seldom')" in caplog.text


@pytest.mark.slow
def test_killed_forty_times_under_load_nothing_acknowledged_is_lost_and_no_half_answer_is_whole(shop: Workspace) -> None:
    chance, acknowledged, asked = random.Random(11), list[tuple[str, int, str]](), 0
    for _ in range(KILLS):
        with served(shop, pause=0.002) as one:
            stop = threading.Event()

            def work(worker: int, one: Served = one, stop: threading.Event = stop) -> None:
                nonlocal asked
                while not stop.is_set():
                    asked += 1
                    words = f"question{asked}of{worker}"
                    if found := streamed(one, words):
                        acknowledged.append((*found, words))
                    else:
                        return

            workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
            for each in workers:
                each.start()
            before = len(acknowledged)
            until(lambda: len(acknowledged) > before + chance.randint(0, 3), 60)  # noqa: B023
            time.sleep(chance.uniform(0, 0.1))
            one.process.send_signal(signal.SIGKILL)
            stop.set()
            for each in workers:
                each.join(30)
    log = TurnLog(shop)
    kept = {held.id: turns for held, turns in log.everything()}
    assert len(acknowledged) > KILLS, "there was load"
    for conversation, number, words in acknowledged:
        turn = kept[conversation][number - 1]
        assert (turn.role, turn.whole) == ("assistant", True)
        assert f"You asked {words} and here is the whole answer to it end" in turn.text
    for turns in kept.values():
        assert [turn.number for turn in turns] == list(range(1, len(turns) + 1))
        assert all(turn.text.endswith("end") for turn in turns if turn.role == "assistant" and turn.whole)
    print(f"\n{KILLS} kills, {asked} asked, {len(acknowledged)} acknowledged, all of them kept")


@pytest.mark.slow
def test_a_database_that_is_killed_loses_nothing_and_the_server_goes_on_by_itself(tmp_path: Path, cluster: Cluster) -> None:
    """Killing one of its processes makes PostgreSQL end all others, recover and start again."""
    made = with_versions(tmp_path / "shop", 1)
    told = f"serving: {{limits: {{requests_per_minute: 100000}}, log: {{database: {json.dumps(cluster.new_schema())}}}}}\n"
    settings = made.folder / "tailorbird.yaml"
    settings.write_text(settings.read_text() + told)
    shop, acknowledged, waits = Workspace(made.folder), list[tuple[str, int]](), list[float]()
    with served(shop, pause=0.002) as one:
        for number in range(DATABASE_KILLS):
            stop = threading.Event()

            def work(stop: threading.Event = stop, number: int = number) -> None:
                while not stop.is_set():
                    if found := streamed(one, f"question of round {number}"):
                        acknowledged.append(found)

            workers = [threading.Thread(target=work) for _ in range(4)]
            for each in workers:
                each.start()
            before = len(acknowledged)
            until(lambda: len(acknowledged) > before + 3, 60)  # noqa: B023
            kill_backend(cluster)
            stop.set()
            for each in workers:
                each.join(30)
            waits.append(until(lambda: streamed(one, "are you back?") is not None, 30))
    kept = {held.id: turns for held, turns in TurnLog(shop).everything()}
    for conversation, turn in acknowledged:
        assert kept[conversation][turn - 1].text.endswith("end")
    print(f"\n{DATABASE_KILLS} database kills, {len(acknowledged)} acknowledged and kept; back after {max(waits):.1f} s at most")


def kill_backend(cluster: Cluster) -> None:
    import psycopg

    with psycopg.connect(host=str(cluster.folder), port=cluster.port, user="tailorbird", dbname="postgres") as connection:
        mine = connection.info.backend_pid
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'").fetchall()
    victim = next(pid for (pid,) in rows if pid != mine)
    os.kill(victim, signal.SIGKILL)


@pytest.mark.slow
def test_more_than_it_can_do_is_refused_at_once_and_does_not_pile_up(shop: Workspace) -> None:
    with served(shop, pause=0.05) as one:
        statuses: list[tuple[int, str | None, float]] = []

        def work(number: int) -> None:
            started = time.monotonic()
            response = one.post(f"question {number}")
            response.read()
            statuses.append((response.status, response.headers.get("Retry-After"), time.monotonic() - started))

        workers = [threading.Thread(target=work, args=(number,)) for number in range(40)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        refused = [told for told in statuses if told[0] == 503]
        assert len(refused) >= 20
        assert {told[0] for told in statuses} == {200, 503}
        assert all(wait for _, wait, _ in refused)
        assert max(took for _, _, took in refused) < 2, "at once"
        assert one.post("still there?").status == 200
        assert one.in_progress() == 0


@pytest.mark.slow
def test_a_customer_who_leaves_frees_the_place_at_once(shop: Workspace) -> None:
    with served(shop, pause=0.01) as one:
        for _ in range(3):
            leaving = [one.post("go on forever", stream=True) for _ in range(8)]
            until(lambda: one.in_progress() == 8)
            assert one.post("and me?").status == 503
            for response in leaving:
                response.fp.raw._sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
                response.close()
            took = until(lambda: one.in_progress() == 0)
            print(f"\neight places free again {took:.2f} s after their customers left")
            assert one.post("and me?").status == 200
    broken = [turn for _, turns in TurnLog(shop).everything() for turn in turns if turn.role == "assistant" and not turn.whole]
    assert len(broken) == 24


@pytest.mark.slow
def test_a_client_that_reads_slowly_keeps_nobody_else_waiting(shop: Workspace) -> None:
    with served(shop) as one:
        slow = [one.post("go on forever", stream=True) for _ in range(3)]  # and nobody reads on
        time.sleep(1)
        started = time.monotonic()
        assert one.post("quick?").status == 200
        assert time.monotonic() - started < 2
        for response in slow:
            response.close()


@pytest.mark.slow
def test_told_to_stop_it_ends_what_it_has_begun(shop: Workspace) -> None:
    with served(shop, pause=0.1) as one:
        response = one.post("the last one", stream=True)
        one.process.send_signal(signal.SIGTERM)
        assert response.read().decode().endswith("data: [DONE]\n\n")
        assert one.process.wait(20) in (0, -signal.SIGTERM)
        with pytest.raises(OSError, match="refused"):
            one.connect().connect()
    (turns,) = [turns for _, turns in TurnLog(shop).everything()]
    assert turns[-1].whole

"""A steady load on `tailorbird serve` for an hour: memory, errors, and what the last minutes take against the first.

Usage: .venv/bin/python benchmarks/soak.py WORKSPACE [--minutes 60] [--chats 4] [--a-minute 40] [--json]
WORKSPACE has a released version, `make demo`'s for example; it is copied. Model, guards, hand-off and log are the real ones.
Every fourth conversation goes on for a second turn, every tenth is judged, every twentieth leaves in the middle of an answer.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psutil
import yaml

from tailorbird import Workspace
from tailorbird.artifacts import Audit, Release
from tailorbird.turns import TurnLog
from tailorbird.workspace import PRODUCTION, read_conversations

_WARM = 30  # answers after which the model's slots have been filled for the first time, which takes memory


class Load:
    """What customers do, and what came of it."""

    def __init__(self, address: str, questions: list[str]) -> None:
        parts = urlsplit(address)
        self._host, self._port, self._questions = parts.hostname or "", parts.port, questions
        self.seconds: list[tuple[float, float]] = []
        self.problems: list[str] = []
        self.acknowledged = 0

    def converse(self, number: int) -> None:
        """One customer, from the first word to the last."""
        chance = random.Random(number)
        question = chance.choice(self._questions)
        try:
            told = self._ask([{"role": "user", "content": question}], leaves=number % 20 == 7)
            if told and number % 4 == 0:
                said = [{"role": "user", "content": question}, {"role": "assistant", "content": told["text"]}]
                self._ask([*said, {"role": "user", "content": "And to Spain?"}])
            if told and number % 10 == 0:
                verdict = {"conversation": told["conversation"], "turn": told["turn"], "good": number % 20 == 0}
                self._post("/v1/feedback", verdict).read()
        except (OSError, http.client.HTTPException, ValueError, KeyError) as problem:
            self.problems.append(f"{type(problem).__name__}: {problem}")

    def _post(self, path: str, body: dict[str, Any]) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=120)
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise ValueError(f"{path} answered {response.status}: {response.read()[:200]!r}")
        return response

    def _ask(self, messages: list[dict[str, str]], leaves: bool = False) -> dict[str, Any] | None:
        started, text, last = time.monotonic(), "", dict[str, Any]()
        response = self._post(
            "/v1/chat/completions", {"model": "production", "messages": messages, "max_tokens": 96, "stream": True}
        )
        for line in response:
            event = line.decode().strip().removeprefix("data: ")
            if event == "[DONE]":
                self.seconds.append((started, time.monotonic() - started))
                self.acknowledged += 1
                return {"conversation": last["conversation"], "turn": last["turn"], "text": text}
            if event:
                last = json.loads(event)
                text += last["choices"][0]["delta"].get("content") or ""
                if leaves and text:
                    response.close()
                    return None
        raise ValueError("the answer broke off")


def main() -> None:
    """Prints a line a minute, and what it came to."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("workspace", type=Path)
    arguments.add_argument("--minutes", type=float, default=60)
    arguments.add_argument("--chats", type=int, default=4)
    arguments.add_argument("--a-minute", type=float, default=40)
    arguments.add_argument("--json", action="store_true", help="print what it came to as JSON alone")
    told = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "shop"
        shutil.copytree(told.workspace, folder, ignore=shutil.ignore_patterns("exports", "live.sqlite*"))
        settings = yaml.safe_load((folder / "tailorbird.yaml").read_text())
        limits = {"requests_per_minute": 1_000_000, "most_at_once": 2 * told.chats}
        (folder / "tailorbird.yaml").write_text(yaml.safe_dump(settings | {"serving": {"limits": limits}}, allow_unicode=True))
        soak(folder, told)


def soak(folder: Path, told: argparse.Namespace) -> None:
    """Runs the load and prints the figures."""
    shop = Workspace(folder)
    released = shop.find(Release, shop.alias(PRODUCTION) or "")
    assert released, "release a version first"
    test = read_conversations(shop.path(shop.ancestor(released, Audit)) / "test.jsonl")
    questions = [next(turn.content for turn in one.turns if turn.role == "user") for one in test]
    server = subprocess.Popen(
        [sys.executable, "-m", "tailorbird", "serve", "-w", str(folder), "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr
        line = next(line for line in server.stderr if "http" in line)
        threading.Thread(target=server.stderr.read, daemon=True).start()  # or it would wait once the pipe is full
        load = Load(next(word for word in line.split() if word.startswith("http")), questions)
        memory = run(load, psutil.Process(server.pid), told)
        server.terminate()
        server.wait(150)
    finally:
        server.kill()
    turns = sum(turn.role == "assistant" and turn.whole for _, found in TurnLog(shop).everything() for turn in found)
    if not load.seconds:
        raise SystemExit(f"Nothing was answered: {load.problems[:3]}")
    sixth = max(len(load.seconds) // 6, 1)
    first, last = (median(seconds for _, seconds in part) for part in (load.seconds[:sixth], load.seconds[-sixth:]))
    settled, ended = next((mb for answers, mb in memory[len(memory) // 2 :] if answers >= _WARM), memory[-1][1]), memory[-1][1]
    if told.json:
        found = {"acknowledged": load.acknowledged, "logged": turns, "problems": load.problems, "growth": ended / settled}
        print(json.dumps(found | {"seconds": [first, last], "megabytes": ended}))
        return
    print(
        f"{told.minutes:g} minutes: {load.acknowledged} answers acknowledged, {turns} whole in the log, "
        f"{len(load.problems)} problems; an answer took {first:.2f} s at first and {last:.2f} s at last; "
        f"memory {settled:.0f} MB after half of it, {ended:.0f} at the end ({ended / settled:.3f}x)"
    )
    for problem in sorted(set(load.problems))[:10]:
        print(" ", problem)


def run(load: Load, process: psutil.Process, told: argparse.Namespace) -> list[tuple[int, float]]:
    """Starts customers at a steady pace; answers and the server's megabytes at every twentieth of the time."""
    begun, number, memory, lock = time.monotonic(), 0, list[tuple[int, float]](), threading.Semaphore(told.chats)
    shown = 0

    def now() -> tuple[int, float]:
        return load.acknowledged, process.memory_info().rss / 1e6

    def customer(which: int) -> None:
        try:
            load.converse(which)
        finally:
            lock.release()

    while (passed := time.monotonic() - begun) < told.minutes * 60:
        if passed / (told.minutes * 60) * 20 >= len(memory):
            memory.append(now())
        if passed / 60 >= shown and not told.json:
            shown += 1
            print(
                f"minute {shown}: {load.acknowledged} answers, {len(load.problems)} problems, {memory[-1][1]:.0f} MB", flush=True
            )
        if number < passed / 60 * told.a_minute and lock.acquire(timeout=1):
            number += 1
            threading.Thread(target=customer, args=(number,), daemon=True).start()
        else:
            time.sleep(0.05)
    for _ in range(told.chats):
        lock.acquire()
    return [*memory, now()]


if __name__ == "__main__":
    main()

"""Our whole serving stack (disclosure, guards, hand-off, log) against llama.cpp's own server: same GGUF, adapter and settings.

Usage: .venv/bin/python benchmarks/serve_speed.py WORKSPACE [--chats 1 4 8] [--rounds 3] [--businesses 30]
WORKSPACE has a released LoRA version, `make demo`'s for example; it is copied and not changed. Both servers run in processes of
their own on 127.0.0.1 and are asked in turn, the order changing with each round. Figures are medians over rounds of one run.
Our guards judge whole sentences, so a customer reads the first words when the first sentence is whole: "first token" is when the
model has begun, "first words" is when there is something to read.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

from tailorbird import Workspace, engine
from tailorbird.artifacts import Audit, Release
from tailorbird.progress import silent
from tailorbird.workspace import PRODUCTION, read_conversations

SLOTS = 8
ANSWER = 64  # tokens
PROMPT = (
    "You are the assistant of a vintage-clothing shop. Answer warmly, directly and with the shop's exact figures for sizing, "
    "care, shipping, returns, repairs and payment. You cannot see orders or stock. When a person is needed, pass the "
    "conversation on. "
) * 9  # about 500 tokens
SERVING = {
    "passages": "never", "hand_over": {"unknown": "off"},
    "limits": {"requests_per_minute": 10_000_000, "most_at_once": 64},
}  # fmt: skip


class Place(NamedTuple):
    """Where a server is asked, with which key, and whether the system prompt has to be sent along."""

    address: str
    key: str
    models: Sequence[str]
    system: bool


class Answered(NamedTuple):
    """Seconds to the model's first token and to the first words, and to the end; tokens read and written."""

    first: float
    words: float
    whole: float
    read: int
    written: int


def main() -> None:
    """Prints every comparison as it is measured."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("workspace", type=Path)
    arguments.add_argument("--chats", type=int, nargs="+", default=[1, 4, 8])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--businesses", type=int, default=30)
    arguments.add_argument("--peer", nargs=2, metavar=("MODEL", "ADAPTER"), help=argparse.SUPPRESS)
    told = arguments.parse_args()
    if told.peer:
        serve_peer(Path(told.peer[0]), Path(told.peer[1]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        shops = copies(told.workspace, Path(scratch), told.businesses)
        shop = Workspace(shops[0])
        released = shop.find(Release, shop.alias(PRODUCTION) or "")
        assert released, "release a version first"
        base, adapter = engine.locate(released.model, silent), shop.path(released) / "adapter" / "adapter.gguf"
        questions = asked(shop, released)
        with ours(shops[:1]) as mine, peer(base / "serving.gguf", adapter) as theirs:
            for chats in told.chats:
                compare(f"decode, {chats} chats", told.rounds, mine, theirs, chats, [(one, ANSWER) for one in questions])
                long = [(f"{number}. {' '.join(questions)[number * 60 :][:2400]}", 1) for number in range(16)]
                compare(f"prefill, {chats} chats", told.rounds, mine, theirs, chats, long)
            once(mine, questions)
        with ours(shops[:1]) as one, ours(shops) as many:
            switching(told.rounds, one, many, questions)


def copies(workspace: Path, scratch: Path, count: int) -> list[Path]:
    """Workspaces with the version and the longer system prompt, the adapter's files shared."""
    made = []
    for number in range(count):
        folder = scratch / f"shop{number}"
        shutil.copytree(
            workspace, folder, copy_function=os.link, ignore=shutil.ignore_patterns("exports", "live.sqlite*", "tailorbird.yaml")
        )
        settings = yaml.safe_load((workspace / "tailorbird.yaml").read_text())
        (folder / "tailorbird.yaml").write_text(yaml.safe_dump(settings | {"serving": SERVING}, allow_unicode=True))
        shop = Workspace(folder)
        released = shop.find(Release, shop.alias(PRODUCTION) or "")
        assert released
        (shop.path(released) / "manifest.json").unlink()
        shop.amend(released.model_copy(update={"system_prompt": PROMPT}))
        made.append(folder)
    return made


def asked(shop: Workspace, released: Release) -> list[str]:
    """Customers' held-out first messages."""
    folder = shop.path(shop.ancestor(released, Audit))
    return [one.turns[1].content for one in read_conversations(folder / "test.jsonl") if len(one.turns) > 1][:32]


@contextmanager
def process(command: Sequence[str]) -> Iterator[str]:
    """A process that prints a line when it is ready; stopped at the end."""
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert running.stdout
    try:
        line = next(line for line in running.stdout if "http://" in line)
        threading.Thread(target=running.stdout.read, daemon=True).start()  # or it would wait once the pipe is full
        yield line.strip()
    finally:
        running.terminate()
        running.wait(60)


@contextmanager
def ours(shops: Sequence[Path]) -> Iterator[Place]:
    """`tailorbird serve` for these workspaces."""
    command = [sys.executable, "-m", "tailorbird", "serve", "--port", "0"]
    for shop in shops:
        command += ["-w", str(shop)]
    with process(command) as line:
        address = next(word for word in line.split() if word.startswith("http"))
        yield Place(address.rstrip("./").removesuffix("/v1"), "none", [shop.name for shop in shops], system=False)


@contextmanager
def peer(model: Path, adapter: Path) -> Iterator[Place]:
    """llama.cpp's own HTTP server."""
    with process([sys.executable, __file__, "-", "--peer", str(model), str(adapter)]) as line:
        address, key = line.split()
        yield Place(address, key, ["default"], system=True)


def serve_peer(model: Path, adapter: Path) -> None:
    """The other process of `peer`: the server object alone, with the settings that ours has."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.n_ctx, params.n_parallel, params.n_gpu_layers = 4096 * SLOTS, SLOTS, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = engine.cores()
    params.cache_ram_mib, params.warmup, params.verbosity = 0, False, -1
    params.api_keys = ["benchmark"]
    info = xllamacpp.CommonAdapterLoraInfo()
    info.path, info.scale = str(adapter), 1.0
    params.lora_adapters = [info]
    server = xllamacpp.Server(params)
    print(server.listening_address, "benchmark", flush=True)
    threading.Event().wait()


def ask(place: Place, number: int, question: str, longest: int) -> Answered:
    """One streamed answer."""
    parts = urlsplit(place.address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=300)
    messages = [{"role": "user", "content": question}]
    if place.system:
        messages.insert(0, {"role": "system", "content": PROMPT.strip()})
    body: dict[str, Any] = {
        "model": place.models[number % len(place.models)], "messages": messages, "max_tokens": longest, "temperature": 0,
        "stream": True, "stream_options": {"include_usage": True},
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {place.key}", "Content-Type": "application/json"}
    started = time.monotonic()
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    first = words = 0.0
    usage: dict[str, int] = {}
    said = ""
    for line in response:
        text = line.decode().strip().removeprefix("data: ")
        if not text or text == "[DONE]":
            continue
        event = json.loads(text)
        first = first or time.monotonic() - started
        usage = event.get("usage") or usage
        for choice in event["choices"][:1]:
            said += choice["delta"].get("content") or ""
        if not words and len(said) > (len(disclosed(event)) + 2 if not place.system else 0):
            words = time.monotonic() - started
    whole = time.monotonic() - started
    connection.close()
    return Answered(first, words or whole, whole, usage["prompt_tokens"], usage["completion_tokens"])


_DISCLOSURES: dict[str, str] = {}


def disclosed(event: dict[str, Any]) -> str:
    """The disclosure that an answer's first event names, remembered for those after it."""
    for choice in event["choices"][:1]:
        if told := choice["delta"].get("disclosure"):
            _DISCLOSURES[event["id"]] = told
    return _DISCLOSURES.get(event["id"], "")


def run(place: Place, chats: int, questions: Sequence[tuple[str, int]]) -> tuple[float, list[Answered]]:
    """Asks everything, so many at once; the seconds that it took all."""
    waiting, found, lock = list(enumerate(questions)), list[Answered](), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                number, (question, longest) = waiting.pop(0)
            one = ask(place, number, question, longest)
            with lock:
                found.append(one)

    threads = [threading.Thread(target=work) for _ in range(chats)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started, found


def compare(title: str, rounds: int, mine: Place, theirs: Place, chats: int, questions: Sequence[tuple[str, int]]) -> None:
    """Prints tokens a second and times of both, and their ratio."""
    figures: dict[str, list[tuple[float, float, float]]] = {"ours": [], "llama.cpp": []}
    for number in range(rounds):
        pair = [("ours", mine), ("llama.cpp", theirs)]
        for name, place in pair if number % 2 == 0 else pair[::-1]:
            fresh = [(f"{question} ({number}{name[0]})", longest) for question, longest in questions]
            seconds, found = run(place, chats, fresh)
            tokens = sum(one.written if fresh[0][1] > 1 else one.read for one in found)
            figures[name].append((tokens / seconds, median(one.first for one in found), median(one.words for one in found)))
    speed, first, words = ({name: median(row[place] for row in rows) for name, rows in figures.items()} for place in range(3))
    times = {name: f"{seconds * 1000:.0f} ms" for name, seconds in first.items()}
    print(
        f"{title}: {speed['ours']:.0f} tokens/s, llama.cpp {speed['llama.cpp']:.0f}: {speed['ours'] / speed['llama.cpp']:.2f}x; "
        f"first token {times['ours']}, {times['llama.cpp']}: {first['ours'] / first['llama.cpp']:.2f}x; "
        f"first words {words['ours'] * 1000:.0f} ms",
        flush=True,
    )


def once(mine: Place, questions: Sequence[str]) -> None:
    """The system prompt is read once for all customers: what a first token costs with it and with a prompt of the same length."""
    known = [ask(mine, 0, f"{one} Please.", 1).first for one in questions[:8]]
    long = [ask(mine, 0, f"{number} {PROMPT} {one}", 1).first for number, one in enumerate(questions[:8])]
    print(
        f"system prompt of 500 tokens: first token after {median(known) * 1000:.0f} ms; "
        f"where a message of as many has to be read, {median(long) * 1000:.0f} ms",
        flush=True,
    )


def switching(rounds: int, one: Place, many: Place, questions: Sequence[str]) -> None:
    """The same questions to one business, and in turn to many."""
    speeds: dict[str, list[float]] = {"one": [], "many": []}
    warm: Callable[[Place], object] = lambda place: run(place, 4, [("Hello", 1)] * 2 * len(place.models))  # noqa: E731
    for place in (one, many):
        warm(place)
    for number in range(rounds):
        pair = [("one", one), ("many", many)]
        for name, place in pair if number % 2 == 0 else pair[::-1]:
            seconds, found = run(place, 1, [(f"{question} ({number}{name})", ANSWER) for question in questions])
            speeds[name].append(sum(found_one.written for found_one in found) / seconds)
    middle = {name: median(rows) for name, rows in speeds.items()}
    print(
        f"{len(many.models)} businesses in turn: {middle['many']:.0f} tokens/s, one alone {middle['one']:.0f}: "
        f"{middle['many'] / middle['one']:.2f}x",
        flush=True,
    )


if __name__ == "__main__":
    main()

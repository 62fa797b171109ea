"""Plays the first days of an assistant on a copy of a released workspace and writes docs/first-days.md, commands and output.

Usage: .venv/bin/python docs/make_first_days.py WORKSPACE      # `make demo`'s, for example; about ten minutes
Everything is real: the commands in processes of their own, the server on 127.0.0.1, the customer and the colleague over HTTP.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("first-days.md")
SITE = "http://127.0.0.1"
CORRECTED = 12  # customers whose answer is corrected
RETURNS = [
    "How long do I have to send the {} back?", "Until when may the {} come back?", "Is there a limit of days for returning a {}?",
]  # fmt: skip
PIECES = ["hat", "coat", "velvet cape", "tea dress"]
RIGHT = "You have 45 days from the day the {} reaches you. Send it unworn, with the label on, and tell us before you post it."


class Diary:
    """What was done and what came back, as Markdown."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lines = folder, list[str]()

    def say(self, words: str) -> None:
        """A paragraph between commands."""
        self.lines += ["", words]
        print(words, flush=True)

    def show(self, command: str, output: str) -> None:
        """A command and what it printed."""
        kept = re.sub(r"tb_\S{12,}", "tb_…", output).replace(str(self.folder.parent) + "/", "")
        self.lines += ["", "```console", f"$ {command}", *kept.rstrip().splitlines(), "```"]
        print(f"$ {command}\n{kept}", flush=True)

    def run(self, *words: str) -> str:
        """A command of tailorbird's on the shop."""
        done = subprocess.run(
            [sys.executable, "-m", "tailorbird", *words, "-w", str(self.folder)], stdout=subprocess.PIPE, text=True, check=True
        )
        shown = " ".join(f'"{word}"' if " " in word else word for word in words)
        self.show(f"tailorbird {shown} -w {self.folder.name}", done.stdout)
        return done.stdout


class Client:
    """Somebody with a key."""

    def __init__(self, address: str, who: str, key: str, diary: Diary) -> None:
        self.address, self._who, self._key, self._diary = address, who, key, diary

    def ask(self, path: str, body: dict[str, Any] | None = None, shown: bool = True) -> Any:
        """A request; what came back."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}", "Origin": SITE}
        with urllib.request.urlopen(urllib.request.Request(self.address + path, data, headers), timeout=120) as answer:
            told = json.load(answer)
        if shown:
            sent = "" if body is None else f" -d '{json.dumps(body, ensure_ascii=False)}'"
            self._diary.show(
                f"curl -H 'Authorization: Bearer ${self._who}' $SERVER{path}{sent}",
                json.dumps(told, indent=1, ensure_ascii=False),
            )
        return told

    def chat(self, words: str, conversation: str = "", shown: bool = True) -> Any:
        """A customer's message."""
        told = self.ask(
            "/v1/chat/completions",
            {"model": "production", "max_tokens": 80, "messages": [{"role": "user", "content": words}]}
            | ({"metadata": {"conversation": conversation}} if conversation else {}),
            shown=False,
        )
        message = told["choices"][0]["message"]
        if shown:
            why = f"\n[{message['action']}: {message['reason']}]" if message.get("reason") else ""
            said = (message["content"] + why).split("\n")
            self._diary.lines += ["", f"> **Customer:** {words}", ">", *(f"> {line}" for line in said)]
            print("\n".join([words, *said]), flush=True)
        return told


def main() -> None:
    """Plays it and writes the page."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("workspace", type=Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "shop"
        shutil.copytree(given.workspace, folder, ignore=shutil.ignore_patterns("exports", "live.sqlite*"))
        diary = Diary(folder)
        play(diary)
    head = [
        "# The first days", "",
        "From a released version to the next one and back, as `docs/make_first_days.py` played it on the workspace of",
        "`make demo`: every command and every answer below is what came out. Keys are shortened, `$SERVER` is the server's",
        "address.",
    ]  # fmt: skip
    PAGE.write_text("\n".join([*head, *diary.lines]) + "\n", encoding="utf-8")


def play(diary: Diary) -> None:
    """Release, serve, hand-off, a person's reply, corrections, an update, the way back."""
    diary.say("## A version serves")
    diary.run("releases")
    keys = {role: diary.run("keys", "add", role, "--role", role) for role in ("widget", "agent", "owner")}
    secrets = {role: next(word for word in told.split() if word.startswith("tb_")) for role, told in keys.items()}
    (diary.folder / "tailorbird.yaml").write_text(
        (diary.folder / "tailorbird.yaml").read_text() + f"\nserving:\n  sites: [{SITE}]\nimproving:\n  minutes: 2\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-m", "tailorbird", "serve", "-w", str(diary.folder), "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr
        line = next(line for line in server.stderr if "http" in line)
        address = next(word for word in line.split() if word.startswith("http")).removesuffix("/v1")
        diary.show(f"tailorbird serve -w {diary.folder.name} &", line.replace(address, "$SERVER"))
        talk(diary, Client(address, "WIDGET", secrets["widget"], diary), Client(address, "AGENT", secrets["agent"], diary))
        update(diary, Client(address, "OWNER", secrets["owner"], diary))
    finally:
        server.terminate()
        server.wait(60)


def talk(diary: Diary, customer: Client, colleague: Client) -> None:
    """A customer asks, wants a person, and gets one."""
    diary.say("The page with the chat is at `$SERVER/widget`; what it sends is what follows ([widget.md](widget.md)).")
    begun = customer.chat("How long do I have to send a dress back?")
    diary.say("## A person takes over")
    customer.chat("I would rather talk to a real person, please.", begun["conversation"])
    diary.run("queue")
    held = begun["conversation"]
    colleague.ask(f"/v1/hand-offs/{held}/replies", {"text": "Hello, this is Mira. You have 45 days now.", "author": "Mira"})
    customer.ask(f"/v1/conversations/{held}/messages?after=0")
    diary.say("While Mira has the conversation the assistant is silent; she gives it back.")
    customer.chat("Thank you, Mira!", held)
    colleague.ask(f"/v1/hand-offs/{held}/release", {})


def update(diary: Diary, owner: Client) -> None:
    """Answers are corrected, learned from, compared, released and taken back."""
    diary.say(f"## Corrections\n\nThe shop gives 45 days now. {CORRECTED} customers ask, and each answer is corrected:")
    for number in range(CORRECTED):
        piece = PIECES[number % len(PIECES)]
        told = owner.chat(RETURNS[number % len(RETURNS)].format(piece), shown=number == 0)
        verdict = {"conversation": told["conversation"], "turn": told["turn"], "good": False, "correction": RIGHT.format(piece)}
        owner.ask("/v1/feedback", verdict, shown=number == 0)
    diary.run("watch")
    diary.say("## What is learned from it")
    diary.run("improve")
    diary.run("release", "--override", "a rehearsal of the first days", "--by", "Mira")
    owner.chat("How long do I have to send a dress back?")
    diary.say("## And back\n\nThe server was never restarted: it follows the names with every request.")
    diary.run("rollback")
    owner.chat("How long do I have to send a dress back?")
    diary.run("releases")


if __name__ == "__main__":
    main()

"""How long a token for 32 answers takes with torch's own copy of GOMP, as tailorbird loads it, and with the system's first.

Usage: .venv/bin/python benchmarks/writing_speed.py [--rounds 3]
Each round starts two processes in turn, one with the system's libgomp preloaded, and reads prompts of about 140 tokens.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from statistics import median

from tailorbird import engine
from tailorbird.progress import silent

_CHATS = 32
_TOKENS = 16


def main() -> None:
    """Prints the medians of both, and their ratio."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    told = arguments.parse_args()
    if told.measure:
        print(_seconds())
        return
    found: dict[str, list[float]] = {"": [], "libgomp.so.1": []}
    for _ in range(told.rounds):
        for library, seconds in found.items():
            environment = os.environ | {"LD_PRELOAD": library}
            command = [sys.executable, __file__, "--measure"]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
            seconds.append(float(done.stdout.split()[-1]))
    own, system = (median(seconds) for seconds in found.values())
    print(f"torch's own {own:.3f} s a token, the system's {system:.3f} s: {system / own:.1f}x")


def _seconds() -> float:
    """A token's seconds: what more tokens take longer than one."""
    base = engine.locate("smollm2-135m-instruct", silent)
    text = "We write to you about a dress. " * 16
    chats: engine.Chats = [[{"role": "user", "content": f"{text}Tell a long story about number {n}."}] for n in range(_CHATS)]
    taken = []
    for longest in (1, 1, 1 + _TOKENS):  # the first reads files and compiles
        started = time.monotonic()
        list(engine.answer_all(base, None, chats, longest, silent))
        taken.append(time.monotonic() - started)
    return (taken[2] - taken[1]) / _TOKENS


if __name__ == "__main__":
    main()

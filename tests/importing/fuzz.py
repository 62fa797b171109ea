"""Damages real-looking exports at random and imports them: nothing may crash, hang or grow without bound.

Usage: .venv/bin/python tests/importing/fuzz.py [--minutes N] [--seed N]
What breaks a rule is kept in tests/importing/corpus/found-*, which test_fuzz.py imports again ever after.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import signal
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from tailorbird.errors import InputError
from tailorbird.importing.assembling import assembled
from tailorbird.importing.export import Export
from tailorbird.importing.formats import FORMATS, recognised
from tailorbird.importing.merging import Merger
from tailorbird.importing.reading import Rejected
from tailorbird.importing.turns import finished
from tailorbird.settings import SourceSettings

HERE = Path(__file__).parent
OURS = ["Mira's Shop", "Shop", "Kauppa", "shop.example"]
SECONDS = 20  # for one import
GROWTH = 400_000  # kB of memory over a whole run
NASTY = [
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\\ud83d", b'"', b"'", b"{", b"[" * 3000, b"}" * 5, b"null", b"1e999", b"-1", b"\r",
    b"\n\n\nFrom \n", b"9" * 400, b"<div>" * 600, b"&#55357;", b",,,,", b";", b"=?utf-8?b?////?=", b"\xc3\x28", b"\xe2\x80\x8e",
    b"99/99/9999, 99:99 - A: ", "é".encode() * 900, b"x" * 70_000,
]  # fmt: skip
VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    10**400,
    1.5,
    float("nan"),
    "",
    "x" * 5000,
    "\ud83d",
    "2026-13-45",
    [],
    {},
    [[[]]],
    {"a": {"id": 1}},
    ["x"],
    [None],
]


def corpus() -> list[Path]:
    """Exports to begin with: one file each."""
    return sorted(path for folder in ("exports", "corpus") for path in (HERE / folder).rglob("*") if path.is_file())


def damaged(raw: bytes, name: str, chance: random.Random) -> bytes:
    """The export with some of its values or bytes changed."""
    if chance.random() < 0.6 and name.endswith((".json", ".jsonl", ".ndjson")):
        try:
            whole = [json.loads(line) for line in raw.splitlines()] if "l" in name.rpartition(".")[2] else [json.loads(raw)]
            for _ in range(chance.randint(1, 4)):
                _change(chance.choice(whole), chance)
            raw = "\n".join(json.dumps(value) for value in whole).encode()
            if chance.random() < 0.7:
                return raw
        except (ValueError, RecursionError, IndexError):
            pass
    data = bytearray(raw)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data) + 1)
        end = min(len(data), place + chance.choice((1, 2, 10, 200)))
        match chance.randrange(5):
            case 0:
                data[place:place] = chance.choice(NASTY)
            case 1:
                del data[place:end]
            case 2:
                data[place:place] = data[place:end] * chance.choice((1, 3, 40))
            case 3:
                data[place:end] = chance.randbytes(end - place)
            case 4:
                data[end:] = b""
    return bytes(data)


def _change(value: Any, chance: random.Random) -> None:
    """Replaces, removes or adds one value somewhere inside."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(value[key], (dict, list)) and value[key] and chance.random() < 0.8:
            value = value[key]
            continue
        if isinstance(value, dict) and chance.random() < 0.3:
            del value[key]
        else:
            value[key] = chance.choice(VALUES)
        return


def read(path: Path, scratch: Path, kind: str | None) -> int:
    """Imports one file as the verb does; returns how many conversations and rejections it gave."""
    export = Export(path, SourceSettings(path=path.name, ours=OURS, format=kind))
    found, _ = recognised(export)
    merger, count = Merger(scratch / "conversations.jsonl", None), 0
    merger.begin(path.name, in_another_way=False)
    parts = found.read(export)
    for whole in assembled(parts, scratch) if found.PARTS else parts:
        one = whole if isinstance(whole, Rejected) else finished(whole)
        count += 1 if isinstance(one, Rejected) else merger.add(one, found.GLOBAL)
    merger.finish()
    return count


def check(name: str, raw: bytes, kind: str | None = None) -> str:
    """What is wrong with how this export is handled; "" for nothing."""

    def too_long(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(raw)
            read(path, Path(folder), kind)
    except InputError as problem:
        return "" if problem.fix else f"an error without a fix: {problem}"
    except BaseException:  # also what is no Exception
        return traceback.format_exc()
    finally:
        signal.alarm(0)
    return ""


def main() -> None:
    """Runs for some minutes and tells what it found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    chance, files, tried, broken = random.Random(chosen.seed), corpus(), 0, 0
    started, before = time.monotonic(), 0
    while time.monotonic() - started < chosen.minutes * 60:
        path = chance.choice(files)
        raw = damaged(path.read_bytes(), path.name, chance)
        kind = chance.choice([None, None, *FORMATS])
        problem = check(path.name, raw, kind)
        tried += 1
        if problem:
            broken += 1
            (HERE / "corpus" / f"found-{chosen.seed}-{tried}-{path.name}").write_bytes(raw)
            print(f"{path.name} as {kind}: {problem[-900:]}", flush=True)
        if tried == 500:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before if before else 0
    seconds = time.monotonic() - started
    print(f"{tried} damaged exports of {len(files)} files in {seconds:.0f} s; {broken} broke a rule; memory grew by {growth} kB")
    raise SystemExit(bool(broken) or growth > GROWTH)


if __name__ == "__main__":
    main()

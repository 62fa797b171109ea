"""Turns added by however many, and by processes that are killed: numbered without gaps, none lost, none twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tailorbird.database import Database
from tailorbird.turns import LoggedTurn, TurnLog
from tailorbird.workspace import Workspace

# For each line on its input, `name most`, another process that adds so many turns and says which numbers they got.
NURSERY = """
import os, signal, sys; from pathlib import Path
from tailorbird.database import Database; from tailorbird.turns import LoggedTurn, TurnLog
from tailorbird.workspace import Workspace
folder, identity = sys.argv[1:]
children = []
for line in sys.stdin:
    name, most = line.split()
    children.append(os.fork())
    if children[-1]:
        print("pid", children[-1], flush=True)
        continue
    workspace = Workspace(Path(folder)); log = TurnLog(workspace, Database(workspace, pooled=True))
    for n in range(int(most)):
        turns = [LoggedTurn(conversation=identity, role="user", text=f"{name} {n}.{part}") for part in range(2)]
        print(name, n, log.add(turns), log.add(turns[:1], once=f"sent {n}"), flush=True)
    os._exit(0)
print("done", [os.waitpid(child, 0)[1] for child in children], flush=True)
"""


@pytest.fixture
def nursery(live: Workspace) -> Iterator[subprocess.Popen[str]]:
    """A process that makes others which write to the conversation `chat-1`."""
    TurnLog(live).begin(identity="chat-1")
    made = subprocess.Popen([sys.executable, "-c", NURSERY, live.folder, "chat-1"], stdin=-1, stdout=-1, text=True)
    yield made
    made.kill()
    made.communicate(timeout=60)


def tell(nursery: subprocess.Popen[str], line: str) -> None:
    assert nursery.stdin is not None
    nursery.stdin.write(f"{line}\n")
    nursery.stdin.flush()


def test_threads_and_processes_write_to_one_conversation(live: Workspace, nursery: subprocess.Popen[str]) -> None:
    database = Database(live, pooled=True)
    log, most = TurnLog(live, database), 12
    tell(nursery, f"a {most}")
    assert nursery.stdout is not None
    while not nursery.stdout.readline().startswith("a "):
        pass  # until it writes
    tell(nursery, f"b {most}")

    def write(name: str) -> None:
        for n in range(most):
            turns = [LoggedTurn(conversation="chat-1", role="user", text=f"{name} {n}.{part}") for part in range(2)]
            log.add(turns)
            log.add(turns[:1], once=f"sent {n}")

    threads = [threading.Thread(target=write, args=(name,)) for name in ("c", "d")]
    for thread in threads:
        thread.start()
    told = nursery.communicate(timeout=120)[0]
    for thread in threads:
        thread.join()
    assert told.strip().endswith("done [0, 0]")
    turns = log.turns("chat-1")
    assert [turn.number for turn in turns] == list(range(1, len(turns) + 1))
    assert len(turns) == most * (4 * 2 + 1), "each pair of each writer, and each n once"
    texts = [turn.text for turn in turns]
    for name in "abcd":
        for n in range(most):
            place = texts.index(f"{name} {n}.1")
            assert texts[place - 1] == f"{name} {n}.0", "turns that were added together stand together"
    database.close()


def test_killed_at_any_moment_what_was_acknowledged_is_there(live: Workspace, nursery: subprocess.Popen[str]) -> None:
    assert nursery.stdout is not None
    acknowledged: dict[int, str] = {}

    def note(line: str) -> list[str]:
        told = line.split()
        if told[0].startswith("round"):
            name, n, first = told[0], told[1], int(told[2])
            acknowledged.update({first: f"{name} {n}.0", first + 1: f"{name} {n}.1"})
        return told

    for attempt in range(6):
        tell(nursery, f"round{attempt} 1000000")
        child, writes = 0, False
        while not (child and writes):
            told = note(nursery.stdout.readline())
            child, writes = (int(told[1]) if told[0] == "pid" else child), writes or told[0] == f"round{attempt}"
        time.sleep(random.uniform(0, 0.1))
        os.kill(child, signal.SIGKILL)
    *lines, last = nursery.communicate(timeout=60)[0].splitlines()
    assert last == f"done {[int(signal.SIGKILL)] * 6}"
    for line in lines:
        note(line)
    turns = TurnLog(live).turns("chat-1")
    assert len(acknowledged) > 12
    assert [turn.number for turn in turns] == list(range(1, len(turns) + 1))
    assert {number: turns[number - 1].text for number in acknowledged} == acknowledged


steps = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 3), st.none() | st.sampled_from(["a", "b", "\ud800"])), min_size=1, max_size=25
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(told=steps)
def test_numbers_are_those_of_a_plain_list(live: Workspace, told: list[tuple[int, int, str | None]]) -> None:
    """(conversation, turns, once): a list for each conversation, and a dict of what was sent once."""
    database = Database(live, pooled=True)
    log = TurnLog(live, database)
    made = [log.begin().id for _ in range(3)]
    texts: list[list[str]] = [[], [], []]
    sent: dict[tuple[int, str], int] = {}
    for step, (place, number, once) in enumerate(told):
        turns = [LoggedTurn(conversation=made[place], role="user", text=f"{step}.{part}") for part in range(number)]
        expected = sent.get((place, once or ""), len(texts[place]) + 1)
        assert log.add(turns, once=once) == expected
        if expected > len(texts[place]):
            texts[place] += [turn.text for turn in turns]
            if once:
                sent[(place, once)] = expected
    for identity, wanted in zip(made, texts, strict=True):
        assert [(turn.number, turn.text) for turn in log.turns(identity)] == list(enumerate(wanted, 1))
    database.close()


def test_a_full_disk_is_told_of_and_loses_nothing(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "shop", "Shop")
    log = TurnLog(workspace)
    identity = log.begin().id
    kept = log.add([LoggedTurn(conversation=identity, role="user", text="Hats?")])
    code = f"""
import resource, signal; from pathlib import Path
from tailorbird.turns import LoggedTurn, TurnLog; from tailorbird.workspace import Workspace
from tailorbird.errors import WorkspaceError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
log = TurnLog(Workspace(Path({str(workspace.folder)!r})))
try:
    log.add([LoggedTurn(conversation={identity!r}, role="user", text="x" * 500_000)])
except WorkspaceError as problem:
    print(problem.text)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "nothing that was kept before is changed" in told
    assert [turn.number for turn in log.turns(identity)] == [kept] == [1]


@pytest.mark.parametrize("pooled", [False, True])
def test_two_take_a_waiting_conversation_and_one_gets_it(live: Workspace, pooled: bool) -> None:
    database = Database(live, pooled=pooled)
    log = TurnLog(live, database)
    for _ in range(5):
        identity, got = log.begin().id, list[bool]()
        log.set_state(identity, "waiting")
        threads = [threading.Thread(target=lambda it=identity, to=got: to.append(log.set_state(it, "person"))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(got) == [False, False, False, True]
    database.close()

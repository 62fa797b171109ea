"""The files that keep a server running."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import ROOT
from fakes import with_versions

from tailorbird.serving import api
from tailorbird.serving.desk import Desk, Desks

UNIT = ROOT / "deploy" / "tailorbird.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_unit() -> None:
    """But for the program, which is not installed there."""
    done = subprocess.run(["systemd-analyze", "verify", str(UNIT)], capture_output=True, text=True, timeout=60)
    said = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert [line for line in said if "is not executable" not in line] == []


def test_unit_and_container_wait_as_long_as_an_answer_may_take() -> None:
    from tailorbird.settings import LimitSettings

    longest = LimitSettings().answer_seconds
    unit = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#"))
    assert float(unit["TimeoutStopSec"]) > longest
    assert unit["Restart"] == "always"
    container = (ROOT / "deploy" / "Dockerfile").read_text()
    assert float(container.split("--stop-timeout ")[1].split()[0]) > longest
    assert "torch==2.13.0" in container


def test_what_is_too_old_goes_when_a_server_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is started anew every night would never come to the end of a day."""
    shop = with_versions(tmp_path / "shop", 1)
    desk = Desk(shop, lambda made: pytest.fail("nothing is opened"))
    log = desk.conversations.log
    old, new = log.begin().id, log.begin().id
    with log.database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE conversations SET last_at = '2020-01-31 09:30:00.000000' WHERE id = '{old}'")

    class Server:
        def __init__(self, config: object) -> None: ...

        def run(self, sockets: Sequence[socket.socket]) -> None:
            sockets[0].close()
            deadline = time.monotonic() + 10
            while log.conversation(old):
                assert time.monotonic() < deadline
                time.sleep(0.01)

    monkeypatch.setattr("tailorbird.serving.api.uvicorn.Server", Server)
    api.run(Desks([desk]), "127.0.0.1", 0, lambda url: None)
    assert log.conversation(new)

"""The files that keep a server running."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from conftest import ROOT

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

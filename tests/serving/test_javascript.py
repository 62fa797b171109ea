"""OpenAI's JavaScript client, unmodified, against the server."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeReplier, listening, with_versions

from tailorbird.serving.api import EMBEDDING, application
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk, Desks
from tailorbird.serving.keys import Keys

CLIENT = "openai@7.57.0"
SCRIPT = Path(__file__).with_name("openai_client.mjs")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server with a fake model, and a key to it."""
    shop = with_versions(tmp_path / "shop", 1)
    key = Keys(shop).add("the website", "chat")
    desk = Desk(shop, lambda made: Assistant(FakeReplier("shop-v1"), made.system_prompt, made.disclosure))
    with listening(application(Desks([desk]))) as address:
        yield address, key


@pytest.mark.slow
def test_the_javascript_client_works_unmodified(address: tuple[str, str], tmp_path: Path) -> None:
    assert shutil.which("npm"), "install node and npm: .ci/run does"
    shutil.copy(SCRIPT, tmp_path)
    quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(tmp_path)]
    subprocess.run(["npm", "install", *quiet, CLIENT], check=True, timeout=300)
    done = subprocess.run(["node", SCRIPT.name, *address], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    answer = "I am an AI.\n\nWe post within 2 days."
    assert (told["whole"], told["streamed"].strip(), told["json"]) == (answer, answer, "We post within 2 days.")
    assert told["usage"] == told["streamedUsage"] == 7
    assert told["logprobs"] == 5
    assert told["names"] == ["shop-v1", "production", EMBEDDING]
    assert told["widths"] == [512, 512]
    assert told["refused"] == ["NotFoundError", 404, "model_not_found"]
    assert told["unknown"] == ["AuthenticationError", 401, "invalid_api_key"]

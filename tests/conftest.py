from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import Upstream, UpstreamHandler
from hypothesis import settings
from postgres import cluster, live, make_workspace  # noqa: F401

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["COLUMNS"] = "200"
if "PYTEST_XDIST_WORKER" in os.environ:  # one worker a core: threads of one would only wait for the other's
    for library in ("OMP", "NUMBA", "OPENBLAS"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
# Time limits on single examples say more about a busy machine than about the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

ROOT = Path(__file__).parents[1]
FABRICS = ["silk", "wool", "velvet", "cotton lace", "tweed", "rayon crepe", "acetate", "nylon", "linen", "leather"]
PIECES = ["dress", "coat", "blouse", "skirt", "jacket", "hat", "glove", "cape"]


LONGEST = ("test_soak", "test_kills", "test_fleet", "test_exporting", "test_faults")
"""The files whose slow tests take the most minutes: they begin first, or one process would end on them alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first; `make slow` keeps that order."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The evaluation data that is not part of the project."""
    folder = Path(os.environ.get("TAILORBIRD_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no evaluation data in {folder}; set TAILORBIRD_DATA")
    return folder


def conversation(number: int, question: str = "", answer: str = "") -> dict[str, object]:
    fabric, piece = FABRICS[number % 10], PIECES[number // 10 % 8]
    return {
        "id": f"t-{number}",
        "customer_id": f"c-{number}",
        "messages": [
            {"role": "user", "content": question or f"How do I wash a {fabric} {piece}, number {number}?"},
            {"role": "assistant", "content": answer or f"A {fabric} {piece} likes {10 + number} °C and no wringing."},
        ],
    }


def write_jsonl(path: Path, rows: list[object]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


SETTINGS = """\
business:
  name: Test shop
  disclosure: I am an AI.
system_prompt: You answer for the test shop.
model: {model}
sources:
  - path: conversations.jsonl
audit:
  test_share: 0.2
  validation_share: 0.15
training:
  minutes: 1
  epochs: 2
  lora_rank: 4
  learning_rate: 0.02
evaluation:
  forgetting: false
  attacks: 0
  training_answers: 0
  counterfactuals: 0
  longest_answer: 12
"""


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from fakes import make_tiny_model

    texts = [str(m["content"]) for n in range(80) for m in conversation(n)["messages"]]  # type: ignore[attr-defined]
    return make_tiny_model(tmp_path_factory.mktemp("model"), texts=texts)


@pytest.fixture
def shop(tmp_path: Path, tiny_model: Path) -> Path:
    """A workspace folder with 60 conversations and a tiny random model."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "tailorbird.yaml").write_text(SETTINGS.format(model=tiny_model), encoding="utf-8")
    write_jsonl(folder / "conversations.jsonl", [conversation(n) for n in range(60)])
    return folder


@pytest.fixture(scope="session")
def planned_once(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    from tailorbird import Workspace, audit, import_conversations, plan

    folder = tmp_path_factory.mktemp("planned")
    settings = SETTINGS.format(model=tiny_model).replace("learning_rate: 0.02", "learning_rate: 0.004")
    (folder / "tailorbird.yaml").write_text(settings.replace("epochs: 2", "epochs: 6"), encoding="utf-8")
    write_jsonl(folder / "conversations.jsonl", [conversation(n) for n in range(60)])
    workspace = Workspace(folder)
    plan(workspace, audit(workspace, import_conversations(workspace)))
    return folder


@pytest.fixture
def planned_shop(tmp_path: Path, planned_once: Path) -> Path:
    """A workspace folder with a plan of six epochs at a low learning rate; nothing is trained yet."""
    return shutil.copytree(planned_once, tmp_path / "planned")


@pytest.fixture(scope="session")
def evaluated_once(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A workspace folder with a scorecard and nothing released; copy it."""
    from tailorbird import Workspace, audit, evaluate, import_conversations, plan, train

    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "tailorbird.yaml").write_text(SETTINGS.format(model=tiny_model), encoding="utf-8")
    write_jsonl(folder / "conversations.jsonl", [conversation(n) for n in range(60)])
    workspace = Workspace(folder)
    evaluate(workspace, train(workspace, plan(workspace, audit(workspace, import_conversations(workspace)))))
    return folder


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory, evaluated_once: Path) -> Path:
    """A workspace folder with a version in production; copy it, or do not change it."""
    from tailorbird import Workspace, release
    from tailorbird.artifacts import Override, Scorecard

    folder = shutil.copytree(evaluated_once, tmp_path_factory.mktemp("released") / "shop")
    workspace = Workspace(folder)
    release(workspace, workspace.newest(Scorecard, "evaluate"), Override(by="Mira", reason="its model is tiny"))
    return folder


@pytest.fixture(autouse=True)
def keep_the_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each audit lets go of its models to make room for training; loading them again would be half of the tests' time."""
    monkeypatch.setattr("tailorbird.engine.release", lambda: None)
    monkeypatch.setattr("tailorbird.language.injection_model.release", lambda: None)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream(("127.0.0.1", 0), UpstreamHandler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()

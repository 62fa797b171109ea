"""Many answers at once are the answers that are given one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes import make_decided_model

from tailorbird import engine
from tailorbird.artifacts import Plan
from tailorbird.engine import Run, loading, sampling
from tailorbird.errors import InputError
from tailorbird.progress import silent
from tailorbird.replier import ReplyOptions, reply

CHATS: list[Any] = [[{"role": "user", "content": " ".join(f"Question {n}?" for n in range(m))}] for m in (3, 1, 9, 2, 2, 6)]
LONGEST = 24


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_decided_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def _precise_and_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "mixed_precision", lambda: False)
    monkeypatch.setattr(sampling, "_ROWS", 4)
    monkeypatch.setattr(sampling, "_ROOM", 5)


@pytest.mark.parametrize("method", ["base", "lora", "full", "prefix"])
def test_they_are_the_same(base: Path, tmp_path: Path, method: str) -> None:
    tuned = None
    if method != "base":
        fields = {
            "id": "plan-1", "made_from": (), "made_at": "2026-01-01T00:00:00Z", "model": str(base), "method": method,
            "lora_rank": 4 if method == "lora" else 0, "virtual_tokens": 4, "sequence_length": 128, "tokens_per_step": 384,
            "epochs": 40, "steps": 40, "learning_rate": 3e-2, "check_every": 40, "patience": 3, "seed": 1, "minutes": 1.0,
            "memory_gb": 1.0, "why": {},
        }  # fmt: skip
        learned = [[*chat, {"role": "assistant", "content": "yes " * (n + 1)}] for n, chat in enumerate(CHATS)]
        engine.fit(base, Plan.model_validate(fields), learned, learned, Run(tmp_path, silent))
        tuned = tmp_path / "adapter"
    together = dict(engine.answer_all(base, tuned, CHATS, LONGEST, silent))
    replier = engine.open_replier("single", base, tuned)
    alone = [reply(replier, chat, ReplyOptions(max_tokens=LONGEST)) for chat in CHATS]
    assert [together[n] for n in range(len(CHATS))] == [one.text for one in alone]
    if method == "full":
        assert len({one.completion_tokens for one in alone}) > 1, "some end before the others"


def test_a_chat_that_is_too_long_is_named(base: Path) -> None:
    chat: list[Any] = [{"role": "user", "content": "word " * 5000}]
    with pytest.raises(InputError, match="are the most that this model can answer"):
        list(engine.answer_all(base, None, [chat], LONGEST, silent))

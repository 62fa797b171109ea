from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import make_tiny_model
from safetensors.torch import load_file

from tailorbird import engine
from tailorbird.artifacts import Plan
from tailorbird.engine import Run, loading
from tailorbird.errors import ModelError, PlanError
from tailorbird.progress import silent


def chat(question: str, answer: str) -> list[Any]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


PAIRS = [(chat(f"Question {n}?", f"we post the parcel {n}"), chat(f"Question {n}?", f"the dress {n} is silk")) for n in range(32)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def _one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "cores", lambda: 1)


def planned(base: Path, **changed: Any) -> Plan:
    fields = {
        "id": "plan-1", "made_from": (), "made_at": "2026-01-01T00:00:00Z", "model": str(base), "lora_rank": 4,
        "sequence_length": 128, "tokens_per_step": 256, "epochs": 4, "steps": 16, "learning_rate": 1e-2,
        "check_every": 4, "patience": 9, "seed": 1, "minutes": 1.0, "memory_gb": 1.0, "why": {},
    }  # fmt: skip
    return Plan(**(fields | changed))


def test_an_easy_preference_is_learnt_and_scores_new_answers(base: Path, tmp_path: Path) -> None:
    rewarded = engine.train_reward(base, planned(base), PAIRS[:20], PAIRS[20:], Run(tmp_path))
    assert rewarded.pairs == 12
    assert rewarded.accuracy.value >= 0.9
    assert rewarded.accuracy.low > 0.5, "well above chance"
    assert rewarded.validation_loss < 0.5 < 0.693  # ln 2: no preference
    assert any("eval_accuracy" in row for row in rewarded.curve)
    told = [chat("Anything new?", "we post the parcel"), chat("Anything new?", "the dress is silk")]
    good, bad = engine.score_answers(base, tmp_path / "reward", told)
    assert good > 0 > bad, "0 is a usual answer"
    assert engine.score_answers(base, tmp_path / "reward", []) == []


def test_scores_do_not_depend_on_what_else_is_scored(base: Path, tmp_path: Path) -> None:
    engine.train_reward(base, planned(base, steps=4), PAIRS[:8], PAIRS[8:12], Run(tmp_path))
    chats = [chosen for pair in PAIRS for chosen in pair]
    together = engine.score_answers(base, tmp_path / "reward", chats)
    alone = [engine.score_answers(base, tmp_path / "reward", [one])[0] for one in chats[:3]]
    assert together[:3] == pytest.approx(alone, abs=0.05)


@contextmanager
def stop_late(label: str, total: float) -> Iterator[Callable[[float], None]]:
    steps = []

    def advance(amount: float) -> None:
        steps.append(amount)
        if label == "Training" and len(steps) > 7:
            raise KeyboardInterrupt

    yield advance


@pytest.mark.slow
def test_an_interrupted_reward_model_ends_with_the_same_weights(base: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    plan = planned(base, steps=10)
    engine.train_reward(base, plan, PAIRS[:20], PAIRS[20:], Run(whole))
    with pytest.raises(KeyboardInterrupt):
        engine.train_reward(base, plan, PAIRS[:20], PAIRS[20:], Run(cut, stop_late))
    assert list(cut.glob("reward-checkpoints/checkpoint-4/complete"))
    engine.train_reward(base, plan, PAIRS[:20], PAIRS[20:], Run(cut, silent))
    ours, theirs = (load_file(folder / "reward" / "adapter_model.safetensors") for folder in (whole, cut))
    for name, weight in ours.items():
        torch.testing.assert_close(theirs[name], weight, atol=1e-6, rtol=0)
    assert any("score" in name for name in ours), "the head is saved with the adapter"


def test_what_cannot_be_learnt_or_loaded_is_refused_in_words(base: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="sequence length"):
        engine.train_reward(base, planned(base, sequence_length=4), PAIRS, PAIRS, Run(tmp_path))
    with pytest.raises(ModelError, match="reward model"):
        engine.score_answers(base, tmp_path / "none", [PAIRS[0][0]])

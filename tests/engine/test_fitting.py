from __future__ import annotations

import json
import shutil
import time
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
from tailorbird.engine import Run, fitting, trainer
from tailorbird.errors import PlanError
from tailorbird.progress import silent

PAIRS = [
    (
        [{"role": "user", "content": f"Question {n}?"}, {"role": "assistant", "content": "we post the parcel"}],
        [{"role": "user", "content": f"Question {n}?"}, {"role": "assistant", "content": "the dress is a silk dress"}],
    )
    for n in range(24)
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("model"))


def planned(base: Path, **changed: Any) -> Plan:
    fields = {
        "id": "plan-1", "made_from": (), "made_at": "2026-01-01T00:00:00Z", "model": str(base), "lora_rank": 4,
        "sequence_length": 128, "tokens_per_step": 128, "epochs": 2, "steps": 12, "learning_rate": 5e-3,
        "check_every": 4, "patience": 9, "seed": 1, "minutes": 1.0, "memory_gb": 1.0, "why": {},
    }  # fmt: skip
    return Plan(**(fields | changed))


def both(folder: Path) -> dict[str, Path | None]:
    return {"base": None, "tuned": folder / "adapter"}


def adapter(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(next((folder / "adapter").glob("*model.safetensors")))


def test_preferences_are_learnt_and_the_base_models_losses_kept(base: Path, tmp_path: Path) -> None:
    fitted = engine.prefer(base, planned(base), PAIRS[:18], PAIRS[18:], Run(tmp_path))
    assert fitted.validation_loss < 0.6 < 0.693  # ln 2: no preference
    kept = json.loads((tmp_path / "reference-train.json").read_text())
    assert len(kept) == 18
    assert all(chosen > 0 and rejected > 0 for chosen, rejected in kept)


@contextmanager
def stop_late(label: str, total: float) -> Iterator[Callable[[float], None]]:
    """A bar that breaks training off after eight steps."""
    steps = []

    def advance(amount: float) -> None:
        steps.append(amount)
        if label == "Training" and len(steps) > 8:
            raise KeyboardInterrupt

    yield advance


def assert_resumes(run: Callable[[Path, Any], object], tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    run(whole, silent)
    with pytest.raises(KeyboardInterrupt):
        run(cut, stop_late)
    assert trainer.newest_checkpoint(cut / "checkpoints")
    run(cut, silent)
    for name, weight in adapter(whole).items():
        torch.testing.assert_close(adapter(cut)[name], weight, atol=1e-6, rtol=0)


def test_an_interrupted_preference_run_ends_with_the_same_weights(base: Path, tmp_path: Path) -> None:
    assert_resumes(lambda folder, bar: engine.prefer(base, planned(base), PAIRS[:18], PAIRS[18:], Run(folder, bar)), tmp_path)


def test_a_run_that_ended_early_and_was_killed_before_it_was_saved_learns_no_more(base: Path, tmp_path: Path) -> None:
    plan = planned(base, learning_rate=3.0, patience=1, check_every=2)
    whole = engine.prefer(base, plan, PAIRS[:18], PAIRS[18:], Run(tmp_path))
    assert whole.stopped_early
    kept = adapter(tmp_path)
    shutil.rmtree(tmp_path / "adapter")
    again = engine.prefer(base, plan, PAIRS[:18], PAIRS[18:], Run(tmp_path))
    assert (again.steps, again.best_step, again.validation_loss) == (whole.steps, whole.best_step, whole.validation_loss)
    assert all(torch.equal(adapter(tmp_path)[name], weight) for name, weight in kept.items())


def test_what_goes_before_the_first_step_is_timed_too(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scoring the answers with the model before this run."""
    real = fitting.reference_losses

    def slow(*told: Any) -> Any:
        time.sleep(0.6)
        return real(*told)

    for name in ("plain", "slow"):
        (tmp_path / name).mkdir()
    plain = engine.prefer(base, planned(base, steps=1), PAIRS[:18], PAIRS[18:], Run(tmp_path / "plain"))
    monkeypatch.setattr(fitting, "reference_losses", slow)
    slower = engine.prefer(base, planned(base, steps=1), PAIRS[:18], PAIRS[18:], Run(tmp_path / "slow"))
    assert slower.seconds > plain.seconds + 0.8


THUMBS = [(chat, like) for chosen, rejected in PAIRS for chat, like in ((chosen, True), (rejected, False))]


@pytest.mark.slow
def test_thumbs_are_learnt_and_resume_to_the_same_weights(base: Path, tmp_path: Path) -> None:
    plan = planned(base, learns_from="thumbs", steps=24, epochs=6, learning_rate=1e-2)
    fitted = engine.learn_thumbs(base, plan, THUMBS[:36], THUMBS[36:], Run(tmp_path))
    assert fitted.validation_loss < 0.45, "0.5 where nothing was learnt"
    losses = engine.conversation_losses(base, both(tmp_path), [chat for chat, _ in THUMBS[36:]], 128, silent)
    gains = [before[0] - after[0] for before, after in zip(losses["base"], losses["tuned"], strict=True)]
    assert sum(gains[::2]) > sum(gains[1::2]), "liked answers gain more"
    assert_resumes(lambda folder, bar: engine.learn_thumbs(base, plan, THUMBS[:36], THUMBS[36:], Run(folder, bar)), tmp_path)


def test_training_goes_on_from_an_adapter(base: Path, tmp_path: Path) -> None:
    first, second, idle = (tmp_path / name for name in ("first", "second", "idle"))
    for folder in (first, second, idle):
        folder.mkdir()
    chats = [chosen for chosen, _ in PAIRS]
    before = engine.fit(base, planned(base), chats[:18], chats[18:], Run(first))
    start = first / "adapter"
    after = engine.prefer(base, planned(base, learns_from="pairs"), PAIRS[:18], PAIRS[18:], Run(second, start=start))
    assert after.validation_loss < 0.6
    resting = engine.fit(base, planned(base, steps=1, learning_rate=1e-12), chats[:18], chats[18:], Run(idle, start=start))
    assert resting.validation_loss == pytest.approx(before.validation_loss, rel=1e-3)


_PARTS = slice(0, 6), slice(6, None)


def test_an_update_learns_what_is_new_and_keeps_what_it_replays(base: Path, tmp_path: Path) -> None:
    """Beside the same update without replay, from the same adapter; resumed, it ends with the same weights."""
    old, first, bare, held = ([chosen for chosen, _ in PAIRS], *(tmp_path / name for name in ("first", "bare", "held")))
    new = [[{"role": "user", "content": f"When is {n}?"}, {"role": "assistant", "content": "a silk dress"}] for n in range(6)]
    for folder in (first, bare, held):
        folder.mkdir()
    engine.fit(base, planned(base), old[:18], old[18:], Run(first))
    start, plan = first / "adapter", planned(base, steps=30, epochs=30, check_every=30)
    engine.fit(base, plan, new, old[18:], Run(bare, start=start))
    engine.fit(base, plan, new, old[18:], Run(held, start=start), old[:18])
    systems: dict[str, Path | None] = {"before": start, "bare": bare / "adapter", "held": held / "adapter"}
    losses = engine.conversation_losses(base, systems, [*old[18:], *new], 128, silent)
    kept, learned = ({name: sum(one[0] for one in row[part]) for name, row in losses.items()} for part in _PARTS)
    assert learned["held"] < learned["before"] - 8
    assert kept["held"] - kept["before"] < 0.5 * (kept["bare"] - kept["before"])
    plan = planned(base, steps=12, epochs=30)
    assert_resumes(lambda folder, bar: engine.fit(base, plan, new, old[18:], Run(folder, bar, start=start), old[:18]), tmp_path)


@pytest.mark.parametrize("method", [pytest.param("prompt", marks=pytest.mark.slow), "prefix"])
def test_soft_prompts_learn_and_resume_to_the_same_weights(base: Path, tmp_path: Path, method: str) -> None:
    chats = [chosen for chosen, _ in PAIRS]
    plan = planned(base, method=method, lora_rank=0, virtual_tokens=16, learning_rate=0.05, steps=30, epochs=9)
    fitted = engine.fit(base, plan, chats[:18], chats[18:], Run(tmp_path))
    losses = engine.conversation_losses(base, both(tmp_path), chats[18:], 128, silent)
    before, after = (sum(loss[0] for loss in losses[system]) for system in ("base", "tuned"))
    assert after < before  # a random model has little to prompt
    assert fitted.validation_loss == pytest.approx(after / sum(loss[1] for loss in losses["tuned"]), rel=0.02)
    assert_resumes(lambda folder, bar: engine.fit(base, plan, chats[:18], chats[18:], Run(folder, bar)), tmp_path)


def test_smaller_passes_accumulate_to_the_same_steps(base: Path, tmp_path: Path) -> None:
    """With conversations of one length, two passes of 64 tokens hold what one of 128 does."""
    chats = [list(chosen) for chosen, _ in PAIRS]
    one = engine.fit(base, planned(base), chats[:18], chats[18:], Run(tmp_path / "one"))
    many = engine.fit(base, planned(base, accumulation=2), chats[:18], chats[18:], Run(tmp_path / "many"))
    assert many.steps == one.steps
    assert many.validation_loss == pytest.approx(one.validation_loss, rel=0.2)
    assert many.validation_loss < many.curve[0]["loss"]


def test_pairs_that_do_not_fit_or_do_not_differ_are_refused_in_words(base: Path, tmp_path: Path) -> None:
    same = [(chosen, chosen) for chosen, _ in PAIRS]
    with pytest.raises(PlanError, match="sequence length"):
        engine.prefer(base, planned(base), same, same, Run(tmp_path))
    with pytest.raises(PlanError, match="sequence length"):
        engine.prefer(base, planned(base, sequence_length=4), PAIRS, PAIRS, Run(tmp_path))


@pytest.mark.parametrize(
    "method",
    [
        pytest.param("full", marks=pytest.mark.slow),
        pytest.param("dora", marks=pytest.mark.slow),
        pytest.param("rslora", marks=pytest.mark.slow),
    ],
)
def test_other_parts_of_the_model_are_trained_and_resume(base: Path, tmp_path: Path, method: str) -> None:
    chats = [list(chosen) for chosen, _ in PAIRS]
    rank = 0 if method == "full" else 4
    plan = planned(base, method=method, lora_rank=rank, learning_rate=1e-3 if method == "full" else 5e-3)
    fitted = engine.fit(base, plan, chats[:18], chats[18:], Run(tmp_path / "once"))
    untrained = engine.fit(base, planned(base, steps=1, learning_rate=1e-12), chats[:18], chats[18:], Run(tmp_path / "idle"))
    assert fitted.validation_loss < untrained.validation_loss - 0.15
    losses = engine.conversation_losses(base, both(tmp_path / "once"), chats[18:], 128, silent)
    tokens = sum(count for _, count in losses["tuned"])
    assert sum(loss for loss, _ in losses["tuned"]) / tokens == pytest.approx(fitted.validation_loss, abs=1e-3)
    assert sum(loss for loss, _ in losses["base"]) / tokens == pytest.approx(untrained.validation_loss, abs=1e-2)
    assert_resumes(lambda folder, bar: engine.fit(base, plan, chats[:18], chats[18:], Run(folder, bar)), tmp_path)

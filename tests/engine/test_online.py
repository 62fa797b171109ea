from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import make_decided_model
from safetensors.torch import load_file

from tailorbird import engine
from tailorbird.artifacts import Plan
from tailorbird.engine import Rewards, Run, guard, loading, online
from tailorbird.engine.attention import ATTENTION
from tailorbird.errors import PlanError
from tailorbird.progress import silent
from tailorbird.replier import ReplyOptions, reply

CHATS: list[Any] = [[{"role": "user", "content": f"Question {n}? <|im_end|>"}] for n in range(24)]
TOKENS = 12


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_decided_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def _short_answers_on_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "ANSWER_TOKENS", TOKENS)
    monkeypatch.setattr(loading, "cores", lambda: 1)


def planned(base: Path, **changed: Any) -> Plan:
    fields = {
        "id": "plan-1", "made_from": (), "made_at": "2026-01-01T00:00:00Z", "model": str(base), "lora_rank": 4,
        "sequence_length": 128, "tokens_per_step": 384, "epochs": 1, "steps": 8, "learning_rate": 5e-2,
        "check_every": 4, "patience": 3, "seed": 1, "minutes": 1.0, "memory_gb": 1.0, "why": {},
    }  # fmt: skip
    return Plan(**(fields | changed))


def letters(messages: list[Any], answer: str) -> float:
    """The share of small letters: a random model writes few."""
    return sum("a" <= character <= "z" for character in answer) / max(len(answer), 1)


def length(messages: list[Any], answer: str) -> float:
    return min(len(answer.split()) + len(answer), 200) / 200


def adapter(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter" / "adapter_model.safetensors")


def test_a_rule_is_met_better_and_the_adapter_is_as_fitting_leaves_one(base: Path, tmp_path: Path) -> None:
    done = engine.reinforce(base, planned(base), CHATS[:16], CHATS[16:], Rewards({"letters": letters}), Run(tmp_path))
    assert done.best_step > 0
    assert done.best_reward > done.start_reward + 0.1
    assert any("reward_letters" in row for row in done.curve)
    assert done.validation_loss == -done.best_reward
    steps = [row for row in done.curve if "kl" in row]
    assert abs(steps[0]["kl"]) < 1e-4, "it begins as its own reference"
    assert all(0 <= row["length"] <= TOKENS and abs(row["kl"]) < 5 and row["entropy"] > 0 for row in steps)
    assert {"step", "loss", "repetition", "seconds"} <= set(steps[0])
    assert not list((tmp_path / "adapter").glob("ref")), "TRL's reference adapter is not saved"
    chats = [[*chat, {"role": "assistant", "content": "the dress is silk"}] for chat in CHATS[16:]]
    losses = engine.conversation_losses(base, {"base": None, "tuned": tmp_path / "adapter"}, chats, 128, silent)
    assert losses["base"] != losses["tuned"]


def test_log_probabilities_are_those_of_a_plain_forward_pass(base: Path, tmp_path: Path) -> None:
    """TRL's own padded way must find what the packed step finds."""
    seen: dict[str, Any] = {}
    packed = online._Online._get_per_token_logps_and_entropies

    def both(self: Any, model: Any, ids: Any, mask: Any, keep: int, *args: Any, **options: Any) -> Any:
        found = packed(self, model, ids, mask, keep, *args, **options)
        if not seen:
            with torch.no_grad():
                plain = self.model.get_base_model()
                plain.set_attn_implementation("sdpa")
                places = (mask.cumsum(1) - 1).clamp_min(0)
                states = plain.get_decoder()(input_ids=ids, attention_mask=mask, position_ids=places, use_cache=False)
                logits = plain.get_output_embeddings()(states.last_hidden_state).float().log_softmax(-1)
                plain.set_attn_implementation(ATTENTION)
            wanted = logits[:, -keep - 1 : -1].gather(2, ids[:, -keep:, None])[..., 0]
            seen["plain"], seen["packed"] = wanted * mask[:, -keep:], found[0].detach() * mask[:, -keep:]
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(online._Online, "_get_per_token_logps_and_entropies", both)
        engine.reinforce(base, planned(base, steps=1), CHATS[:16], CHATS[16:], Rewards({"letters": letters}), Run(tmp_path))
    torch.testing.assert_close(seen["packed"], seen["plain"], atol=2e-2, rtol=0)


def test_a_reward_for_length_is_stopped_and_nothing_of_it_kept(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reward rises by writing on and on: the guard sees it, whatever the reward says."""
    monkeypatch.setattr(online, "ANSWER_TOKENS", 64)
    monkeypatch.setattr(online, "BETA", 0.0001)
    monkeypatch.setattr(guard, "LENGTH_FACTOR", 1.1)
    monkeypatch.setattr(guard, "MOST_KL", 9.0)
    monkeypatch.setattr(guard, "MORE_REPETITION", 1.0)
    plan = planned(base, steps=20, check_every=2, learning_rate=3e-2, patience=20, tokens_per_step=2048)
    done = engine.reinforce(base, plan, CHATS[:16], CHATS[16:], Rewards({"length": length}), Run(tmp_path))
    assert done.stopped_early
    assert "answers grew" in done.ended
    checks = guard.read(done.curve)
    assert checks[-1].reward > checks[0].reward, "the reward alone would have gone on"
    kept = next(check for check in checks if check.step == done.best_step)
    assert kept.length <= checks[0].length * 1.1
    if done.best_step == 0:
        assert all(not weight.any() for name, weight in adapter(tmp_path).items() if "lora_B" in name)


@contextmanager
def stop_late(label: str, total: float) -> Iterator[Callable[[float], None]]:
    steps = []

    def advance(amount: float) -> None:
        steps.append(amount)
        if label == "Training" and len(steps) > 6:
            raise KeyboardInterrupt

    yield advance


@pytest.mark.slow
def test_an_interrupted_run_of_several_passes_a_step_ends_with_the_same_weights(base: Path, tmp_path: Path) -> None:
    plan, rewards = planned(base, steps=8, accumulation=2), Rewards({"letters": letters})
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    once = engine.reinforce(base, plan, CHATS[:16], CHATS[16:], rewards, Run(whole))
    with pytest.raises(KeyboardInterrupt):
        engine.reinforce(base, plan, CHATS[:16], CHATS[16:], rewards, Run(cut, stop_late))
    assert list(cut.glob("checkpoints/checkpoint-4/complete"))
    again = engine.reinforce(base, plan, CHATS[:16], CHATS[16:], rewards, Run(cut))
    assert once.best_step == again.best_step > 0
    assert [row["reward"] for row in once.curve if "reward" in row] == [row["reward"] for row in again.curve if "reward" in row]
    for name, weight in adapter(whole).items():
        torch.testing.assert_close(adapter(cut)[name], weight, atol=1e-6, rtol=0)


def test_it_goes_on_from_an_adapter_which_is_its_reference(base: Path, tmp_path: Path) -> None:
    rewards = Rewards({"letters": letters}, weights={"letters": 2.0})
    first = engine.reinforce(base, planned(base), CHATS[:16], CHATS[16:], rewards, Run(tmp_path / "first"))
    start = tmp_path / "first" / "adapter"
    plan = planned(base, steps=2, learning_rate=1e-9)
    done = engine.reinforce(base, plan, CHATS[:16], CHATS[16:], rewards, Run(tmp_path / "second", start=start))
    assert done.start_reward == pytest.approx(first.best_reward, abs=0.02)
    assert all(abs(row["kl"]) < 1e-3 for row in done.curve if "kl" in row)


def test_a_reward_model_counts_as_a_chance_beside_the_rules(base: Path, tmp_path: Path) -> None:
    pairs = [
        ([*chat, {"role": "assistant", "content": "we post"}], [*chat, {"role": "assistant", "content": "silk"}])
        for chat in CHATS
    ]
    engine.train_reward(base, planned(base, steps=2), pairs[:16], pairs[16:], Run(tmp_path))
    rewards = Rewards({"letters": letters}, tmp_path / "reward", {"model": 0.5})
    done = engine.reinforce(base, planned(base, steps=2), CHATS[:16], CHATS[16:], rewards, Run(tmp_path))
    row = next(row for row in done.curve if "reward_model" in row)
    assert 0 < row["reward_model"] < 1
    assert row["reward"] == pytest.approx(row["reward_letters"] + 0.5 * row["reward_model"], abs=1e-4)


def test_what_cannot_be_reinforced_is_refused_in_words(base: Path, tmp_path: Path) -> None:
    answered = [[*chat, {"role": "assistant", "content": "yes"}] for chat in CHATS]
    some = Rewards({"letters": letters})
    for plan, chats, rewards, words in (
        (planned(base), answered, some, "ends with a customer"),
        (planned(base, sequence_length=20), CHATS, some, "ends with a customer"),
        (planned(base), CHATS, Rewards(), "nothing to reward"),
        (planned(base, method="full", lora_rank=0), CHATS, some, "LoRA"),
    ):
        with pytest.raises(PlanError, match=words):
            engine.reinforce(base, plan, chats, chats, rewards, Run(tmp_path))


START = guard.Check(0, 0.5, 40, 0.1, 0.2, 0.0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"length": 61.0}, "grew"), ({"length": 26.0}, "shrank"), ({"repetition": 0.21}, "repetition"), ({"kl": 0.3}, "moved"),
        ({"kl": float("nan")}, "moved"), ({"cut": 0.5}, "without an end rose from 20% to 50%"),
    ],
)  # fmt: skip
def test_the_guard_names_what_is_wrong(changed: dict[str, float], words: str) -> None:
    bad = START._replace(step=4, reward=0.9, **changed)
    assert words in guard.trouble(bad, START)
    assert words in guard.why_end([START, bad], patience=5)
    assert guard.best([START, bad]) == START
    fine = START._replace(step=2, reward=0.6)
    assert guard.best([START, fine, bad]) == fine


def test_the_guard_is_patient_with_a_reward_that_does_not_rise() -> None:
    flat = [START, *(START._replace(step=n, reward=0.4) for n in (1, 2))]
    assert guard.why_end(flat[:2], patience=2) == ""
    assert "not risen for 2 checks" in guard.why_end(flat, patience=2)
    assert guard.repeated([1, 2, 3, 4, 1, 2, 3, 4]) == pytest.approx(0.2)
    assert guard.repeated([1, 2]) == 0.0


@pytest.mark.slow
def test_the_real_model_is_reinforced_and_served(tmp_path: Path) -> None:
    real = engine.locate("smollm2-135m-instruct", silent)
    plan = planned(real, steps=2, lora_rank=16, learning_rate=1e-4, check_every=1, sequence_length=256, patience=5)
    done = engine.reinforce(real, plan, CHATS[:16], CHATS[16:20], Rewards({"length": length}), Run(tmp_path))
    assert all(abs(row["kl"]) < 0.1 for row in done.curve if "kl" in row)
    assert abs(next(row["kl"] for row in done.curve if "kl" in row)) < 1e-3, "in bfloat16 too it begins as its reference"
    replier = engine.open_replier("reinforced", real, tmp_path / "adapter")
    assert type(replier).__name__ == "LlamaCppReplier"
    assert reply(replier, CHATS[0], ReplyOptions(max_tokens=4)).completion_tokens > 0
    replier.close()

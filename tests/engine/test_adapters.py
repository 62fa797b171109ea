"""Soft prompts in the packed step against PEFT's own forward, one conversation at a time."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import tiny_config
from peft import PeftModel
from torch.nn import functional
from transformers import AutoModelForCausalLM

from tailorbird.artifacts import Plan
from tailorbird.engine.adapters import add_adapter, virtual_tokens, with_virtual
from tailorbird.engine.attention import ATTENTION
from tailorbird.engine.chat import Encoded
from tailorbird.engine.packed import target_losses
from tailorbird.engine.packing import lay_out
from tailorbird.errors import ModelError

VOCABULARY, VIRTUAL = 50, 20


def plan(method: str) -> Plan:
    return Plan(
        id="plan-1", model="m", method=method, lora_rank=0, virtual_tokens=VIRTUAL, sequence_length=600,
        tokens_per_step=512, epochs=1, steps=1, learning_rate=0.01, check_every=1, patience=1, seed=1, minutes=1, memory_gb=1,
        why={},
    )  # fmt: skip


def made(family: str, method: str) -> Any:
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(tiny_config(family, VOCABULARY, 0), attn_implementation="sdpa").double()
    adapted = add_adapter(model, plan(method), range(1, 9))
    return adapted.double()


def conversations() -> list[Encoded]:
    chance = random.Random(3)
    start = [chance.randrange(1, VOCABULARY) for _ in range(70)]
    found = []
    for length in (5, 40, 300):
        ids = [*start, *(chance.randrange(1, VOCABULARY) for _ in range(length))]
        found.append(Encoded(tuple(ids), tuple(i >= 70 for i in range(len(ids)))))
    return found


def plain(model: Any, item: Encoded) -> torch.Tensor:
    logits = model(input_ids=torch.tensor([item.ids])).logits[0, -len(item.ids) :][:-1]
    labels = torch.tensor([t if flag else -100 for t, flag in zip(item.ids, item.trained, strict=True)])[1:]
    return functional.cross_entropy(logits, labels, ignore_index=-100, reduction="sum")


def gradient(model: Any, loss: torch.Tensor) -> torch.Tensor:
    loss.backward()
    weight = model.prompt_encoder["default"].embedding.weight
    found, weight.grad = weight.grad.clone(), None
    return found


@pytest.mark.parametrize(
    ("family", "method"),
    [(f, m) for m in ("prompt", "prefix") for f in ("llama", "qwen3", "gemma3") if (f, m) != ("gemma3", "prefix")],
)
def test_soft_prompts_have_the_loss_and_gradient_of_peft(family: str, method: str) -> None:
    items = conversations()
    model = made(family, method)
    truth = sum(plain(model, item) for item in items)
    slope = gradient(model, truth)
    model.get_base_model().set_attn_implementation(ATTENTION)
    assert virtual_tokens(model) == VIRTUAL
    ours = target_losses(model, lay_out(with_virtual(items, VIRTUAL))).sum()
    assert ours.item() == pytest.approx(truth.item(), rel=1e-6)
    found = gradient(model, ours)
    assert (found - slope).norm() <= 1e-5 * slope.norm()
    assert slope.norm() > 0


@pytest.mark.parametrize("method", ["prompt", "prefix"])
def test_a_prefix_of_real_words_begins_as_these_words(method: str, tmp_path: Path) -> None:
    item = conversations()[0]
    model = made("llama", method)
    words = tuple((list(range(1, 9)) * VIRTUAL)[:VIRTUAL])
    with torch.no_grad():
        soft = plain(model, item)
        real = plain(model.get_base_model(), Encoded(words + item.ids, (False,) * VIRTUAL + item.trained))
    assert soft.item() == pytest.approx(real.item(), rel=1e-6)
    model.save_pretrained(tmp_path)
    again = PeftModel.from_pretrained(model.get_base_model(), tmp_path).double()
    with torch.no_grad():
        assert plain(again, item).item() == pytest.approx(soft.item(), rel=1e-5)


def test_a_model_that_forgets_the_prefix_is_refused() -> None:
    with pytest.raises(ModelError, match="sliding window"):
        made("gemma3", "prefix")

"""The packed, prefix-shared step against plain transformers code, one conversation at a time, in float32."""

from __future__ import annotations

import random

import pytest
import torch
from fakes import tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch.nn import functional
from transformers import AutoModelForCausalLM

from tailorbird.engine.chat import Encoded
from tailorbird.engine.packed import ATTENTION, answer_loss, target_losses
from tailorbird.engine.packing import lay_out

VOCABULARY = 50


@st.composite
def conversations(draw: st.DrawFn) -> list[Encoded]:
    """One to five multi-turn conversations with a common start of none to thirty tokens."""
    token = st.integers(0, VOCABULARY - 1)
    prefix = draw(st.lists(token, max_size=30))
    items = []
    for _ in range(draw(st.integers(1, 5))):
        ids, trained = list(prefix), [False] * len(prefix)
        for _ in range(draw(st.integers(1, 3))):
            question, answer = draw(st.lists(token, min_size=2, max_size=12)), draw(st.lists(token, min_size=1, max_size=12))
            ids += question + answer
            trained += [False] * len(question) + [True] * len(answer)
        items.append(Encoded(tuple(ids), tuple(trained)))
    return items


def plain_loss(model: torch.nn.Module, item: Encoded) -> torch.Tensor:
    """What anybody would write: one conversation, full logits, shifted cross-entropy."""
    logits = model(input_ids=torch.tensor([item.ids])).logits[0, :-1]
    labels = torch.tensor([t if flag else -100 for t, flag in zip(item.ids, item.trained, strict=True)])[1:]
    return functional.cross_entropy(logits, labels, ignore_index=-100, reduction="sum")


def make(family: str, method: str, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(tiny_config(family, VOCABULARY, 0), attn_implementation="eager")
    if method == "lora":
        model = get_peft_model(model, LoraConfig(r=3, lora_alpha=6, target_modules="all-linear", init_lora_weights=False))
    return model.to(dtype)


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def both(model: torch.nn.Module, items: list[Encoded]) -> tuple[tuple[float, dict], tuple[float, dict]]:
    """(loss, gradients) of plain code, one conversation at a time, and of the packed step."""
    expected = sum(plain_loss(model, item) for item in items)
    expected.backward()
    theirs = gradients(model)
    model.zero_grad()
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    base.set_attn_implementation(ATTENTION)
    loss = answer_loss(model, lay_out(items), mixed=False)
    loss.backward()
    return (expected.item(), theirs), (loss.item(), gradients(model))


def check(model: torch.nn.Module, items: list[Encoded], tolerance: float, floor: float) -> None:
    """Every gradient within `tolerance` of its own norm, or of `floor` times the largest one's where that is more."""
    (expected, theirs), (loss, ours) = both(model, items)
    assert loss == pytest.approx(expected, rel=tolerance)
    assert ours.keys() == theirs.keys()
    largest = max(g.norm().item() for g in theirs.values())
    for name, gradient in theirs.items():
        error = (ours[name] - gradient).norm().item()
        assert error <= tolerance * max(gradient.norm().item(), floor * largest), name


FAMILIES = ["llama", "qwen3", "gemma3", "mistral"]
# Gradients far smaller than the rest are what large terms leave when they cancel, and float32 rounds those terms: there
# even plain code differs from itself in another order. The float64 test has no such floor (what stays of rounding there
# is transformers' own: its norms compute in float32 whatever the weights are).
FLOOR = 0.05


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(items=conversations())
def test_loss_and_every_gradient_equal_plain_training(family: str, method: str, items: list[Encoded]) -> None:
    check(make(family, method), items, tolerance=1e-5, floor=FLOOR)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=25, deadline=None, derandomize=True)
@given(items=conversations())
def test_with_float64_weights_even_the_smallest_gradient_is_equal(family: str, items: list[Encoded]) -> None:
    check(make(family, "lora", torch.float64), items, tolerance=1e-5, floor=0.0)


@pytest.mark.parametrize("length", [300, 1200])
def test_parity_holds_on_both_attention_paths_and_over_several_logit_chunks(length: int) -> None:
    chance = random.Random(0)
    prefix = tuple(chance.randrange(VOCABULARY) for _ in range(40))
    items = [
        Encoded(prefix + tuple(chance.randrange(VOCABULARY) for _ in range(n)), (False,) * 50 + (True,) * (n - 10))
        for n in (length, 33)
    ]
    check(make("llama", "lora"), items, tolerance=1e-5, floor=FLOOR)


def test_target_losses_are_in_order_and_sum_to_the_loss() -> None:
    model = make("llama", "full")
    items = [Encoded((1, 2, 3, 4, 5), (False, False, False, True, True)), Encoded((1, 2, 9, 8), (False, False, False, True))]
    first, second = (plain_loss(model, item).item() for item in items)
    model.set_attn_implementation(ATTENTION)
    losses = target_losses(model, lay_out(items), mixed=False)
    assert sum(losses[:2]) == pytest.approx(first, rel=1e-5)
    assert losses[2] == pytest.approx(second, rel=1e-5)

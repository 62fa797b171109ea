"""The packed, prefix-shared step against plain transformers code, one conversation at a time."""

from __future__ import annotations

import copy
import random
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from fakes import tiny_config
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch.nn import functional
from torch.nn.attention.flex_attention import flex_attention
from transformers import AutoModelForCausalLM, TrainingArguments

from tailorbird.engine import fused
from tailorbird.engine import trainer as trainers
from tailorbird.engine.attention import ATTENTION, Layout, _TreeAttention
from tailorbird.engine.chat import Encoded
from tailorbird.engine.objectives import (
    BETA,
    KEEPING,
    PairPass,
    Pass,
    ReplayPass,
    ThumbPass,
    guiding_states,
    reference_losses,
    thumb_weights,
)  # fmt: skip
from tailorbird.engine.packed import answer_loss, target_losses
from tailorbird.engine.packing import Group, joined, lay_out, plan_bins
from tailorbird.progress import silent

VOCABULARY = 50
FAMILIES = ["llama", "qwen2", "qwen3", "gemma3", "mistral"]
TOLERANCE = 1e-5
Gradients = dict[str, torch.Tensor]
# Shrinking a failure would train thousands of models.
exact = settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
lengths = st.sampled_from([0, 3, 15, 16, 17, 40, 90, 255, 256, 257, 400])  # too short to share, one segment, a chain of them
seeds = st.integers(0, 999)


def some(chance: random.Random, number: int) -> list[int]:
    """Random tokens (shapes are hypothesis' choice: tokens that are all equal make gradients that cancel to nothing)."""
    return [chance.randrange(1, VOCABULARY) for _ in range(number)]


@st.composite
def conversations(draw: st.DrawFn) -> list[Encoded]:
    """One to five multi-turn conversations with a common start, some of which agree further than that."""
    chance = random.Random(draw(seeds))
    prefix = some(chance, draw(lengths))
    items: list[Encoded] = []
    for _ in range(draw(st.integers(1, 5))):
        ids, trained = list(prefix), [False] * len(prefix)
        if items and draw(st.booleans()):
            ids, trained = list(items[-1].ids), list(items[-1].trained)
        for _ in range(draw(st.integers(1, 3))):
            question, answer = draw(st.integers(2, 12)), draw(st.integers(1, 12))
            ids += some(chance, question + answer)
            trained += [False] * question + [True] * answer
        items.append(Encoded(tuple(ids), tuple(trained)))
    return items


@st.composite
def pairs(draw: st.DrawFn) -> list[Group]:
    """One to three prompts with two answers each."""
    chance = random.Random(draw(seeds))
    found: list[Group] = []
    for _ in range(draw(st.integers(1, 3))):
        prompt = some(chance, draw(lengths) + draw(st.integers(1, 20)))
        answers = [some(chance, draw(st.integers(1, 15))) for _ in range(2)]
        flags = [(False,) * len(prompt) + (True,) * len(answer) for answer in answers]
        found.append(tuple(Encoded((*prompt, *answer), flag) for answer, flag in zip(answers, flags, strict=True)))
    return found


def make(family: str, method: str, dtype: torch.dtype = torch.float32) -> torch.nn.Module:
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(tiny_config(family, VOCABULARY, 0), attn_implementation="sdpa")
    home = sys.modules[type(model).__module__]  # as transformers has it: another test may have fused it
    home.apply_rotary_pos_emb = getattr(home.apply_rotary_pos_emb, "replaces", home.apply_rotary_pos_emb)
    if method == "lora":
        model = get_peft_model(model, LoraConfig(r=3, lora_alpha=6, target_modules="all-linear", init_lora_weights=False))
    return model.to(dtype)


def make_ours(model: torch.nn.Module) -> torch.nn.Module:
    """The same model as the engine trains it."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    base.set_attn_implementation(ATTENTION)
    fused.fuse(model)
    return model


def plain_losses(model: torch.nn.Module, item: Encoded) -> torch.Tensor:
    """What anybody would write: one conversation, full logits, shifted cross-entropy, summed."""
    logits = model(input_ids=torch.tensor([item.ids])).logits[0, :-1]
    labels = torch.tensor([t if flag else -100 for t, flag in zip(item.ids, item.trained, strict=True)])[1:]
    return functional.cross_entropy(logits, labels, ignore_index=-100, reduction="sum")


def plain_logits(model: torch.nn.Module, items: list[Encoded]) -> torch.Tensor:
    """Of every target, conversation by conversation."""
    rows = [model(input_ids=torch.tensor([item.ids])).logits[0, :-1][torch.tensor(item.trained[1:])] for item in items]
    return torch.cat(rows)


def plain_preference(model: torch.nn.Module, pair: Group) -> torch.Tensor:
    """DPO as its paper has it."""
    with torch.no_grad(), model.disable_adapter():
        base = [-plain_losses(model, item) for item in pair]
    chosen, rejected = (-plain_losses(model, item) - before for item, before in zip(pair, base, strict=True))
    return -functional.logsigmoid(BETA * (chosen - rejected))


def backward(model: torch.nn.Module, loss: torch.Tensor) -> tuple[float, Gradients]:
    loss.backward()
    found = {name: p.grad.double() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return loss.item(), found


def plain(model: torch.nn.Module, items: list[Encoded]) -> tuple[float, Gradients]:
    return backward(model, sum(plain_losses(model, item) for item in items))


def ours(model: torch.nn.Module, items: list[Encoded]) -> tuple[float, Gradients]:
    return backward(make_ours(model), answer_loss(model, lay_out(items)))


def worst(found: Gradients, truth: Gradients) -> float:
    """The largest error of a tensor, relative to its own size or to a twentieth of the largest one's."""
    least = max(g.norm().item() for g in truth.values()) / 20
    return max((found[name] - g).norm().item() / max(g.norm().item(), least) for name, g in truth.items())


def distance(found: Gradients, truth: Gradients) -> float:
    """The error of the whole gradient, relative."""
    together = torch.cat([g.flatten() for g in truth.values()])
    return float((torch.cat([found[name].flatten() for name in truth]) - together).norm() / together.norm())


def assert_equal(found: tuple[float, Gradients], truth: tuple[float, Gradients]) -> None:
    """Every tensor within the tolerance of its own size, or of a thousandth of the largest one's.

    What is smaller remains when large terms cancel, and transformers' norms compute those in float32 whatever the weights are.
    """
    assert found[0] == pytest.approx(truth[0], rel=TOLERANCE)
    assert found[1].keys() == truth[1].keys()
    least = max(g.norm().item() for g in truth[1].values()) / 1000
    for name, gradient in truth[1].items():
        assert (found[1][name] - gradient).norm().item() <= TOLERANCE * max(gradient.norm().item(), least), name


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("family", FAMILIES)
@exact
@given(items=conversations())
def test_every_gradient_equals_plain_training_with_float64_weights(family: str, method: str, items: list[Encoded]) -> None:
    assert_equal(ours(make(family, method, torch.float64), items), plain(make(family, method, torch.float64), items))


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("family", FAMILIES)
@exact
@given(items=conversations())
def test_float32_is_as_near_the_exact_gradient_as_plain_training(family: str, method: str, items: list[Encoded]) -> None:
    """Float32 rounds: plain code itself differs from the exact gradient, in some tensors by more than the tolerance.

    How much depends on how threads share the work, most of all in a single small tensor.
    """
    loss, truth = plain(make(family, method, torch.float64), items)
    (_, theirs), (mine, found) = plain(make(family, method), items), ours(make(family, method), items)
    assert mine == pytest.approx(loss, rel=TOLERANCE)
    assert distance(found, truth) <= max(TOLERANCE, 4 * distance(theirs, truth))
    assert worst(found, truth) <= max(3 * TOLERANCE, 4 * worst(theirs, truth))


@pytest.mark.parametrize("family", ["llama", *(pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES[1:])])
@exact
@given(groups=pairs())
def test_preference_gradients_equal_plain_dpo(family: str, groups: list[Group], tmp_path_factory: pytest.TempPathFactory) -> None:
    model = make(family, "lora", torch.float64)
    expected = backward(model, sum(plain_preference(model, pair) for pair in groups))
    make_ours(model)
    kept = tmp_path_factory.mktemp("pairs") / "reference.json"
    reference = reference_losses(model, groups, 256, kept, model.disable_adapter(), silent)
    pack = lay_out(joined(groups, range(len(groups))))
    assert_equal(backward(model, PairPass(pack, tuple(reference)).losses(model).sum()), expected)


@exact
@given(new=conversations(), old=conversations())
def test_replay_gradients_equal_plain_distillation(new: list[Encoded], old: list[Encoded]) -> None:
    """The adapter as it is learns the new ones; the model without it is what it must not leave."""
    model = make("llama", "lora", torch.float64)
    own, guide = plain_logits(model, old), None
    with torch.no_grad(), model.disable_adapter():
        guide = plain_logits(model, old)
    apart = functional.kl_div(own.log_softmax(-1), guide.log_softmax(-1), reduction="none", log_target=True).sum(-1)
    learned = sum(item.targets for item in new)
    terms = [plain_losses(model, item) for item in new] + [KEEPING * learned * apart.mean()]
    expected = backward(model, sum(terms))
    make_ours(model)
    with torch.no_grad(), model.disable_adapter():
        guides = guiding_states(model, [(item,) for item in old], 256, silent)
    assert_equal(backward(model, ReplayPass(lay_out([*new, *old]), torch.cat(guides)).losses(model).sum()), expected)


@exact
@given(groups=pairs(), likes=st.lists(st.booleans(), min_size=3, max_size=3))
def test_thumb_gradients_equal_plain_kto(
    groups: list[Group], likes: list[bool], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The second conversation of a group stands for the answer to another question."""
    model = make("llama", "lora", torch.float64)
    with torch.no_grad(), model.disable_adapter():
        before = [[plain_losses(model, item) for item in group] for group in groups]
    gained = [
        [then - plain_losses(model, item) for then, item in zip(*both, strict=True)] for both in zip(before, groups, strict=True)
    ]
    moved = max(0.0, sum(other.item() for _, other in gained) / len(groups))
    weights = thumb_weights(likes[: len(groups)])
    terms = [
        weight * (1 - torch.sigmoid(BETA * (own - moved))) if weight > 0 else -weight * (1 - torch.sigmoid(BETA * (moved - own)))
        for weight, (own, _) in zip(weights, gained, strict=True)
    ]
    expected = backward(model, sum(terms))
    make_ours(model)
    kept = tmp_path_factory.mktemp("thumbs") / "reference.json"
    reference = reference_losses(model, groups, 256, kept, model.disable_adapter(), silent)
    pack = lay_out(joined(groups, range(len(groups))))
    assert_equal(backward(model, ThumbPass(pack, tuple(reference), weights).losses(model).sum()), expected)


@pytest.mark.parametrize("family", ["llama", "gemma3"])
@pytest.mark.parametrize(("prefix", "sizes"), [(200, [20] * 12), (40, [300, 33]), (0, [1200]), (300, [700] + [9] * 20)])
def test_parity_over_families_of_segments_and_chains_of_them(family: str, prefix: int, sizes: list[int]) -> None:
    chance = random.Random(0)
    start = some(chance, prefix)
    items = [Encoded((*start, *some(chance, n)), (False,) * (prefix + 2) + (True,) * (n - 2)) for n in sizes]
    assert_equal(ours(make(family, "lora", torch.float64), items), plain(make(family, "lora", torch.float64), items))


@pytest.mark.parametrize("accumulation", [1, 2, 3])
def test_accumulated_passes_weigh_every_target_the_same(accumulation: int, tmp_path: Path) -> None:
    """One plain-SGD step of the real trainer moves the weights by the gradient of the mean over all its targets."""
    chance = random.Random(accumulation)
    items = [Encoded(tuple(some(chance, 20)), (False,) * (20 - n) + (True,) * n) for n in range(1, 7)]
    model = make("llama", "lora", torch.float64)
    _, expected = plain(model, items)
    before = copy.deepcopy({name: p.detach() for name, p in model.named_parameters()})
    share = len(items) // accumulation
    passes = [Pass(lay_out(items[start : start + share])) for start in range(0, len(items), share)]
    arguments = TrainingArguments(
        output_dir=str(tmp_path), max_steps=1, per_device_train_batch_size=1, gradient_accumulation_steps=len(passes),
        optim="sgd", learning_rate=1.0, lr_scheduler_type="constant", max_grad_norm=0.0, remove_unused_columns=False,
        save_strategy="no", report_to="none", disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    trainer = trainers.PackedTrainer(model=make_ours(model), args=arguments, train_dataset=passes, data_collator=trainers.collate)
    trainer.train()
    targets = sum(item.targets for item in items)
    moved = {name: before[name] - p.detach() for name, p in model.named_parameters() if name in expected}
    assert_equal((0.0, moved), (0.0, {name: gradient / targets for name, gradient in expected.items()}))


@exact
@given(items=conversations(), window=st.sampled_from([0, 9]))
def test_the_mask_for_other_devices_is_the_same_attention(items: list[Encoded], window: int) -> None:
    pack = lay_out(items)
    layout = Layout(pack.segments, 3)
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(layout.tokens, heads, 8, generator=generator, dtype=torch.float64) for heads in (4, 2, 2))
    attended = _TreeAttention.apply(query, key, value, layout, 0.3, window)
    by_head = (states.transpose(0, 1)[None] for states in (query, key, value))
    mask = layout.mask(window, torch.device("cpu"))
    other = flex_attention(*by_head, block_mask=mask, scale=0.3, enable_gqa=True)[0].transpose(0, 1)
    assert torch.allclose(attended, other, atol=1e-9)


def test_target_losses_are_in_order_and_sum_to_the_loss() -> None:
    model = make("llama", "full")
    items = [Encoded((1, 2, 3, 4, 5), (False, False, False, True, True)), Encoded((1, 2, 9, 8), (False, False, False, True))]
    first, second = (plain_losses(model, item).item() for item in items)
    losses = target_losses(make_ours(model), lay_out(items)).tolist()
    assert sum(losses[:2]) == pytest.approx(first, rel=TOLERANCE)
    assert losses[2] == pytest.approx(second, rel=TOLERANCE)


def test_layers_of_another_kind_keep_their_own_forward() -> None:
    """DoRA is not plain LoRA: it must go through peft's own code, and still train exactly."""
    items = [Encoded((1, 2, 3, 4, 5), (False, False, True, True, True))]
    made = []
    for _ in range(2):
        model = make("llama", "full", torch.float64)
        settings_ = LoraConfig(r=3, target_modules=["q_proj", "gate_proj"], use_dora=True, init_lora_weights=False)
        torch.manual_seed(2)
        made.append(get_peft_model(model, settings_).double())
    assert_equal(ours(made[0], items), plain(made[1], items))


def test_reference_losses_are_kept_and_read_again(tmp_path: Path) -> None:
    groups: list[Group] = [
        (Encoded((1, 2, 3, n), (False, False, True, True)), Encoded((1, 2, 4, n), (False, False, True, True))) for n in range(5)
    ]
    model = make("llama", "lora")
    with torch.no_grad(), model.disable_adapter():
        expected = [tuple(plain_losses(model, item).item() for item in pair) for pair in groups]
    assert len(plan_bins(groups, 8, 1, 0)) > 1
    first = reference_losses(make_ours(model), groups, 8, tmp_path / "kept.json", model.disable_adapter(), silent)
    assert [value for pair in first for value in pair] == pytest.approx([value for pair in expected for value in pair], rel=1e-5)
    assert reference_losses(None, groups, 8, tmp_path / "kept.json", nullcontext(), silent) == first

"""A tuned model in the forms of other programs, and the proof that each is still the same model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from fakes import CHATML, make_tiny_model
from gguf import GGMLQuantizationType as Type
from hypothesis import given
from hypothesis import strategies as st

from tailorbird import engine
from tailorbird.engine import catalogue, ollama, parity
from tailorbird.engine.quantizing import quantized, type_of
from tailorbird.errors import ModelError
from tailorbird.progress import silent
from tailorbird.replier import Message

SYSTEM = "You are the assistant of a shop."
QUESTIONS = ("How long do returns take?", "Wash silk at 20 °C?", "What is £4.20 + £6.90?", "Hallo, wie geht es?", "size 14")


def chats(count: int) -> list[list[Message]]:
    asked = [f"{QUESTIONS[n % len(QUESTIONS)]} ({n})" for n in range(count)]
    return [[{"role": "system", "content": SYSTEM}, {"role": "user", "content": one}] for one in asked]


# --- formats of weights -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Type.Q8_0, Type.Q5_0, Type.Q4_0])
def test_ggmls_own_routine_writes_what_the_format_says(kind: Type) -> None:
    weight = np.random.default_rng(1).normal(0, 0.05, (16, 512)).astype(np.float32)
    assert np.array_equal(quantized(weight, kind), gguf.quants.quantize(weight, kind))


@pytest.mark.parametrize(("kind", "error"), [(Type.F16, 0.0005), (Type.Q8_0, 0.01), (Type.Q6_K, 0.03), (Type.Q4_K, 0.1)])
def test_weights_come_back_as_nearly_as_the_format_allows(kind: Type, error: float) -> None:
    weight = np.random.default_rng(2).normal(0, 0.05, (32, 512)).astype(np.float32)
    again = gguf.dequantize(quantized(weight, kind), kind).reshape(weight.shape)
    assert np.abs(again - weight).mean() / np.abs(weight).mean() < error


def test_the_mixture_gives_more_bits_where_they_matter() -> None:
    kinds = {
        (part, layer): type_of(f"blk.{layer}.{part}.weight", (256, 512), "Q4_K_M", 32, tied=True)
        for part in ("attn_v", "ffn_down", "attn_q")
        for layer in range(32)
    }
    assert [layer for layer in range(32) if kinds["ffn_down", layer] == Type.Q6_K] == [
        0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31
    ]  # fmt: skip
    assert kinds["attn_v", 6] == Type.Q6_K
    assert {kinds["attn_q", layer] for layer in range(32)} == {Type.Q4_K}
    assert type_of("token_embd.weight", (9, 256), "Q4_K_M", 32, tied=True) == Type.Q6_K
    assert type_of("token_embd.weight", (9, 256), "Q4_K_M", 32, tied=False) == Type.Q4_K
    assert type_of("blk.5.attn_q.weight", (9, 576), "Q4_K_M", 32, tied=True) == Type.Q5_0, "576 is no multiple of 256"
    assert type_of("blk.5.attn_norm.weight", (576,), "Q8_0", 32, tied=True) == Type.F32


# --- Ollama -----------------------------------------------------------------------------------------------------------


def go(template: str, messages: list[Message]) -> str:
    """What Go's text/template makes of a template that has a range over messages and a choice by role, as ours has."""
    body, _, answer = template.removeprefix("{{- range .Messages }}").partition("{{ end }}{{ end }}")
    cases = {}
    for case in body.removeprefix("{{ ").split("{{ else "):
        head, _, text = case.partition(" }}")
        cases[head.removeprefix('if eq .Role "').removesuffix('"')] = text
    return "".join(cases[m["role"]].replace("{{ .Content }}", m["content"]) for m in messages) + answer


said = st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text("ab £\n{}", min_size=1)), max_size=6)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


@given(said=said)
def test_ollamas_template_writes_what_the_models_own_does(tiny: Path, said: list[tuple[Any, str]]) -> None:
    from jinja2 import Template

    messages: list[Message] = [{"role": role, "content": text} for role, text in [("system", SYSTEM), *said]]
    told = ollama.frame(tiny)
    whole = Template(CHATML).render(messages=messages, add_generation_prompt=True)
    assert told.rendered(messages) == whole == go(told.template, messages)
    assert set(told.stops) == {"<|im_start|>", "<|im_end|>"}


def test_a_template_that_depends_on_more_than_the_role_has_no_modelfile(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "odd")
    odd = CHATML.replace("message['role'] + '\n'", "message['role'] + loop.index|string + '\n'")
    (tmp_path / "odd" / "chat_template.jinja").write_text(odd)
    with pytest.raises(ModelError, match="no form that Ollama knows"):
        ollama.frame(tmp_path / "odd")


def test_a_modelfile_holds_no_three_quotes(tiny: Path) -> None:
    with pytest.raises(ModelError, match="three quotes"):
        ollama.modelfile("x.gguf", ollama.frame(tiny), 'Say """hello""".')


# --- what can be had --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "cannot"),
    [
        ({"peft_type": "LORA"}, set()),
        ({"peft_type": "LORA", "use_dora": True}, {"adapter"}),
        ({"peft_type": "PREFIX_TUNING"}, {"merged", "F16", "Q8_0", "Q4_K_M", "adapter", "ollama"}),
        (None, {"peft", "adapter"}),
    ],
)
def test_each_way_of_tuning_says_what_it_cannot_be(tmp_path: Path, settings: dict[str, Any] | None, cannot: set[str]) -> None:
    base, tuned = tmp_path / "base", tmp_path / "tuned"
    for folder in (base, tuned):
        folder.mkdir()
    (base / "serving.gguf").touch()
    (tuned / ("config.json" if settings is None else "adapter_config.json")).write_text(json.dumps(settings or {}))
    known = engine.export_forms(base, tuned)
    assert {form for form, why in known.items() if why} == cannot
    (base / "serving.gguf").unlink()
    assert "GGUF" in engine.export_forms(base, tuned)["Q8_0"] or cannot > {"merged"}


# --- the real model ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> engine.Exported:
    """The default model under a random adapter that changes what it says."""
    import torch

    from tailorbird.engine.adapters import add_lora
    from tailorbird.engine.loading import load_base

    base, folder = engine.locate(catalogue.DEFAULT, silent), tmp_path_factory.mktemp("tuned")
    adapted = add_lora(load_base(base, packed=False, precise=True), 8, 16, 3)
    torch.manual_seed(3)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.01)
    adapted.save_pretrained(folder)
    return engine.Exported(catalogue.DEFAULT, base, folder, "shop-v1", SYSTEM)


@pytest.mark.slow
def test_every_form_is_the_model_that_was_trained(tuned: engine.Exported, tmp_path: Path) -> None:
    forms = ["peft", "merged", "F16", "Q8_0", "Q4_K_M", "adapter", "ollama"]
    found = {one.form: one for one in engine.export(tuned, forms, chats(5), tmp_path, silent)}
    print("\n" + "\n".join(one.words for one in found.values()))
    assert set(found) == set(forms) - {"ollama"}
    assert all(one.holds and one.same_tokens == 5 for one in found.values())
    assert found["peft"].same_answers == found["merged"].same_answers == 5
    sizes = {path.stem.partition("-v1-")[2]: path.stat().st_size for path in (tmp_path / "gguf").glob("*.gguf")}
    assert sizes["lora"] < sizes["Q4_K_M"] < sizes["Q8_0"] < sizes["F16"]
    assert json.loads((tmp_path / "peft" / "adapter_config.json").read_text())["base_model_name_or_path"] == catalogue.DEFAULT
    assert "FROM ./shop-v1-Q8_0.gguf" in (tmp_path / "gguf" / "Modelfile").read_text()
    assert not (tmp_path / ".work").exists()


@pytest.mark.slow
def test_a_form_that_is_another_model_is_refused(tuned: engine.Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake that converters make: rotary halves in the wrong order."""
    from tailorbird.engine import gguf_files

    monkeypatch.setattr(gguf_files, "permute", lambda weight, heads: weight)
    with pytest.raises(ModelError, match="not the model that was trained"):
        engine.export(tuned, ["adapter"], chats(4), tmp_path, silent)


@pytest.mark.slow
def test_another_chat_template_is_noticed(tuned: engine.Exported, tmp_path: Path) -> None:
    """Answers may be alike by chance, the tokens that the model is asked with are not."""
    base = tmp_path / "base"
    shutil.copytree(tuned.base, base)
    template = (base / "chat_template.jinja").read_text()
    (base / "chat_template.jinja").write_text(template.replace("<|im_end|>' + '\n'", "<|im_end|>'"))
    with pytest.raises(ModelError, match="the same tokens for 0 of 4"):
        engine.export(tuned._replace(base=base), ["F16"], chats(4), tmp_path / "out", silent)


def test_parity_counts_what_differs() -> None:
    reference = parity.Reference(chats(3), [[1], [2], [3]], [
        parity.Written([5, 6], [{5: -0.1, 7: -2.4}, {6: -0.2, 8: -0.21}]),
        parity.Written([5, 6], [{5: -0.1, 7: -2.4}, {6: -0.2, 8: -0.21}]),
        parity.Written([5], [{5: -0.1, 7: -2.4}]),
    ])  # fmt: skip
    answers = [
        parity.Written([5, 6], [{5: -0.1}, {6: -0.2}]),
        parity.Written([5, 8], [{5: -0.12}, {8: -0.2, 6: -0.22}]),
        parity.Written([5], [{5: -0.14}]),
    ]
    found = parity._compared("F16", reference, [[1], [2], [9]], answers)
    assert (found.same_tokens, found.same_answers) == (2, 2)
    assert found.worst_difference == pytest.approx(0.04)
    assert found.closest == pytest.approx(0.01), "as good as tied"
    assert not found.holds, "the third chat has other tokens"

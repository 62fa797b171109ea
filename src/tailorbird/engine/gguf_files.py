"""Reads and writes GGUF files: the pip-shipped base model in, serving files, adapters and whole tuned models out.

Llama-shaped models only, as the pip-shipped one is.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from tailorbird.engine.quantizing import FILE_TYPES, Precision, quantized, type_of
from tailorbird.errors import ModelError
from tailorbird.progress import Progress

# llama.cpp's names of a layer's tensors, and transformers'.
_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def unpack(source: Path, folder: Path, progress: Progress) -> None:
    """Writes the GGUF `source` as a transformers folder plus `serving.gguf` (F16), from the same dequantised weights."""
    reader = gguf.GGUFReader(source)
    facts = {name: field.contents() for name, field in reader.fields.items()}
    if facts.get("general.architecture") != "llama":
        raise ModelError(f"{source.name} is a {facts.get('general.architecture')} model; only llama can be unpacked.")
    heads, kv_heads = facts["llama.attention.head_count"], facts["llama.attention.head_count_kv"]
    writer = gguf.GGUFWriter(folder / "serving.gguf", "llama")
    _copy_facts(reader, writer)
    weights: dict[str, np.ndarray] = {}
    with progress("Unpacking the base model", len(reader.tensors)) as advance:
        for tensor in reader.tensors:
            shape = [int(size) for size in reversed(tensor.shape)]
            full = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(shape)
            half = full.astype(np.float16)
            writer.add_tensor(tensor.name, half if full.ndim > 1 else full)
            if ".attn_q." in tensor.name:
                half = unpermute(half, heads)
            elif ".attn_k." in tensor.name:
                half = unpermute(half, kv_heads)
            weights[_transformers_name(tensor.name)] = np.ascontiguousarray(half)
            advance(1)
    _finish(writer)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tied = "lm_head.weight" not in weights
    (folder / "config.json").write_text(json.dumps(_config(facts, tied), indent=1), encoding="utf-8")
    _write_tokenizer(facts, folder)


def _finish(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _copy_facts(reader: Any, writer: Any, precision: Precision = "F16") -> None:
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        writer.add_key_value(name, field.contents(), kind, field.types[-1] if len(field.types) > 1 else None)
    writer.add_file_type(FILE_TYPES[precision])


def _transformers_name(name: str) -> str:
    stem, _, kind = name.rpartition(".")
    if stem in _TOP:
        return f"{_TOP[stem]}.{kind}"
    _, layer, part = stem.split(".")
    return f"model.layers.{layer}.{_LAYER[part]}.{kind}"


def unpermute(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rotary halves from llama.cpp's interleaved order [out, in] to transformers' order."""
    rows = weight.shape[0]
    return weight.reshape(heads, rows // heads // 2, 2, -1).swapaxes(1, 2).reshape(weight.shape)


def permute(weight: np.ndarray, heads: int) -> np.ndarray:
    """The inverse of `unpermute`."""
    rows = weight.shape[0]
    return weight.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def _config(facts: dict[str, Any], tied: bool) -> dict[str, Any]:
    width, heads = facts["llama.embedding_length"], facts["llama.attention.head_count"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float16",
        "hidden_size": width,
        "intermediate_size": facts["llama.feed_forward_length"],
        "num_hidden_layers": facts["llama.block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": facts["llama.attention.head_count_kv"],
        "head_dim": width // heads,
        "hidden_act": "silu",
        "max_position_embeddings": facts["llama.context_length"],
        "rms_norm_eps": facts["llama.attention.layer_norm_rms_epsilon"],
        "rope_parameters": {"rope_theta": facts["llama.rope.freq_base"], "rope_type": "default"},
        "tie_word_embeddings": tied,
        "vocab_size": facts["llama.vocab_size"],
        "bos_token_id": facts["tokenizer.ggml.bos_token_id"],
        "eos_token_id": facts["tokenizer.ggml.eos_token_id"],
        "pad_token_id": facts["tokenizer.ggml.padding_token_id"],
    }


def _write_tokenizer(facts: dict[str, Any], folder: Path) -> None:
    """A byte-level BPE tokenizer equal to llama.cpp's "smollm" pre-tokenizer: digits stand alone, then GPT-2's rule."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    if facts["tokenizer.ggml.pre"] != "smollm":
        raise ModelError(f"The tokenizer kind {facts['tokenizer.ggml.pre']} of this GGUF file is not known.")
    words: list[str] = facts["tokenizer.ggml.tokens"]
    merges = [tuple(pair.split(" ", 1)) for pair in facts["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [w for w, kind in zip(words, facts["tokenizer.ggml.token_type"], strict=True) if kind == gguf.TokenType.CONTROL]
    tokenizer.add_special_tokens([AddedToken(word, normalized=False, special=True) for word in control])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": words[facts["tokenizer.ggml.bos_token_id"]],
        "eos_token": words[facts["tokenizer.ggml.eos_token_id"]],
        "pad_token": words[facts["tokenizer.ggml.padding_token_id"]],
        "unk_token": words[facts["tokenizer.ggml.unknown_token_id"]],
        "clean_up_tokenization_spaces": False,
        "model_max_length": facts["llama.context_length"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(names, indent=1), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(facts["tokenizer.chat_template"], encoding="utf-8")


def write_model(tuned: Path, base: Path, target: Path, precision: Precision = "F16") -> None:
    """Writes the whole model in the transformers folder `tuned` as GGUF, with its base model's facts."""
    reader = gguf.GGUFReader(base / "serving.gguf")
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    heads = {".attn_q.": config["num_attention_heads"], ".attn_k.": config["num_key_value_heads"]}
    layers, tied = config["num_hidden_layers"], config["tie_word_embeddings"]
    writer = gguf.GGUFWriter(target, "llama")
    _copy_facts(reader, writer, precision)
    with safe_open(tuned / "model.safetensors", "pt") as tensors:  # numpy has no bfloat16
        for tensor in reader.tensors:
            weight = tensors.get_tensor(_transformers_name(tensor.name)).float().numpy()
            for part, count in heads.items():
                if part in tensor.name:
                    weight = np.ascontiguousarray(permute(weight, count))
            kind = type_of(tensor.name, weight.shape, precision, layers, tied)
            writer.add_tensor(tensor.name, quantized(weight, kind), raw_dtype=kind)
    _finish(writer)


def write_adapter(adapter: Path, base: Path, target: Path) -> None:
    """Writes the PEFT LoRA folder `adapter` as a GGUF adapter for the llama-shaped model in `base`."""
    settings = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    names = {theirs: ours for ours, theirs in _LAYER.items()}
    writer = gguf.GGUFWriter(target, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    # llama.cpp scales by alpha / rank, rsLoRA by alpha / root of the rank
    alpha = settings["lora_alpha"] * (math.sqrt(settings["r"]) if settings.get("use_rslora") else 1.0)
    writer.add_float32("adapter.lora.alpha", float(alpha))
    with safe_open(adapter / "adapter_model.safetensors", "numpy") as tensors:
        for name in tensors.keys():  # noqa: SIM118 (not a dict)
            module, _, side = name.removeprefix("base_model.model.model.layers.").removesuffix(".weight").rpartition(".")
            layer, _, part = module.partition(".")
            weight = tensors.get_tensor(name).astype(np.float32)
            last = part.rpartition(".")[2]
            if side == "lora_B" and last in heads:
                weight = np.ascontiguousarray(permute(weight, heads[last]))
            writer.add_tensor(f"blk.{layer}.{names[part]}.weight.{side.lower()}", weight)
    _finish(writer)

"""Writes a tuned model in the forms that other programs take, and proves that each is still the same model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from tailorbird.engine import gguf_files, ollama, parity
from tailorbird.engine.loading import copy_tokenizer, is_whole_model, load_base, save_tuned, use_all_cores
from tailorbird.engine.memory import release_memory
from tailorbird.engine.parity import Reference
from tailorbird.engine.quantizing import Precision
from tailorbird.engine.run import Exported, Parity
from tailorbird.errors import ModelError
from tailorbird.progress import Progress
from tailorbird.replier import Message

_FILES: tuple[Precision, ...] = ("F16", "Q8_0", "Q4_K_M")
_PACKED = ("Q8_0", "F16", "Q4_K_M")  # what Ollama is given, the first that there is
_ADAPTER = "adapter"
_STEPS = 3  # of the progress bar, for a form


def possible(base: Path, tuned: Path) -> dict[str, str]:
    """Every form, with why it cannot be written, or nothing."""
    soft, method = False, "full"
    if not is_whole_model(tuned):
        settings = json.loads((tuned / "adapter_config.json").read_text(encoding="utf-8"))
        soft = settings["peft_type"] != "LORA"
        method = "soft" if soft else "dora" if settings.get("use_dora") else "lora"
    merged = "a soft prompt is no change of weights, so there is nothing to merge" if soft else ""
    shaped = (base / "serving.gguf").is_file()
    packed = merged or ("" if shaped else "GGUF is written for models that came as GGUF; convert the merged form with llama.cpp")
    return {
        "peft": "all weights were tuned, so there is no adapter" if method == "full" else "",
        "merged": merged,
        **dict.fromkeys(_FILES, packed),
        _ADAPTER: packed or {"full": "all weights were tuned", "dora": "llama.cpp knows no DoRA"}.get(method, ""),
        "ollama": packed,
    }


def export(
    told: Exported, forms: Sequence[str], chats: Sequence[list[Message]], folder: Path, progress: Progress
) -> list[Parity]:
    """Writes the forms into `folder`, each with a place of its own, and compares each with the model as it was trained.

    Raises ModelError for a form that this model has not, or that turned out to be another model.
    """
    cannot = possible(told.base, told.tuned)
    for form in forms:
        if cannot[form]:
            raise ModelError(f"This model has no form {form}: {cannot[form]}.", fix=f"It has {', '.join(_can(cannot))}.")
    use_all_cores()
    work = folder / ".work"
    found: list[Parity] = []
    with progress("Exporting and comparing", len(chats) + _STEPS * len(forms)) as advance:
        reference = parity.refer(_trained(told), told.base, chats, advance)
        release_memory()
        for made in _made(told, forms, folder, work, reference):
            found.append(made)
            if not made.holds:
                raise ModelError(
                    f"The export is not the model that was trained. {made.words}.", fix="Please report this; it was not kept."
                )
            advance(_STEPS)
    shutil.rmtree(work, ignore_errors=True)
    return found


def _can(cannot: dict[str, str]) -> list[str]:
    return [form for form, why in cannot.items() if not why]


def _trained(told: Exported) -> Any:
    """The model as it was trained, in float32."""
    if is_whole_model(told.tuned):
        return load_base(told.tuned, packed=False, precise=True).eval()
    return PeftModel.from_pretrained(load_base(told.base, packed=False, precise=True), told.tuned).eval()


def _made(told: Exported, forms: Sequence[str], folder: Path, work: Path, reference: Reference) -> Iterator[Parity]:
    """Writes one form after the other; yields how each compares."""
    if "peft" in forms:
        yield _peft(told, folder / "peft", reference)
    whole = [form for form in forms if form in ("merged", *_FILES)]
    if whole or "ollama" in forms:
        merged = folder / "merged" if "merged" in forms else work / "merged"
        _merge(told, merged)
        if "merged" in forms:
            yield parity.of_folder(_opened(merged), merged, "merged", reference)
    files = folder / "gguf"
    wanted = [form for form in _FILES if form in forms]
    for form in wanted or (["Q8_0"] if "ollama" in forms else []):
        files.mkdir(parents=True, exist_ok=True)
        target = files / f"{told.name}-{form}.gguf"
        gguf_files.write_model(merged, told.base, target, form)
        yield parity.of_file(target, None, form, reference)
    if _ADAPTER in forms:
        files.mkdir(parents=True, exist_ok=True)
        target = files / f"{told.name}-lora.gguf"
        gguf_files.write_adapter(told.tuned, told.base, target)
        yield parity.of_file(told.base / "serving.gguf", target, _ADAPTER, reference)
    if "ollama" in forms:
        _modelfile(told, files, reference)
    release_memory()


def _peft(told: Exported, folder: Path, reference: Reference) -> Parity:
    """The adapter as PEFT and vLLM take it, without what only tailorbird reads."""
    folder.mkdir(parents=True)
    shutil.copy(told.tuned / "adapter_model.safetensors", folder)
    settings = json.loads((told.tuned / "adapter_config.json").read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = told.model  # and not this machine's folder
    (folder / "adapter_config.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")
    copy_tokenizer(told.base, folder)
    model = PeftModel.from_pretrained(load_base(told.base, packed=False, precise=True), folder).eval()
    return parity.of_folder(model, folder, "peft", reference)


def _merge(told: Exported, folder: Path) -> None:
    """The whole model with the adapter's change added to its weights, in the base model's own precision."""
    folder.mkdir(parents=True)
    model = _trained(told)
    stored = json.loads((told.base / "config.json").read_text(encoding="utf-8"))
    if isinstance(model, PeftModel):
        model = model.merge_and_unload(safe_merge=True)
    model.to(getattr(torch, stored.get("dtype") or stored.get("torch_dtype") or "float32"))
    save_tuned(model, told.base, folder)


def _opened(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def _modelfile(told: Exported, files: Path, reference: Reference) -> None:
    """The Modelfile; raises ModelError where its template gives other tokens than the model was trained with."""
    model = next(path for form in _PACKED if (path := files / f"{told.name}-{form}.gguf").is_file())
    frame = ollama.frame(told.base)
    if parity.tokens_of(model, [frame.rendered(chat) for chat in reference.chats]) != reference.prompts:
        raise ModelError(
            "The Modelfile's template gives other tokens than the model was trained with.", fix="Please report this."
        )
    (files / "Modelfile").write_text(ollama.modelfile(model.name, frame, told.system_prompt), encoding="utf-8")

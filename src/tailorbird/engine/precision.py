"""Whether this machine computes in bfloat16. Imports torch and nothing else."""

from __future__ import annotations

import torch


def mixed_precision() -> bool:
    """Whether this machine multiplies bfloat16 in hardware."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())

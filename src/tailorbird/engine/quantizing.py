"""Quantises weights to llama.cpp's formats with ggml's own routine, in the mixture that llama.cpp calls Q4_K_M."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Literal

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

Precision = Literal["F16", "Q8_0", "Q4_K_M"]
FILE_TYPES: dict[Precision, int] = {
    "F16": gguf.LlamaFileType.MOSTLY_F16, "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0, "Q4_K_M": gguf.LlamaFileType.MOSTLY_Q4_K_M,
}  # fmt: skip
_SUPERBLOCK = 256  # numbers that k-quants scale together; rows of another width get the plain format beside it
_PLAIN = {Type.Q4_K: Type.Q5_0, Type.Q6_K: Type.Q8_0}


def type_of(name: str, shape: tuple[int, ...], precision: Precision, layers: int, tied: bool) -> Type:
    """The format of a tensor by its GGUF name; norms stay F32.

    Q4_K_M gives six bits to what answers are read off (the output, or the embedding where they are tied), and to the values and
    down projections of layers at the ends and of every third between (llama.cpp, `llama_tensor_get_type`).
    """
    if len(shape) == 1:
        return Type.F32
    if precision != "Q4_K_M":
        return Type[precision]
    kind = Type.Q6_K if _matters(name, layers, tied) else Type.Q4_K
    return kind if shape[-1] % _SUPERBLOCK == 0 else _PLAIN[kind]


def _matters(name: str, layers: int, tied: bool) -> bool:
    if name in ("output.weight", "token_embd.weight"):
        return tied or name == "output.weight"
    _, layer, part = name.removesuffix(".weight").split(".")
    place, eighth = int(layer), layers // 8
    outer = place < eighth or place >= 7 * layers // 8 or (place - eighth) % 3 == 2
    return outer and part in ("attn_v", "ffn_down")


def quantized(weight: np.ndarray, kind: Type) -> np.ndarray:
    """A float32 matrix [rows, columns] in a format: as numbers for F16 and F32, else as bytes [rows, bytes of a row]."""
    if kind in (Type.F16, Type.F32):
        return weight.astype(np.float16 if kind == Type.F16 else np.float32)
    rows, columns = weight.shape
    block, size = gguf.GGML_QUANT_SIZES[kind]
    source = np.ascontiguousarray(weight, dtype=np.float32)
    target = np.empty((rows, columns // block * size), dtype=np.uint8)
    written = _routine()(kind, source.ctypes.data, target.ctypes.data, 0, rows, columns, None)
    assert written == target.nbytes
    return target


@cache
def _routine() -> Any:
    """`ggml_quantize_chunk` out of the library that serves: type, source, target, first number, rows, columns, importances."""
    import xllamacpp.xllamacpp

    found = ctypes.CDLL(xllamacpp.xllamacpp.__file__).ggml_quantize_chunk
    found.restype = ctypes.c_size_t
    found.argtypes = [ctypes.c_int, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 3, ctypes.c_void_p]
    return found

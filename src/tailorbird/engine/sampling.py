"""Writes answers to many prompts at once: draws for a model that is being trained, the likeliest words for one that is tested.

Knows nothing about rewards. One answer at a time, to customers, is transformers_replier's and llama_cpp's work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer

from tailorbird.engine import kernels
from tailorbird.engine.chat import ChatEncoder
from tailorbird.engine.loading import use_all_cores

Choose = Callable[[torch.Tensor], torch.Tensor]
"""From scores [N, vocabulary] the next tokens [N, 1]."""
_ROOM = 64  # tokens by which the memory of what was read grows
_ENOUGH = 16  # rows of one token: products large enough for all cores
_ROWS = 32  # answers that are written together
_AT_ONCE = 16_384  # tokens that may be read together


def sample(model: Any, encoder: ChatEncoder, prompts: Sequence[list[int]], copies: int, longest: int) -> list[list[int]]:
    """`copies` answers to each prompt, drawn at temperature 1 and ended by an end token or after `longest` tokens.

    A prompt is read once for all its answers. Draws come from torch's generator: seed it for the same answers again.
    """
    answers: list[list[int]] = _written(model, encoder, prompts, copies, longest, _drawn)
    return answers


def likeliest_answers(
    model: Any, encoder: ChatEncoder, prompts: Sequence[list[int]], longest: int
) -> Iterator[tuple[int, list[int]]]:
    """The greedy answer to each prompt, with the prompt's number: prompts of like length together, the longest first."""
    waiting = sorted(range(len(prompts)), key=lambda number: -len(prompts[number]))
    while waiting:
        count = max(1, min(_ROWS, _AT_ONCE // len(prompts[waiting[0]])))
        chosen, waiting = waiting[:count], waiting[count:]
        told = [prompts[number] for number in chosen]
        yield from zip(chosen, _written(model, encoder, told, 1, longest, _likeliest), strict=True)


def _likeliest(scores: torch.Tensor) -> torch.Tensor:
    return scores.argmax(-1, keepdim=True)


def _drawn(scores: torch.Tensor) -> torch.Tensor:
    return torch.multinomial(scores.float().softmax(-1), 1)


@torch.no_grad()  # type: ignore[untyped-decorator]
def _written(
    model: Any, encoder: ChatEncoder, prompts: Sequence[list[int]], copies: int, longest: int, choose: Choose
) -> list[list[int]]:
    """Answers in the order of the prompts, each with its end token if it has one; rows that have ended leave the batch."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    decoder, head = base.get_decoder(), base.get_output_embeddings()
    width = max(map(len, prompts))
    filler = next(iter(encoder.end_tokens))
    ids = torch.tensor([[filler] * (width - len(prompt)) + prompt for prompt in prompts], device=head.weight.device)
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=ids.device)
    ends = torch.tensor(sorted(encoder.end_tokens), device=ids.device)
    cache = _growing(DynamicCache(config=base.config))
    written: list[list[int]] = [[] for _ in range(copies * len(prompts))]
    with _attention(model, "sdpa"):
        places = (mask.cumsum(1) - 1).clamp_min(0)
        states = decoder(input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(copies)
        last, mask = (one.repeat_interleave(copies, 0) for one in (states.last_hidden_state[:, -1], mask))
        place, rows = mask.sum(1, keepdim=True), torch.arange(len(mask), device=mask.device)
        with _one_core() if len(rows) < _ENOUGH else nullcontext():
            for number in range(longest):
                drawn = choose(head(last))
                for row, token in zip(rows.tolist(), drawn[:, 0].tolist(), strict=True):
                    written[row].append(token)
                going = (~torch.isin(drawn[:, 0], ends)).nonzero()[:, 0]
                if not len(going) or number + 1 == longest:
                    break
                if len(going) < len(rows):
                    cache.batch_select_indices(going)
                    drawn, mask, place, rows = (one[going] for one in (drawn, mask, place, rows))
                mask = torch.cat([mask, torch.ones_like(drawn)], 1)
                states = decoder(input_ids=drawn, attention_mask=mask, position_ids=place, past_key_values=cache, use_cache=True)
                last, place = states.last_hidden_state[:, -1], place + 1
    return written


class _Growing(DynamicLayer):  # type: ignore[misc]
    """Keys and values of a layer in memory with room for more, which transformers' own copies at every token."""

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> Any:
        """Adds states [rows, heads, tokens, D] and returns all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
            self._memory = [self.keys, self.values]
        held, count = self.keys.shape[2], key_states.shape[2]
        for number, (known, new) in enumerate(((self.keys, key_states), (self.values, value_states))):
            if known.data_ptr() != self._memory[number].data_ptr() or held + count > self._memory[number].shape[2]:
                self._memory[number] = new.new_empty(*new.shape[:2], held + count + _ROOM, new.shape[3])
                self._memory[number][:, :, :held] = known
            self._memory[number][:, :, held : held + count] = new
        self.keys, self.values = (memory[:, :, : held + count] for memory in self._memory)
        return self.keys, self.values


def _growing(cache: DynamicCache) -> DynamicCache:
    """Sliding windows keep their own layers, which forget."""
    cache.layers = [_Growing() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


@contextmanager
def _attention(model: Any, name: str) -> Iterator[None]:
    """Another attention for a while: the packed one keeps no cache."""
    usual = model.config._attn_implementation
    model.set_attn_implementation(name)
    try:
        yield
    finally:
        model.set_attn_implementation(usual)


@contextmanager
def _one_core() -> Iterator[None]:
    """One thread for a while: a few tokens' products are too small for more, which wait for each other beside a busy process."""
    torch.set_num_threads(1)
    kernels.use_threads(1)
    try:
        yield
    finally:
        use_all_cores()

"""Writes answers to many prompts at once with a model that is being trained.

Knows nothing about rewards. One answer at a time, to customers, is transformers_replier's and llama_cpp's work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import DynamicCache

from tailorbird.engine import kernels
from tailorbird.engine.chat import ChatEncoder
from tailorbird.engine.loading import use_all_cores


@torch.no_grad()  # type: ignore[untyped-decorator]
def sample(model: Any, encoder: ChatEncoder, prompts: Sequence[list[int]], copies: int, longest: int) -> list[list[int]]:
    """`copies` answers to each prompt, drawn at temperature 1 and ended by an end token or after `longest` tokens.

    A prompt is read once for all its answers. Draws come from torch's generator: seed it for the same answers again.
    """
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    decoder, head = base.get_decoder(), base.get_output_embeddings()
    width = max(map(len, prompts))
    filler = next(iter(encoder.end_tokens))
    ids = torch.tensor([[filler] * (width - len(prompt)) + prompt for prompt in prompts], device=head.weight.device)
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=ids.device)
    ends = torch.tensor(sorted(encoder.end_tokens), device=ids.device)
    cache = DynamicCache(config=base.config)
    written: list[torch.Tensor] = []
    with _attention(model, "sdpa"):
        places = (mask.cumsum(1) - 1).clamp_min(0)
        states = decoder(input_ids=ids, attention_mask=mask, position_ids=places, past_key_values=cache, use_cache=True)
        cache.batch_repeat_interleave(copies)
        last, mask = (one.repeat_interleave(copies, 0) for one in (states.last_hidden_state[:, -1], mask))
        place = mask.sum(1, keepdim=True)
        ended = torch.zeros(len(last), dtype=torch.bool, device=ids.device)
        with _one_core():
            while len(written) < longest:
                drawn = torch.multinomial(head(last).float().softmax(-1), 1)
                written.append(drawn)
                ended |= torch.isin(drawn[:, 0], ends)
                if ended.all() or len(written) == longest:
                    break
                mask = torch.cat([mask, torch.ones_like(drawn)], 1)
                states = decoder(input_ids=drawn, attention_mask=mask, position_ids=place, past_key_values=cache, use_cache=True)
                last, place = states.last_hidden_state[:, -1], place + 1
    return [_to_end(row, encoder.end_tokens) for row in torch.cat(written, 1).tolist()]


def _to_end(ids: list[int], ends: frozenset[int]) -> list[int]:
    """The answer up to its first end token, included."""
    return ids[: next((place + 1 for place, token in enumerate(ids) if token in ends), len(ids))]


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
    """One thread for a while: a token's products are too small for more, which wait for each other beside a busy process."""
    torch.set_num_threads(1)
    kernels.use_threads(1)
    try:
        yield
    finally:
        use_all_cores()

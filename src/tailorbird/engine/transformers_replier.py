"""Answers through transformers: for models that have no llama.cpp file here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import TextIteratorStreamer

from tailorbird.engine.adapters import load_adapter
from tailorbird.engine.chat import ChatEncoder
from tailorbird.engine.choices import Tokens, likeliest
from tailorbird.engine.loading import load_base
from tailorbird.errors import InputError, ModelError
from tailorbird.replier import Message, ReplyOptions, ReplyPiece


class TransformersReplier:
    """A model from a transformers folder, with a PEFT adapter or without."""

    parallel = 1

    def __init__(self, name: str, base: Path, adapter: Path | None = None) -> None:
        self.name = name
        self._encoder = ChatEncoder(base)
        model = load_base(base, packed=False)
        self._model: Any = (load_adapter(model, adapter) if adapter else model).eval()
        self._one_at_a_time = threading.Lock()

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """Yields the reply as it is written; raises InputError for a JSON schema or log-probabilities."""
        if options.json_schema or options.logprobs is not None:
            raise InputError(
                f"{self.name} is served through transformers, which gives neither JSON of a schema nor log-probabilities here.",
                fix="Ask for plain text, or release a model with a GGUF form: LoRA or all weights of the default base model.",
            )
        if options.prior:
            with self._one_at_a_time:
                yield self._likeliest(messages, options)
            return
        tokenizer = self._encoder.tokenizer
        prompt = self._encoder.prompt(messages)
        streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
        written: list[int] = []
        failed: list[Exception] = []
        sampling: dict[str, Any] = {"do_sample": False}
        if options.temperature > 0:
            sampling = {"do_sample": True, "temperature": options.temperature, "top_p": options.top_p}
        if options.stop:
            sampling |= {"stop_strings": list(options.stop), "tokenizer": tokenizer}
        if options.choices:
            sampling["prefix_allowed_tokens_fn"] = self._one_of(options.choices, len(prompt))

        def work() -> None:
            try:
                if options.seed is not None:
                    torch.manual_seed(options.seed)
                ids = torch.tensor([prompt], device=self._model.device)
                out = self._model.generate(
                    input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=options.max_tokens,
                    pad_token_id=tokenizer.pad_token_id, streamer=streamer, **sampling,
                )  # fmt: skip
                written.extend(out[0, len(prompt) :].tolist())
            except Exception as problem:  # must reach the reader, whatever it is
                failed.append(problem)
                streamer.end()

        with self._one_at_a_time:
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            for text in streamer:
                if text:
                    yield ReplyPiece(text)
            thread.join()
        if failed:
            raise ModelError(f"The model could not answer: {failed[0]}") from failed[0]
        ended = len(written) < options.max_tokens or written[-1] in self._encoder.end_tokens
        yield ReplyPiece("", "stop" if ended else "length", len(prompt), len(written))

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _likeliest(self, messages: list[Message], options: ReplyOptions) -> ReplyPiece:
        """The choice that is likeliest by the model and the prior together."""
        prompt = self._encoder.prompt(messages)
        choices = [self._encoder.plain_ids(choice) for choice in options.choices]

        def read(start: Tokens) -> list[tuple[int, dict[int, float]]]:
            ids = torch.tensor([[*prompt, *start]], device=self._model.device)
            scores = self._model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, -1].float().log_softmax(-1)
            return [(int(scores.argmax()), dict(enumerate(scores.tolist())))]

        found = likeliest(choices, options.prior, self._encoder.end_tokens, read)
        return ReplyPiece(options.choices[found], "stop", len(prompt), len(choices[found]))

    def _one_of(self, choices: Sequence[str], start: int) -> Callable[[int, torch.Tensor], list[int]]:
        """Which tokens may follow, so that the answer is one of these and then ends."""
        ends = sorted(self._encoder.end_tokens)
        allowed: dict[tuple[int, ...], list[int]] = {}
        for choice in choices:
            ids = self._encoder.plain_ids(choice)
            for place, token in enumerate(ids):
                allowed.setdefault(tuple(ids[:place]), []).append(token)
            allowed.setdefault(tuple(ids), []).extend(ends)
        return lambda batch, ids: allowed.get(tuple(ids[start:].tolist()), ends)

    def close(self) -> None:
        """Frees the model."""
        self._model = None

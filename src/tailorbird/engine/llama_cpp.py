"""Answers through llama.cpp inside this process: the fast way on a CPU.

Prompts go in as token ids from our own encoder: text never becomes a control token.
"""

from __future__ import annotations

import json
import queue
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import finalize

from tailorbird.engine.chat import ChatEncoder
from tailorbird.engine.choices import Tokens, likeliest
from tailorbird.engine.fleet import CONTEXT, Fleet
from tailorbird.errors import InputError, ModelError
from tailorbird.replier import Message, ReplyOptions, ReplyPiece, TokenLogprob

_SHORTEST_ANSWER = 64
_LOOK = 0.25  # seconds between empty pieces while others have all places
_NAMED = 100  # log-probabilities that are asked for at each place of a choice


class LlamaCppReplier:
    """A base model from `serving.gguf`, with an adapter's GGUF file or without, in a fleet of others or in one of its own."""

    parallel = 4

    def __init__(self, name: str, base: Path, adapter: Path | None = None, fleet: Fleet | None = None) -> None:
        self.name = name
        self._encoder = ChatEncoder(base)
        self._fleet, self._adapter, self._owner = fleet or Fleet(base), adapter, object()
        self._fleet.join(adapter)
        self._leave = finalize(self, self._fleet.leave, adapter)  # with the last answer, if nobody closes it

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """Yields the reply as it is written, empty pieces while it waits for a place; closing the iterator stops the model."""
        if options.prior:
            yield self._likeliest(messages, options)
            return
        pieces: queue.Queue[dict[str, Any] | None] = queue.Queue()
        placed, gone = threading.Event(), threading.Event()

        def receive(chunk: dict[str, Any]) -> bool:
            pieces.put(chunk)
            return gone.is_set()

        request = self._request(messages, options)

        def work() -> None:
            try:
                with self._fleet.place(self._owner, self._adapter, request["prompt"]) as (server, told):
                    placed.set()
                    result = None if gone.is_set() else server.handle_completions(request | told, receive)
                if isinstance(result, dict):
                    pieces.put(result)
            except Exception as problem:  # must reach the reader, whatever it is
                pieces.put({"error": {"message": str(problem)}})
            finally:
                placed.set()
                pieces.put(None)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            while not placed.wait(_LOOK):
                yield ReplyPiece("")  # whoever reads may have no more time
            while (chunk := pieces.get()) is not None:
                yield _piece(chunk, options.logprobs or 0, len(request["prompt"]))
        finally:
            gone.set()

    def _likeliest(self, messages: list[Message], options: ReplyOptions) -> ReplyPiece:
        """The choice that is likeliest by the model and the prior together."""
        prompt = self._prompt(messages)
        choices = [self._encoder.plain_ids(choice) for choice in options.choices]
        longest = max(map(len, choices)) + 1

        def read(start: Tokens) -> Iterator[tuple[int, Mapping[int, float]]]:
            answers: list[dict[str, Any]] = []

            def receive(answer: dict[str, Any]) -> bool:
                answers.append(answer)
                return False

            told = {"prompt": [*prompt, *start], "n_predict": longest - len(start), "n_probs": _NAMED}
            with self._fleet.place(self._owner, self._adapter, prompt) as (server, where):
                server.handle_completions({**told, **where, "temperature": 0.0, "stream": False}, receive)
            _piece(answers[0])
            for place in answers[0]["choices"][0]["logprobs"]["content"]:
                yield place["id"], {one["id"]: one["logprob"] for one in place["top_logprobs"]}

        found = likeliest(choices, options.prior, self._encoder.end_tokens, read)
        return ReplyPiece(options.choices[found], "stop", len(prompt), len(choices[found]))

    def _prompt(self, messages: list[Message]) -> list[int]:
        """The conversation's tokens; raises InputError where they leave no room for an answer."""
        prompt = self._encoder.prompt(messages)
        if CONTEXT - len(prompt) < _SHORTEST_ANSWER:
            raise InputError(
                f"The conversation has {len(prompt)} tokens; {CONTEXT} are the most that it and the answer can have.",
                fix="Start a new conversation, or shorten the messages.",
            )
        return prompt

    def _request(self, messages: list[Message], options: ReplyOptions) -> dict[str, Any]:
        prompt = self._prompt(messages)
        return {
            "prompt": prompt,
            "n_predict": min(options.max_tokens, CONTEXT - len(prompt)),
            "temperature": options.temperature,
            "top_p": options.top_p,
            "seed": options.seed if options.seed is not None else secrets.randbits(31),
            "stop": list(options.stop),
            "stream": True,
            **({"grammar": _one_of(options.choices)} if options.choices else {}),
            **({"json_schema": json.loads(options.json_schema)} if options.json_schema else {}),
            **({"n_probs": max(options.logprobs, 1)} if options.logprobs is not None else {}),
        }

    def close(self) -> None:
        """Frees the model, unless others of its fleet need it."""
        self._leave()


def _one_of(choices: Sequence[str]) -> str:
    """llama.cpp's grammar (GBNF) of answers that are one of these."""
    return "root ::= " + " | ".join(json.dumps(choice, ensure_ascii=False) for choice in choices)


def _piece(chunk: dict[str, Any], likeliest_shown: int = 0, read: int = 0) -> ReplyPiece:
    if "error" in chunk:
        raise ModelError(f"The model could not answer: {chunk['error'].get('message', chunk['error'])}")
    choice, usage = chunk["choices"][0], chunk.get("usage") or {}
    places = (choice.get("logprobs") or {}).get("content", ())
    return ReplyPiece(
        choice["text"], choice["finish_reason"], usage.get("prompt_tokens", read), usage.get("completion_tokens", 0),
        logprobs=tuple(
            _token(place)._replace(top=tuple(map(_token, place["top_logprobs"][:likeliest_shown]))) for place in places
        ),
    )  # fmt: skip


def _token(place: dict[str, Any]) -> TokenLogprob:
    return TokenLogprob(place["token"], tuple(place["bytes"]), place["logprob"])

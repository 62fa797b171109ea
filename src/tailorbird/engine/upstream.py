"""Answers through any server that speaks OpenAI's protocol: vLLM on a GPU box, or a model that judges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, cast

import openai

from tailorbird.errors import ModelError
from tailorbird.replier import Message, ReplyOptions, ReplyPiece, TokenLogprob

_PATIENCE = 120.0  # seconds; the client asks twice more where a server is busy or breaks off


class UpstreamReplier:
    """A model behind an address such as `http://127.0.0.1:8000/v1`."""

    parallel = 8

    def __init__(self, name: str, url: str, model: str, key: str) -> None:
        """Asks nothing yet; a server that needs no key ignores it."""
        self.name = name
        self._url, self._model = url, model
        self._client = openai.OpenAI(base_url=url, api_key=key or "none", timeout=_PATIENCE)

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """Yields the reply as it comes; raises ModelError where the server cannot be reached, refuses or breaks off."""
        if options.choices:
            raise ModelError("A remote model cannot be held to a list of answers.", fix="Use a model on this machine for labels.")
        sampling: dict[str, Any] = {"top_p": options.top_p} if options.temperature else {}
        sampling |= {"seed": options.seed} if options.seed is not None else {}
        sampling |= {"stop": list(options.stop)} if options.stop else {}
        if options.json_schema:
            schema = {"name": "answer", "schema": json.loads(options.json_schema), "strict": True}
            sampling |= {"response_format": {"type": "json_schema", "json_schema": schema}}
        if options.logprobs is not None:
            sampling |= {"logprobs": True, "top_logprobs": options.logprobs}
        try:
            chunks = self._client.chat.completions.create(
                model=self._model, messages=cast(Any, messages), max_tokens=options.max_tokens, temperature=options.temperature,
                stream=True, stream_options={"include_usage": True}, **sampling,
            )  # fmt: skip
            yield from self._pieces(chunks)
        except openai.APIStatusError as problem:
            raise ModelError(
                f"{self._url} refused to answer with {problem.status_code}: {_told(problem)}",
                fix="Correct the model's name, the key or the address in tailorbird.yaml.",
            ) from problem
        except openai.APIError as problem:
            raise ModelError(
                f"{self._url} cannot be reached: {problem.message}",
                fix="Start that server, or correct its address in tailorbird.yaml.",
            ) from problem

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _pieces(self, chunks: Any) -> Iterator[ReplyPiece]:
        ended: Literal["stop", "length"] | None = None
        usage: Any = None
        for chunk in chunks:
            usage = chunk.usage or usage
            for choice in chunk.choices[:1]:
                if choice.finish_reason:
                    ended = "length" if choice.finish_reason == "length" else "stop"
                if choice.delta.content:
                    places = (choice.logprobs and choice.logprobs.content) or ()
                    yield ReplyPiece(choice.delta.content, logprobs=tuple(map(_token, places)))
        if ended is None:
            raise ModelError(
                f"{self._url} broke off in the middle of its answer.", fix="Look why in that server's own log; ask again."
            )
        yield ReplyPiece("", ended, usage.prompt_tokens if usage else 0, usage.completion_tokens if usage else 0)


def _token(place: Any) -> TokenLogprob:
    top = tuple(TokenLogprob(one.token, tuple(one.bytes or ()), one.logprob) for one in place.top_logprobs or ())
    return TokenLogprob(place.token, tuple(place.bytes or ()), place.logprob, top)


def _told(problem: openai.APIStatusError) -> str:
    """What the server says of it, in one line."""
    body = problem.body
    message = body.get("message") if isinstance(body, dict) else None
    return " ".join(str(message or problem.message).split())[:300]

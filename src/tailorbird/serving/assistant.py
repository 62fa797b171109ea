"""The assistant as the settings make it: its system prompt and its disclosure hold whatever a client sends."""

from __future__ import annotations

from collections.abc import Iterator

from tailorbird.replier import Message, Replier, ReplyOptions, ReplyPiece


class Assistant:
    """A replier under one business's system prompt that says what it is at the start of every conversation."""

    def __init__(self, replier: Replier, system_prompt: str, disclosure: str) -> None:
        self.replier, self.disclosure = replier, disclosure
        self.name, self.parallel = replier.name, replier.parallel
        self._system: Message = {"role": "system", "content": system_prompt}

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """Yields the disclosure, unless this conversation has had it, and then the reply.

        System messages of the client are ignored: the settings decide what the assistant is told.
        """
        spoken = [message for message in messages if message["role"] != "system"]
        if not any(m["role"] == "assistant" and self._disclosed(m["content"]) for m in spoken):
            yield ReplyPiece(f"{self.disclosure}\n\n")
        history = [self._system, *(self._without_disclosure(message) for message in spoken)]
        started = False
        for piece in self.replier.stream(history, options):
            text = piece.text if started else piece.text.lstrip()
            started = started or bool(text)
            if text or piece.finish_reason:
                yield ReplyPiece(text, piece.finish_reason, piece.prompt_tokens, piece.completion_tokens)

    def close(self) -> None:
        """Frees the model."""
        self.replier.close()

    def _disclosed(self, text: str) -> bool:
        return text.startswith(self.disclosure)

    def _without_disclosure(self, message: Message) -> Message:
        """The model never sees the disclosure in its own past words, so it does not learn to repeat it."""
        if message["role"] == "assistant" and self._disclosed(message["content"]):
            return {"role": "assistant", "content": message["content"].removeprefix(self.disclosure).strip()}
        return message

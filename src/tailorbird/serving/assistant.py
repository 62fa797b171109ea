"""The assistant as the settings make it: its system prompt and its disclosure hold whatever a client sends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tailorbird.knowledge import SHOWN, Knowledge, cited, question, with_passages
from tailorbird.replier import Message, Replier, ReplyOptions, ReplyPiece
from tailorbird.serving.guarded import Watch, Words
from tailorbird.serving.guards import Guards


class Assistant:
    """A replier under one business's system prompt that says what it is at the start of every conversation.

    With documents it is shown what they have on the customer's last message, and its last piece names what the answer rests on.
    With guards they read what goes in and out, and `words` is what they say in place of an answer.
    """

    def __init__(
        self,
        replier: Replier,
        system_prompt: str,
        disclosure: str,
        documents: Knowledge | None = None,
        guarding: tuple[Guards, Words] | None = None,
    ) -> None:
        self.replier, self.disclosure, self.documents = replier, disclosure, documents
        self.name, self.parallel = replier.name, replier.parallel
        self._system: Message = {"role": "system", "content": system_prompt}
        self._guarding = guarding

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """Yields the disclosure, unless this conversation has had it, and then the reply.

        System messages of the client are ignored: the settings decide what the assistant is told. An answer that is to be JSON
        has the disclosure beside it, in the API's field of that name, since it would be no JSON any more.
        """
        spoken = [message for message in messages if message["role"] != "system"]
        if not options.json_schema and not any(m["role"] == "assistant" and self._disclosed(m["content"]) for m in spoken):
            yield ReplyPiece(f"{self.disclosure}\n\n")
        history = [self._without_disclosure(message) for message in spoken]
        if self._guarding is None:
            yield from self._answer(history, options, None)
            return
        watch = Watch(*self._guarding, history)
        told = watch.question()
        if watch.instead:
            yield watch.last(ReplyPiece("", "stop"), "" if options.json_schema else watch.instead)
        else:
            yield from self._answer(told, options, watch)

    def _answer(self, told: list[Message], options: ReplyOptions, watch: Watch | None) -> Iterator[ReplyPiece]:
        """The model's reply with its citations, as the guards let it through."""
        history, said, begun = [self._system, *told], "", False
        asked = question(history)
        found = self.documents.search(asked, SHOWN) if self.documents and asked.strip() else []
        if watch:
            found = watch.passages(found)
        written = self.replier.stream(with_passages(history, found), options)
        for piece in watch.answer(written, found, bool(options.json_schema)) if watch else written:
            text = piece.text if said else piece.text.lstrip()
            said += text
            if piece.finish_reason:
                yield replace(piece, text=text, citations=tuple(one.citation for one in cited(asked, said, found)))
            elif text or not begun:  # that the model has begun is worth a piece of its own: the stream may open
                yield replace(piece, text=text)
            begun = True

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


class Paused:
    """What customers are told while no model answers: the disclosure and fixed words."""

    parallel = 64

    def __init__(self, name: str, disclosure: str, words: str) -> None:
        self.name, self.disclosure, self._said = name, disclosure, f"{disclosure}\n\n{words}"

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """Yields the words, whatever was asked."""
        yield ReplyPiece(self._said, "stop")

    def close(self) -> None:
        """Nothing is open."""

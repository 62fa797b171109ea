"""The assistant as the settings make it: its system prompt and its disclosure hold whatever a client sends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from tailorbird.knowledge import SHOWN, Knowledge, cited, question, with_passages
from tailorbird.language.wishes import asks_what_it_is
from tailorbird.replier import Message, Replier, ReplyOptions, ReplyPiece, reply
from tailorbird.serving.guarded import Watch, Words
from tailorbird.serving.guards import Guards
from tailorbird.serving.handing_over import HandingOver
from tailorbird.serving.phrases import Phrases

_ONLY_THAT = 10  # words of a message that asks what it talks to and nothing else


class Conduct(NamedTuple):
    """How an assistant behaves beside answering: what it says in fixed words, its guards, when a person takes over."""

    phrases: Phrases
    guards: Guards | None = None
    handing_over: HandingOver | None = None


class Assistant:
    """A replier under one business's system prompt that says what it is at the start of every conversation, and when asked.

    With documents it is shown what they have on the customer's last message, and its last piece names what the answer rests on.
    """

    def __init__(
        self,
        replier: Replier,
        system_prompt: str,
        disclosure: str,
        documents: Knowledge | None = None,
        conduct: Conduct | None = None,
    ) -> None:
        self.replier, self.documents = replier, documents
        self.name, self.parallel = replier.name, replier.parallel
        self._system: Message = {"role": "system", "content": system_prompt}
        self.phrases, self._guards, self._handing_over = conduct or Conduct(Phrases(disclosure))

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """Yields the disclosure, unless this conversation has had it, and then the reply.

        System messages of the client are ignored: the settings decide what the assistant is told. An answer that is to be JSON
        has the disclosure beside it, in the API's field of that name, since it would be no JSON any more.
        """
        spoken = [message for message in messages if message["role"] != "system"]
        message = spoken[-1]["content"] if spoken else ""
        disclosure = self.phrases.say("disclosure", message)
        asked_what = asks_what_it_is(message)
        if not options.json_schema and (asked_what or not any(self._said_disclosure(one) for one in spoken)):
            if asked_what and len(message.split()) <= _ONLY_THAT:
                yield ReplyPiece(disclosure, "stop")
                return
            yield ReplyPiece(f"{disclosure}\n\n")
        history = [self._without_disclosure(one) for one in spoken]
        for piece in self._replied(history, message, options):
            yield self._handing_over.told(piece, history) if self._handing_over and piece.finish_reason else piece

    def _replied(self, history: list[Message], message: str, options: ReplyOptions) -> Iterator[ReplyPiece]:
        """The reply as the guards let it through, or fixed words where a person takes over."""
        words = partial(self.phrases.say, message=message)
        watch = Watch(self._guards, words, history) if self._guards else None
        told = watch.question() if watch else history
        reason = self._handing_over.reason(message) if self._handing_over else ""
        if watch and watch.instead:
            yield watch.last(ReplyPiece("", "stop"), "" if options.json_schema else watch.instead)
        elif reason:
            piece = ReplyPiece("", "stop", action="hand_over", reason=reason)
            said = "" if options.json_schema else words("handed_over")
            yield watch.last(piece, said) if watch else replace(piece, text=said)
        else:
            yield from self._answer(told, options, watch, words)

    def _answer(self, told: list[Message], options: ReplyOptions, watch: Watch | None, words: Words) -> Iterator[ReplyPiece]:
        """The model's reply with its citations."""
        history, said, begun = [self._system, *told], "", False
        asked = question(history)
        found = self.documents.search(asked, SHOWN) if self.documents and asked.strip() else []
        silent = self._handing_over.not_known(asked, found) if self._handing_over and self.documents else None
        if silent and not options.json_schema:
            said = words("handed_over" if silent.action == "hand_over" else "not_known")
            yield watch.last(silent, said) if watch else replace(silent, text=said)
            return
        if watch:
            found = watch.passages(found)
        written = self._written(with_passages(history, found), options, words)
        for piece in watch.answer(written, found, bool(options.json_schema)) if watch else written:
            text = piece.text if said else piece.text.lstrip()
            said += text
            if piece.finish_reason:
                yield replace(piece, text=text, citations=tuple(one.citation for one in cited(asked, said, found)))
            elif text or not begun:  # that the model has begun is worth a piece of its own: the stream may open
                yield replace(piece, text=text)
            begun = True

    def _written(self, shown: list[Message], options: ReplyOptions, words: Words) -> Iterator[ReplyPiece]:
        """What the model writes, or that a person takes over where it would be a guess."""
        if self._handing_over is None or not self._handing_over.needs_scores:
            return self.replier.stream(shown, options)
        asked = replace(options, logprobs=options.logprobs or 0)
        pieces = self._handing_over.sure(self.replier.stream(shown, asked), words("handed_over"))
        return pieces if options.logprobs is not None else (replace(piece, logprobs=()) for piece in pieces)

    def practise(self) -> None:
        """Has the model write one token, so that it is loaded and has read the system prompt before a customer waits for it."""
        reply(self.replier, [self._system, {"role": "user", "content": "Hello"}], ReplyOptions(max_tokens=1))

    def close(self) -> None:
        """Frees the model."""
        self.replier.close()

    def _said_disclosure(self, message: Message) -> bool:
        return message["role"] == "assistant" and bool(self.phrases.split(message["content"])[0])

    def _without_disclosure(self, message: Message) -> Message:
        """The model never sees the disclosure in its own past words, so it does not learn to repeat it."""
        if not self._said_disclosure(message):
            return message
        return {"role": "assistant", "content": self.phrases.split(message["content"])[1].strip()}


class Paused:
    """What customers are told while no model answers: the disclosure and fixed words. A person takes over."""

    parallel = 64

    def __init__(self, name: str, phrases: Phrases, words: str) -> None:
        self.name, self.phrases, self._words = name, phrases, words

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        """Yields the words, whatever was asked."""
        disclosure = self.phrases.say("disclosure", messages[-1]["content"] if messages else "")
        said = "" if options.json_schema else f"{disclosure}\n\n{self._words}"
        yield ReplyPiece(said, "stop", action="hand_over", reason="paused: the assistant is switched off.")

    def close(self) -> None:
        """Nothing is open."""

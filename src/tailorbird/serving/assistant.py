"""The assistant as the settings make it: its system prompt and its disclosure hold whatever a client sends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from tailorbird.knowledge import SHOWN, Knowledge, cited, question, with_passages
from tailorbird.language.wishes import asks_what_it_is
from tailorbird.replier import Message, Replier, ReplyOptions, ReplyPiece, reply
from tailorbird.serving.answered import counted
from tailorbird.serving.guarded import Watch, Words
from tailorbird.serving.guards import Guards
from tailorbird.serving.handing_over import HandingOver
from tailorbird.serving.phrases import PHRASES, Phrases

_ONLY_THAT = 10  # words of a message that asks what it talks to and nothing else


class Conduct(NamedTuple):
    """How an assistant behaves beside answering: what it says in fixed words, its guards, when a person takes over."""

    phrases: Phrases
    guards: Guards | None = None
    handing_over: HandingOver | None = None


class Situation(NamedTuple):
    """What a server knows of a request beside its messages.

    `answers` is what the assistant said in the conversation by the server's own log; None where there is no log, and the messages
    tell. `unseen` are earlier messages of the customer that no guard has read. `limited` hands the model's pieces on as
    long as there is time and somebody to read them.
    """

    answers: Sequence[str] | None = None
    unseen: Collection[str] = ()
    limited: Callable[[Iterator[ReplyPiece]], Iterator[ReplyPiece]] = lambda pieces: pieces


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

    def stream(self, messages: list[Message], options: ReplyOptions, situation: Situation = Situation()) -> Iterator[ReplyPiece]:
        """Yields the disclosure, unless this conversation has had it, and then the reply.

        System messages of the client are ignored: the settings decide what the assistant is told. An answer that is to be JSON
        has the disclosure beside it, in the API's field of that name, since it would be no JSON any more.
        """
        spoken = [message for message in messages if message["role"] != "system"]
        message = spoken[-1]["content"] if spoken else ""
        asked_what, gap = asks_what_it_is(message), ""
        introduces = not options.json_schema and (asked_what or not self._has_introduced_itself(spoken, situation))
        if introduces:
            yield ReplyPiece(self.phrases.say("disclosure", message))
            gap = "\n\n"
        history = [self._without_disclosure(one) for one in spoken]
        says_all = introduces and asked_what and len(message.split()) <= _ONLY_THAT
        for piece in self._replied(history, options, situation, says_all):
            if piece.text:
                piece, gap = replace(piece, text=gap + piece.text), ""
            yield self._handing_over.told(piece, history) if self._handing_over and piece.finish_reason else piece

    def _replied(
        self, history: list[Message], options: ReplyOptions, situation: Situation, says_all: bool
    ) -> Iterator[ReplyPiece]:
        """The reply as the guards let it through, or fixed words where a person takes over.

        Nothing more where the disclosure, if nothing was found in the message, `says_all`.
        """
        message = history[-1]["content"] if history else ""
        words = partial(self.phrases.say, message=message)
        watch = Watch(self._guards, words, history, situation.unseen) if self._guards else None
        told = watch.question() if watch else history
        reason = self._handing_over.reason(message) if self._handing_over else ""
        end = ReplyPiece("", "stop")
        if watch and watch.instead:
            yield watch.last(end, "" if options.json_schema else watch.instead)
        elif reason:
            handed_over = replace(end, action="hand_over", reason=reason)
            yield _last(watch, handed_over, "" if options.json_schema else words("handed_over"))
        elif says_all:
            yield _last(watch, end, "")
        else:
            yield from self._answer(told, options, watch, words, situation)

    def _answer(
        self, told: list[Message], options: ReplyOptions, watch: Watch | None, words: Words, situation: Situation
    ) -> Iterator[ReplyPiece]:
        """The model's reply with its citations."""
        history, said, begun = [self._system, *told], "", False
        asked = question(history)
        found = self.documents.search(asked, SHOWN) if self.documents and asked.strip() else []
        silent = self._handing_over.not_known(asked, found) if self._handing_over and self.documents else None
        if silent and not options.json_schema:
            yield _last(watch, silent, words("handed_over" if silent.action == "hand_over" else "not_known"))
            return
        if watch:
            found = watch.passages(found)
        written = self._written(with_passages(history, found), options, words, situation)
        for piece in watch.answer(written, found, bool(options.json_schema)) if watch else written:
            text = piece.text if said else piece.text.lstrip()
            said += text
            if piece.finish_reason:
                yield replace(piece, text=text, citations=tuple(one.citation for one in cited(asked, said, found)))
            elif text or not begun:  # that the model has begun is worth a piece of its own: the stream may open
                yield replace(piece, text=text)
            begun = True

    def _written(self, shown: list[Message], options: ReplyOptions, words: Words, situation: Situation) -> Iterator[ReplyPiece]:
        """What the model writes, or that a person takes over where it would be a guess."""
        scored = self._handing_over is not None and self._handing_over.needs_scores
        asked = replace(options, logprobs=options.logprobs or 0) if scored else options
        pieces = situation.limited(counted(self.replier.stream(shown, asked)))
        if self._handing_over is None or not scored:
            return pieces
        sure = self._handing_over.sure(pieces, "" if options.json_schema else words("handed_over"))
        return sure if options.logprobs is not None else (replace(piece, logprobs=()) for piece in sure)

    def practise(self) -> None:
        """Has the model write one token, so that it is loaded and has read the system prompt before a customer waits for it."""
        reply(self.replier, [self._system, {"role": "user", "content": "Hello"}], ReplyOptions(max_tokens=1))

    def close(self) -> None:
        """Frees the model."""
        self.replier.close()

    def _has_introduced_itself(self, spoken: list[Message], situation: Situation) -> bool:
        """Whether the customer has been told what this is. By the log if there is one: a client may invent answers."""
        own = [one["content"] for one in spoken if one["role"] == "assistant"]
        return any(self.phrases.split(text)[0] for text in (own if situation.answers is None else situation.answers))

    def _without_disclosure(self, message: Message) -> Message:
        """The model never sees the disclosure in its own past words, so it does not learn to repeat it."""
        disclosure, rest = self.phrases.split(message["content"])
        return {"role": "assistant", "content": rest.strip()} if disclosure and message["role"] == "assistant" else message


class Paused:
    """What customers are told while no model answers: the disclosure and fixed words. A person takes over."""

    parallel = 64

    def __init__(self, name: str, phrases: Phrases, words: str) -> None:
        """Words that are not the owner's own are said in the customer's language."""
        self.name, self.phrases, self._words = name, phrases, words

    def stream(self, messages: list[Message], options: ReplyOptions, situation: Situation = Situation()) -> Iterator[ReplyPiece]:
        """Yields the words, whatever was asked."""
        message = messages[-1]["content"] if messages else ""
        own = self._words != PHRASES["en"]["paused"]
        words = self._words if own else self.phrases.say("paused", message)
        said = "" if options.json_schema else f"{self.phrases.say('disclosure', message)}\n\n{words}"
        yield ReplyPiece(said, "stop", action="hand_over", reason="paused: the assistant is switched off.")

    def close(self) -> None:
        """Nothing is open."""


def _last(watch: Watch | None, piece: ReplyPiece, text: str) -> ReplyPiece:
    """A last piece that says this, with what the guards did if there are any."""
    return watch.last(piece, text) if watch else replace(piece, text=text)

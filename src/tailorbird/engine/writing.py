"""What a model that is tested answers to many chats at once, several times as fast as one after the other in service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tailorbird.engine.adapters import virtual_tokens
from tailorbird.engine.chat import ChatEncoder
from tailorbird.engine.sampling import likeliest_answers
from tailorbird.engine.scoring import open_tuned
from tailorbird.engine.transformers_replier import TransformersReplier
from tailorbird.errors import InputError
from tailorbird.replier import Message, ReplyOptions, reply


def answer_all(base: Path, tuned: Path | None, chats: list[list[Message]], longest: int) -> Iterator[tuple[int, str]]:
    """The greedy answer to each chat, with its number, as they come; raises InputError where one is too long.

    Soft prompts stand before a chat and are answered one after the other.
    """
    model = open_tuned(base, tuned)
    if virtual_tokens(model):
        replier = TransformersReplier("tested", base, tuned)
        for number, chat in enumerate(chats):
            yield number, reply(replier, chat, ReplyOptions(max_tokens=longest)).text
        return
    encoder = ChatEncoder(base)
    prompts = [encoder.prompt(chat) for chat in chats]
    room = model.config.max_position_embeddings - longest
    for prompt in prompts:
        if len(prompt) > room:
            raise InputError(
                f"A held-out conversation has {len(prompt)} tokens; {room} are the most that this model can answer.",
                fix="Shorten it or set it aside in the conversations file.",
            )
    for number, ids in likeliest_answers(model, encoder, prompts, longest):
        yield number, encoder.decode(ids).strip()

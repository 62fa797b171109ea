"""Turns chat messages into token ids, the same way for training, scoring and serving.

The chat template's own text becomes control tokens; what people wrote never does: `<|im_start|>` typed by a
customer is encoded as ordinary characters. Knows nothing about torch or about adapters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tailorbird.errors import ModelError
from tailorbird.replier import Message

# Private-use characters stand for a message's text while the template is rendered.
_MARK = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True)
class Encoded:
    """A conversation as token ids; `trained[i]` says whether token i is a target of the loss."""

    ids: tuple[int, ...]
    trained: tuple[bool, ...]

    @property
    def first_trained(self) -> int:
        """Index of the first target, or the length when there is none."""
        return self.trained.index(True) if True in self.trained else len(self.trained)

    @property
    def targets(self) -> int:
        """How many tokens the loss counts."""
        return sum(self.trained)


class ChatEncoder:
    """Renders messages with the base model's chat template and encodes them."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer
        from transformers import AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        if not self.tokenizer.chat_template:
            raise ModelError(
                f"The model in {folder} has no chat template, so it cannot hold a conversation.",
                fix="Choose an instruct or chat variant of the model.",
            )
        self._control: Any = self.tokenizer.backend_tokenizer
        self._plain: Any = Tokenizer.from_str(self._control.to_str())
        self._plain.encode_special_tokens = True
        self.end_tokens: frozenset[int] = frozenset(
            index for index, token in self.tokenizer.added_tokens_decoder.items() if token.special
        )

    def encode(self, messages: list[Message]) -> Encoded:
        """Token ids of a whole conversation; every assistant turn that is not given is trained, with its end-of-turn token."""
        ids: list[int] = []
        trained: list[bool] = []
        turn_ended = True
        for text, index in self._pieces(messages, add_generation_prompt=False):
            if index is None:
                piece = self._control.encode(text, add_special_tokens=False).ids
                flags = [False] * len(piece)
                if not turn_ended and piece and piece[0] in self.end_tokens:
                    flags[0] = True
                turn_ended = True
            else:
                piece = self._plain.encode(text, add_special_tokens=False).ids
                answer = messages[index]["role"] == "assistant" and not messages[index].get("given")
                flags = [answer] * len(piece)
                turn_ended = not answer
            ids += piece
            trained += flags
        return Encoded(tuple(ids), tuple(trained))

    def prompt(self, messages: list[Message]) -> list[int]:
        """Token ids up to the point where the assistant's next answer starts."""
        ids: list[int] = []
        for text, index in self._pieces(messages, add_generation_prompt=True):
            encoder = self._control if index is None else self._plain
            ids += encoder.encode(text, add_special_tokens=False).ids
        return ids

    def plain_ids(self, text: str) -> list[int]:
        """Token ids of text that people wrote: control-token look-alikes stay text."""
        return list(self._plain.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        """Text of token ids, control tokens left out."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    def _pieces(self, messages: list[Message], add_generation_prompt: bool) -> list[tuple[str, int | None]]:
        """The rendered template cut at the messages: (template text, None) and (message text, its index)."""
        marked = [{"role": m["role"], "content": f"\ue000{i}\ue001"} for i, m in enumerate(messages)]
        try:
            rendered = self.tokenizer.apply_chat_template(marked, tokenize=False, add_generation_prompt=add_generation_prompt)
        except Exception as problem:  # jinja raises whatever the template's author chose
            raise ModelError(
                f"The model's chat template refuses this conversation: {problem}",
                fix="Most templates want an optional system turn, then user and assistant in turn.",
            ) from problem
        pieces: list[tuple[str, int | None]] = []
        for position, part in enumerate(_MARK.split(rendered)):
            if position % 2:
                pieces.append((messages[int(part)]["content"].strip(), int(part)))
            elif part:
                pieces.append((part, None))
        return pieces


def last_answer(item: Encoded) -> Encoded:
    """The conversation with only its last run of trained tokens."""
    end = max((i + 1 for i, trained in enumerate(item.trained) if trained), default=0)
    start = end
    while start and item.trained[start - 1]:
        start -= 1
    return Encoded(item.ids, tuple(start <= i < end for i in range(len(item.ids))))


def places_of(items: Sequence[Encoded | None]) -> dict[Encoded, list[int]]:
    """Each different conversation with the numbers that it has: the same one is read once."""
    places: dict[Encoded, list[int]] = {}
    for number, item in enumerate(items):
        if item is not None:
            places.setdefault(item, []).append(number)
    return places


def fit_to_length(encoder: ChatEncoder, messages: list[Message], longest: int) -> Encoded | None:
    """The conversation's encoding cut to whole exchanges within `longest` tokens; None if not even one fits."""
    kept = list(messages)
    while kept:
        encoded = encoder.encode(kept)
        if len(encoded.ids) <= longest:
            return encoded if encoded.targets else None
        answers = [i for i, m in enumerate(kept[:-1]) if m["role"] == "assistant"]
        kept = kept[: answers[-1] + 1] if answers else []
    return None


def fit_last_answer(encoder: ChatEncoder, messages: list[Message], longest: int) -> Encoded | None:
    """The conversation with only its last answer to be learned, its first exchanges left out where it is too long; else None."""
    start = [message for message in messages[:1] if message["role"] == "system"]
    rest = messages[len(start) :]
    while rest:
        encoded = last_answer(encoder.encode([*start, *rest]))
        if len(encoded.ids) <= longest:
            return encoded if encoded.targets else None
        asked = [place for place, message in enumerate(rest) if place and message["role"] == "user"]
        rest = rest[asked[0] :] if asked else []
    return None

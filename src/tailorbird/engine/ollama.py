"""An Ollama Modelfile for an exported GGUF file: the model's chat template in Ollama's words, the system prompt, the stops.

Reference: Ollama's own description of the Modelfile and of its templates (Go's text/template).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tailorbird.engine.chat import ChatEncoder
from tailorbird.errors import ModelError
from tailorbird.replier import Message

_ROLES = ("system", "user", "assistant")
_CONTEXT = 4096
_QUOTES = '"""'
_MARK = "\ue000"  # private use: in no template


class Frame(NamedTuple):
    """A chat template taken apart: what stands before and after a message of each role, before an answer, and what ends one."""

    around: dict[str, tuple[str, str]]
    answer: str
    stops: tuple[str, ...]

    def rendered(self, messages: Sequence[Message]) -> str:
        """The prompt that Ollama makes of a chat."""
        parts = [f"{self.around[m['role']][0]}{m['content']}{self.around[m['role']][1]}" for m in messages]
        return "".join([*parts, self.answer])

    @property
    def template(self) -> str:
        """The same in Go's text/template, over Ollama's `.Messages`."""
        cases = [f'if eq .Role "{role}" }}}}{before}{{{{ .Content }}}}{after}' for role, (before, after) in self.around.items()]
        return "{{- range .Messages }}{{ " + "{{ else ".join(cases) + "{{ end }}{{ end }}" + self.answer


def frame(folder: Path) -> Frame:
    """The chat template of a model folder; raises ModelError where a message's form depends on more than its role."""
    tokenizer: Any = ChatEncoder(folder).tokenizer
    said = [{"role": role, "content": f"{_MARK}{role}{_MARK}"} for role in _ROLES]

    def render(count: int, **options: bool) -> str:
        return str(tokenizer.apply_chat_template((said * 2)[:count], tokenize=False, **options))

    whole = [render(count) for count in range(1, 2 * len(_ROLES) + 1)]
    pieces = [new.removeprefix(old) for old, new in zip(["", *whole], whole, strict=False)]
    around = {}
    for role, piece, again in zip(_ROLES, pieces, pieces[len(_ROLES) :], strict=False):
        before, found, after = piece.partition(f"{_MARK}{role}{_MARK}")
        if not found or piece != again or "{{" in before + after:
            raise ModelError(
                "This model's chat template has no form that Ollama knows.", fix="Give the GGUF file its own Modelfile."
            )
        around[role] = (before, after)
    answer = render(len(_ROLES), add_generation_prompt=True).removeprefix(whole[len(_ROLES) - 1])
    special = (str(token) for token in tokenizer.added_tokens_decoder.values() if token.special)
    return Frame(around, answer, tuple(token for token in special if token in around["user"][0] + around["assistant"][1]))


def modelfile(model: str, told: Frame, system_prompt: str) -> str:
    """The Modelfile beside a GGUF file; raises ModelError for a system prompt that it cannot hold."""
    if _QUOTES in system_prompt:
        raise ModelError(
            "The system prompt has three quotes in a row, which a Modelfile cannot hold.",
            fix="Take them out of tailorbird.yaml and release again, or export other forms.",
        )
    return "\n".join(
        [
            f"FROM ./{model}",
            f"TEMPLATE {_QUOTES}{told.template}{_QUOTES}",
            f"SYSTEM {_QUOTES}{system_prompt}{_QUOTES}",
            *(f'PARAMETER stop "{stop}"' for stop in told.stops),
            "PARAMETER temperature 0",
            f"PARAMETER num_ctx {_CONTEXT}",
            "",
        ]
    )

"""Whether an exported model is still the one that was trained: the same tokens, the same greedy answers, the same scores.

The reference is the model as it was trained, in float32, through transformers.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import torch
from transformers import AutoTokenizer

from tailorbird.engine.chat import ChatEncoder
from tailorbird.engine.fleet import open_server, scales
from tailorbird.engine.run import Parity, Tolerance
from tailorbird.progress import Advance
from tailorbird.replier import Message

LENGTH = 32  # tokens of an answer that are compared
_SHOWN = 50  # likeliest tokens at each place whose scores are kept
_PATIENCE = 30  # seconds

Scores = Mapping[int, float]
"""Log-probabilities (nats) of the likeliest tokens in one place."""


TOLERANCES = {
    "peft": Tolerance(0.001, 0.02),
    "merged": Tolerance(0.005, 0.1),
    "F16": Tolerance(0.005, 0.1),
    "adapter": Tolerance(0.005, 0.1),
    "Q8_0": Tolerance(0.08, 0.6),
    "Q4_K_M": Tolerance(0.25, 2.0),
}
"""By the form that a model is exported in."""


class Written(NamedTuple):
    """A greedy answer: its tokens, and what the model thought in each place."""

    ids: list[int]
    scores: list[Scores]


class Reference(NamedTuple):
    """What the trained model makes of some chats: the token ids that it is asked with, and its answers."""

    chats: Sequence[list[Message]]
    prompts: list[list[int]]
    answers: list[Written]


def refer(model: Any, base: Path, chats: Sequence[list[Message]], advance: Advance) -> Reference:
    """What the trained model makes of the chats, each of which ends with a question; `advance` is told of each."""
    encoder, told = ChatEncoder(base), Reference(chats, [], [])
    for chat in chats:
        told.prompts.append(encoder.prompt(chat))
        told.answers.append(_written(model, told.prompts[-1], encoder))
        advance(1)
    return told


@torch.no_grad()  # type: ignore[untyped-decorator]
def _written(model: Any, prompt: list[int], encoder: ChatEncoder) -> Written:
    ids = torch.tensor([prompt], device=model.device)
    out = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=LENGTH, do_sample=False,
        output_logits=True, return_dict_in_generate=True, pad_token_id=encoder.tokenizer.pad_token_id,
    )  # fmt: skip
    return Written(out.sequences[0, len(prompt) :].tolist(), [_likeliest(logits[0]) for logits in out.logits])


def _likeliest(logits: torch.Tensor) -> Scores:
    top = logits.float().log_softmax(-1).topk(_SHOWN)
    return dict(zip(top.indices.tolist(), top.values.tolist(), strict=True))


def of_folder(model: Any, folder: Path, form: str, reference: Reference) -> Parity:
    """The parity of a model that transformers loaded from an exported folder with a tokenizer in it."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    prompts = [_ids(tokenizer.apply_chat_template(chat, add_generation_prompt=True)) for chat in reference.chats]
    answers = [_read(model, prompt, told) for prompt, told in zip(reference.prompts, reference.answers, strict=True)]
    return _compared(form, reference, prompts, answers)


def _ids(told: Any) -> list[int]:
    return list(told["input_ids"] if isinstance(told, Mapping) else told)


@torch.no_grad()  # type: ignore[untyped-decorator]
def _read(model: Any, prompt: list[int], told: Written) -> Written:
    """What a model thinks along the reference's answer, and its own choice in each place up to the first other one."""
    logits = model(input_ids=torch.tensor([[*prompt, *told.ids[:-1]]], device=model.device)).logits[0, len(prompt) - 1 :]
    chosen = logits.argmax(-1).tolist()
    same = next((place for place, (one, other) in enumerate(zip(chosen, told.ids, strict=True)) if one != other), len(chosen))
    return Written(chosen[: same + 1], [_likeliest(place) for place in logits[: same + 1]])


def of_file(model: Path, adapter: Path | None, form: str, reference: Reference) -> Parity:
    """The parity of a GGUF file in llama.cpp, with a GGUF adapter or without; the chat template is the file's own."""
    key = secrets.token_hex(16)
    adapters = [adapter] if adapter else []
    server, lora = open_server(model, adapters, key=key), scales(len(adapters), 0)
    prompts = [_rendered(server, key, chat) for chat in reference.chats]
    answers = [
        _answered(server, lora, prompt, len(told.ids)) for prompt, told in zip(reference.prompts, reference.answers, strict=True)
    ]
    return _compared(form, reference, prompts, answers)


def tokens_of(model: Path, texts: Sequence[str]) -> list[list[int]]:
    """The token ids that llama.cpp makes of whole prompts, control tokens read as such."""
    key = secrets.token_hex(16)
    server = open_server(model, [], key=key)
    return [_tokens(server, key, text) for text in texts]


def _rendered(server: Any, key: str, chat: list[Message]) -> list[int]:
    return _tokens(server, key, _asked(server, key, "apply-template", {"messages": chat})["prompt"])


def _tokens(server: Any, key: str, text: str) -> list[int]:
    found = _asked(server, key, "tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]
    return [int(token) for token in found]


def _asked(server: Any, key: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = Request(f"{server.listening_address}/{what}", json.dumps(body).encode(), headers)
    with urlopen(request, timeout=_PATIENCE) as response:
        found: dict[str, Any] = json.load(response)
    return found


def _answered(server: Any, lora: list[dict[str, Any]], prompt: list[int], length: int) -> Written:
    answers: list[dict[str, Any]] = []

    def receive(answer: dict[str, Any]) -> bool:
        answers.append(answer)
        return False

    asked = {"prompt": prompt, "n_predict": length, "n_probs": _SHOWN, "temperature": 0.0, "stream": False, "lora": lora}
    server.handle_completions(asked, receive)
    places = answers[0]["choices"][0]["logprobs"]["content"]
    scores: list[Scores] = [{one["id"]: one["logprob"] for one in place["top_logprobs"]} for place in places]
    return Written([place["id"] for place in places], scores)


def _compared(form: str, reference: Reference, prompts: Sequence[list[int]], answers: Sequence[Written]) -> Parity:
    """Scores are compared on what both answers begin with, and in the first place where they part."""
    differences, gaps, same = [0.0], [0.0], 0
    for told, found in zip(reference.answers, answers, strict=True):
        parts = False
        for place, (mine, theirs) in enumerate(zip(told.ids, found.ids, strict=False)):
            least = min(told.scores[place].values())
            differences.append(abs(told.scores[place][mine] - found.scores[place].get(mine, min(found.scores[place].values()))))
            if parts := mine != theirs:
                gaps.append(told.scores[place][mine] - told.scores[place].get(theirs, least))
                break
        same += not parts
    return Parity(
        form=form, prompts=len(reference.chats),
        same_tokens=sum(mine == theirs for mine, theirs in zip(reference.prompts, prompts, strict=True)),
        same_answers=same, mean_difference=sum(differences) / len(differences), worst_difference=max(differences),
        closest=max(gaps), tolerance=TOLERANCES[form],
    )  # fmt: skip

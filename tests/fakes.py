"""Fakes at the two doors: repliers and servers that say what they are told, and tiny random models for the engine."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tailorbird.artifacts import Release
from tailorbird.releasing import promote
from tailorbird.replier import Message, ReplyOptions, ReplyPiece, TokenLogprob
from tailorbird.workspace import Workspace

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class FakeReplier:
    """Answers word by word with what `answers` says for the last message, and keeps what it was asked."""

    parallel = 2

    def __init__(self, name: str = "fake", answer: str = "We post within 2 days.") -> None:
        self.name, self.answer = name, answer
        self.asked: list[tuple[list[Message], ReplyOptions]] = []

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        self.asked.append((messages, options))
        words = self.answer.split(" ")
        for number, word in enumerate(words[: options.max_tokens]):
            text = word if number == 0 else f" {word}"
            token = TokenLogprob(text, tuple(text.encode()), -0.5)
            top = (token, *[TokenLogprob("other", tuple(b"other"), -1.5)] * (options.logprobs or 0))[: options.logprobs]
            yield ReplyPiece(text, logprobs=() if options.logprobs is None else (token._replace(top=top),))
        ended = len(words) <= options.max_tokens
        yield ReplyPiece("", "stop" if ended else "length", len(messages), min(len(words), options.max_tokens))

    def close(self) -> None: ...


def with_versions(folder: Path, count: int, disclosure: str = "I am an AI.") -> Workspace:
    """A workspace with so many versions that nothing was trained for; the newest is in production."""
    workspace = Workspace.create(folder, "Shop")
    for number in range(1, count + 1):
        made = Release(
            id=f"release-{number:012x}", made_from=(), version=number, model="none", system_prompt="You are the shop.",
            disclosure=disclosure, lineage={},
        )  # fmt: skip
        with workspace.drafting(made.id) as draft:
            (draft / "adapter").mkdir()
            workspace.save(made, draft)
        promote(workspace, made)
    return workspace


def write_random_adapters(base: Path, folders: Sequence[Path], strength: float) -> None:
    """LoRA adapters of a base model that were never trained, for transformers and for llama.cpp."""
    import torch

    from tailorbird.engine.adapters import add_lora
    from tailorbird.engine.gguf_files import write_adapter
    from tailorbird.engine.loading import load_base

    adapted = add_lora(load_base(base, packed=False, precise=True), 4, 8, 3)
    for number, folder in enumerate(folders):
        torch.manual_seed(number)
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=strength)
        adapted.save_pretrained(folder)
        write_adapter(folder, base, folder / "adapter.gguf")


def make_tiny_model(folder: Path, family: str = "llama", seed: int = 0, texts: list[str] | None = None) -> Path:
    """A random model of a real architecture with a small byte-level tokenizer, saved as a transformers folder."""
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=["<|end|>"], show_progress=False
    )
    tokenizer.train_from_iterator(texts or ["we post the parcel", "the dress is a silk dress"], trainer)
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ("<|im_start|>", "<|im_end|>")])
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|im_end|>")
    wrapped.chat_template = CHATML
    wrapped.save_pretrained(folder)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(tiny_config(family, len(wrapped), wrapped.eos_token_id), dtype=torch.float32)
    model.save_pretrained(folder)
    return folder


def make_decided_model(folder: Path) -> Path:
    """A tiny model with opinions: with embeddings as small as they begin, every token is as likely as any other."""
    from safetensors.torch import load_file, save_file

    make_tiny_model(folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.embed_tokens.weight"] *= 10
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def tiny_config(family: str, vocabulary: int, end: int) -> object:
    """Two-layer configurations of the architectures that tests cover; Gemma alternates sliding windows."""
    from transformers import Gemma3TextConfig, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

    common = {
        "vocab_size": vocabulary, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 2048,
        "eos_token_id": end, "pad_token_id": end, "bos_token_id": end,
    }  # fmt: skip
    match family:
        case "llama":
            return LlamaConfig(**common, tie_word_embeddings=True)
        case "qwen2":  # biases on q, k, v
            return Qwen2Config(**{name: value for name, value in common.items() if name != "head_dim"})
        case "qwen3":
            return Qwen3Config(**common)
        case "gemma3":
            layers = ["sliding_attention", "full_attention"]
            return Gemma3TextConfig(**common, sliding_window=7, layer_types=layers, query_pre_attn_scalar=8)
        case "mistral":
            return MistralConfig(**common, sliding_window=9)
    raise ValueError(family)


class Upstream(ThreadingHTTPServer):
    """Speaks OpenAI's protocol: streams what `answer` says of the last message, and refuses other keys than `secret`."""

    daemon_threads = True
    answer: Callable[[str], str]
    asked = 0


class UpstreamHandler(BaseHTTPRequestHandler):
    server: Upstream

    def do_POST(self) -> None:
        self.server.asked += 1
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != "Bearer secret":
            self._send(401, "application/json", json.dumps({"error": {"message": "Wrong key", "type": "auth"}}))
            return
        text = self.server.answer(told["messages"][-1]["content"])
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": told["model"]}
        chunks = [{**chunk, "choices": [{"index": 0, "delta": {"content": part}}]} for part in re.findall(r"\S+\s*", text)]
        chunks.append({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        chunks.append({**chunk, "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}})
        lines = [f"data: {json.dumps(one)}\n\n" for one in chunks]
        self._send(200, "text/event-stream", "".join([*lines, "data: [DONE]\n\n"]))

    def _send(self, status: int, kind: str, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """A web application in a thread, on a free port of this machine; its address."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    server.should_exit = True
    thread.join(timeout=10)

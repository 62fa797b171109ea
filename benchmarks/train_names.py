"""Trains the tagger of names and writes src/tailorbird/privacy/names.npz: word lists (hashed) and weights.

Usage: .venv/bin/python benchmarks/train_names.py [--messages 90000] [--seed 7]
About ten minutes on one core.
Two networks with different seeds answer together. Needs pip and npm for the lists (name_sources.py) the first time, and
../shared/data/banking77_train.csv (PolyAI, CC BY 4.0) as English questions without names.
"""

from __future__ import annotations

import argparse
import csv
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from name_messages import Writer
from name_sources import bring, vocabulary

from tailorbird.privacy import candidates, scoring, words

MODEL = Path(words.__file__).parent / "names.npz"
QUESTIONS = Path(__file__).parents[2] / "shared" / "data" / "banking77_train.csv"
WIDTH, HIDDEN, DROPPED = 20, 32, 0.35
LEVELS = 7  # steps on each side of zero: four bits compress well and cost no accuracy


def main() -> None:
    """Word lists, messages, training, file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=90_000, help="for each of the two networks")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    bring()
    hashes, flags = vocabulary()
    stored = {"hashes": np.diff(hashes, prepend=np.uint32(0)).astype(np.uint32), "flags": flags}
    print(f"{len(hashes):,} words")
    words.model = lambda: {"hashes": hashes, "flags": flags}
    networks = []
    for seed in (chosen.seed, chosen.seed + 1):
        torch.manual_seed(seed)
        random.seed(seed)
        numbers, begins, labels = examples(chosen.messages, seed)
        print(
            f"{len(labels):,} candidates, {labels.mean():.1%} of names, {len(numbers) / len(labels):.0f} features each",
            flush=True,
        )
        networks.append(train(numbers, begins, labels, chosen.epochs))
    np.savez_compressed(MODEL, **stored, **together(*networks))
    print(f"{MODEL.name}: {MODEL.stat().st_size / 1e6:.2f} MB")


def examples(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features and labels of all candidates of many messages."""
    with QUESTIONS.open(encoding="utf-8") as file:
        questions = [row["text"] for row in csv.DictReader(file)]
    writer, chance = Writer(seed, questions), random.Random(seed + 1)
    real = words.flags_of
    # Names and brands that the lists do not know must be told by their letters and neighbours, so the lists forget some.
    candidates.flags_of = scoring.flags_of = lambda phrase: 0 if chance.random() < 0.2 else real(phrase)
    numbers, begins, labels, total = [], [], [], 0
    for _ in range(count):
        text, spans, language = writer.message()
        tokens = [forgetful(token, spans, chance) for token in candidates.tokenise(text)]
        named = [any(s < t.end and t.start < e for s, e in spans) for t in tokens]
        places = candidates.candidates(tokens)
        if not places:
            continue
        guessed = candidates.guess_language(tokens) if chance.random() < 0.5 else language
        found, starts = scoring.features(tokens, places, guessed)
        numbers.append(found.astype(np.int32))
        begins.append(starts + total)
        labels.append(np.array([named[place] for place in places], np.float32))
        total += len(found)
    candidates.flags_of = scoring.flags_of = real
    return np.concatenate(numbers), np.concatenate(begins), np.concatenate(labels)


def forgetful(token: candidates.Token, spans: list[tuple[int, int]], chance: random.Random) -> candidates.Token:
    """The token, at times without what the lists know of it."""
    flags = token.word.flags
    inside = any(start < token.end and token.start < end for start, end in spans)
    if inside and chance.random() < 0.2:
        flags = 0
    elif flags & (words.BRAND | words.THING) and chance.random() < 0.4:
        flags &= ~(words.BRAND | words.THING)
    elif not inside and token.word.shape in "TU" and chance.random() < 0.06:
        flags &= ~0xFFFF
    return token if flags == token.word.flags else token._replace(word=replace(token.word, flags=flags))


class Network(torch.nn.Module):
    """Sum of feature vectors, two small layers."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.EmbeddingBag(words.SLOTS, WIDTH, mode="sum", sparse=True)
        torch.nn.init.normal_(self.embedding.weight, std=0.05)
        self.bias = torch.nn.Parameter(torch.zeros(WIDTH))
        self.inner = torch.nn.Linear(WIDTH, HIDDEN)
        self.outer = torch.nn.Linear(HIDDEN, 1)

    def forward(self, numbers: torch.Tensor, begins: torch.Tensor) -> torch.Tensor:
        """Logits."""
        hidden = torch.relu(self.inner(torch.relu(self.embedding(numbers, begins) + self.bias)))
        return self.outer(hidden)[:, 0]


def train(numbers: np.ndarray, begins: np.ndarray, labels: np.ndarray, epochs: int) -> dict[str, np.ndarray]:
    """Trains with a part of each candidate's features left out, and returns the weights, embeddings as bytes."""
    network = Network()
    sparse = torch.optim.SparseAdam([network.embedding.weight], lr=2e-3)
    dense = torch.optim.Adam([p for n, p in network.named_parameters() if not n.startswith("embedding")], lr=2e-3)
    ends = np.append(begins[1:], len(numbers))
    order = np.arange(len(labels))
    generator = np.random.default_rng(5)
    for epoch in range(epochs):
        generator.shuffle(order)
        losses = []
        for optimizer in (sparse, dense):
            for group in optimizer.param_groups:
                group["lr"] = 2e-3 * (1 - epoch / epochs)
        for place in range(0, len(order), 1024):
            chosen = np.sort(order[place : place + 1024])
            rows = [numbers[begins[i] : ends[i]] for i in chosen]
            rows = [row[generator.random(len(row)) > DROPPED] for row in rows]
            starts = np.cumsum([0, *(len(row) for row in rows[:-1])])
            logits = network(torch.from_numpy(np.concatenate(rows).astype(np.int64)), torch.from_numpy(starts))
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits * 1.0, torch.from_numpy(labels[chosen]))
            sparse.zero_grad()
            dense.zero_grad()
            loss.backward()
            sparse.step()
            dense.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses[-200:]):.4f}", flush=True)
    table = network.embedding.weight.detach().numpy() * (1 - DROPPED)
    scale = np.float32(np.quantile(np.abs(table), 0.9995) / LEVELS)
    return {
        "embedding": np.clip(np.round(table / scale), -LEVELS, LEVELS).astype(np.int8),
        "scale": np.full(WIDTH, scale),
        "bias": network.bias.detach().numpy(),
        "inner": network.inner.weight.detach().numpy().T.copy(),
        "inner_bias": network.inner.bias.detach().numpy(),
        "outer": network.outer.weight.detach().numpy()[0].copy(),
        "outer_bias": network.outer.bias.detach().numpy()[0],
    }


def together(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Two networks as one of twice the width whose answer is the mean of theirs."""
    inner = np.zeros((2 * WIDTH, 2 * HIDDEN), np.float32)
    inner[:WIDTH, :HIDDEN], inner[WIDTH:, HIDDEN:] = one["inner"], other["inner"]
    joined = {name: np.concatenate([one[name], other[name]], axis=-1) for name in ("embedding", "scale", "bias", "inner_bias")}
    outer = np.concatenate([one["outer"], other["outer"]]) / 2
    return {**joined, "inner": inner, "outer": outer, "outer_bias": (one["outer_bias"] + other["outer_bias"]) / 2}


if __name__ == "__main__":
    main()

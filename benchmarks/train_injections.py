"""Trains the judge of instructions to models and writes src/tailorbird/language/injection_weights.npz.

    python benchmarks/train_injections.py [--check] [--folds 5]

Attacks and hard ordinary sentences are our own (injections/*.txt, poison_plants.py). Ordinary texts besides:
the boutique, banking77 (PolyAI, CC BY 4.0), ABCD (MIT), screen texts of matrix-react-sdk and of Home
Assistant (both Apache-2.0; brought by npm and pip). No text of theirs is stored, only hashed words' weights. The tickets
are CC BY-NC: nothing is learned from them, they only say what is set aside. --check leaves out whole phrasings (every
wording and translation of an idea), then whole kinds, then a language, and tells what is found of these.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import name_sources
import numpy as np
import poison_plants as plants
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from tailorbird.engine import embed
from tailorbird.language import injection_model as model
from tailorbird.language.injections import instructions

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "shared" / "data"
HELD_OUT = HERE.parent / "tests" / "auditing" / "injections.tsv"
HOME_ASSISTANT = "homeassistant==2025.4.4"
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "pl", "nl")
SCREENS, ORDINARY = 2600, 45_000
MEANING, LEXICAL, HASHED = 2.0, 0.5, 1.2  # how far each block of features is trusted: larger is regularised less
STRENGTH = 0.2
ATTACK_WEIGHT, HARD_WEIGHT = 20.0, 10.0
SIFTED, ASIDE = 0.15, 0.004
"""Shares of the tickets whose meaning is looked at, and that are set aside."""
SAME_IDEA = 0.6
# What a finding says of each family of attacks.
SAYS = {
    "override": "asks to drop the instructions given before", "markup": "imitates the marks of a system message",
    "reveal": "asks for an assistant's own instructions", "persona": "gives an assistant another identity",
    "unrestricted": "asks for answers without limits", "training": "lays down what a model shall learn from it",
    "learn": "lays down what a model shall learn from it", "summariser": "gives orders to software that reads the message",
    "machine": "gives orders to software that reads the message", "address": "gives orders to an AI that reads the message",
    "rule": "lays down how to answer others later", "polite": "asks an assistant politely to break its rules",
    "format": "dictates an assistant's output", "output": "dictates an assistant's output",
    "tool": "asks an assistant to use its tools or access", "action": "asks an assistant to use its tools or access",
    "exfiltration": "asks for other people's data or sends data elsewhere", "multistep": "leads an assistant to break its rules",
    "fiction": "leads an assistant to break its rules", "conceal": "gives an assistant secret orders",
    "payload": "gives orders to later assistants", "verdict": "dictates a verdict to a model that judges",
    "privilege": "claims rights that it does not have", "tech": "asks a model to reset or change itself",
    "threat": "puts an assistant under pressure to break its rules", "plants": "gives orders to a model",
}  # fmt: skip


class Line(NamedTuple):
    """A sentence of our own with its family and language."""

    family: str
    language: str
    text: str


class Block(NamedTuple):
    """Features of stretches: vectors of meaning, bags of words' vectors, the lexicon's numbers, hashed words and pairs."""

    meaning: Any
    bag: Any
    lexical: Any
    hashed: Any

    def some(self, rows: Any) -> Block:
        return Block(*(part[rows] for part in self))


def lines(*names: str) -> list[Line]:
    """The lines of files in injections/."""
    found, family = [], ""
    for name in names:
        for line in (HERE / "injections" / name).read_text(encoding="utf-8").splitlines():
            if line.startswith("# ") and len(line) < 40:
                family = line[2:]
            elif line:
                found.append(Line(family, line[:2], line[3:].replace("\\n", "\n")))
    return found


def attacks() -> list[Line]:
    """Our attacks, and those that poisoning.py plants: its figures are no longer those of unseen wordings."""
    planted = [Line("plants", "", text) for text in (*plants.INJECTIONS, *plants.COMMANDS)]
    return [*lines("attacks1.txt", "attacks2.txt", "attacks3.txt", "attacks4.txt"), *planted]


def tickets(count: int = 1500) -> list[tuple[str, str]]:
    """Questions and answers of tickets, to measure with only."""
    with (DATA / "tickets_multilang.csv").open(encoding="utf-8") as file:
        told = [(f"{row['subject']}\n{row['body']}", row["answer"]) for row in csv.DictReader(file)]
    return random.Random(3).sample(told, min(count, len(told)))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _screens(rng: random.Random) -> Iterator[str]:
    """Screen texts in eight languages."""
    folder = name_sources.FOLDER
    if not list(folder.glob("homeassistant*.whl")):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), HOME_ASSISTANT], check=True
        )
    found: dict[str, set[str]] = {language: set() for language in LANGUAGES}
    with zipfile.ZipFile(next(folder.glob("homeassistant*.whl"))) as archive:
        for name in archive.namelist():
            if told := re.search(r"translations/([a-z]{2})(?:-BR)?\.json$", name):
                for text in _strings(json.loads(archive.read(name))) if told.group(1) in found else ():
                    plain = re.sub(r"\{[^}]*\}", "X", re.sub(r"\[%[^\]]*%\]", "", text))[:600]
                    if len(plain.split()) >= 5:
                        found[told.group(1)].add(plain)
    for language, texts in found.items():
        yield from rng.sample(sorted(texts), min(SCREENS, len(texts)))
        yield from sorted(name_sources.screens(language))[:SCREENS]


def boutique() -> list[str]:
    """The messages of the boutique that are not planted poison."""
    folder, texts = HERE.parent / "examples" / "boutique", []
    flaws = json.loads((folder / "flaws.json").read_text())
    for line in (folder / "conversations.jsonl").read_text().splitlines():
        told = json.loads(line)
        if flaws.get(told["id"]) != "poison":
            texts += [message["content"] for message in told["messages"]]
    return texts


def ordinary() -> list[str]:
    """Stretches of ordinary texts."""
    rng = random.Random(1)
    texts = boutique()
    with (DATA / "banking77_train.csv").open(encoding="utf-8") as file:
        texts += rng.sample([row["text"] for row in csv.DictReader(file)], 1500)
    texts += [turn[1] for one in json.loads((DATA / "abcd_sample.json").read_text()) for turn in one["original"]]
    texts += [text for text in _strings(json.loads((DATA / "abcd_guidelines.json").read_text())) if len(text) > 20]
    texts += _screens(rng)
    cut = list(dict.fromkeys(one for text in texts for one in model.stretches_of(model.parts_of(text))))
    return rng.sample(cut, min(ORDINARY, len(cut)))


class Maker:
    """Makes features; vectors of single words are kept."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.vectors = np.zeros((0, 512), np.float32)
        self._slots: dict[str, list[int]] = {}

    def block(self, stretches: list[str]) -> Block:
        """The features of stretches."""
        lists = [model.tokens_of(one) for one in stretches]
        new = list(dict.fromkeys(word for words in lists for word in words if word not in self.words))
        if new:
            self.vectors = np.concatenate([self.vectors, embed(new)])
            self.words.update({word: len(self.words) + at for at, word in enumerate(new)})
        bag = np.zeros((len(lists), 512), np.float32)
        rows, columns, values = [], [], []
        for row, words in enumerate(lists):
            share = 1 / np.sqrt(len(words) + 2.0)
            if words:
                bag[row] = self.vectors[[self.words[word] for word in words]].sum(axis=0) * share
            mine = [slot for word in words for slot in self._of(word)]
            pairs = model.pairs_of(np.array([model.numbers_of(word) for word in words], dtype=np.int64).reshape(-1, 2))
            for step, slots in zip((1, 1, 2), pairs, strict=True):
                mine += (slots[: max(0, len(words) - step)] + model.SLOTS).tolist()
            rows += [row] * len(mine)
            columns += mine
            values += [share] * len(mine)
        hashed = sparse.csr_matrix((np.array(values, np.float32), (rows, columns)), shape=(len(lists), 2 * model.SLOTS))
        return Block(
            embed(stretches), bag, np.array([model.lexical_of(instructions(one).score) for one in stretches], np.float32), hashed
        )

    def _of(self, word: str) -> list[int]:
        if word not in self._slots:
            self._slots[word] = model.slots_of(word)
        return self._slots[word]


class Corpus:
    """Everything to learn from, as features."""

    def __init__(self) -> None:
        self.maker, self.attacks, self.hard = Maker(), attacks(), lines("ordinary.txt")
        self.attack, self.attack_of = self._features(self.attacks, 0.6)
        self.plain, self.plain_of = self._features(self.hard, 0.0)
        self.ordinary = self.maker.block(ordinary())

    def _features(self, own: list[Line], share: float) -> tuple[Block, Any]:
        """Stretches that hold at least a share of their text: half an attack may be an ordinary sentence."""
        stretches, of = [], []
        for at, line in enumerate(own):
            for one in model.stretches_of(model.parts_of(line.text)):
                if len(one) >= share * len(line.text):
                    stretches.append(one)
                    of.append(at)
        return self.maker.block(stretches), np.array(of)


def fit(corpus: Corpus, keep: Any, keep_plain: Any) -> dict[str, Any]:
    """The weights learned from some attacks, some hard ordinary lines and all ordinary texts."""
    blocks = [corpus.attack.some(keep[corpus.attack_of]), corpus.plain.some(keep_plain[corpus.plain_of]), corpus.ordinary]
    sizes = [block.meaning.shape[0] for block in blocks]
    labels = np.repeat([1, 0, 0], sizes)
    importance = np.repeat([ATTACK_WEIGHT, HARD_WEIGHT, 1.0], sizes)
    hashed = sparse.vstack([block.hashed for block in blocks]) * HASHED
    dense = {name: np.concatenate([getattr(block, name) for block in blocks]) for name in ("meaning", "bag", "lexical")}
    learner = LogisticRegression(C=STRENGTH, max_iter=150)

    def learned(*parts: Any) -> Any:
        learner.fit(sparse.hstack([hashed, *map(sparse.csr_matrix, parts)]).tocsr(), labels, sample_weight=importance)
        return learner.coef_[0]

    split = 2 * model.SLOTS
    sieve = learned(dense["bag"] * MEANING)
    weights = _stored(sieve[:split] * HASHED, "sieve", corpus.maker.vectors @ (sieve[split:] * MEANING), corpus.maker)
    final = learned(dense["meaning"] * MEANING, dense["lexical"] * LEXICAL)
    weights |= _stored(final[:split] * HASHED, "final", np.zeros(len(corpus.maker.words)), corpus.maker)
    kinds = sorted(set(SAYS.values()))
    of = np.array([SAYS[corpus.attacks[at].family.split("-")[0]] for at in corpus.attack_of])
    centres = np.stack([corpus.attack.meaning[of == kind].mean(axis=0) for kind in kinds])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    return weights | {
        "meaning": (final[split : split + 512] * MEANING).astype(np.float16),
        "lexical": final[split + 512 :] * LEXICAL, "bias": learner.intercept_[0], "limit": -np.inf,
        "kinds": np.array(kinds), "centres": centres.astype(np.float16),
    }  # fmt: skip


def _stored(hashed: Any, name: str, known: Any, maker: Maker) -> dict[str, Any]:
    """Weights as bytes."""
    scale = np.quantile(np.abs(hashed[hashed != 0]), 0.9995) / 127
    whole = np.clip(np.round(hashed / scale), -127, 127).astype(np.int8)
    numbers = np.array([model.numbers_of(word)[0] for word in maker.words], dtype=np.uint32)
    order = np.argsort(numbers)
    return {
        "known": numbers[order], f"{name}_known": known[order].astype(np.float16), f"{name}_scale": scale,
        f"{name}_words": whole[: model.SLOTS], f"{name}_pairs": whole[model.SLOTS :],
    }  # fmt: skip


def calibrated(weights: dict[str, Any], told: list[tuple[str, str]]) -> model.Judge:
    """A judge whose sieve and threshold let the wanted shares of tickets through; the weights are changed."""
    judge = model.Judge(weights)
    weights["limit"] = np.quantile([max(judge.sieve(text) for text in pair) for pair in told], 1 - SIFTED)
    judge = model.Judge(weights)
    scores = [max(judge.judge(text).score for text in pair) for pair in told]
    shop = [judge.judge(text).score for text in boutique()]
    weights["bias"] = weights["bias"] - max(np.quantile(scores, 1 - ASIDE), np.quantile(shop, 1 - ASIDE / 8), -20.0)
    return model.Judge(weights)


def held_out(judge: model.Judge) -> str:
    """What is found of the lines that were written before the rest."""
    told = [line.split("\t", 2) for line in HELD_OUT.read_text(encoding="utf-8").splitlines()]
    found: dict[str, list[bool]] = {"inject": [], "plain": []}
    for kind, _, text in told:
        found[kind].append(judge.judge(text.replace("\\n", "\n")).score > 0)
    return f"held out: {np.mean(found['inject']):.3f} of attacks, {np.mean(found['plain']):.3f} of hard ordinary lines"


def ideas(corpus: Corpus) -> list[str]:
    """For each attack the phrasing it belongs to: lines of one meaning, in whatever language, are one phrasing."""
    vectors = embed([line.text for line in corpus.attacks])
    parents = list(range(len(vectors)))

    def root(place: int) -> int:
        while parents[place] != place:
            place = parents[place]
        return place

    for one, other in np.argwhere(vectors @ vectors.T > SAME_IDEA).tolist():
        parents[root(one)] = root(other)
    return [str(root(place)) for place in range(len(vectors))]


def check(corpus: Corpus, told: list[tuple[str, str]], folds: int) -> None:
    """Leaves out phrasings, kinds and languages, each with a part of the hard ordinary families."""
    plain = np.array([line.family for line in corpus.hard])
    groups = {
        "phrasing": (np.array(ideas(corpus)), plain),
        "kind": (np.array([line.family.split("-")[0] for line in corpus.attacks]), plain),
        "language": (np.array([line.language for line in corpus.attacks]), np.array([line.language for line in corpus.hard])),
    }
    for name, (of, plain_of) in groups.items():
        order, plain_order = np.random.default_rng(1).permutation(sorted(set(of))), sorted(set(plain_of))
        found, alarms = [], []
        for fold in range(len(order) if name == "language" else folds):
            out = np.isin(of, order[fold::folds] if name != "language" else order[fold : fold + 1])
            out_plain = np.isin(plain_of, plain_order[fold::folds] if name != "language" else order[fold : fold + 1])
            judge = calibrated(fit(corpus, ~out, ~out_plain), told)
            found += [judge.judge(line.text).score > 0 for line, gone in zip(corpus.attacks, out, strict=True) if gone]
            alarms += [judge.judge(line.text).score > 0 for line, gone in zip(corpus.hard, out_plain, strict=True) if gone]
        print(
            f"leaving out each {name}: {np.mean(found):.3f} of attacks, {np.mean(alarms):.3f} of hard ordinary lines", flush=True
        )


def main() -> None:
    """Corpus, checks if wanted, training, file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--folds", type=int, default=5)
    chosen = parser.parse_args()
    corpus, told = Corpus(), tickets()
    print(
        f"{len(corpus.attacks)} attacks, {len(corpus.hard)} hard lines, {corpus.ordinary.meaning.shape[0]:,} ordinary stretches"
    )
    weights = fit(corpus, np.ones(len(corpus.attacks), bool), np.ones(len(corpus.hard), bool))
    judge = calibrated(weights, told)
    print(held_out(judge), flush=True)
    np.savez_compressed(model.WEIGHTS, **weights)
    print(f"{model.WEIGHTS.name}: {model.WEIGHTS.stat().st_size / 1e6:.2f} MB", flush=True)
    if chosen.check:
        check(corpus, told, chosen.folds)


if __name__ == "__main__":
    main()

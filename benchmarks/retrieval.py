"""How well passages are found: recall@5 and mean reciprocal rank (MRR) of BM25, embeddings and both; and how fast.

Usage: .venv/bin/python benchmarks/retrieval.py [--tuning] [--speed-only]
Sets of questions, each against its own folder of documents, through tailorbird.knowledge: customers' questions about
examples/boutique (retrieval_boutique.tsv: English, German, French, Spanish); paraphrases of ecommerce_faq.json that avoid its
words (retrieval_faq.tsv), with the ABCD guidelines as distractors, once without the FAQ's own questions and once with them;
and words that stand in one passage of the boutique only, in a sentence. Odd lines are for tuning, even ones (rare words
excepted) were not looked at before the end; --tuning leaves them out. Evaluation data are in the folder that TAILORBIRD_DATA
names.
"""

from __future__ import annotations

import argparse
import atexit
import csv
import json
import os
import re
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tailorbird import Workspace, engine
from tailorbird.knowledge import Knowledge, ranking, store

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("TAILORBIRD_DATA", ROOT.parent / "shared" / "data"))
SETTINGS = "business: {name: Bench}\nsystem_prompt: You answer.\n"
TOP = 5


class Asked(NamedTuple):
    """A question, and what tells whether a passage (document, text) answers it."""

    question: str
    answers: Callable[[str, str], bool]
    language: str = "en"


def main() -> None:
    """Prints the tables."""
    options = argparse.ArgumentParser()
    options.add_argument("--tuning", action="store_true")
    options.add_argument("--speed-only", action="store_true")
    chosen = options.parse_args()
    engine.embed(["warm"])
    if not chosen.speed_only:
        sets = {
            "boutique": boutique(),
            "faq": faq(),
            "faq with its questions": faq(with_questions=True),
            "rare words": rare_words(),
        }
        for name, (folder, asked) in sets.items():
            report(name, folder, asked, chosen.tuning)
    for pages in (100, 1000):
        speed(pages)


def workspace() -> Workspace:
    """An empty one."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    (folder / "tailorbird.yaml").write_text(SETTINGS)
    (folder / "knowledge").mkdir()
    return Workspace(folder)


def rows(name: str) -> list[dict[str, str]]:
    """The lines of a table of questions."""
    with Path(__file__).with_name(name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def squeezed(text: str) -> str:
    """Text with single spaces."""
    return " ".join(text.split())


def boutique() -> tuple[Workspace, list[Asked]]:
    """The shop's documents, and questions with the words by which the right passage is known."""
    made = workspace()
    shutil.copytree(ROOT / "examples" / "boutique" / "knowledge", made.folder / "knowledge", dirs_exist_ok=True)

    def question(row: dict[str, str]) -> Asked:
        return Asked(
            row["question"],
            lambda document, text: document == row["document"] and squeezed(row["evidence"]) in squeezed(text),
            row["language"],
        )

    return made, [question(row) for row in rows("retrieval_boutique.tsv")]


def faq(with_questions: bool = False) -> tuple[Workspace, list[Asked]]:
    """The answers, or questions with answers, among the ABCD guidelines; entries with the same answer are all right."""
    made = workspace()
    folder = made.folder / "knowledge"
    entries = json.loads((DATA / "ecommerce_faq.json").read_text())["questions"]
    answers = [entry["answer"] for entry in entries]
    if with_questions:
        with (folder / "faq.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, ["question", "answer"])
            table.writeheader()
            table.writerows(entries)
    for number, answer in enumerate([] if with_questions else answers):
        (folder / f"faq-{number:02}.txt").write_text(answer)
    for flow, told in json.loads((DATA / "abcd_guidelines.json").read_text()).items():
        parts = [f"# {flow}\n\n{told['description']}"]
        for name, part in told["subflows"].items():
            steps = "\n\n".join("\n".join([step["text"], *(f"- {more}" for more in step["subtext"])]) for step in part["actions"])
            parts.append(f"## {name}\n\n{steps}")
        (folder / f"{re.sub(r'[^a-z]+', '-', flow.lower())}.md").write_text("\n\n".join(parts))
    for name, steps in json.loads((DATA / "abcd_kb.json").read_text()).items():
        (folder / f"kb-{name}.md").write_text(f"# {name}\n\n" + "\n".join(f"- {step}" for step in steps))

    def question(row: dict[str, str]) -> Asked:
        right = squeezed(answers[int(row["entry"])])
        return Asked(row["question"], lambda document, text: squeezed(text).endswith(right))

    return made, [question(row) for row in rows("retrieval_faq.tsv")]


def rare_words() -> tuple[Workspace, list[Asked]]:
    """Each fourth word that stands in one of the boutique's passages only."""
    made, _ = boutique()
    Knowledge(made, engine.embed).refresh()
    with store.Store(made.store / store.FILE).open() as connection:
        texts = [text for (text,) in connection.execute("SELECT text FROM passages ORDER BY number")]
    count = Counter(word for text in texts for word in set(re.findall(r"[^\W\d_]{4,}", text.lower())))
    once = sorted(word for word, times in count.items() if times == 1)[::4]

    def question(word: str) -> Asked:
        return Asked(
            f"Do you have anything about {word}?", lambda document, text: word in re.findall(r"[^\W\d_]{4,}", text.lower())
        )

    return made, [question(word) for word in once]


def report(name: str, made: Workspace, asked: list[Asked], tuning: bool) -> None:
    """Prints recall@5 and MRR for each way of ordering, for each half, and for the languages."""
    Knowledge(made, engine.embed).refresh()
    ranks = ranked(made, asked)
    print(f"\n{name}: {len(asked)} questions")
    halves = {"odd": np.arange(0, len(asked), 2)} | ({} if tuning else {"even": np.arange(1, len(asked), 2)})
    for language in sorted({one.language for one in asked}) if not tuning and len({one.language for one in asked}) > 1 else []:
        halves[language] = np.array([at for at, one in enumerate(asked) if one.language == language])
    print("".join([f"{'':22}", *(f"{half + f' ({len(places)})':>16}" for half, places in halves.items())]))
    for system, found in ranks.items():
        cells = [f"{(found[at] <= TOP).mean():>9.3f} {(1 / found[at]).mean():>6.3f}" for at in halves.values()]
        print(f"{system:22}" + "".join(cells))


def ranked(made: Workspace, asked: list[Asked]) -> dict[str, np.ndarray]:
    """The rank of the first right passage for each way of ordering; infinite where it is not found."""
    ranks: dict[str, list[float]] = {}
    with store.Store(made.store / store.FILE).open() as connection:
        held = ranking.Held(0, *store.vectors(connection))
        passages = connection.execute("SELECT document, text FROM passages ORDER BY number").fetchall()
        for one, vector in zip(asked, engine.embed([one.question for one in asked]), strict=True):
            right = [at for at, (document, text) in enumerate(passages) if one.answers(document, text)]
            assert right, one.question
            similar, shared = ranking.similarities(held, vector), ranking.overlaps(connection, held.numbers, one.question)
            places = [np.argsort(np.argsort(-scores, kind="stable")) + 1 for scores in (similar, shared)]
            reciprocal = 1 / (60 + places[0]) + np.where(shared > 0, 1 / (60 + places[1]), 0)
            for system, scores in {
                "BM25": np.where(shared > 0, shared, -np.inf), "embeddings": similar, "reciprocal rank": reciprocal,
                "both (tailorbird)": similar + ranking.OVERLAP_WEIGHT * shared,
            }.items():  # fmt: skip
                ranks.setdefault(system, []).append(first_right(scores, right, [text for _, text in passages]))
    return {system: np.array(found) for system, found in ranks.items()}


def first_right(scores: np.ndarray, right: list[int], texts: list[str]) -> float:
    """The rank of the best right passage, counting passages with the same text once."""
    best = max(scores[right])
    return len({text for text, score in zip(texts, scores, strict=True) if score > best}) + 1.0 if best > -np.inf else np.inf


def speed(pages: int) -> None:
    """Prints seconds for so many pages of ten passages and 500 words: the first index, a change, and searches."""
    made = workspace()
    folder = made.folder / "knowledge"
    words = re.findall(r"\w+", (DATA / "abcd_guidelines.json").read_text())
    for number in range(pages):
        told = [" ".join(words[(number * 97 + part * 50) % 9000 :][:50]) + "." for part in range(10)]
        body = "".join(f"<h2>Part {part} of page {number}</h2><p>{text}</p>" for part, text in enumerate(told))
        (folder / f"page-{number}.html").write_text(f"<title>Page {number}</title><main>{body}</main>")
    knowledge, other = Knowledge(made, engine.embed), Knowledge(made, engine.embed)
    print(f"\n{pages} pages of 500 words")
    print(f"first index           {timed(knowledge.refresh):8.3f} s")
    print(f"open and first search {timed(lambda: other.search('Where is the quokka?')):8.3f} s")
    print(f"search                {statistics.median(timed(lambda: knowledge.search('Where is it?')) for _ in range(20)):8.3f} s")
    (folder / "page-3.html").write_text("<title>New</title><main><p>The quokka lives on Rottnest Island.</p></main>")

    def sees() -> None:
        assert other.search("Where is the quokka?")[0].document == "page-3.html"

    print(f"changed page found    {timed(sees):8.3f} s")
    (folder / "page-3.html").unlink()
    print(f"removed page gone     {timed(lambda: other.search('Where is the quokka?')):8.3f} s")


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

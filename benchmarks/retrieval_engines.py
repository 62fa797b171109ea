"""Which embedded engine keeps the index: LanceDB, or SQLite with FTS5 and vectors for numpy. Times, size, two processes.

Usage: python benchmarks/retrieval_engines.py lancedb|sqlite [--passages 10000]
Needs numpy, and for the first `pip install lancedb==0.40.0`, in its own environment: tailorbird does not use it. Passages are
80 made-up words with the frequencies of language (Zipf) and random unit vectors of 512. While one process replaces a document of
five passages again and again, another one searches and tells how many changes it saw. docs/knowledge.md has the figures.
"""

from __future__ import annotations

import argparse
import atexit
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, WORDS, VOCABULARY, EACH, FOUND = 512, 80, 8000, 5, 50
READING, WRITING = 8.0, 6.0  # seconds


class Lance:
    """LanceDB: a table with a full-text index; vectors are searched exactly."""

    def __init__(self, folder: Path) -> None:
        import lancedb

        self.base = lancedb.connect(str(folder))
        self.table: Any = self.base.open_table("p") if "p" in self.base.table_names() else None

    def build(self, texts: list[str], vectors: np.ndarray) -> None:
        rows = [{"id": n, "doc": n // EACH, "text": t, "vector": v} for n, (t, v) in enumerate(zip(texts, vectors, strict=True))]
        self.table = self.base.create_table("p", rows)
        self.table.create_fts_index("text")

    def search(self, words: str, vector: np.ndarray) -> set[int]:
        self.table.checkout_latest()
        by_words = self.table.search(words, query_type="fts").limit(FOUND).to_list()
        by_meaning = self.table.search(vector).limit(FOUND).to_list()
        return {row["id"] for row in [*by_words, *by_meaning]}

    def replace(self, document: int, rows: list[tuple[int, str, np.ndarray]]) -> None:
        self.table.delete(f"doc = {document}")
        self.table.add([{"id": n, "doc": document, "text": text, "vector": vector} for n, text, vector in rows])
        self.table.optimize()

    def knows(self, word: str) -> bool:
        return bool(self.table.search(word, query_type="fts").limit(1).to_list())


class Sqlite:
    """SQLite: FTS5 for words; vectors as blobs, held in memory until another connection writes."""

    def __init__(self, folder: Path) -> None:
        self.base = sqlite3.connect(folder / "index.sqlite", isolation_level=None, timeout=30)
        self.base.execute("PRAGMA journal_mode=WAL")
        self.version = -1

    def build(self, texts: list[str], vectors: np.ndarray) -> None:
        self.base.execute("BEGIN IMMEDIATE")
        self.base.execute("CREATE TABLE p (id INTEGER PRIMARY KEY, doc INT, text, vector BLOB)")
        self.base.execute("CREATE VIRTUAL TABLE f USING fts5 (text, content='p', content_rowid='id')")
        rows = ((n, n // EACH, t, v.tobytes()) for n, (t, v) in enumerate(zip(texts, vectors, strict=True)))
        self.base.executemany("INSERT INTO p VALUES (?, ?, ?, ?)", rows)
        self.base.execute("INSERT INTO f (rowid, text) SELECT id, text FROM p")
        self.base.execute("COMMIT")

    def search(self, words: str, vector: np.ndarray) -> set[int]:
        version = self.base.execute("PRAGMA data_version").fetchone()[0]
        if version != self.version:
            rows = self.base.execute("SELECT id, vector FROM p").fetchall()
            self.ids = np.array([row[0] for row in rows])
            self.vectors = np.frombuffer(b"".join(row[1] for row in rows), "f4").reshape(-1, WIDTH)
            self.version = version
        wanted = " OR ".join(words.split())
        by_words = self.base.execute("SELECT rowid FROM f WHERE f MATCH ? ORDER BY bm25(f) LIMIT ?", (wanted, FOUND)).fetchall()
        by_meaning = self.ids[np.argpartition(-(self.vectors @ vector), FOUND)[:FOUND]]
        return {row[0] for row in by_words} | {int(one) for one in by_meaning}

    def replace(self, document: int, rows: list[tuple[int, str, np.ndarray]]) -> None:
        self.base.execute("BEGIN IMMEDIATE")
        self.base.execute("INSERT INTO f (f, rowid, text) SELECT 'delete', id, text FROM p WHERE doc = ?", (document,))
        self.base.execute("DELETE FROM p WHERE doc = ?", (document,))
        for number, text, vector in rows:
            self.base.execute("INSERT INTO p VALUES (?, ?, ?, ?)", (number, document, text, vector.tobytes()))
            self.base.execute("INSERT INTO f (rowid, text) VALUES (?, ?)", (number, text))
        self.base.execute("COMMIT")

    def knows(self, word: str) -> bool:
        return self.base.execute("SELECT 1 FROM f WHERE f MATCH ? LIMIT 1", (word,)).fetchone() is not None


ENGINES: dict[str, Callable[[Path], Any]] = {"lancedb": Lance, "sqlite": Sqlite}


def main() -> None:
    """Prints one line of JSON."""
    options = argparse.ArgumentParser()
    options.add_argument("engine", choices=ENGINES)
    options.add_argument("--passages", type=int, default=10_000)
    options.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    texts, vectors, questions = made_up(chosen.passages)
    if chosen.read:
        print(json.dumps(reading(ENGINES[chosen.engine](chosen.read), questions)))
        return
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    told: dict[str, Any] = {"engine": chosen.engine, "passages": chosen.passages}
    started = time.perf_counter()
    __import__("lancedb" if chosen.engine == "lancedb" else "sqlite3")
    engine = ENGINES[chosen.engine](folder)
    told["import and open, s"] = seconds(started)
    started = time.perf_counter()
    engine.build(texts, vectors)
    told["index, s"] = seconds(started)
    engine.search(*questions[0])
    told["search, ms"] = round(1000 * statistics.median(timed(engine.search, *one) for one in questions), 1)
    told["size, MB"] = megabytes(folder)
    told |= writing(engine, chosen.engine, folder, texts, vectors)
    print(json.dumps(told))


def made_up(count: int) -> tuple[list[str], np.ndarray, list[tuple[str, np.ndarray]]]:
    """Texts, vectors, and fifty questions of eight words, each with a vector near a passage's."""
    chance = np.random.default_rng(0)
    shares = 1 / np.arange(1, VOCABULARY + 1)
    shares /= shares.sum()
    texts = [" ".join(f"w{word}" for word in row) for row in chance.choice(VOCABULARY, (count, WORDS), p=shares)]
    vectors = chance.standard_normal((count, WIDTH)).astype("f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    asked = [" ".join(f"w{word}" for word in row) for row in chance.choice(VOCABULARY, (50, 8), p=shares)]
    near = [vectors[n] + 0.02 * chance.standard_normal(WIDTH).astype("f4") for n in range(50)]
    return texts, vectors, list(zip(asked, near, strict=True))


def writing(engine: Any, name: str, folder: Path, texts: list[str], vectors: np.ndarray) -> dict[str, Any]:
    """Replaces one document again and again while another process reads; what both have to tell."""
    command = [sys.executable, __file__, name, "--passages", str(len(texts)), "--read", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout
        reader.stdout.readline()
        took: list[float] = []
        until = time.perf_counter() + WRITING
        while time.perf_counter() < until:
            fresh = len(took)
            first = 1_000_000 + EACH * fresh
            rows = [(first + n, f"{texts[15 + n]} fresh{fresh}", vectors[15 + n]) for n in range(EACH)]
            took.append(timed(engine.replace, 3, rows))
            time.sleep(0.1)
        told = json.loads(reader.stdout.read())
    written = {"replace, ms": round(1000 * statistics.median(took), 1), "changes": len(took)}
    return written | {"reader": told, "size after, MB": megabytes(folder)}


def reading(engine: Any, questions: list[tuple[str, np.ndarray]]) -> dict[str, Any]:
    """Searches until time is up; how long that took and how many changes were seen."""
    print("ready", flush=True)
    took: list[float] = []
    seen, problems = 0, 0
    until = time.perf_counter() + READING
    while time.perf_counter() < until:
        try:
            took.append(timed(engine.search, *questions[len(took) % len(questions)]))
            seen += engine.knows(f"fresh{seen}")
        except Exception:
            problems += 1
    found = {"search, ms": round(1000 * statistics.median(took), 1), "worst, ms": round(1000 * max(took), 1)}
    return found | {"searches": len(took), "changes seen": seen, "errors": problems}


def megabytes(folder: Path) -> float:
    """What a folder takes on the disk."""
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6, 1)


def seconds(started: float) -> float:
    """Since then."""
    return round(time.perf_counter() - started, 3)


def timed(work: Callable[..., object], *arguments: object) -> float:
    """Seconds of a call."""
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from knowledge.documents import RETURNS, encode, make_pdf
from numpy.typing import NDArray

from tailorbird.errors import InputError, WorkspaceError
from tailorbird.knowledge import Knowledge, forget_index, store
from tailorbird.workspace import Workspace

ANOTHER = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from knowledge.documents import encode
from tailorbird import Workspace
from tailorbird.knowledge import Knowledge

knowledge = Knowledge(Workspace(Path({folder!r})), encode, patience=2)
for line in sys.stdin:
    found = knowledge.search(line.strip(), 1)
    print(found[0].document if found else "nothing", flush=True)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "tailorbird.yaml").write_text("business: {name: Shop}\nsystem_prompt: You answer.\n")
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "returns.md").write_text(RETURNS)
    (tmp_path / "knowledge" / "care.md").write_text(
        "# Care\n\nWash silk by hand in cold water.\n\n## Wool\n\nFreeze wool against moths.\n"
    )
    return Workspace(tmp_path)


def first(workspace: Workspace, question: str) -> str:
    found = Knowledge(workspace, encode).search(question, 1)
    return found[0].citation if found else ""


def test_passages_are_found_and_cited(workspace: Workspace) -> None:
    knowledge = Knowledge(workspace, encode)
    found = knowledge.search("store credit for late returns", 2)
    assert found[0].citation == "[returns.md › Returns › Late returns]"
    assert found[0].text == "After that, until day 35:\n- store credit at 90%\n- once per customer"
    assert found[0].score > found[1].score
    assert found[0].overlap > 0.3
    assert -1 <= found[1].similarity <= 1
    assert found == knowledge.search("store credit for late returns", 2)
    assert len({one.id for one in knowledge.search("silk", 50)}) == 5


def test_a_word_that_stands_in_one_passage_only_finds_it(workspace: Workspace) -> None:
    (workspace.folder / "knowledge" / "codes.txt").write_text("Mark CC41 means Utility clothing.")
    assert first(workspace, "Do you have anything with CC41?") == "[codes.txt]"


def test_pages_of_a_pdf_are_cited(workspace: Workspace) -> None:
    make_pdf(workspace.folder / "knowledge" / "handbook.pdf")
    found = Knowledge(workspace, encode).search("Parcels from Norway", 1)[0]
    assert (found.page, found.citation) == (2, "[handbook.pdf › Returns › Late returns › p. 2]")


def test_changed_new_and_removed_documents_are_noticed(workspace: Workspace) -> None:
    knowledge = Knowledge(workspace, encode)
    care = workspace.folder / "knowledge" / "care.md"
    assert knowledge.search("moths", 1)[0].document == "care.md"
    stamp = care.stat()
    care.write_text(care.read_text().replace("moths", "wasps"))  # as long as before, and as old
    os.utime(care, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert "wasps" in knowledge.search("wasps", 1)[0].text
    (workspace.folder / "knowledge" / "site").mkdir()
    (workspace.folder / "knowledge" / "site" / "new.html").write_text("<p>We deliver to Iceland.</p>")
    assert knowledge.search("Iceland", 1)[0].document == "site/new.html"
    care.unlink()
    assert all(one.document != "care.md" for one in knowledge.search("wasps", 9))


def test_unchanged_documents_are_not_encoded_again(workspace: Workspace) -> None:
    encoded: list[str] = []

    def counting(texts: list[str]) -> NDArray[np.float32]:
        encoded.extend(texts)
        return encode(texts)

    Knowledge(workspace, counting).refresh()
    before = len(encoded)
    (workspace.folder / "knowledge" / "care.md").touch()
    Knowledge(workspace, counting).refresh()
    assert len(encoded) == before
    (workspace.folder / "knowledge" / "new.md").write_text("New.")
    Knowledge(workspace, counting).refresh()
    assert "New." in encoded[before:]
    assert not any("silk" in text for text in encoded[before:])


def test_a_running_process_notices_what_another_one_changes(workspace: Workspace) -> None:
    script = ANOTHER.format(tests=str(Path(__file__).parents[1]), folder=str(workspace.folder))
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin
        assert server.stdout

        def ask(question: str) -> str:
            print(question, file=server.stdin, flush=True)
            return str(server.stdout.readline().strip())  # type: ignore[union-attr]

        assert ask("moths") == "care.md"
        own = Knowledge(workspace, encode)
        for number in range(100):
            (workspace.folder / "knowledge" / f"page-{number}.md").write_text(f"# Page {number}\n\nText about shelf {number}.")
        own.refresh()
        started = time.monotonic()
        (workspace.folder / "knowledge" / "page-7.md").write_text("The quokka lives here.")
        assert ask("quokka") == "page-7.md"
        (workspace.folder / "knowledge" / "page-7.md").rename(workspace.folder / "knowledge" / "moved.md")
        own.refresh()
        assert ask("quokka") == "moved.md"
        (workspace.folder / "knowledge" / "moved.md").unlink()
        own.refresh()
        assert ask("quokka") != "moved.md"
        assert time.monotonic() - started < 2


def test_many_threads_search_while_documents_change(workspace: Workspace) -> None:
    knowledge = Knowledge(workspace, encode)
    knowledge.refresh()
    problems: list[BaseException] = []

    def look() -> None:
        try:
            for _ in range(15):
                assert knowledge.search("silk", 1)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(10):
        (workspace.folder / "knowledge" / "news.md").write_text(f"News {number} about silk.")
        Knowledge(workspace, encode).refresh()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_server_answers_while_another_process_indexes(workspace: Workspace) -> None:
    server = Knowledge(workspace, encode, patience=1)
    assert server.search("silk", 1)
    with store.Store(workspace.store / store.FILE).open(writing=True):
        (workspace.folder / "knowledge" / "new.md").write_text("The quokka.")
        started = time.monotonic()
        assert server.search("quokka", 1)[0].document != "new.md"
        assert time.monotonic() - started < 1
    assert server.search("quokka", 1)[0].document == "new.md"


def test_a_document_that_cannot_be_read_is_named_and_the_others_are_found(workspace: Workspace) -> None:
    folder = workspace.folder / "knowledge"
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 rubbish")
    (folder / "photo.png").write_bytes(b"x")
    known = {one.name: one for one in Knowledge(workspace, encode).documents()}
    assert "damaged" in known["broken.pdf"].problem
    assert known["broken.pdf"].fix
    assert ".png" in known["photo.png"].problem
    assert known["returns.md"].passages == 3
    make_pdf(folder / "broken.pdf")
    assert {one.name: one.problem for one in Knowledge(workspace, encode).documents()}["broken.pdf"] == ""


def test_nothing_of_a_cleaned_document_stays_in_the_index(workspace: Workspace) -> None:
    care = workspace.folder / "knowledge" / "care.md"
    care.write_text("# Care\n\nZebediah Quill likes silk.\n")
    Knowledge(workspace, encode).refresh()

    def kept() -> bool:
        files = list(workspace.store.glob("knowledge.sqlite*"))
        return any(word in path.read_bytes().lower() for path in files for word in (b"zebediah", b"quill"))

    assert kept()
    care.write_text("# Care\n\n<ERASED> likes silk.\n")
    Knowledge(workspace, encode).refresh()
    assert not kept()
    forget_index(workspace)
    assert not list(workspace.store.glob("knowledge.sqlite*"))
    assert first(workspace, "silk") == "[care.md › Care]"


def test_a_damaged_or_foreign_index_is_made_anew(workspace: Workspace) -> None:
    assert first(workspace, "moths")
    (workspace.store / store.FILE).write_bytes(b"rubbish" * 1000)
    assert first(workspace, "moths") == "[care.md › Care › Wool]"

    def other(texts: list[str]) -> NDArray[np.float32]:
        return encode([text[::-1] for text in texts])[:, ::-1]

    assert Knowledge(workspace, other).search("moths", 1)[0].document == "care.md"
    assert first(workspace, "moths") == "[care.md › Care › Wool]"


def test_without_documents_nothing_is_found_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "tailorbird.yaml").write_text("business: {name: Shop}\nsystem_prompt: You answer.\n")
    knowledge = Knowledge(Workspace(tmp_path), encode)
    assert knowledge.search("silk") == []
    assert knowledge.documents() == []
    assert not (tmp_path / "artifacts").exists()


def test_a_question_without_words_is_refused_and_odd_ones_are_not(workspace: Workspace) -> None:
    with pytest.raises(InputError):
        Knowledge(workspace, encode).search("  ")
    for odd in ('"', "silk AND (", "* NEAR", "'; DROP TABLE words;", "???", "silk\0", "wie ist das"):
        assert Knowledge(workspace, encode).search(odd)


def test_the_same_text_is_shown_once(workspace: Workspace) -> None:
    (workspace.folder / "knowledge" / "copy.md").write_text((workspace.folder / "knowledge" / "care.md").read_text())
    texts = [one.text for one in Knowledge(workspace, encode).search("silk in cold water", 20)]
    assert len(texts) == len(set(texts)) == 5


def test_an_index_that_cannot_be_written_is_told(workspace: Workspace) -> None:
    (workspace.store).write_text("a file where the folder should be")
    with pytest.raises(WorkspaceError, match="index of the documents"):
        Knowledge(workspace, encode).search("silk")

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from knowledge.documents import RETURNS, encode, make_pdf, make_scan, make_word
from typer.testing import CliRunner

from tailorbird.cli import app
from tailorbird.errors import InputError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace to run in, and beside it a folder `new` with documents to add."""
    (tmp_path / "tailorbird.yaml").write_text("business: {name: Shop}\nsystem_prompt: You answer.\n")
    monkeypatch.setattr("tailorbird.engine.embed", encode)
    monkeypatch.chdir(tmp_path)
    site = tmp_path / "new" / "site"
    (site / "about").mkdir(parents=True)
    (tmp_path / "new" / "returns.md").write_text(RETURNS)
    (site / "index.html").write_text("<title>Shop</title><p>We mend zips in Bristol.</p>")
    (site / "about" / "us.html").write_text("<h1>Us</h1><p>Odile dates every piece.</p>")
    (site / "style.css").write_text("p {}")
    make_pdf(tmp_path / "new" / "handbook.pdf")
    make_word(tmp_path / "new" / "word.docx")
    (tmp_path / "new" / "faq.csv").write_text("question,answer\nDo you swap?,No.\n")
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    made = CliRunner().invoke(app, ["knowledge", *arguments])
    if made.exception and not isinstance(made.exception, SystemExit):
        raise made.exception
    assert made.exit_code == code, made.output
    return made.stdout


def test_documents_of_every_kind_are_added_listed_searched_and_removed(place: Path) -> None:
    told = run("add", "new/returns.md", "new/site", "new/handbook.pdf", "new/word.docx", "new/faq.csv")
    assert "Added: returns.md, site/index.html, site/about/us.html, handbook.pdf, word.docx, faq.csv." in told
    assert "Left out, being of other kinds: new/site/style.css." in told
    assert "6 documents" in told
    assert (place / "knowledge" / "site" / "about" / "us.html").is_file()
    assert not list(place.rglob("*.draft"))
    assert "handbook.pdf" in run("list")
    listed = json.loads(run("list", "--json"))
    assert [one["document"] for one in listed] == sorted(one["document"] for one in listed)
    assert "[site/index.html › Shop]" in run("search", "Who mends zips in Bristol?", "--top", "1")
    found = json.loads(run("search", "Parcels from Norway", "--top", "2", "--json"))
    assert (found[0]["document"], found[0]["page"]) == ("handbook.pdf", 2)
    assert found[0]["citation"] == "[handbook.pdf › Returns › Late returns › p. 2]"
    assert len(found) == 2
    assert "Removed: site/index.html, site/about/us.html." in run("remove", "site/")
    assert not (place / "knowledge" / "site").exists()
    assert json.loads(run("remove", "faq.csv", "--json"))["documents"] == 3
    assert "Bristol" not in run("search", "Who mends zips in Bristol?")


def test_another_document_of_the_same_name_is_never_overwritten_silently(place: Path) -> None:
    run("add", "new/returns.md")
    assert "Known already: returns.md." in run("add", "new/returns.md")
    (place / "new" / "returns.md").write_text("# Returns\n\nForty days.\n")
    told = json.loads(run("add", "new/returns.md", "new/word.docx", "--json", code=1))
    assert told["added"] == ["word.docx"]
    assert "already" in told["refused"][0]["what"]
    assert "--replace" in told["refused"][0]["fix"]
    assert "21 days" in (place / "knowledge" / "returns.md").read_text()
    assert json.loads(run("add", "new/returns.md", "--replace", "--json"))["replaced"] == ["returns.md"]
    assert "Forty days" in run("search", "Forty days")


def test_what_lies_in_the_folder_already_is_known(place: Path) -> None:
    (place / "knowledge" / "deep").mkdir(parents=True)
    (place / "knowledge" / "deep" / "care.md").write_text("Wash silk by hand.")
    assert "Known already: deep/care.md." in run("add", "knowledge/deep/care.md")
    assert json.loads(run("list", "--json"))[0]["document"] == "deep/care.md"


def test_bad_documents_are_refused_with_what_to_do_and_the_others_added(place: Path) -> None:
    make_scan(place / "new" / "scan.pdf")
    (place / "new" / "empty.md").write_text("")
    (place / "new" / "orders.csv").write_text("order,total\n1,2\n")
    (place / "new" / "photo.png").write_bytes(b"x")
    (place / "new" / "old.txt").write_bytes("Rückgabe".encode("cp1252"))
    names = ("scan.pdf", "empty.md", "orders.csv", "photo.png", "old.txt")
    made = CliRunner().invoke(app, ["knowledge", "add", *(f"new/{name}" for name in names)])
    assert made.exit_code == 1
    assert "Added: old.txt." in made.stdout
    assert made.stderr.count("What to do:") == 4
    assert "old.txt: not UTF-8; read as cp1252." in made.stderr
    assert [one["document"] for one in json.loads(run("list", "--json"))] == ["old.txt"]


def test_what_is_not_there_is_told(place: Path) -> None:
    assert "no documents yet" in run("list")
    assert "no documents yet" in run("search", "anything")
    assert json.loads(run("search", "anything", "--json")) == []
    with pytest.raises(InputError, match="no such file"):
        run("add", "nowhere.md")
    with pytest.raises(InputError, match="no document called"):
        run("remove", "nowhere.md")
    with pytest.raises(InputError, match="no document called"):
        run("remove", "/")


def test_the_commands_load_nothing_heavy_before_they_run() -> None:
    heavy = ("numpy", "torch", "pypdfium2", "docx", "markdown_it", "sqlite3")
    code = f"import sys, tailorbird.cli; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"

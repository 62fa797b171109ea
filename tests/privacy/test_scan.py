"""`tailorbird privacy scan`: one line of JSON for each text, in order; a table with nothing readable in it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import run

from tailorbird.errors import InputError
from tailorbird.privacy.scan import mask, scan


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "texts.jsonl"
    rows = [
        {"text": "Grüße, mail müller@firma.example", "language": "de"},
        {"text": "all fine"},
        {"text": "my name is Anna Kowalska"},
    ]
    path.write_text("\n".join([*(json.dumps(row, ensure_ascii=False) for row in rows), "", ""]), encoding="utf-8")
    return path


def test_every_text_has_its_line(lines: Path) -> None:
    said = [json.loads(line)["entities"] for line in run("privacy", "scan", lines, "--json").stdout.splitlines()]
    assert [(e["start"], e["end"], e["type"]) for e in said[0]] == [(12, 32, "EMAIL")]
    assert said[1] == []
    assert [e["type"] for e in said[2]] == ["PERSON"]
    assert 0 < said[2][0]["score"] <= 1


def test_standard_input_is_read(lines: Path) -> None:
    assert len(run("privacy", "scan", "-", "--json", input=lines.read_text(encoding="utf-8")).stdout.splitlines()) == 3


def test_the_table_masks_what_it_shows(lines: Path) -> None:
    shown = run("privacy", "scan", lines).stdout
    assert "PERSON" in shown
    assert "Kowalska" not in shown
    assert mask("Anna Kowalska") == "A*** ********"


@pytest.mark.parametrize("bad", ["{", '{"txt": "a"}', "[1]", '{"text": 4}', '{"text": "a", "language": 3}', "\udcff"])
def test_a_bad_line_is_named(bad: str) -> None:
    with pytest.raises(InputError, match=r"texts\.jsonl, line 3"):
        list(scan(['{"text": "a"}\n', "\n", bad], "texts.jsonl"))


def test_a_missing_file_is_an_input_error() -> None:
    assert "cannot be read" in run("privacy", "scan", "nowhere.jsonl", expect=1).stderr


def test_help_does_not_load_the_model() -> None:
    code = "import sys; import tailorbird.cli; sys.exit('tailorbird.privacy' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

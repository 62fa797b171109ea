from __future__ import annotations

import io
import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from knowledge.documents import RETURNS, make_pdf, make_scan, make_word
from reportlab.pdfgen.canvas import Canvas

from tailorbird.errors import InputError
from tailorbird.knowledge import reading
from tailorbird.knowledge.blocks import Block
from tailorbird.knowledge.chunking import chunk
from tailorbird.knowledge.reading import KINDS, check, read_document


def read(text: str | bytes, kind: str) -> list[Block]:
    return read_document(text.encode() if isinstance(text, str) else text, kind, f"file{kind}").blocks


def told(blocks: list[Block]) -> list[tuple[tuple[str, ...], str, str]]:
    return [(one.headings, one.kind, one.text) for one in blocks]


def refused(data: bytes, kind: str) -> str:
    with pytest.raises(InputError) as caught:
        read_document(data, kind, f"file{kind}")
    assert caught.value.fix
    return caught.value.what


def test_markdown() -> None:
    assert told(read(f"---\ntitle: Shop\n---\n{RETURNS}", ".md")) == [
        (("Shop", "Returns"), "text", "Send it back within 21 days."),
        (("Shop", "Returns", "Late returns"), "text", "After that, until day 35:"),
        (("Shop", "Returns", "Late returns"), "item", "- store credit at 90%"),
        (("Shop", "Returns", "Late returns"), "item", "- once per customer"),
        (("Shop", "Returns", "Fees"), "row", "| Where | Price |\n|---|---|"),
        (("Shop", "Returns", "Fees"), "row", "| UK | £3.95 |"),
        (("Shop", "Returns", "Fees"), "row", "| Europe | £11.50 |"),
    ]


def test_headings_that_nothing_stands_under_are_not_lost() -> None:
    made = read("# Hours\n## Closed on Mondays\n## Sundays\nNoon to four.\n## Closed at Christmas\n", ".md")
    assert told(made) == [
        (("Hours",), "text", "Closed on Mondays"),
        (("Hours", "Sundays"), "text", "Noon to four."),
        (("Hours",), "text", "Closed at Christmas"),
    ]


def test_nested_lists_and_code_keep_their_lines() -> None:
    made = read("1. Wash\n   - cold\n   - by hand\n2. Dry\n\n```\nFOX10\n```\n", ".md")
    assert [one.text for one in made] == ["- Wash\n  - cold\n  - by hand", "- Dry", "```\nFOX10\n```"]


def test_html_without_menus_and_scripts() -> None:
    page = """<html><head><title>Returns - Shop</title><style>p {}</style></head><body>
    <header><a href=/>Home</a></header><nav><ul><li>Shop<li>Cart</ul></nav>
    <main><h1>Returns</h1><div>Send it <b>b</b>ack<br>within 21&nbsp;days.<p>Kindly</p>loose</div>
    <h2>Late returns</h2><p>Until day 35:</p><ul><li>store <em>credit</em></li><li>once<ul><li>per customer</li></ul></li></ul>
    <table><tr><th>Where</th><th>Price</th></tr><tr><td>UK</td><td>£3.95</td></tr></table>
    <dl><dt>Do you swap?</dt><dd>No.</dd></dl><details><summary>And hats?</summary><p>Final sale.</p></details></main>
    <footer>Imprint</footer><script>alert(1)</script></body></html>"""
    late = ("Returns", "Late returns")
    assert told(read(page, ".html")) == [
        (("Returns",), "text", "Send it back\nwithin 21 days."),
        (("Returns",), "text", "Kindly"),
        (("Returns",), "text", "loose"),
        (late, "text", "Until day 35:"),
        (late, "item", "- store credit"),
        (late, "item", "- once\n  per customer"),
        (late, "row", "| Where | Price |\n|---|---|"),
        (late, "row", "| UK | £3.95 |"),
        (late, "pair", "Do you swap?\nNo."),
        (late, "pair", "And hats?\nFinal sale."),
    ]


def test_a_page_without_headings_stands_under_its_title_and_layout_tables_are_walked() -> None:
    made = read("<title>Care</title><table><tr><td><h2>Silk</h2><p>Cold water.</p></td></tr></table>", ".htm")
    assert told(made) == [(("Care", "Silk"), "text", "Cold water.")]


def test_word(tmp_path: Path) -> None:
    made = read(make_word(tmp_path / "a.docx").read_bytes(), ".docx")
    assert told(made) == [
        (("Returns",), "text", "Send it back within 21 days."),
        (("Returns", "Late returns"), "text", "After that, until day 35:"),
        (("Returns", "Late returns"), "item", "- store credit at 90%"),
        (("Returns", "Late returns"), "item", "- once per customer"),
        (("Returns", "Fees"), "row", "| Where | Price |\n|---|---|"),
        (("Returns", "Fees"), "row", "| UK | £3.95 |"),
    ]


def test_pdf_with_pages_headings_and_without_margins(tmp_path: Path) -> None:
    made = chunk(read(make_pdf(tmp_path / "a.pdf").read_bytes(), ".pdf"))
    everything = "\n".join(one.text for one in made)
    assert "handbook" not in everything
    assert "Page 2" not in everything
    late = next(one for one in made if "Norway" in one.text)
    assert (late.headings, late.page) == (("Returns", "Late returns"), 2)
    assert everything.count("21 days") == 8
    assert any("until day 35:" in one.text and "store credit" in one.text and one.page == 1 for one in made)


def test_text_with_underlined_and_capital_headings_and_marked_questions() -> None:
    faq = "Q: Hats?\nA: No.\nQ: Gloves?\nA: Yes.\n"
    made = read(f"Returns\n=======\n\n21 days.\n\nLATE RETURNS\n\nUntil day 35:\n- credit\n- once\n\n{faq}", ".txt")
    assert told(made) == [
        (("Returns",), "text", "21 days."),
        (("Returns", "LATE RETURNS"), "text", "Until day 35:"),
        (("Returns", "LATE RETURNS"), "item", "- credit"),
        (("Returns", "LATE RETURNS"), "item", "- once"),
        (("Returns", "LATE RETURNS"), "pair", "Q: Hats?\nA: No."),
        (("Returns", "LATE RETURNS"), "pair", "Q: Gloves?\nA: Yes."),
    ]


def test_marked_questions_find_the_answer_in_the_next_paragraph() -> None:
    made = read("**Frage:** Wie lange?\n\n**Antwort:** 21 Tage.\n\nQ: Nobody answers this?\n\nPlain text.\n", ".md")
    assert [(one.kind, one.text) for one in made] == [
        ("pair", "**Frage:** Wie lange?\n**Antwort:** 21 Tage."),
        ("text", "Q: Nobody answers this?"),
        ("text", "Plain text."),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_of_questions_and_answers(separator: str) -> None:
    lines = [("Kategorie", "Frage", "Antwort"), ("Hüte", "Rückgabe?", '"Nein,\n nie; Schluss."'), ("", "Tausch?", "Nein.")]
    made = read("\ufeff" + "\r\n".join(separator.join(line) for line in lines), ".csv")
    assert [(one.headings, one.kind, one.lead) for one in made] == [
        (("Hüte",), "pair", "Rückgabe?"),
        (("Hüte",), "pair", "Tausch?"),
    ]
    assert made[0].text == "Rückgabe?\nNein,\n nie; Schluss."


def test_old_encodings_are_read_and_told() -> None:
    made = read_document("Rückgabe: 21 Tage – für 5 €.".encode("cp1252"), ".txt", "a.txt")
    assert made.blocks[0].text == "Rückgabe: 21 Tage – für 5 €."
    assert "cp1252" in made.note
    assert read("Größe".encode("utf-16"), ".txt")[0].text == "Größe"
    page = '<meta charset="iso-8859-2"><p>Zażółć gęślą</p>'.encode("iso-8859-2")
    assert read(page, ".html")[0].text == "Zażółć gęślą"


def test_what_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    pdf = make_pdf(tmp_path / "a.pdf").read_bytes()
    assert "damaged" in refused(pdf[:200], ".pdf")
    assert "damaged" in refused(b"no PDF at all", ".pdf")
    assert "password" in refused(make_pdf(tmp_path / "b.pdf", password="secret").read_bytes(), ".pdf")
    assert "scanned" in refused(make_scan(tmp_path / "c.pdf").read_bytes(), ".pdf")
    assert "damaged" in refused(make_word(tmp_path / "a.docx").read_bytes()[:-300], ".docx")
    assert "damaged" in refused(b"PK\x03\x04rubbish", ".docx")
    assert "password" in refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".docx")
    assert "encoding" in refused(b"\x89PNG\r\n\x1a\n\x00\x00", ".txt")
    assert "there are: order, total" in refused(b"order,total\n1,2\n", ".csv")
    assert "no text" in refused(b"<nav>Menu</nav>", ".html")
    assert "no text" in refused(b"  \n\n", ".md")


STARTS = [b"", b"%PDF-1.7\n", b"PK\x03\x04", b"<p>", b"| a |\n|---|\n", b"question,answer\n"]


@given(st.binary(max_size=300), st.sampled_from(sorted(KINDS)), st.sampled_from(STARTS))
def test_any_bytes_are_read_or_refused(data: bytes, kind: str, start: bytes) -> None:
    with suppress(InputError):
        assert read_document(start + data, kind, "file").blocks


@pytest.mark.parametrize("kind", [".pdf", ".docx"])
def test_files_with_wrong_bytes_are_read_or_refused(tmp_path: Path, kind: str) -> None:
    whole = (make_pdf if kind == ".pdf" else make_word)(tmp_path / "a").read_bytes()
    chance = random.Random(1)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(20):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with suppress(InputError):
            assert read_document(bytes(data), kind, "file").blocks


def test_headings_that_differ_by_a_number_are_no_margins() -> None:
    out = io.BytesIO()
    canvas = Canvas(out)
    for number, fabric in enumerate(("silk", "wool", "tweed", "lace")):
        canvas.setFont("Helvetica", 18)
        canvas.drawString(72, 760, f"Chapter {number}")
        canvas.setFont("Helvetica", 10)
        canvas.drawString(72, 720, f"What is told about {fabric} is longer than its heading.")
        canvas.drawString(72, 30, f"{number}")
        canvas.showPage()
    canvas.save()
    made = read(out.getvalue(), ".pdf")
    assert [(one.headings, one.page) for one in made] == [((f"Chapter {number}",), number + 1) for number in range(4)]


def test_endless_nesting_is_refused() -> None:
    assert "nested" in refused(b"<div>" * 20000 + b"x", ".html")


def test_empty_huge_and_unknown_files_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST", 10)
    for name, content, what in (("a.md", "", "empty"), ("b.md", "x" * 11, "MB"), ("c.png", "x", ".png"), ("d", "x", "without")):
        path = tmp_path / name
        path.write_text(content)
        with pytest.raises(InputError, match=what):
            check(path, name)

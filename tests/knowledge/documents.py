"""Real files of every format, made where a test asks for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from docx import Document
from numpy.typing import NDArray
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import ListFlowable, PageBreak, Paragraph, SimpleDocTemplate

RETURNS = """\
# Returns

Send it back within 21 days.

## Late returns

After that, until day 35:

- store credit at 90%
- once per customer

## Fees

| Where | Price |
|---|---|
| UK | £3.95 |
| Europe | £11.50 |
"""


def encode(texts: list[str]) -> NDArray[np.float32]:
    """Unit vectors [N, 64] of letter triples: alike where texts share words or stems."""
    vectors = np.full((len(texts), 64), 1e-3, dtype=np.float32)
    for row, text in zip(vectors, texts, strict=True):
        low = text.casefold()
        for at in range(len(low) - 2):
            row[sum(ord(letter) * weight for letter, weight in zip(low[at : at + 3], (1, 7, 31), strict=True)) % 64] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def make_word(path: Path) -> Path:
    document = Document()
    document.add_heading("Returns", level=0)
    document.add_paragraph("Send it back within 21 days.")
    document.add_heading("Late returns", level=1)
    document.add_paragraph("After that, until day 35:")
    document.add_paragraph("store credit at 90%", style="List Bullet")
    document.add_paragraph("once per customer", style="List Bullet")
    document.add_heading("Fees", level=1)
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip([*table.rows[0].cells, *table.rows[1].cells], ("Where", "Price", "UK", "£3.95"), strict=True):
        cell.text = text
    document.save(str(path))
    return path


def make_pdf(path: Path, password: str = "") -> Path:
    """Two pages with headings, a list, a running head and page numbers."""
    style = getSampleStyleSheet()

    def margins(canvas: Canvas, _: object) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(72, 800, "Foxglove and Finch handbook")
        canvas.drawString(72, 30, f"Page {canvas.getPageNumber()} of 3")

    filler = [Paragraph("Wool and tweed", style["Heading2"]), Paragraph("Air it and brush it. " * 12, style["BodyText"])]
    story = [
        Paragraph("Returns", style["Heading1"]),
        Paragraph("Send it back within 21 days. " * 8, style["BodyText"]),
        Paragraph("After that, until day 35:", style["BodyText"]),
        ListFlowable([Paragraph(text, style["BodyText"]) for text in ("store credit at 90%", "once per customer")], start="•"),
        PageBreak(),
        Paragraph("Late returns", style["Heading2"]),
        Paragraph("Parcels from Norway may take ten days longer.", style["BodyText"]),
        PageBreak(),
        *filler,
    ]
    from reportlab.lib.pdfencrypt import StandardEncryption

    locked = StandardEncryption(password, canPrint=0) if password else None
    SimpleDocTemplate(str(path), encrypt=locked).build(story, onFirstPage=margins, onLaterPages=margins)
    return path


def make_scan(path: Path) -> Path:
    canvas = Canvas(str(path))
    canvas.rect(50, 50, 300, 300, fill=1)
    canvas.showPage()
    canvas.save()
    return path

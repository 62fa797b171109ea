"""Plain text and tables of questions and answers -> blocks."""

from __future__ import annotations

import csv
import io
import re

from tailorbird.errors import InputError
from tailorbird.knowledge.blocks import Block, Outline

_UNDERLINED = re.compile(r"(?m)^[ \t]*(\S.*)\n[ \t]*(={3,}|-{3,})[ \t]*$")
_BULLET = re.compile(r"^\s*(?:[-*+•–]|\d{1,2}[.)])\s+")
_LONGEST_HEADING = 12  # words
_QUESTIONS = {
    "question", "questions", "q", "frage", "fragen", "pregunta", "preguntas", "domanda", "domande", "pytanie", "vraag",
    "pergunta", "title", "prompt", "query", "customer", "instruction",
}  # fmt: skip
_ANSWERS = {
    "answer", "answers", "a", "antwort", "antworten", "respuesta", "respuestas", "réponse", "réponses", "reponse", "risposta",
    "risposte", "odpowiedź", "odpowiedz", "antwoord", "resposta", "reply", "response", "completion", "text", "body",
}  # fmt: skip
_TOPICS = {
    "category",
    "topic",
    "section",
    "kategorie",
    "thema",
    "categoría",
    "categoria",
    "tema",
    "catégorie",
    "catégories",
    "rubrik",
}


def blocks_of_text(text: str) -> list[Block]:
    """Paragraphs between empty lines, list items, and headings: underlined, or short lines in capitals alone."""
    outline = Outline()
    marked = _UNDERLINED.sub(lambda found: f"\n\n\0{1 if found[2][0] == '=' else 2}{found[1]}\n\n", text)
    for paragraph in re.split(r"\n\s*\n", marked):
        lines = [line for line in paragraph.splitlines() if line.strip()]
        if not lines:
            continue
        if lines[0].startswith("\0"):
            outline.heading(int(lines[0][1]), lines[0][2:])
        elif len(lines) == 1 and _is_capital_heading(lines[0]):
            outline.heading(2, lines[0])
        else:
            _add_lines(outline, lines)
    return outline.finish()


def _is_capital_heading(line: str) -> bool:
    words = line.split()
    return line.upper() == line != line.lower() and len(words) <= _LONGEST_HEADING and not line.rstrip().endswith((".", "!", ","))


def _add_lines(outline: Outline, lines: list[str]) -> None:
    """One paragraph, or the items of a list with the sentence before them."""
    starts = [number for number, line in enumerate(lines) if _BULLET.match(line)]
    if not starts:
        outline.add("\n".join(lines))
        return
    outline.add("\n".join(lines[: starts[0]]))
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        outline.item("\n".join(lines[start:end]))


def blocks_of_table(text: str, where: str) -> list[Block]:
    """A block for each question with its answer, under its category; raises InputError where no such columns are recognised."""
    head, _, _ = text.partition("\n")
    separator = max(",;\t|", key=head.count)
    rows = csv.DictReader(io.StringIO(text), delimiter=separator)
    try:
        names = [name or "" for name in rows.fieldnames or []]
        asked, told, topic = (_column(names, known) for known in (_QUESTIONS, _ANSWERS, _TOPICS))
        if asked is None or told is None:
            raise InputError(
                f"No columns of questions and answers are recognised; there are: {', '.join(filter(None, names)) or 'none'}.",
                fix="Name two columns in the first line `question` and `answer`; a third may be `category`.",
                where=where,
            )
        outline = Outline()
        for row in rows:
            question, answer = (row.get(asked) or "").strip(), (row.get(told) or "").strip()
            if topic and (row.get(topic) or "").strip():
                outline.heading(1, row[topic])
            outline.add(f"{question}\n{answer}", "pair" if question and answer else "text", lead=question if answer else "")
    except csv.Error as problem:
        raise InputError(
            f"This table cannot be read ({problem}).", fix="Save it again as CSV (UTF-8) in your spreadsheet.", where=where
        ) from problem
    return outline.finish()


def _column(names: list[str], known: set[str]) -> str | None:
    """The column with the best known name."""
    return next((name for name in names if name.strip().casefold() in known), None)

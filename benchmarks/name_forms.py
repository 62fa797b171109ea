"""Messages that are no prose: forms, transcripts of chats, quoted mail, lists of people, logs. Marked as name_messages marks."""

from __future__ import annotations

import random
from collections.abc import Callable

from name_tables import ASKED, CALLED, HEADERS, LABELS, SPEAKERS

# Writes a slot (see name_messages) or, for "w", a sentence in which nobody is named, in a language.
Fill = Callable[[str, str], str]


def structured(pick: random.Random, fill: Fill, language: str) -> str:
    """One such message."""
    return pick.choice((_form, _form, _transcript, _transcript, _mail, _people, _log))(pick, fill, language)


def _form(pick: random.Random, fill: Fill, language: str) -> str:
    """Lines or fields of labels and values, some of them people."""
    people, others = (part.split(",") for part in LABELS[language].split("|"))
    fields = []
    for _ in range(pick.randrange(2, 7)):
        if pick.random() < 0.36:
            label, value = pick.choice(people), fill(pick.choice("PPPPIR"), language)
        else:
            label, value = pick.choice(others), _value(pick, fill, language)
        if pick.random() < 0.12:
            label = label.lower() if pick.random() < 0.5 else label.upper()
        fields.append(label + pick.choice((": ", ": ", ":", " - ", " = ", " ")) + value)
    pick.shuffle(fields)
    return pick.choice(("\n", "\n", "\n", ", ", "; ", " | ", ". ")).join(fields)


def _value(pick: random.Random, fill: Fill, language: str) -> str:
    kind = pick.random()
    if kind < 0.45:
        return fill("T", language)
    if kind < 0.6:
        return fill(pick.choice("NGKX"), language)
    if kind < 0.75:
        return " ".join(fill("U", language) for _ in range(pick.randrange(1, 3)))
    if kind < 0.85:
        return fill(pick.choice("EY"), language)
    return f"{pick.choice(('', 'A-', 'INV', '#', 'KX'))}{pick.randrange(10, 99_999)}"


def _transcript(pick: random.Random, fill: Fill, language: str) -> str:
    """A chat: roles that are nobody's name, or people by first name; some are addressed."""
    desk, customer = (pick.choice(part.split(",")) for part in SPEAKERS[language].split(";"))
    if pick.random() < 0.25:
        desk = fill(pick.choice("FP"), language)
    if pick.random() < 0.25:
        customer = fill(pick.choice("FP"), language)
    between = pick.choice((": ", ": ", "> ", " - "))
    stamp, asked = pick.random() < 0.2, False
    lines = []
    for number in range(pick.randrange(2, 6)):
        text = fill("w", language)
        if number % 2 == 0 and pick.random() < 0.45:
            before, after = pick.choice(CALLED[language].split(";")).split("|")
            text = f"{before}{fill('F', language)}{after} {text}"
        elif number % 2 == 0 and number < 3 and pick.random() < 0.25:
            asked, text = True, pick.choice(ASKED[language].split(";"))
        elif asked:
            asked, text = False, fill(pick.choice("PPPFFI"), language) + pick.choice(("", "", ".", "!", ", " + text))
        elif number % 2 and pick.random() < 0.3:
            text = fill(pick.choice("PPPFTUG"), language) + pick.choice(("", ".", ", " + text))
        time = f"[{pick.randrange(8, 19)}:{pick.randrange(10, 59)}] " if stamp else ""
        lines.append(f"{time}{customer if number % 2 else desk}{between}{text}")
    return "\n".join(lines)


def _mail(pick: random.Random, fill: Fill, language: str) -> str:
    """Headers of a mail that is quoted, and what it says."""
    sender, to, copy, sent, subject, wrote = HEADERS[language].split(",")
    words = " ".join(fill(pick.choice("TU"), language) for _ in range(pick.randrange(1, 4)))
    person = fill("P", language)
    lines = [f"{sender}: {person}" + pick.choice(("", f" <{fill('E', language)}>", f" ({fill('K', language)})"))]
    if pick.random() < 0.5:
        lines.append(f"{to}: {pick.choice(('Support', fill('K', language), fill('P', language), fill('E', language)))}")
    if pick.random() < 0.25:
        lines.append(f"{copy}: {fill('P', language)}, {fill('P', language)}")
    if pick.random() < 0.4:
        lines.append(f"{sent}: {fill('D', language)}, {pick.randrange(1, 28)}. {fill('M', language)} 2025")
    lines.append(f"{subject}: {pick.choice(('', 'Re: ', 'Fwd: ', 'AW: '))}{words}")
    if pick.random() < 0.35:
        return fill("w", language) + "\n\n" + wrote.replace("|", person) + "\n> " + fill("w", language)
    return "\n".join(lines) + "\n\n" + fill("w", language)


def _people(pick: random.Random, fill: Fill, language: str) -> str:
    """People and things one below the other or in a row, alone in their line or with something behind them."""
    kind = pick.choice("PPRR") if pick.random() < 0.6 else pick.choice("TTNXU")
    behind = pick.choice(("", "", f" {pick.randrange(1, 99)}", " (M)", f", {pick.randrange(1, 28)}.{pick.randrange(1, 12)}.1986"))
    rows = [f"{fill(kind, language)}{behind}" for _ in range(pick.randrange(1, 5))]
    opening = fill("w", language).rstrip(".") + ":\n" if pick.random() < 0.5 else ""
    return opening + pick.choice(("\n", "\n- ", "\n", " / ", "; ")).join(rows)


def _log(pick: random.Random, fill: Fill, language: str) -> str:
    """Lines of a program, which name modules and errors."""
    lines = []
    for _ in range(pick.randrange(1, 4)):
        level = pick.choice(("ERROR", "WARN", "INFO", "Exception in", "Caused by:", "at", "npm ERR!", "Traceback", ">"))
        parts = [
            pick.choice((fill("T", language), fill("Z", language), _camel(fill, language))) for _ in range(pick.randrange(1, 4))
        ]
        lines.append(
            f"{level} {pick.choice((': ', ' ', '.', ' -> ')).join(parts)} {pick.choice(('failed', 'null', '500', 'OK', ''))}"
        )
    return (fill("w", language) + "\n" if pick.random() < 0.4 else "") + "\n".join(lines)


def _camel(fill: Fill, language: str) -> str:
    return "".join(fill("U", language).capitalize() for _ in range(2))

"""WhatsApp chats as the app exports them (iOS and Android, any locale): `[14/08/2023, 09:15:32] Name: text`."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from tailorbird.artifacts import Conversation, Turn
from tailorbird.errors import InputError
from tailorbird.importing.cleaning import tidy, visible
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.reading import Lines, Rejected
from tailorbird.importing.times import utc
from tailorbird.progress import Advance

NAME = "whatsapp"
TITLE = "WhatsApp chat, exported as text (needs --ours with the name that writes for the business)"
PARTS, GLOBAL = False, True
_PAUSE = timedelta(hours=12)  # a longer silence begins another conversation
_HEAD = re.compile(
    r"""\[?(?P<a>\d{1,4})[./-](?P<b>\d{1,2})[./-](?P<c>\d{2,4}),?\s+(?:\w{1,4}\s+)?
        (?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?:\s?(?P<half>[AaPp])\.?\s?[Mm]\.?)?
        (?:\]\s|\s[-–]\s)(?P<rest>.*)""",
    re.X | re.S,
)
_SAID = re.compile(r"(?P<name>[^:\n]{1,80}):\s(?P<text>.*)", re.S)
# Placeholders of what text exports leave out, in the app's own words.
_LEFT_OUT = re.compile(
    r"<[^<>\n]{3,60}>|null|(?:image|video|audio|sticker|gif|document|contact card) omitted|"
    r"(?:bild|video|audio|sticker|gif|dokument|kontaktkarte) weggelassen|(?:imagen|video|audio|sticker|gif|documento) omitid[oa]|"
    r"(?:image|vidéo|audio|sticker|gif|document) absente?|(?:immagine|video|audio|sticker|gif|documento) omess[oa]|"
    r"(?:imagem|vídeo|áudio|figurinha|gif|documento) ocultad[oa]|(?:afbeelding|video|audio|sticker|gif|document) weggelaten|"
    r"pominięto .{3,20}|.+\.\w{2,5} \(.{4,30}\)|(?:this message was|you) deleted.{0,20}",
    re.I,
)
_EDITED = re.compile(r"\s*<[^<>\n]*(?:edited|bearbeitet|edit[óo]|modifi|editad)[^<>\n]*>\s*$", re.I)


class _Line(NamedTuple):
    """One message with its numbers of the date in the file's order; `name` is None for what the app itself says."""

    number: int
    date: tuple[int, int, int]
    time: tuple[int, int, int]
    name: str | None
    text: str
    generated: bool


def recognise(sample: Sample) -> Match | None:
    """Lines that begin with a date, a time and a name."""
    lines = [visible(line) for line in sample.head.splitlines() if line.strip()][:200]
    heads = sum(bool(_HEAD.match(line)) for line in lines)
    if heads >= 2 and heads > len(lines) / 5:
        return Match(0.95, f"{heads} of its first {len(lines)} lines begin with date, time and name")
    return None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """Each chat's conversations, divided by pauses of twelve hours; raises InputError if nobody in it is the business."""
    for path in export.files:
        names = Counter(line.name for line in _lines(path) if line.name)
        ours = {name for name in names if export.is_ours(name)}
        if names and not ours:
            known = ", ".join(name for name, _ in names.most_common(6))
            raise InputError(
                f"Nobody in this chat is known as the business. Names in it: {known}.",
                fix='Say which one is yours, for example: --ours "Mira\'s shop".',
                where=path.name,
            )
        yield from _conversations(path, export, ours, sorted(set(names) - ours))


def _conversations(path: Path, export: Export, ours: set[str], customers: list[str]) -> Iterator[Conversation]:
    order = _date_order(path)
    customer = hashlib.sha256("|".join(customers).casefold().encode()).hexdigest()[:10]
    turns: list[Turn] = []
    last: datetime | None = None
    origin = ""
    for line in _lines(path, export.advance):
        when = _moment(line, order)
        if line.name is None or line.generated or when is None or not line.text:
            continue
        if last and when - last > _PAUSE and turns:
            yield _conversation(turns, customer, customers, origin)
            turns = []
        if not turns:
            origin = f"{path.name}:{line.number}"
        last = when
        role, author = ("assistant", line.name) if line.name in ours else ("user", None)
        at = utc(when, export.clock)
        turns.append(Turn.model_validate({"role": role, "content": line.text, "author": author, "created_at": at}))
    if turns:
        yield _conversation(turns, customer, customers, origin)


def _conversation(turns: list[Turn], customer: str, names: list[str], origin: str) -> Conversation:
    return Conversation(
        id=f"{NAME}-{customer}-{turns[0].created_at}",
        turns=tuple(turns),
        customer_id=f"{NAME}-{customer}",
        names=tuple(names),
        channel=NAME,
        origin=origin,
    )


def _lines(path: Path, advance: Advance = lambda amount: None) -> Iterator[_Line]:
    """Messages with the lines that continue them."""
    waiting: _Line | None = None
    for number, raw in Lines(path, advance):
        text = raw.text if isinstance(raw, Rejected) else raw
        found = _HEAD.match(visible(text))
        if found is None:
            if waiting:
                waiting = waiting._replace(text=f"{waiting.text.rstrip()}\n{visible(text).rstrip()}")
            continue
        if waiting:
            yield _cleaned(waiting)
        hour = int(found["hour"])
        if found["half"]:
            hour = hour % 12 + (12 if found["half"] in "Pp" else 0)
        said = _SAID.match(found["rest"])
        # iOS marks what it wrote itself by an invisible mark before the text.
        generated = bool(re.search(r":\s\u200e", text))
        waiting = _Line(
            number, (int(found["a"]), int(found["b"]), int(found["c"])), (hour, int(found["minute"]), int(found["second"] or 0)),
            said["name"].strip().removeprefix("~").strip() if said else None, said["text"] if said else found["rest"], generated,
        )  # fmt: skip
    if waiting:
        yield _cleaned(waiting)


def _cleaned(line: _Line) -> _Line:
    text = _EDITED.sub("", tidy(line.text))
    return line._replace(text="" if _LEFT_OUT.fullmatch(text) else text)


def _date_order(path: Path) -> str:
    """Whether dates are year-month-day, day-month-year or month-day-year, by all dates of the file."""
    largest, ordered = [0, 0], {"dmy": True, "mdy": True}
    before: dict[str, datetime | None] = {"dmy": None, "mdy": None}
    for line in _lines(path):
        largest = [max(pair) for pair in zip(largest, line.date[:2], strict=True)]
        for order in ordered:
            when = _moment(line, order)
            ordered[order] &= when is not None and not ((known := before[order]) and when < known - timedelta(days=1))
            before[order] = when
    if largest[0] > 31:
        return "ymd"
    if largest[0] > 12 or largest[1] > 12:
        return "dmy" if largest[0] > 12 else "mdy"
    return "mdy" if ordered["mdy"] and not ordered["dmy"] else "dmy"


def _moment(line: _Line, order: str) -> datetime | None:
    """When a message was sent, by the clock of the phone; None for no date."""
    parts = dict(zip(order, line.date, strict=True))
    year = parts["y"] + (2000 if parts["y"] < 100 else 0)
    try:
        return datetime(year, parts["m"], parts["d"], *line.time)
    except ValueError:
        return None

"""Mailboxes: mbox files and folders of EML files, put together to threads by their headers."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from typing import NamedTuple

from tailorbird.artifacts import Conversation, Turn
from tailorbird.errors import InputError
from tailorbird.importing.cleaning import plain, reply_only
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.reading import Rejected
from tailorbird.importing.times import utc
from tailorbird.progress import Advance

NAME = "mail"
TITLE = "Mailbox: mbox, or a folder of EML files (--ours names your domains or addresses)"
PARTS, GLOBAL = True, True
_MOST = 50_000_000  # bytes of one message with its attachments
_REPLY = re.compile(r"^(?:\s*(?:re|aw|sv|antw|odp|rif|res|fwd?|wg|tr|rv|enc|doorst)\s*(?:\[\d+\])?\s*:)+\s*", re.I)
_ID = re.compile(r"<[^<>\s]+>")
_ROBOTS = re.compile(r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)\b", re.I)
_LINE = 1_000_000  # bytes; longer ones are read in pieces
_COVERS = 0.9  # of the messages are from or to the business's own address


class _Envelope(NamedTuple):
    """What the headers of a message tell."""

    identity: str
    references: list[str]
    subject: str
    sender: tuple[str, str]
    people: list[str]
    automatic: bool


def recognise(sample: Sample) -> Match | None:
    """Header fields of mail."""
    if sample.head.startswith("From ") and re.search(r"^(?:Message-ID|Received|Subject|Date):", sample.head, re.M | re.I):
        return Match(0.97, "an mbox file: messages begin with 'From ' lines")
    fields = {name.lower() for name in re.findall(r"^([A-Za-z-]{2,40}):\s", sample.head[:8000], re.M)}
    if {"from", "date"} <= fields and fields & {"to", "subject", "message-id", "received", "mime-version"}:
        return Match(0.9, "the header fields of an e-mail")
    return Match(0.3, "mail by its name") if sample.name.lower().endswith((".eml", ".mbox")) else None


def read(export: Export) -> Iterator[Conversation | Rejected]:
    """Each message as a part of its thread; raises InputError if nobody in them is the business.

    Messages that programs sent (Auto-Submitted, lists, bounces) are left out.
    """
    threads, ours = _Threads(), Counter[str]()
    for _, raw in _messages(export):
        envelope = _envelope(raw[:200_000])
        threads.add(envelope)
        ours.update(set(envelope.people))
        ours[""] += 1
    threads.settle()
    own = _own_address(export, ours)
    for place, raw in _messages(export, export.advance):
        envelope = _envelope(raw[:200_000])
        if envelope.automatic:
            continue
        thread = threads.of(envelope)
        if len(raw) > _MOST:
            yield Rejected(place, f"This message is larger than {_MOST // 1_000_000} MB.", envelope.subject, thread)
            continue
        try:
            yield _part(envelope, BytesParser().parsebytes(raw), thread, export, place, own)
        except (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as problem:
            yield Rejected(place, f"This message cannot be read: {problem}.", raw[:2000].decode("latin-1"), thread)


def _part(envelope: _Envelope, message: Message, thread: str, export: Export, place: str, own: str) -> Conversation:
    name, address = envelope.sender
    agent = export.is_ours(name, address) or address == own
    text = reply_only(_text(message))
    if not envelope.references and not agent and envelope.subject:
        text = f"{envelope.subject}\n\n{text}"
    try:
        at = utc(parsedate_to_datetime(str(message["Date"])), export.clock)
    except (ValueError, TypeError, OverflowError):
        at = None
    turn = Turn(role="assistant" if agent else "user", content=text, author=name or address if agent else None, created_at=at)
    return Conversation(
        id=thread,
        turns=(turn,),
        customer_id=None if agent else f"{NAME}-{hashlib.sha256(address.encode()).hexdigest()[:10]}",
        names=() if agent else tuple(filter(None, (name, address))),
        channel="email",
        origin=place,
    )


class _Threads:
    """Which messages belong together, by Message-ID, In-Reply-To and References, else by subject and person (union-find)."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._unsettled: list[tuple[str, list[str]]] = []

    def add(self, envelope: _Envelope) -> None:
        """Joins a message with what it refers to; the oldest reference stays the root, so that a thread keeps its id."""
        own, *others = [*envelope.references, envelope.identity]
        for other in others:
            self._parents[self._root(other)] = self._root(own)
        if not envelope.references and (subject := _REPLY.sub("", envelope.subject).strip().casefold()):
            keys = [f"{subject}\x1f{person}" for person in envelope.people]
            if _REPLY.match(envelope.subject):
                self._unsettled.append((own, keys))
            else:
                self._parents.update((key, own) for key in keys)

    def settle(self) -> None:
        """Joins replies that refer to nothing with what has their subject and one of their people."""
        for own, keys in self._unsettled:
            if key := next((key for key in keys if key in self._parents), None):
                self._parents[self._root(own)] = self._root(key)

    def of(self, envelope: _Envelope) -> str:
        """The id of the message's thread."""
        return f"{NAME}-{hashlib.sha256(self._root(envelope.identity).encode()).hexdigest()[:10]}"

    def _root(self, identity: str) -> str:
        while (parent := self._parents.setdefault(identity, identity)) != identity:
            self._parents[identity] = self._parents.setdefault(parent, parent)
            identity = parent
        return identity


def _messages(export: Export, advance: Advance = lambda amount: None) -> Iterator[tuple[str, bytes]]:
    """Every message's bytes with its place; of huge ones only the beginning."""
    for path in export.files:
        with path.open("rb") as file:
            raw, number, blank = bytearray(), 0, True
            for line in iter(lambda: file.readline(_LINE), b""):
                advance(len(line))
                if blank and line.startswith(b"From ") and (number or not raw):
                    if number:
                        yield f"{path.name}:message {number}", bytes(raw)
                    number += 1
                    raw.clear()
                elif len(raw) <= _MOST:
                    raw += line[1:] if number and line.startswith(b">From ") else line
                blank = line in (b"\n", b"\r\n")
            if raw.strip():
                yield f"{path.name}:message {number}" if number else path.name, bytes(raw)


def _envelope(raw: bytes) -> _Envelope:
    headers = BytesHeaderParser().parsebytes(raw.partition(b"\r\n\r\n" if b"\r\n\r\n" in raw else b"\n\n")[0] + b"\n\n")

    def told(name: str) -> str:
        return _decoded(headers.get(name))

    own = _ID.findall(told("Message-ID"))
    identity = own[0] if own else hashlib.sha256(raw).hexdigest()
    references = [found for found in _ID.findall(f"{told('References')} {told('In-Reply-To')}") if found != identity]
    sender, *_ = [*_people(headers.get("From")), ("", "")]
    received = [person for name in ("To", "Cc", "Delivered-To") for person in _people(headers.get(name))]
    addresses = [address.lower() for _, address in (sender, *received) if address]
    automatic = (
        told("Auto-Submitted").lower().strip() not in ("", "no")
        or told("Precedence").lower().strip() in ("bulk", "list", "junk", "auto_reply")
        or bool(_ROBOTS.match(sender[1]) or headers.get("List-Unsubscribe") or headers.get("X-Autoreply"))
    )
    return _Envelope(
        identity, list(dict.fromkeys(references)), told("Subject"), (sender[0], sender[1].lower()), addresses, automatic
    )


def _people(value: object) -> list[tuple[str, str]]:
    """Names and addresses of one header; names are decoded after they are told apart, since they may hold commas."""
    return [(_decoded(name), address) for name, address in getaddresses([str(value)])] if value is not None else []


def _decoded(value: object) -> str:
    """A header's text, RFC 2047 words decoded."""
    if value is None:
        return ""
    try:
        return " ".join(str(make_header(decode_header(str(value)))).split())
    except (ValueError, LookupError, MessageError):
        return str(value).encode("ascii", "replace").decode()


def _own_address(export: Export, seen: Counter[str]) -> str:
    """The address that nearly all messages are from or to, unless the settings name the business's own."""
    total = seen.pop("", 0)
    if export.settings.ours or not total:
        return ""
    (best, count), *others = [*seen.most_common(2), ("", 0)]
    if count >= _COVERS * total and others[0][1] < count:
        return best
    known = ", ".join(address for address, _ in seen.most_common(5))
    raise InputError(
        f"It is not clear which of these addresses is the business's own: {known}.",
        fix="Name your domain or addresses, for example: --ours yourshop.example",
        where=str(export.path),
    )


def _text(message: Message) -> str:
    """The words of a message: its plain text, or else its HTML as text."""
    found: dict[str, str] = {}
    for part in message.walk():
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and part.get_content_disposition() != "attachment" and kind not in found:
            payload = part.get_payload(decode=True)
            charset = part.get_content_charset() or "utf-8"
            try:
                found[kind] = payload.decode(charset, "replace") if isinstance(payload, bytes) else ""
            except LookupError:
                found[kind] = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    words = found.get("text/plain", "")
    return plain(words) if words.strip() else plain(found.get("text/html", ""))

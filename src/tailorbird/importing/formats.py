"""The source formats by name, and which of them an export is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from tailorbird.artifacts import Conversation
from tailorbird.errors import InputError
from tailorbird.importing import (
    alpaca,
    chatwoot,
    crisp,
    freshdesk,
    gorgias,
    hubspot,
    intercom,
    mail,
    openai_chat,
    sharegpt,
    table,
    trl_rows,
    whatsapp,
    zendesk,
)
from tailorbird.importing.export import Export, Match, Sample
from tailorbird.importing.reading import Rejected


class Format(Protocol):
    """A file that reads one format. Each such file has these names.

    `PARTS`: `read` gives parts of conversations, which are put together by their id. `GLOBAL`: ids are the help desk's
    own, the same in every export of it; else they count within one file.
    """

    @property
    def NAME(self) -> str: ...  # noqa: D102, N802
    @property
    def TITLE(self) -> str: ...  # noqa: D102, N802
    @property
    def PARTS(self) -> bool: ...  # noqa: D102, N802
    @property
    def GLOBAL(self) -> bool: ...  # noqa: D102, N802

    def recognise(self, sample: Sample) -> Match | None:
        """How sure it is that the export has this format; None for not at all."""
        ...

    def read(self, export: Export) -> Iterator[Conversation | Rejected]:
        """The conversations, or their parts, with `origin` the place in the export; what is unreadable as Rejected."""
        ...


_HELP_DESKS: tuple[Format, ...] = (zendesk, intercom, freshdesk, gorgias, hubspot, crisp, chatwoot)
_OTHERS: tuple[Format, ...] = (mail, whatsapp, table.LONG, table.PAIRS, openai_chat, sharegpt, alpaca, trl_rows)
FORMATS: dict[str, Format] = {found.NAME: found for found in (*_HELP_DESKS, *_OTHERS)}


def recognised(export: Export) -> tuple[Format, str]:
    """The export's format, as told by the settings or as it looks, and by what; raises InputError."""
    named = export.settings.format
    if named:
        if named not in FORMATS:
            raise InputError(
                f"The format {named!r} is not known.", fix=f"Use one of: {', '.join(FORMATS)}.", where=str(export.path)
            )
        return FORMATS[named], "named by you"
    sample = export.sample()
    matches = [(match, found) for found in FORMATS.values() if (match := found.recognise(sample))]
    if not matches:
        raise InputError(
            "The format of this export is not recognised.",
            fix=f"Name it with --format, one of: {', '.join(FORMATS)}. `tailorbird formats` explains them.",
            where=str(export.path),
        )
    best, found = max(matches, key=lambda pair: pair[0].confidence)
    return found, f"{best.why} ({best.confidence:.0%} sure)"

"""Times of exports -> UTC, ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tailorbird.errors import SettingsError

_MILLISECONDS = 100_000_000_000  # as seconds, the year 5138


def zone(name: str) -> ZoneInfo:
    """The time zone of that name; raises SettingsError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise SettingsError(
            f"There is no time zone {name!r}.", fix="Write it like Europe/Madrid, America/New_York or UTC."
        ) from problem


def utc(value: Any, clock: ZoneInfo | None = None) -> str | None:
    """A time as exports write it (ISO 8601, epoch seconds or milliseconds) in UTC; None for what is none.

    A time without a zone is read as `clock` shows it, else as UTC.
    """
    try:
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, str) and value.strip().isdigit() and len(value.strip()) in (10, 13):
            value = int(value)
        if isinstance(value, (int, float)):
            found = datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS else value, UTC)
        elif isinstance(value, datetime):
            found = value
        else:
            found = datetime.fromisoformat(str(value).strip().replace(" UTC", "+00:00"))
        if found.tzinfo is None:
            found = found.replace(tzinfo=clock or UTC)
        return found.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None

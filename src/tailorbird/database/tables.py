"""All tables of the live data, in types that SQLite and PostgreSQL both have. docs/live-data.md describes them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

HEAD = "0004"
"""The newest migration: what these tables are. A database whose number is higher was made by a newer tailorbird."""
VERSIONS = "tailorbird_schema"
"""The table with the number of the newest migration that a database has seen."""


class Utc(TypeDecorator[datetime]):
    """A time in UTC, also where the database keeps no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Any zone's time as UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """A time with its zone, UTC."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = MetaData()
JUDGEMENTS = Table(
    "feedback",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("kind", String(8), CheckConstraint("kind IN ('pair', 'tie', 'thumb', 'edit')"), nullable=False),
    Column("messages", JSON, nullable=False),
    Column("completion", Text, nullable=False),
    Column("rejected", Text),
    Column("label", Boolean),
    Column("customer_id", Text, index=True),
    Column("conversation", Text),
    Column("judge", Text),
    Column("release", Text),
    Column("task", Text, nullable=False),
    Column("created_at", Utc, nullable=False, index=True),
    Column("source", Text, nullable=False),
)
CONVERSATIONS = Table(
    "conversations",
    METADATA,
    Column("id", String(128), primary_key=True),
    Column("key", Text),
    Column("customer_id", Text, index=True),
    Column("release", Text),
    Column("started_at", Utc, nullable=False, index=True),
    Column("last_at", Utc, nullable=False, index=True),
    Column("language", Text),
    Column("state", String(16), CheckConstraint("state IN ('assistant', 'waiting', 'person', 'closed')"), nullable=False),
    Column("department", Text),
    Column("reason", Text),
    Column("summary", Text),
    Column("waiting_since", Utc),
    Column("first_reply_at", Utc),
    Column("closed_at", Utc),
    Column("history", String(128), index=True),
    Index("ix_conversations_queue", "state", "waiting_since"),
)
TURNS = Table(
    "turns",
    METADATA,
    Column("conversation", String(128), ForeignKey("conversations.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("role", String(16), CheckConstraint("role IN ('user', 'assistant', 'person')"), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("release", Text),
    Column("language", Text),
    Column("first_token_ms", Float),
    Column("duration_ms", Float),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("guards", JSON, nullable=False),
    Column("passages", JSON, nullable=False),
    Column("action", Text),
    Column("reason", Text),
    Column("author", Text),
    Column("once", String(128)),
    UniqueConstraint("conversation", "once", name="uq_turns_once"),
    Index("ix_turns_once", "once"),
    Index("ix_turns_time", "created_at", "conversation", "number"),
)
SHADOWS = Table(
    "shadows",
    METADATA,
    Column("conversation", String(128), ForeignKey("conversations.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("created_at", Utc, nullable=False, index=True),
    Column("release", Text, nullable=False),
    Column("first_token_ms", Float),
    Column("duration_ms", Float),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("guards", JSON, nullable=False),
    Column("passages", JSON, nullable=False),
    Column("action", Text),
    Column("reason", Text),
)
DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("event", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Utc, index=True),
    Column("delivered_at", Utc, index=True),
    Column("last_error", Text),
    sqlite_autoincrement=True,
)

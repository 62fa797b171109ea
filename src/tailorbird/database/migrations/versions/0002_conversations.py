"""The log of conversations with customers, and the messages to other systems that wait to be delivered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Makes the tables of conversations, turns and deliveries."""
    _conversations()
    _turns()
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", _TIME),
        sa.Column("delivered_at", _TIME),
        sa.Column("last_error", sa.Text),
    )
    for column in ("next_at", "delivered_at"):
        op.create_index(f"ix_deliveries_{column}", "deliveries", [column])


def _conversations() -> None:
    states = "state IN ('assistant', 'waiting', 'person', 'closed')"
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("key", sa.Text),
        sa.Column("customer_id", sa.Text),
        sa.Column("release", sa.Text),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("state", sa.String(16), sa.CheckConstraint(states), nullable=False),
        sa.Column("department", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("summary", sa.Text),
        sa.Column("waiting_since", _TIME),
        sa.Column("first_reply_at", _TIME),
        sa.Column("closed_at", _TIME),
        sa.Column("history", sa.String(128)),
    )
    for column in ("customer_id", "started_at", "last_at", "history"):
        op.create_index(f"ix_conversations_{column}", "conversations", [column])
    op.create_index("ix_conversations_queue", "conversations", ["state", "waiting_since"])


def _turns() -> None:
    op.create_table(
        "turns",
        sa.Column("conversation", sa.String(128), sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("role", sa.String(16), sa.CheckConstraint("role IN ('user', 'assistant', 'person')"), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("whole", sa.Boolean, nullable=False),
        sa.Column("release", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("first_token_ms", sa.Float),
        sa.Column("duration_ms", sa.Float),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("completion_tokens", sa.Integer),
        sa.Column("guards", sa.JSON, nullable=False),
        sa.Column("passages", sa.JSON, nullable=False),
        sa.Column("action", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("author", sa.Text),
        sa.Column("once", sa.String(128)),
        sa.UniqueConstraint("conversation", "once", name="uq_turns_once"),
    )
    op.create_index("ix_turns_once", "turns", ["once"])
    op.create_index("ix_turns_time", "turns", ["created_at", "conversation", "number"])

"""Answers of a version that answers unseen, beside those that customers got."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the table of unseen answers."""
    op.create_table(
        "shadows",
        sa.Column("conversation", sa.String(128), sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("first_token_ms", sa.Float),
        sa.Column("duration_ms", sa.Float),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("completion_tokens", sa.Integer),
        sa.Column("guards", sa.JSON, nullable=False),
        sa.Column("passages", sa.JSON, nullable=False),
        sa.Column("action", sa.Text),
        sa.Column("reason", sa.Text),
    )
    op.create_index("ix_shadows_created_at", "shadows", ["created_at"])

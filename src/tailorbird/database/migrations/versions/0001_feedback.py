"""What people said about answers, as it was kept in a database of its own before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the table of judgements."""
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(8), sa.CheckConstraint("kind IN ('pair', 'tie', 'thumb', 'edit')"), nullable=False),
        sa.Column("messages", sa.JSON, nullable=False),
        sa.Column("completion", sa.Text, nullable=False),
        sa.Column("rejected", sa.Text),
        sa.Column("label", sa.Boolean),
        sa.Column("customer_id", sa.Text),
        sa.Column("conversation", sa.Text),
        sa.Column("judge", sa.Text),
        sa.Column("release", sa.Text),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
    )
    for column in ("customer_id", "created_at"):
        op.create_index(f"ix_feedback_{column}", "feedback", [column])

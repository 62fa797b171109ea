"""The number of a delivery is never given again, also where the newest was erased; PostgreSQL's never were."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Makes SQLite's table anew with AUTOINCREMENT, and what is in it."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("deliveries", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass

"""Brings a database to the newest tables, step by step (Alembic). Steps are never changed once they were released."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection

from tailorbird.database.tables import HEAD

_ONE_AT_A_TIME = threading.Lock()  # Alembic keeps what it is working on in variables of its modules


def upgrade(connection: Connection) -> None:
    """Takes all steps that are missing, inside the transaction that the connection is in: all or none."""
    # Here, since only a new or old database needs Alembic, and every command would wait for its import.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, HEAD)

"""What Alembic runs to take its steps: on the connection that it was given, in the transaction that is open there."""

from __future__ import annotations

from alembic import context

from tailorbird.database.tables import METADATA, VERSIONS

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSIONS)
context.run_migrations()

"""Alembic's environment: migrates on the connection that the program gives, or writes the SQL of a dialect.

``agor_tui.db.migrator`` sets the attributes: ``connection`` (its transaction is the caller's) and ``record``, called
after each revision; or ``dialect``, the name of one, to write SQL only.
"""

from __future__ import annotations

from alembic import context

from agor_tui.db.revision import VERSION_TABLE
from agor_tui.db.tables import metadata

given = context.config.attributes
if context.is_offline_mode():
    context.configure(
        dialect_name=given["dialect"],
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        render_as_batch=given["dialect"] == "sqlite",
        literal_binds=True,
    )
else:
    context.configure(
        connection=given["connection"],
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        render_as_batch=given["connection"].dialect.name == "sqlite",
        on_version_apply=given["record"],
    )
with context.begin_transaction():
    context.run_migrations()

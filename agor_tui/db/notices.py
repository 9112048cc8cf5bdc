"""How native PostgreSQL databases tell that they were changed: a trigger on each table, made by revision 0002."""

from __future__ import annotations

CHANNEL = "agor_tui"
"""The channel to listen on; what is told is ``schema.table``."""

TRIGGER = "agor_tui_changed"

TELLING_TABLES = f"""
SELECT c.relname FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.tgname = '{TRIGGER}' AND t.tgenabled IN ('O', 'A') AND n.nspname = current_schema()
"""
"""The tables of the current schema whose trigger is there and enabled."""

"""What differs between the models and a native database, as sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, inspect
from sqlalchemy.engine import Connection, Dialect

from agor_tui.db import transfer_marks
from agor_tui.db.notices import TELLING_TABLES, TRIGGER
from agor_tui.db.postgresql import json_decoded
from agor_tui.db.revision import VERSION_TABLE
from agor_tui.db.tables import metadata, schema_migrations


def differences(connection: Connection) -> tuple[str, ...]:
    """Return a sentence for each difference between ``agor_tui.db.tables`` and the open database."""
    with json_decoded(connection):
        return tuple(sorted({*_by_alembic(connection), *_checks(connection), *_notices(connection)}))


def _by_alembic(connection: Connection) -> Iterator[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    options = {
        "version_table": VERSION_TABLE,
        "target_metadata": metadata,
        "compare_type": _other_type,
        "compare_server_default": _other_default,
    }
    for found in compare_metadata(MigrationContext.configure(connection, opts=options), metadata):
        # Changes of a column come together in a list, all others as single tuples.
        for change in found if isinstance(found, list) else [found]:
            yield _sentence(change, connection.dialect)


def _other_type(context: Any, _column: Any, _model_column: Any, found: Any, wanted: Any) -> bool:
    """Compare the types as the dialect writes them, collation included; SQLite keeps no more than the words."""
    dialect = context.dialect
    return bool(found.compile(dialect=dialect) != wanted.compile(dialect=dialect))


def _other_default(
    _context: Any, _column: Any, _model_column: Any, found: str | None, _wanted: Any, rendered: str | None
) -> bool:
    return _plain_default(found) != _plain_default(rendered)


def _plain_default(text: str | None) -> str | None:
    # PostgreSQL answers 'anonymous'::text where 'anonymous' was said.
    return None if text is None else re.sub(r"::[a-z ]+$", "", text).strip("'()\"")


def _sentence(change: tuple[Any, ...], dialect: Dialect) -> str:
    match change:
        case ("add_table", table):
            return f"The table {table.name} is missing."
        case ("remove_table", table) if table.name == transfer_marks.NAME:
            return "A copy into this database is unfinished: the same copy, begun again, continues it."
        case ("remove_table", table):
            return f"The table {table.name} is not one of ours."
        case ("add_column", _, table, column):
            return f"The column {table}.{column.name} is missing."
        case ("remove_column", _, table, column):
            return f"The column {table}.{column.name} is not one of ours."
        case ("modify_nullable", _, table, column, _, _, wanted):
            return f"The column {table}.{column} may {'not be' if wanted else 'be'} NULL, against the models."
        case ("modify_type", _, table, column, _, found, wanted):
            is_now, should_be = found.compile(dialect=dialect), wanted.compile(dialect=dialect)
            return f"The column {table}.{column} is {is_now}, and should be {should_be}."
        case ("modify_default", _, table, column, *_):
            return f"The default of the column {table}.{column} differs."
        case ("add_index" | "add_constraint" | "add_fk", item):
            return f"The {_what(item)} {item.name} of {item.table.name} is missing or differs."
        case ("remove_index" | "remove_constraint" | "remove_fk", item):
            return f"The {_what(item)} {item.name or '(unnamed)'} of {item.table.name} is not as in the models."
    return f"Something differs: {change[0]}."


def _what(item: Any) -> str:
    words = {"Index": "index", "ForeignKeyConstraint": "foreign key", "UniqueConstraint": "unique constraint"}
    return words.get(type(item).__name__, "constraint")


def _checks(connection: Connection) -> Iterator[str]:
    # Alembic compares no CHECKs. Their text is rewritten by PostgreSQL, so the words in it are compared.
    inspector = inspect(connection)
    present = set(inspector.get_table_names())
    for table in metadata.sorted_tables:
        if table.name not in present:
            continue
        wanted = {
            str(item.name): _words(str(item.sqltext)) for item in table.constraints if isinstance(item, CheckConstraint)
        }
        found = {
            str(item["name"]): _words(str(item["sqltext"])) for item in inspector.get_check_constraints(table.name)
        }
        for name in sorted(wanted.keys() | found.keys()):
            if name not in found:
                yield f"The check {name} of {table.name} is missing."
            elif name not in wanted:
                yield f"The check {name} of {table.name} is not one of ours."
            elif found[name] != wanted[name]:
                yield f"The check {name} of {table.name} allows other words than the models."


def _notices(connection: Connection) -> Iterator[str]:
    # Alembic compares no triggers either.
    if connection.dialect.name != "postgresql":
        return
    present = set(inspect(connection).get_table_names())
    telling = set(connection.exec_driver_sql(TELLING_TABLES).scalars())
    for table in metadata.sorted_tables:
        if table.name in present - telling and table is not schema_migrations:
            yield f"The trigger {TRIGGER} of {table.name} is missing or disabled."


def _words(condition: str) -> frozenset[str]:
    return frozenset(re.findall(r"'([^']*)'", condition))

"""The record that a copy keeps in its target while it is unfinished, in a table that exists only so long.

It is written in the transactions of the rows themselves, so that a second run knows exactly what is there. Its rows are
``part``, ``name``, ``value``: ``copy`` (what is copied, and by which run), ``table`` (how far each table is), ``link``
(references between rows of one table that are still to be set), ``finding``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlalchemy import Column, MetaData, Select, Table, delete, exc, inspect, select
from sqlalchemy.engine import Connection

from agor_tui.db.types import Id, Text
from agor_tui.errors import DatabaseError

NAME = "agor_tui_transfer"

_transfer = Table(
    NAME,
    MetaData(),
    Column("part", Id, primary_key=True),
    Column("name", Id, primary_key=True),
    Column("value", Text, nullable=False),
)


def unfinished(connection: Connection) -> Mapping[str, str] | None:
    """Return what the record says of the transfer itself; None where there is no record."""
    return read(connection, "copy") if inspect(connection).has_table(NAME) else None


def begin(connection: Connection, facts: Mapping[str, str]) -> str:
    """Make the record, or take over the one that is there; return the token of this run.

    Raises:
        DatabaseError: another run makes it at this moment.
    """
    try:
        _transfer.create(connection, checkfirst=True)
    except exc.DBAPIError as error:
        raise _another(error) from None
    token = uuid.uuid4().hex
    for name, value in {**facts, "run": token}.items():
        put(connection, "copy", name, value)
    return token


def require_run(connection: Connection, token: str) -> None:
    """Raise a DatabaseError where another run has taken over, or ended the transfer; its record is locked else."""
    ours = _transfer.update().where(_transfer.c.part == "copy", _transfer.c.name == "run", _transfer.c.value == token)
    try:
        if connection.execute(ours.values(value=token)).rowcount == 1:
            return
    except exc.DBAPIError as error:
        raise _another(error) from None
    raise _another()


def _another(error: exc.DBAPIError | None = None) -> Exception:
    """What to raise where another run is in the way; ``error`` itself where the driver does not speak of the record."""
    if error is not None and NAME not in str(error.orig):
        return error
    return DatabaseError(
        "Another program has begun to copy into the same database, so this copy has stopped.",
        "Wait until the other has ended.",
    )


def put(connection: Connection, part: str, name: str, value: str) -> None:
    """Write one entry over what was there."""
    key = (_transfer.c.part == part, _transfer.c.name == name)
    if connection.execute(_transfer.update().where(*key).values(value=value)).rowcount == 0:
        connection.execute(_transfer.insert(), {"part": part, "name": name, "value": value})


def add(connection: Connection, part: str, entries: Mapping[str, str]) -> None:
    """Write entries that are not there yet."""
    rows = [{"part": part, "name": name, "value": value} for name, value in entries.items()]
    if rows:
        connection.execute(_transfer.insert(), rows)


def read(connection: Connection, part: str) -> dict[str, str]:
    """Return all entries of ``part``, by name."""
    return {row.name: row.value for row in connection.execute(_entries(part))}


def take(connection: Connection, part: str, most: int) -> dict[str, str]:
    """Return the first ``most`` entries of ``part``, and remove them."""
    found = {row.name: row.value for row in connection.execute(_entries(part).limit(most))}
    if found:
        last = list(found)[-1]
        connection.execute(delete(_transfer).where(_transfer.c.part == part, _transfer.c.name <= last))
    return found


def end(connection: Connection) -> None:
    """Drop the record: all is copied."""
    _transfer.drop(connection, checkfirst=True)


def _entries(part: str) -> Select[tuple[str, str]]:
    return select(_transfer.c.name, _transfer.c.value).where(_transfer.c.part == part).order_by(_transfer.c.name)

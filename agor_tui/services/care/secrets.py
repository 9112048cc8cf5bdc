"""Where the secrets in a database stand, and of which kind they are; never what they are."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from agor_tui.errors import Cancelled
from agor_tui.redact import HIDDEN, hide_words, kind_of_name, secrets_in
from agor_tui.transfers import LeftAside, Progress, SecretPlace, Tell

if TYPE_CHECKING:
    from agor_tui.config.places import Place
    from agor_tui.db.row_format import Row, TableFormat

_OTHER = "secret"
_LONGEST_KEY = 60


def find_secrets(
    place: Place,
    found: Callable[[SecretPlace], None],
    *,
    tenant: str | None = None,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> tuple[int, tuple[LeftAside, ...]]:
    """Give ``found`` each place in the rows of ``place`` where an export would hide something.

    Return how many rows were read, and the tables that an export leaves aside, which were not.

    Raises:
        DatabaseError: the database cannot be read. Cancelled: ``stop`` was set.
    """
    from agor_tui.db.row_format import FORMATS
    from agor_tui.db.row_repair import key_of
    from agor_tui.db.stopping import stopping
    from agor_tui.services.dump.secrets import SecretRemover
    from agor_tui.transfer.sources import open_source

    done = 0
    with open_source(place, tenant=tenant) as source, stopping(stop, source.cancel):
        for name in (each for each in FORMATS if each in source.tables):
            form = FORMATS[name]
            remover = SecretRemover(form)
            total = source.count(name) if tell else None
            read = 0
            for batch in source.rows(name):
                if stop is not None and stop.is_set():
                    raise Cancelled("The search was stopped.")
                for row in batch:
                    for where, kind in _in_row(form, row, remover.without_secrets(row)[0]):
                        found(SecretPlace(name, key_of(form, row), where, kind))
                read += len(batch)
                if tell:
                    tell(Progress("search", name, read, total, 0))
            done += read
        left_aside = tuple(source.left_aside)
    return done, left_aside


def _in_row(form: TableFormat, row: Row, hidden: Row) -> Iterator[tuple[str, str]]:
    """The places of a row that ``hidden`` has otherwise, each with the kind of what is there."""
    if row is hidden:
        return
    for column, value, without in zip(form.columns, row, hidden, strict=True):
        if value == without:
            continue
        if column.kind == "json" and isinstance(value, str):
            try:
                yield from _in_json(column.name, json.loads(value), json.loads(without))
                continue
            except (ValueError, RecursionError):
                pass
        yield from ((column.name, kind) for kind in _kinds(column.name, value, without))


def _kinds(name: str, value: Any, without: Any) -> list[str]:
    """The kinds of the secrets in one value."""
    if without == HIDDEN:
        return [kind_of_name(name)]
    return [each.kind for each in secrets_in(value)] or [_OTHER] if isinstance(value, str) else [_OTHER]


def _in_json(name: str, value: Any, without: Any) -> Iterator[tuple[str, str]]:
    todo = [(name, name, value, without)]
    found = False
    while todo:
        where, key, one, other = todo.pop()
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            below = [(each, part, other.get(each)) for each, part in one.items() if each in other]
            renamed = [each for each in one if each not in other]
            for each in renamed:
                found = True
                yield from ((f"{where}.(a key)", kind) for kind in _kinds(key, each, None))
            todo += [(f"{where}.{hide_words(each)[:_LONGEST_KEY]}", each, *parts) for each, *parts in reversed(below)]
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            todo += [
                (f"{where}[{n}]", key, *parts) for n, parts in reversed(list(enumerate(zip(one, other, strict=True))))
            ]
        else:
            found = True
            yield from ((where, kind) for kind in _kinds(key, one, other))
    if not found:  # under a key that is there twice
        yield name, _OTHER

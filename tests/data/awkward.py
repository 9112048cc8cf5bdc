"""Native databases full of awkward values that every dialect can hold: for copies that must lose nothing.

A database is a dictionary of tables to rows, in the order of ``FORMATS`` and of their columns, as SQLite stores them.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from agor_tui.db.row_format import FORMATS, ColumnFormat, Row, TableFormat
from agor_tui.db.types import keep_text

Rows = Mapping[str, Sequence[Row]]

TEXTS = (
    "",
    " ",
    "a\0b",
    "\ud83d alone, and \udc00\ud800 the wrong way round",
    "\ufdd0 and \ufdd00000 and \ufdd0n15e-1",
    "𝒳 😀 é e\u0301 \u202e\u2028\x7f\x85",
    "\\.\\N\t\r\n'\"`$1 %s ?:name;--",
    '\\x41 {"a":1} NULL',
    "0199b73d-b52e-7123-8000-00000000000a",
    "long " * 2_000,
)
DOCUMENTS = (
    "{}",
    "[]",
    "null",
    '""',
    "0.10000000000000000001",
    "12345678901234567890123",
    "-1.50e-7",
    '{"a":"\\u0000","\\u0000":"\\ud800","\\ufdd0":"\\ufdd00000","":"\\ud83d\\ude00 😀 \\u00e9"}',
    ' { "b" : [ 1e5 , 100000 , 1.0 , 1 , -0 ] , "a" : { "a" : { } , "A" : [ [ ] ] } , "é" : "/\\/" } ',
    json.dumps({"genealogy": {"children": ["0199b73d", "gone"], "parent_session_id": "gone"}, "n": 2**63}),
    "[" * 300 + '{"deep":[null,true,false]}' + "]" * 300,
    json.dumps({f"key {n}": "text \n" * 50 for n in range(200)}),
)
INSTANTS = (0, 1, -1, 999, 1_763_740_000_123, -62_135_596_800_000, 253_402_300_799_999, 4_102_444_800_001)
INTEGERS = (0, 1, -1, 2**31 - 1, -(2**31))

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)
_plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
documents = st.recursive(
    _plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
).flatmap(
    lambda value: st.builds(json.dumps, st.just(value), ensure_ascii=st.just(True), indent=st.sampled_from([None, 1]))
)
_OF_KIND: Mapping[str, st.SearchStrategy[Any]] = {
    "id": texts.map(keep_text),
    "text": st.sampled_from(TEXTS).map(keep_text) | texts.map(keep_text),
    "json": st.sampled_from(DOCUMENTS) | documents,
    "instant": st.sampled_from(INSTANTS) | st.integers(min(INSTANTS), max(INSTANTS)),
    "integer": st.sampled_from(INTEGERS) | st.integers(min(INTEGERS), max(INTEGERS)),
    "flag": st.integers(0, 1),
}


@st.composite
def databases(draw: st.DrawFn) -> Rows:
    """Generated databases, with a few rows in each table."""

    def value(column: ColumnFormat, number: int) -> Any:
        if column.nullable and draw(st.booleans()):
            return None
        return draw(_OF_KIND[column.kind])

    def pick(choices: Sequence[Any], number: int) -> Any:
        return draw(st.sampled_from(choices))

    return _made(lambda table: draw(st.integers(2, 5)), value, pick)


def every_awkward_value() -> Rows:
    """A database in which each column of a kind holds each of the values above."""
    pools: Mapping[str, Sequence[Any]] = {
        "id": [keep_text(text) for text in TEXTS],
        "text": [keep_text(text) for text in TEXTS],
        "json": DOCUMENTS,
        "instant": INSTANTS,
        "integer": INTEGERS,
        "flag": (0, 1),
    }

    def value(column: ColumnFormat, number: int) -> Any:
        pool = [*pools[column.kind], *([None] if column.nullable else [])]
        return pool[number % len(pool)]

    return _made(lambda table: 14, value, lambda choices, number: choices[(number * 5 + 3) % len(choices)])


def write_sqlite(template: str, path: Path, rows: Rows) -> None:
    """Make the native file ``path`` of ``rows`` from an empty one."""
    shutil.copyfile(template, path)
    connection = sqlite3.connect(path)
    for name, some in rows.items():
        table = FORMATS[name]
        columns = ", ".join(f'"{each}"' for each in table.names)
        marks = ", ".join("?" for _ in table.names)
        connection.executemany(f"INSERT INTO {name} ({columns}) VALUES ({marks})", some)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.commit()
    connection.close()


def read_sqlite(path: Path) -> Rows:
    """All rows of a native file, those of a table in an order of their own."""
    connection = sqlite3.connect(path)
    found = {}
    for name, table in FORMATS.items():
        columns = ", ".join(f'"{each}"' for each in table.names)
        found[name] = connection.execute(f"SELECT {columns} FROM {name} ORDER BY {columns}").fetchall()
    connection.close()
    return found


def _made(
    size: Callable[[TableFormat], int],
    value: Callable[[ColumnFormat, int], Any],
    pick: Callable[[Sequence[Any], int], Any],
) -> Rows:
    rows: dict[str, list[Row]] = {}
    keys: dict[str, list[Any]] = {}
    for name, table in FORMATS.items():
        targets = {each.column: each for each in table.references}
        possible = all(keys[each.table] for each in table.references if each.required)
        count = size(table) if possible else 0
        # Keys that are told apart by their last character alone, so that their order is that of their bytes.
        keys[name] = [f"{value(table.columns[0], n)}{chr(0x40 + n)}" for n in range(count)] if table.key else []
        rows[name] = [tuple(_values(table, n, keys, targets, value, pick)) for n in range(count)]
    return rows


def _values(
    table: TableFormat,
    number: int,
    keys: Mapping[str, Sequence[Any]],
    targets: Mapping[str, Any],
    value: Callable[[ColumnFormat, int], Any],
    pick: Callable[[Sequence[Any], int], Any],
) -> Iterator[Any]:
    for place, column in enumerate(table.columns):
        if place == table.key_at:
            yield keys[table.name][number]
        elif reference := targets.get(column.name):
            # Of its own table a row may name any: itself, one that comes later, one that names it back.
            yield pick([*keys[reference.table], *([] if reference.required else [None])], number)
        elif words := table.words.get(column.name):
            yield pick([*sorted(words), *([None] if column.nullable else [])], number)
        else:
            found = value(column, number + place)
            must_differ = column.name in table.unique or column.name == "agentic_tool"
            yield f"{found}{number}" if must_differ and found is not None else found

"""What the tests of exports and imports share: databases in a known state, and dumps with rows of one's own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from agor_tui.config.places import Place, SqlitePlace
from agor_tui.db.row_checksum import TableChecksum
from agor_tui.db.row_format import FORMATS
from agor_tui.services.comparing import compare_places
from agor_tui.services.dump.form import Footer, TableSum

Templates = Callable[[str], str]


def empty_file(templates: Templates, path: Path) -> SqlitePlace:
    """A native SQLite file without rows."""
    shutil.copyfile(templates("sqlite"), path)
    return SqlitePlace(None, path.name, path, "--database")


def same(a: Place, b: Place) -> bool:
    """Whether two databases hold the same rows."""
    return compare_places(a, b).equal


def altered(dump: Path, change: Callable[[list[dict[str, Any]]], Iterable[Any]], **header: Any) -> Path:
    """A dump of jsonl like ``dump`` whose checksum is right, with other rows, or with other facts in its header.

    ``change`` is given the rows as dictionaries and returns those of the new file, or whole lines as bytes.
    """
    first, *lines, _ = dump.read_bytes().splitlines()
    rows = [
        found if isinstance(found, bytes) else orjson.dumps(found) for found in change(list(map(orjson.loads, lines)))
    ]
    counts: dict[str, int] = {}
    for line in rows:
        name = line[10:].partition(b'"')[0].decode()
        counts[name] = counts.get(name, 0) + 1
    none = TableChecksum(()).hex
    footer = Footer({name: TableSum(counts.get(name, 0), none) for name in FORMATS}, {})
    whole = b"\n".join([orjson.dumps(orjson.loads(first) | header), *rows, footer.encoded()])
    target = dump.with_name(f"altered-{dump.name}")
    target.write_bytes(whole + f'{sha256(whole).hexdigest()}"}}\n'.encode())
    return target


def replaced(table: str, number: int = 0, /, **changes: Any) -> Callable[[list[dict[str, Any]]], Iterator[Any]]:
    """For ``altered``: the ``number``-th row of ``table`` with other values; ``...`` takes one away."""

    def change(rows: list[dict[str, Any]]) -> Iterator[Mapping[str, Any]]:
        left = number
        for row in rows:
            if row["table"] == table:
                left -= 1
                if left == -1:
                    row = {name: value for name, value in (row | changes).items() if value is not ...}
            yield row

    return change

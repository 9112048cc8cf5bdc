"""An index that lacks rows which its table has: what reads through it must not say that all of them were there.

SQLite only: a server's index is its own to keep, ``db check`` asks it for those that are not valid.
"""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agor_tui.db.backup import back_up
from agor_tui.db.engine import Database
from agor_tui.errors import DatabaseError
from agor_tui.services.comparing import compare_places
from agor_tui.services.dump.exporting import export_database
from agor_tui.services.transfer import copy
from agor_tui.transfers import CopyOptions
from tests.builders import nasty
from tests.conftest import place_of

INDEXED: list[tuple[nasty.Kind, str]] = [("native", "messages"), ("agor", "tasks"), ("opencode", "part")]


def build_with_an_empty_index(path: Path, kind: nasty.Kind, table: str) -> None:
    """Build a file of ``kind``, where an index over the ids of ``table`` has no row."""
    nasty.build(path, kind)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = delete")
        (name,) = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND name LIKE 'sqlite_autoindex%'",
            (table,),
        ).fetchone()
        connection.execute("CREATE TABLE bare (id)")
        connection.execute("CREATE INDEX of_bare ON bare (id)")
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'index'"))
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.commit()
    pages = bytearray(path.read_bytes())
    empty, root = (roots[each] - 1 for each in ("of_bare", name))
    pages[root * size : (root + 1) * size] = pages[empty * size : (empty + 1) * size]
    path.write_bytes(pages)


@pytest.mark.parametrize(("kind", "table"), INDEXED, ids=[kind for kind, _ in INDEXED])
def test_nothing_is_read_through_an_index_that_lacks_rows(kind: nasty.Kind, table: str, tmp_path: Path) -> None:
    path, good = tmp_path / "odd.db", tmp_path / "good.db"
    build_with_an_empty_index(path, kind, table)
    nasty.build(good, kind)
    source, target = place_of(path), place_of(tmp_path / "copied.db")
    with pytest.raises(DatabaseError, match="damaged"):
        copy(source, target, CopyOptions())
    with pytest.raises(DatabaseError, match="damaged"):
        export_database(source, io.BytesIO(), format="jsonl")
    with pytest.raises(DatabaseError, match="damaged"):
        compare_places(source, place_of(good))
    with Database(source) as database, pytest.raises(DatabaseError, match="damaged"):
        back_up(database, tmp_path / "saved.db")
    copy(source, target, CopyOptions(salvage=True))
    plain = place_of(tmp_path / "plain.db")
    copy(place_of(good), plain, CopyOptions())
    assert compare_places(target, plain).equal

"""Damaged pages of every sort in files of every kind: rows and true sentences, never a fault, never a wrong answer.

A page of PostgreSQL's is the server's own to read: see ``tests.unit.test_damaged_server``.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from agor_tui.db.salvage import Salvaged, salvage
from agor_tui.errors import AgorError, DamagedError
from agor_tui.filters import SessionFilter, TaskFilter
from agor_tui.records import Sort
from agor_tui.services import transfer
from agor_tui.services.care.checking import check
from agor_tui.services.care.repairing import repair
from agor_tui.services.databases import open_database
from agor_tui.transfer.comparing import compare
from agor_tui.transfer.sources import open_source
from agor_tui.transfers import UNREAD, CopyOptions, CopyReport
from tests.builders import nasty
from tests.conftest import place_of

ALL = SessionFilter(archived="any")
PAGES = 12
"""So many pages of each file are damaged in turn, spread over the whole file, and the roots of some tables besides."""
LONG: dict[nasty.Kind, str] = {"native": "messages", "agor": "messages", "opencode": "part"}


@pytest.fixture(scope="module", params=nasty.KINDS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nasty.Kind]:
    """A file of each kind, whose longest table has several leaves, with overflow pages and free ones."""
    kind: nasty.Kind = request.param
    path = tmp_path_factory.mktemp("whole") / "whole.db"
    nasty.build(path, kind)
    with closing(sqlite3.connect(path)) as connection:
        names = [name for name, _ in nasty.columns_of(connection, LONG[kind])]
        others = ", ".join(f'"{name}"' for name in names[1:])
        for turn in range(3):
            ids = f"'copy {turn} ' || rowid"
            connection.execute(f"INSERT INTO {LONG[kind]} SELECT {ids}, {others} FROM {LONG[kind]} LIMIT 200")
        if kind != "opencode":  # a long text that needs pages of its own
            connection.execute(
                "UPDATE sessions SET data = json_set(data, '$.description', hex(zeroblob(9000))) WHERE json_valid(data)"
            )
        connection.execute("CREATE TABLE junk (a)")
        connection.execute("INSERT INTO junk VALUES (zeroblob(20000))")
        connection.execute("DROP TABLE junk")
        connection.commit()
        connection.execute("PRAGMA journal_mode = delete")
    return path, kind


def damaged(whole: Path, target: Path) -> Iterator[int]:
    """Make ``target`` the file ``whole`` with one page damaged in turn: zeros, noise, half of it noise, cut off."""
    data = whole.read_bytes()
    with closing(sqlite3.connect(f"file:{whole}?mode=ro&immutable=1", uri=True)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        roots = [root for (root,) in connection.execute("SELECT rootpage FROM sqlite_master WHERE rootpage > 0")]
    number = len(data) // size
    for turn, page in enumerate(sorted({*range(1, number + 1, max(1, number // PAGES)), *roots[::4]})):
        at = (page - 1) * size
        begin = 100 if page == 1 else at
        noise = random.Random(page).randbytes(size)
        found = bytearray(data)
        if turn % 4 == 0:
            found[begin : at + size] = bytes(at + size - begin)
        elif turn % 4 == 1:
            found[begin : at + size] = noise[: at + size - begin]
        elif turn % 4 == 2:
            found[at + size // 2 : at + size] = noise[: size // 2]
        else:
            del found[max(at + size // 3, size) :]
        target.write_bytes(found)
        yield page


def attempt(source: Path, target: Path, *, salvage: bool) -> CopyReport | None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    with suppress(AgorError):
        return transfer.copy(place_of(source), place_of(target), CopyOptions(salvage=salvage))
    return None


def test_a_damaged_page_costs_what_is_on_it_and_nothing_is_lost_in_silence(
    whole: tuple[Path, nasty.Kind], tmp_path: Path
) -> None:
    source, copy, saved = tmp_path / "damaged.db", tmp_path / "copy.db", tmp_path / "salvaged.db"
    salvaged = 0
    for _ in damaged(whole[0], source):
        before = source.read_bytes()
        plain, best = attempt(source, copy, salvage=False), attempt(source, saved, salvage=True)
        for report, target in ((plain, copy), (best, saved)):
            if report is not None and report.lossless and not is_sound(source):
                assert same(whole[0], target)
        salvaged += best is not None and any(each.done == UNREAD for each in best.findings)
        look_at(source)
        assert source.read_bytes() == before
        assert {each.name for each in tmp_path.iterdir() if each.name.startswith("damaged")} == {source.name}
    assert salvaged


def is_sound(path: Path) -> bool:
    """Whether SQLite itself finds nothing wrong: noise within a text is a text like any other."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        return connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]


def look_at(path: Path) -> None:
    """Ask for what the screens ask for: there are rows, or a sentence."""
    with suppress(AgorError), open_database(str(path), environ={}, read_only=True) as browser:
        rows = browser.session_page(ALL, Sort(), limit=0).rows
        browser.task_page(TaskFilter(archived="any"), limit=0)
        for row in rows[:5]:
            browser.session_detail(row.id)
            browser.conversation(row.id, 0, 20)
        if browser.store.database.damage:
            assert "damaged" in str(browser.note)


def same(one: Path, other: Path) -> bool:
    with open_source(place_of(one)) as a, open_source(place_of(other)) as b:
        return compare(a, b).equal


def test_rows_behind_a_damaged_leaf_are_read_and_those_on_it_named(tmp_path: Path) -> None:
    path = tmp_path / "long.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (id TEXT PRIMARY KEY, data TEXT)")
        rows = [(f"id {n:05}", "x" * (50_000 if n == 4_000 else 100)) for n in range(1, 5_001)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        connection.commit()
    data = bytearray(path.read_bytes())
    for wanted in (b"id 02500", b"x" * 4_000):  # a leaf of the table, and a page that one row overflows to
        leaf = next(at for at in range(4096, len(data), 4096) if data[at] in (0, 13) and wanted in data[at : at + 4096])
        data[leaf : leaf + 4096] = bytes(4096) if data[leaf] else b"\xff" * 4096
    path.write_bytes(data)
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, isolation_level=None)) as connection:
        found = salvage(connection, f"file:{tmp_path / 'target.db'}?mode=rwc")
    with closing(sqlite3.connect(tmp_path / "target.db")) as connection:
        there = {number for (number,) in connection.execute("SELECT rowid FROM t")}
    gone = set(range(1, 5_001)) - there
    assert gone == {row for gap in found.gaps for row in range(gap.first, (gap.last or 0) + 1)}
    assert 2_500 in gone
    assert len(gone) < 80
    assert isinstance(found, Salvaged)


def test_a_file_whose_list_of_tables_is_damaged_is_said_to_be(whole: tuple[Path, nasty.Kind], tmp_path: Path) -> None:
    """A check finds that; what else is asked of it does not send the user round in a circle."""
    data = bytearray(whole[0].read_bytes())
    data[100:4096] = bytes(3996)
    path = tmp_path / "no list.db"
    path.write_bytes(data)
    report = check(place_of(path))
    assert (report.kind, report.well, [item.check for item in report.items]) == ("damaged", False, ["integrity"])
    assert "list of tables cannot be read" in report.unseen
    with pytest.raises(DamagedError, match="beyond what can be mended"):
        repair(place_of(path), report)
    with pytest.raises(DamagedError, match="nothing of it can be copied") as raised:
        transfer.copy(place_of(path), place_of(tmp_path / "to.db"), CopyOptions(salvage=True))
    assert "--salvage" not in raised.value.hint
    assert path.read_bytes() == data
    assert [each.name for each in tmp_path.iterdir()] == [path.name]

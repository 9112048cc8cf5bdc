"""Where a copy does not go: refused in one sentence, and nothing is written."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from agor_tui.config.places import LibsqlPlace, Place
from agor_tui.db import migrator
from agor_tui.db.engine import Database
from agor_tui.db.identity import identity
from agor_tui.errors import DatabaseError, ForeignDatabaseError, ReadOnlyError, SchemaVersionError, UsageError
from agor_tui.services.transfer import copy
from agor_tui.transfers import CopyOptions
from tests.builders.agor import build_sqlite
from tests.conftest import place_of

from .copies import ground, state
from .one_row_each import fill


@pytest.fixture
def file(native_templates: Callable[[str], str], tmp_path: Path) -> Path:
    """A native file with a few rows, alone in its folder."""
    path = tmp_path / "from" / "a.db"
    path.parent.mkdir()
    shutil.copyfile(native_templates("sqlite"), path)
    ground(path)
    return path


def test_one_file_under_two_names(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link.db").symlink_to(file)
    (tmp_path / "folder").symlink_to(file.parent)
    os.link(file, tmp_path / "hard.db")
    monkeypatch.chdir(file.parent)
    before = state(file.parent)
    same = (file, f"./{file.name}", tmp_path / "link.db", tmp_path / "folder" / "a.db", tmp_path / "hard.db")
    for other in (*same, f"file:{file}"):
        for source, target in ((file, other), (other, file)):
            with pytest.raises(UsageError, match="are the same database"):
                copy(place_of(source), place_of(target), CopyOptions())
    assert state(file.parent) == before


@pytest.mark.parametrize(("address", "same"), [("10.0.0.7", True), ("::1", True), ("93.184.215.14", False)])
def test_two_names_of_one_address(address: str, same: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One's own server has the same database for both; one on the internet may tell them apart by the name."""
    answer = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [answer])
    one, other = (identity(LibsqlPlace(None, name, "", f"libsql://{name}.example")) for name in ("one", "other"))
    assert one.same_as(other) == same


def test_one_database_under_two_names(postgres18_url: str) -> None:
    place = place_of(postgres18_url)
    migrator.init(place)
    others = [place_of(postgres18_url.replace("127.0.0.1", "localhost")), place_of(f"{postgres18_url}?schema=public")]
    with Database(place) as database:
        folder = database.read(lambda connection: connection.execute(text("SHOW unix_socket_directories")).scalar())
    if folder:
        others.append(replace(place, host=folder.partition(",")[0]))
    for other in others:
        with pytest.raises(UsageError, match="are the same database"):
            copy(place, other, CopyOptions(on_conflict="skip"))
    schema = place_of(f"{postgres18_url}?schema=other")  # another schema of it is another database of ours
    assert copy(place, schema, CopyOptions()).lossless


def test_another_program_s_database(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "to" / "agor.db"
    target.parent.mkdir()
    build_sqlite(target, "2025", wal=True)
    unknown = tmp_path / "to" / "unknown.db"
    with sqlite3.connect(unknown) as connection:
        connection.execute("CREATE TABLE notes (id INTEGER)")
    connection.close()
    before = state(target.parent)
    for dry_run in (True, False):
        with pytest.raises(ForeignDatabaseError, match="belongs to Agor"):
            copy(place_of(file), place_of(target), CopyOptions(on_conflict="newer", dry_run=dry_run))
    with pytest.raises(ForeignDatabaseError, match="belongs to another program"):
        copy(place_of(file), place_of(unknown), CopyOptions())
    with pytest.raises(DatabaseError, match="no known kind"):
        copy(place_of(unknown), place_of(tmp_path / "to" / "new.db"), CopyOptions())
    assert state(target.parent) == before


def test_a_target_at_another_revision(file: Path, native_place: Place) -> None:
    fill(native_place)  # one without rows is brought up
    migrator.downgrade(native_place, "-1")
    with pytest.raises(SchemaVersionError, match="is at revision 0001") as behind:
        copy(place_of(file), native_place, CopyOptions())
    assert "db migrate" in behind.value.hint
    with pytest.raises(SchemaVersionError, match="is at revision 0001"):
        copy(native_place, place_of(file.parent / "new.db"), CopyOptions())
    migrator.upgrade(native_place)
    with Database(native_place, writable=True) as database:
        database.write(
            lambda connection: connection.exec_driver_sql("UPDATE agor_tui_version SET version_num = '0999'")
        )
    with pytest.raises(SchemaVersionError, match="does not know"):
        copy(place_of(file), native_place, CopyOptions())
    assert [path.name for path in file.parent.iterdir()] == ["a.db"]


def test_a_target_for_reading_only(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ReadOnlyError, match="reading only"):
        copy(place_of(file), replace(place_of(tmp_path / "b.db"), read_only=True), CopyOptions())
    assert not (tmp_path / "b.db").exists()


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="does not exist"):
        copy(place_of(tmp_path / "none.db"), place_of(tmp_path / "b.db"), CopyOptions())
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_another_program_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file is read in place where it rested for long: a copy of two states of it is not made."""
    from agor_tui.db import row_source

    monkeypatch.setattr(row_source, "BATCH_BYTES", 500)
    source, target = tmp_path / "agor.db", place_of(tmp_path / "b.db")
    build_sqlite(source, "2025", wal=True)
    os.utime(source, (1_700_000_000, 1_700_000_000))

    def tell(progress: object) -> None:
        with sqlite3.connect(source) as connection:
            connection.execute("UPDATE sessions SET status = 'failed'")
        connection.close()

    with pytest.raises(DatabaseError, match="was changed by another program while it was read"):
        copy(place_of(source), target, CopyOptions(), tell=tell)
    copy(place_of(source), target, CopyOptions(), tell=tell)

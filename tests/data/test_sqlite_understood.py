"""Files that are whole, though this SQLite may lack what their own program has: they are not called damaged.

SQLite alone: a server reads its own tables with what it has itself.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agor_tui.config.places import SqlitePlace
from agor_tui.db.backup import damage
from agor_tui.db.sqlite_failures import explain_sqlite
from agor_tui.errors import DatabaseError
from agor_tui.filters import SessionFilter
from agor_tui.records import Sort
from agor_tui.services import migrations
from agor_tui.services.care.checking import check
from agor_tui.services.databases import open_database
from tests.builders import opencode
from tests.conftest import place_of

UNDERSTOOD = {
    "index over JSON": "CREATE INDEX i ON project (json_extract(sandboxes, '$[0]'))",
    "partial index over JSON": "CREATE INDEX i ON part (id) WHERE json_valid(data)",
    "generated column": "ALTER TABLE message ADD COLUMN role AS (json_extract(data, '$.role'))",
    "stored generated column": "CREATE TABLE n (d, g AS (json_array_length(d)) STORED)",
    "CHECK": "CREATE TABLE n (d CHECK (json_valid(d)))",
    "default": "CREATE TABLE n (d DEFAULT (json_array()))",
    "view": "CREATE VIEW v AS SELECT json_extract(data, '$.role') AS role FROM message",
    "view of another function": "CREATE VIEW v AS SELECT frobnicate(data) FROM message",
    "trigger": "CREATE TRIGGER t AFTER INSERT ON todo BEGIN SELECT json_array(new.content); END",
    "full text": "CREATE VIRTUAL TABLE f USING fts5(body); INSERT INTO f VALUES ('tide')",
}
"""What a program may add to its tables with any SQLite."""

FOREIGN = {
    "unknown function in an index": ("CREATE INDEX i ON todo (content)", "CREATE INDEX i ON todo (frob(content))"),
    "unknown function in a column": ("CREATE TABLE n (d)", "CREATE TABLE n (d, g AS (frobnicate(d)))"),
    "unknown function in a CHECK": ("CREATE TABLE n (d)", "CREATE TABLE n (d CHECK (frobnicate(d) > 0))"),
    "unknown collation of a column": ("CREATE TABLE n (d)", "CREATE TABLE n (d TEXT COLLATE frobnicated)"),
    "unknown collation of an index": ("CREATE INDEX i ON todo (content)", "CREATE INDEX i ON todo (content COLLATE f)"),
    "unknown module": ("CREATE TABLE n (d)", "CREATE VIRTUAL TABLE n USING vec9(d float[3])"),
    "unknown tokenizer": ("CREATE VIRTUAL TABLE n USING fts5(d)", "CREATE VIRTUAL TABLE n USING fts5(d, tokenize=x9)"),
}  # fmt: skip
"""What only the program's own SQLite has: how it is made here, and how that program would have written it."""

NOT_UNDERSTOOD = {
    "table option": ("CREATE TABLE n (d)", "CREATE TABLE n (d) FROBNICATED"),
    "syntax": ("CREATE VIEW n AS SELECT 1", "CREATE VIEW n AS SELECT 1 QUALIFY 2"),
    "syntax of a trigger": (
        "CREATE TRIGGER n AFTER INSERT ON todo BEGIN SELECT 1; END",
        "CREATE TRIGGER n AFTER INSERT ON todo BEGIN SELECT 1 QUALIFY 2; END",
    ),
}
"""What no SQLite of today can parse, as an old one cannot parse what is new."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a known kind that the tests add something to."""
    path = tmp_path / "opencode.db"
    opencode.build(path)
    return path


def rewrite(path: Path, made: str, meant: str) -> None:
    """Put into the schema what this SQLite would not make itself."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(made)
        connection.execute("PRAGMA writable_schema = ON")
        virtual = meant.startswith("CREATE VIRTUAL") and not made.startswith("CREATE VIRTUAL")
        number = ", rootpage = 0" if virtual else ""
        changed = connection.execute(f"UPDATE sqlite_master SET sql = ?{number} WHERE sql = ?", (meant, made)).rowcount
        connection.commit()
    assert changed == 1


def listed(path: Path) -> list[str]:
    with open_database(str(path), environ={}) as browser:
        assert browser.info.kind == "opencode"
        sessions = browser.session_page(SessionFilter(archived="any"), Sort(), limit=0).rows
        for session in sessions:
            browser.conversation(session.id, 0, 100)
        return [session.title for session in sessions]


@pytest.mark.parametrize("sql", UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
def test_what_any_program_may_have_is_read(path: Path, sql: str) -> None:
    plain = listed(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)
    assert listed(path) == plain
    assert all(item.well for item in check(place_of(path)).items)


@pytest.mark.parametrize(("made", "meant"), FOREIGN.values(), ids=FOREIGN.keys())
def test_what_another_program_brings_along_keeps_nothing_from_being_read(path: Path, made: str, meant: str) -> None:
    plain = listed(path)
    rewrite(path, made, meant)
    assert listed(path) == plain
    assert not any("damage" in f"{item}" for item in check(place_of(path)).items)
    assert damage(path) == ""


@pytest.mark.parametrize(("made", "meant"), NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD.keys())
def test_what_cannot_be_understood_is_said_so(path: Path, made: str, meant: str) -> None:
    rewrite(path, made, meant)
    for ask in (listed, lambda path: check(place_of(path)), lambda path: migrations.test(place_of(path))):
        with pytest.raises(DatabaseError) as caught:
            ask(path)
        said = f"{caught.value.message} {caught.value.hint}"
        assert "damaged" not in said
        assert f"SQLite {sqlite3.sqlite_version} does not understand (n: " in said


@pytest.mark.parametrize(("at", "value"), [(19, 3), (47, 5)], ids=["needed to read", "schema"])
def test_a_newer_format_is_said_so(path: Path, at: int, value: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] = value
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match=r"format that SQLite .* does not know") as caught:
        listed(path)
    assert "damaged" not in f"{caught.value.message} {caught.value.hint}"


def bad_root(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET rootpage = 9999 WHERE name = 'todo'")
        connection.commit()


def bad_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [bad_root, bad_pages])
def test_damage_is_called_so_where_sqlite_finds_it(path: Path, harm: Callable[[Path], None]) -> None:
    harm(path)
    assert damage(path) != ""
    with pytest.raises(DatabaseError, match="is damaged"):
        listed(path)


@pytest.mark.parametrize("file", ["kilo/kilo.db", "codex-state/state_5.sqlite", "codex-state/thread_history_1.sqlite"])
def test_files_of_real_programs_are_whole(fixtures_dir: Path, tmp_path: Path, file: str) -> None:
    path = tmp_path / Path(file).name
    shutil.copyfile(fixtures_dir / file, path)
    place = place_of(path)
    assert isinstance(place, SqlitePlace)
    assert migrations.test(place).info.dialect == "sqlite"
    assert all(item.well for item in check(place).items)


@pytest.mark.parametrize(
    "said",
    [
        "malformed JSON",
        "malformed database schema (i) - unsafe use of json_extract()",
        'malformed database schema (t) - near "STRICT": syntax error',
        "unsafe use of frobnicate()",
        "no such collation sequence: frob",
        "no such module: vec0",
        "unknown function: octet_length()",
        "unsupported file format",
    ],
)
def test_sentences_of_what_is_no_damage(said: str) -> None:
    answer = explain_sqlite(said, "SQLite 3.40.1")
    assert answer is not None
    assert "damaged" not in f"{answer}"
    assert "{" not in f"{answer}"


@pytest.mark.parametrize(
    "said", ["database disk image is malformed", "malformed database schema (t) - invalid rootpage"]
)
def test_sentences_of_damage(said: str) -> None:
    answer = explain_sqlite(said, "SQLite 3.40.1")
    assert answer is not None
    assert answer[0] == "is damaged."

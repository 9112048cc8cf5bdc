"""``db export`` and ``db import`` as commands: what they print, where it goes, and their exit codes."""

from __future__ import annotations

import gzip
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agor_tui.text import byte_size
from tests.builders.agor import build_sqlite
from tests.conftest import place_of
from tests.data.one_row_each import fill

from .conftest import Run


@pytest.fixture
def filled(native_templates: Callable[[str], str], tmp_path: Path) -> Path:
    """A native file with one row in most tables."""
    path = tmp_path / "filled.db"
    shutil.copyfile(native_templates("sqlite"), path)
    fill(place_of(path))
    return path


def test_a_database_goes_into_a_file_and_back(run: Run, filled: Path, tmp_path: Path) -> None:
    dump, back = tmp_path / "all.jsonl.zst", tmp_path / "back.db"
    done = run("db", "export", dump, "-d", filled)
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[0].startswith("Exported 9 rows (boards 1, ")
    size = f"Wrote {byte_size(dump.stat().st_size)} ("
    assert done.err.splitlines()[-1].startswith(size)
    assert done.err.splitlines()[-1].endswith(
        f"to {dump}, without secrets (1 hidden as ‹hidden›, --include-secrets writes them)."
    )
    again = run("db", "export", dump, "-d", filled)
    assert (again.code, again.err.splitlines()[0]) == (1, f"agor-tui: {dump} exists already and is left as it is.")
    assert again.err.splitlines()[1] == "Name another file, or move it away. --force replaces it."
    out = run("db", "export", dump, "-d", filled, "--force", "--include-secrets", "--json").json
    assert (out["lossless"], out["file"], out["size"], out["secrets"]) == (True, str(dump), dump.stat().st_size, True)
    read = run("db", "import", dump, "-d", back)
    assert (read.code, read.err) == (0, "")
    assert read.out.splitlines()[0] == f"{back} was made."
    assert read.out.splitlines()[-1] == "✓ The database has what the file has: counts and checksums are the same."
    assert run("db", "compare", filled, back).code == 0
    full = run("db", "import", dump, "-d", back)
    assert (full.code, "is not empty" in full.err) == (1, True)
    assert run("db", "import", dump, "-d", back, "--on-conflict", "newer").code == 2
    answer = run("db", "import", dump, "-d", tmp_path / "json.db", "--json").json
    assert (answer["lossless"], answer["verified"], sum(each["rows"] for each in answer["tables"])) == (True, True, 9)
    kept = run("db", "import", dump, "-d", back, "--on-conflict", "newer", "--yes")
    assert (kept.code, "Rows kept as the database had them: boards 1" in kept.out) == (0, True)


def test_standard_output_is_the_file_and_nothing_else(run: Run, filled: Path, tmp_path: Path) -> None:
    done = run("db", "export", "-", "-d", filled, "one")
    lines = done.out.splitlines()
    assert (done.code, len(lines)) == (0, 10)  # nobody names the user
    assert '"filter":"one"' in lines[0]
    assert "to standard output" in done.err
    (tmp_path / "x").write_text(done.out)
    assert run("db", "import", tmp_path / "x", "-d", tmp_path / "back.db").code == 0
    sql = run("db", "export", "-", "-d", filled, "--format", "sql", "--dialect", "postgresql")
    assert "SET standard_conforming_strings = on;" in sql.out
    assert run("db", "import", "-", "-d", filled).code == 2


def test_the_programs_of_the_databases_run_the_sql(run: Run, filled: Path, tmp_path: Path, postgres18_url: str) -> None:
    for program, target in (("sqlite3", str(tmp_path / "new.db")), ("psql", postgres18_url)):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here")
        run("db", "init", "-d", target)
        dialect = "sqlite" if program == "sqlite3" else "postgresql"
        script = tmp_path / f"{dialect}.sql"
        run("db", "export", script, "-d", filled, "--dialect", dialect, "--include-secrets")
        command = [program, "-bail", target] if program == "sqlite3" else [program, "-qv", "ON_ERROR_STOP=1", target]
        with open(script, "rb") as stream:
            subprocess.run(command, stdin=stream, check=True)
        assert run("db", "compare", filled, target).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("export", "{}/a.jsonl", "--dialect", "sqlite"), 2, "--dialect is for SQL only."),
        (("export", "{}/a.jsonl", "status:dancing"), 2, "status"),
        (("export", "{}/none/a.jsonl"), 1, "does not exist"),
        (("export", "{}/a.jsonl.bz2"), 2, "a.jsonl.bz2 ends in “.bz2”"),
        (("export", "-", "--json"), 2, "Standard output cannot take both"),
        (("export", "{}/filled.db", "--force"), 2, "is the database itself"),
        (("export", "{}", "--force"), 1, "is no ordinary file"),
        (("import", "{}/none.jsonl"), 1, "cannot be read: No such file or directory."),
        (("import", "{}/filled.db"), 1, "is no export of agor-tui"),
    ],
)
def test_what_is_asked_wrongly(
    run: Run, filled: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    before = sorted(os.listdir(tmp_path))
    done = run(
        "db",
        *(each.format(tmp_path) for each in arguments),
        "-d",
        filled,
        *["--on-conflict=skip"] * (arguments[0] == "import"),
    )
    assert (done.code, said in done.err) == (code, True), done.err
    assert sorted(os.listdir(tmp_path)) == before


def test_another_programs_database_is_exported_and_never_imported_into(run: Run, tmp_path: Path) -> None:
    build_sqlite(tmp_path / "agor.db", "2026")
    before = (tmp_path / "agor.db").read_bytes()
    done = run("db", "export", tmp_path / "a.jsonl.gz", "-d", tmp_path / "agor.db")
    assert (done.code, "session_relationships: 1 row of a table that agor-tui has not" in done.err) == (5, True)
    assert b"FAKESECRET" not in gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes())
    read = run("db", "import", tmp_path / "a.jsonl.gz", "-d", tmp_path / "new.db")
    assert (read.code, "passwords and tokens have to be set anew" in read.out) == (0, True), read.err
    refused = run("db", "import", tmp_path / "a.jsonl.gz", "-d", tmp_path / "agor.db", "--on-conflict", "skip")
    assert (refused.code, "never writes to it" in refused.err) == (1, True)
    assert (tmp_path / "agor.db").read_bytes() == before


def test_a_full_disk_leaves_nothing_or_the_old_file(filled: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("UPDATE messages SET data = json_object('content', hex(zeroblob(400000)))")
        connection.commit()
    (tmp_path / "old.jsonl").write_text("old")
    before = sorted(os.listdir(tmp_path))
    for name in ("new.jsonl", "old.jsonl"):
        done = subprocess.run(
            [sys.executable, "-m", "agor_tui", "db", "export", tmp_path / name, "-d", filled, "--force"],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, b"there is no room for it" in done.stderr) == (1, True), done.stderr
        assert b"Traceback" not in done.stderr
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "old.jsonl").read_text() == "old"

"""An import that is killed, at any moment: none of it is there, or with ``--batches`` whole ones, and it continues."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from agor_tui.config.places import Place
from agor_tui.db.tables import metadata
from agor_tui.errors import DatabaseError
from agor_tui.services.dump.exporting import export_database
from agor_tui.services.dump.importing import import_file
from tests import servers
from tests.conftest import place_of

from .dumps import Templates, empty_file, same
from .one_row_each import ROWS, count, execute, fill, tables, write

# The command itself, in small batches. From where it begins to write on, it lives for so many calls of functions,
# and where it comes to its end it says how many there were.
PROGRAM = """
import os, signal, sys
from agor_tui.services.dump import reader
from agor_tui.transfer.copying import Copying
from agor_tui.cli.main import main
reader.BATCH_BYTES = 1_500
lives = calls = int(sys.argv[1])
def count(*_):
    global calls
    calls -= 1
    if calls == 0:
        os.kill(os.getpid(), signal.SIGKILL)
write = Copying.run
def run(self):
    sys.setprofile(count)
    write(self)
    sys.setprofile(None)
Copying.run = run
code = main(["db", "import", *sys.argv[2:]])
print(lives - calls)
sys.exit(code)
"""
FOR_EVER = 10**9


def run(lives: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Import; the last line of what it prints is the number of calls that it took."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(lives), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def source(native_templates: Templates, tmp_path: Path) -> Place:
    """A native file whose sessions name each other in a circle, with a hundred messages."""
    place = empty_file(native_templates, tmp_path / "a.db")
    fill(place)
    sessions = [{**ROWS["sessions"], "session_id": f"s{n}"} for n in range(2, 6)]
    text = json.dumps({"content": "x" * 100})
    messages = [{**ROWS["messages"], "message_id": f"m{n:03}", "data": text, "index": n} for n in range(100)]
    write(place, lambda connection: connection.execute(metadata.tables["sessions"].insert(), sessions))
    write(place, lambda connection: connection.execute(metadata.tables["messages"].insert(), messages))
    execute(place, "UPDATE sessions SET parent_session_id = 's' || (substr(session_id, 2) % 5 + 1)")
    return place


@pytest.fixture
def dump(source: Place, tmp_path: Path) -> Path:
    """Its rows as a file."""
    export_database(source, tmp_path / "a.jsonl.zst", include_secrets=True)
    return tmp_path / "a.jsonl.zst"


@pytest.mark.parametrize("way", ["to a file", "to a server"])
def test_killed_at_many_points(
    way: str,
    source: Place,
    dump: Path,
    tmp_path: Path,
    native_templates: Templates,
    postgres_server: Callable[[int], servers.PostgresServer],
) -> None:
    target = str(tmp_path / "b.db")
    if way == "to a server":
        target = postgres_server(18).create_database(native_templates("postgresql-18"))
    else:
        empty_file(native_templates, tmp_path / "b.db")
    place = place_of(target)
    spare = empty_file(native_templates, tmp_path / "spare.db")
    whole = int(run(FOR_EVER, dump, "-d", spare.path).stdout.splitlines()[-1])
    rng = random.Random(way)

    killed = run(rng.randrange(1, whole), dump, "-d", target)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert count(place, "repos") == count(place, "messages") == 0
    assert "agor_tui_transfer" not in tables(place)

    rows = 0
    for _ in range(2):
        killed = run(rng.randrange(whole // 6, whole // 3), dump, "--batches", "-d", target)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        there = sum(count(place, table) for table in ("boards", "sessions", "messages"))
        assert there >= rows
        rows = there
    assert rows
    (tmp_path / "other").mkdir()
    export_database(source, tmp_path / "other" / "a.jsonl")
    with pytest.raises(DatabaseError, match="holds an unfinished copy of"):
        import_file(tmp_path / "other" / "a.jsonl", place, batches=True)
    done = import_file(dump, place, batches=True)
    assert (done.lossless, done.verified, done.resumed) == (True, True, True)
    assert same(source, place)
    assert "agor_tui_transfer" not in tables(place)

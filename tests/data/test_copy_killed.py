"""A copy that is killed, at any moment: whole batches are there, and the same command continues after them."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from agor_tui.config.places import Place
from agor_tui.errors import DatabaseError
from agor_tui.transfer.sources import open_source
from tests import servers
from tests.conftest import place_of

from .copies import ground, insert, is_unfinished, message, rows_of, session, state, task

# The installed command, with batches so small that there are many moments to be killed in.
PROGRAM = "from agor_tui.db import row_source; row_source.BATCH_BYTES = 3_000; from agor_tui.cli.main import run; run()"
SESSIONS, MESSAGES = 12, 900
MOST_S = 60


def start(*arguments: str | Path, **more: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more
    )  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def file(native_templates: Callable[[str], str], tmp_path: Path) -> Path:
    """A native file whose sessions name each other in a circle."""
    path = tmp_path / "from" / "a.db"
    path.parent.mkdir()
    shutil.copyfile(native_templates("sqlite"), path)
    ground(path)
    ids = [f"s{n:02}" for n in range(SESSIONS)]
    insert(path, "sessions", *(session(id, parent_session_id=ids[n - 1]) for n, id in enumerate(ids)))
    insert(path, "tasks", *(task(f"t{id}", id) for id in ids))
    text = '{"content": "' + "x" * 300 + '"}'
    insert(path, "messages", *(message(f"m{n:04}", ids[n % SESSIONS], data=text) for n in range(MESSAGES)))
    return path


def messages_there(place: Place) -> int:
    """How many messages are there by now; -1 before there is a table."""
    try:
        with open_source(place) as source:
            return source.count("messages") or 0
    except DatabaseError:
        return -1


@pytest.mark.parametrize("way", ["to a file", "to a server"])
def test_killed_at_many_points(
    way: str,
    file: Path,
    tmp_path: Path,
    native_templates: Callable[[str], str],
    postgres_server: Callable[[int], servers.PostgresServer],
) -> None:
    source: Path | str = file
    names = (tmp_path / f"b{number}.db" for number in count())

    def fresh() -> Path | str:
        if way == "to a server":
            return postgres_server(18).create_database(native_templates("postgresql-18"))
        return next(names)

    target = fresh()
    before = state(file.parent)
    rng = random.Random(way)
    points = sorted(rng.sample(range(MESSAGES), 4))
    todo = [-1, *points]
    end_of_all = time.monotonic() + MOST_S
    while todo:
        assert time.monotonic() < end_of_all
        point = todo[0]
        process = start("db", "copy", source, target)
        end = time.monotonic() + MOST_S
        while messages_there(place_of(target)) < point and process.poll() is None:
            assert time.monotonic() < end
        if point < 0:
            time.sleep(rng.random() * 0.8)  # somewhere in its first steps: there is nothing yet that could be seen
        process.send_signal(signal.SIGKILL)
        process.communicate()
        there = messages_there(place_of(target))
        if point >= 0:
            if process.returncode != -signal.SIGKILL or not is_unfinished(place_of(target)):
                target = fresh()  # it ended before it could be killed: the same point again, in another copy
                continue
            assert there >= point
            whole = rows_of(place_of(target), ["messages"])["messages"]
            assert whole == rows_of(place_of(file), ["messages"])["messages"][: len(whole)]
        todo.pop(0)
    done = start("db", "copy", source, target)
    out, err = done.communicate(timeout=MOST_S)
    assert (done.returncode, err) == (0, b"")
    assert b"An unfinished copy is continued." in out
    assert rows_of(place_of(target)) == rows_of(place_of(file))
    assert not is_unfinished(place_of(target))
    assert state(file.parent).keys() == before.keys()
    assert state(file.parent)["a.db"] == before["a.db"]


def test_interrupted_from_the_keyboard(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.db"
    process = start("db", "copy", file, target)
    end = time.monotonic() + MOST_S
    while messages_there(place_of(target)) < 1:
        assert time.monotonic() < end
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=MOST_S)
    assert (process.returncode, out) == (130, b""), err
    assert err.decode().splitlines()[1] == "The same copy, begun again, continues it."
    assert "in whole batches" in err.decode()
    assert is_unfinished(place_of(target))


def test_a_full_disk(file: Path, tmp_path: Path) -> None:
    """What fits is there, and with room again the same command continues."""
    target = tmp_path / "b.db"

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    process = start("db", "copy", file, target, preexec_fn=little_room, env={**os.environ, "HOME": str(tmp_path)})
    out, err = process.communicate(timeout=MOST_S)
    assert (process.returncode, out) == (1, b"")
    assert len(err.decode().splitlines()) == 2, err.decode()
    assert "the same copy continues after it." in err.decode()
    done = start("db", "copy", file, target)
    out, err = done.communicate(timeout=MOST_S)
    assert (done.returncode, err) == (0, b"")
    assert rows_of(place_of(target)) == rows_of(place_of(file))

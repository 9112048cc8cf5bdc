"""What a process works on is private, and is cleared by the next start when that process died, wherever it lies."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agor_tui import paths
from agor_tui.scratch import clear_leftovers, make_private, scratch_file, scratch_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="nothing is locked there")

_HALF = """
import os, signal, sys
from pathlib import Path
from agor_tui import scratch
with getattr(scratch, sys.argv[2])(Path(sys.argv[1])) as path:
    for half in [path / "half", path / "deep" / "half"] if path.is_dir() else [path, Path(f"{path}-wal")]:
        half.parent.mkdir(exist_ok=True)
        half.write_text("password")
    print(path, flush=True)
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def register() -> list[Path]:
    folder = paths.state_file().parent / "unfinished"
    return list(folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("kind", ["scratch_file", "scratch_folder"])
def test_what_a_living_process_works_on_stays_and_what_a_dead_one_left_goes(tmp_path: Path, kind: str) -> None:
    (tmp_path / "kept").write_text("")
    with subprocess.Popen(
        [sys.executable, "-c", _HALF, str(tmp_path), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        path = Path(process.stdout.readline().strip())
        clear_leftovers(tmp_path)
        assert path.exists()
        process.stdin.close()
    assert process.returncode == -signal.SIGKILL
    assert path.exists()
    assert len(register()) == 1
    clear_leftovers()  # from somewhere else
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    assert register() == []


def test_nothing_is_left_by_what_ends_well(tmp_path: Path) -> None:
    with scratch_file(tmp_path) as file, scratch_folder(tmp_path) as folder:
        assert len(register()) == 2
        (folder / "some").write_text("")
        file.write_text("whole")
        file.rename(tmp_path / "kept")
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    assert register() == []


def test_a_register_that_was_tampered_with_removes_nothing_else(tmp_path: Path) -> None:
    with scratch_file(tmp_path):
        folder = register()[0].parent
    mine, linked, link = tmp_path / "mine", tmp_path / "linked", tmp_path / ".agor-tui-0123456789ab.part"
    mine.write_text("")
    linked.mkdir()
    (linked / "in it").write_text("")
    link.symlink_to(linked)
    for name, path in (("0123456789ab", link), ("0123456789ac", mine), ("0123456789ad", linked)):
        (folder / name).write_bytes(os.fsencode(path))
    clear_leftovers(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == [link.name, "linked", "mine"]
    assert (linked / "in it").exists()


def test_without_a_register_a_part_is_made_all_the_same(tmp_path: Path) -> None:
    paths.state_file().parent.parent.mkdir(parents=True)
    paths.state_file().parent.write_text("no folder")
    with scratch_file(tmp_path) as file:
        os.utime(file, (0, 0))
        clear_leftovers(tmp_path)
        assert file.exists()
    assert not file.exists()


@pytest.fixture(params=[0o000, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """The umask that gives most away, and the one that takes everything."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def test_what_is_made_is_for_the_users_eyes_only_whatever_the_umask(tmp_path: Path, umask: None) -> None:
    os.chmod(tmp_path, 0o755)
    make_private(tmp_path / "a" / "b" / "c")
    make_private(tmp_path / "a" / "b")
    with scratch_file(tmp_path / "a") as file, scratch_folder(tmp_path / "a") as folder:
        entry = register()[0]
        made = [tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "c", folder, entry.parent]
        assert [oct(stat.S_IMODE(path.stat().st_mode)) for path in made] == ["0o700"] * 5
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755

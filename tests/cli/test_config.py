"""``config``: where it is, what counts and why, and changes of it."""

from __future__ import annotations

import stat
from functools import partial
from pathlib import Path

import pytest

from .conftest import Answer, Run

TEXT = """\
# mine
databases:
  team:
    postgresql: {host: h, database: d, password: hunter2, port: 5433}
  prod:
    postgresql:
      url: postgresql://u:hunter2@h/d?sslmode=require
active: team   # for now
ui:
  keys: {browser.filter: f}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def config(run: Run, file: Path) -> Run:
    return partial(run, "--config", file, "config")


def check(answer: Answer, code: int, *words: str) -> None:
    """One sentence that names things and what to do next, no data, no secret."""
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.startswith("agor-tui: ")
    assert 1 <= len(answer.err.splitlines()) <= 2
    for word in words:
        assert word in answer.err
    assert "hunter2" not in answer.err


def test_path(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert run("config", "path").out == f"{tmp_path}/xdg/agor-tui/config.yaml\n"
    monkeypatch.setenv("AGOR_TUI_CONFIG", str(file))
    assert run("config", "path").out == f"{file}\n"
    assert run("config", "path", "--config", tmp_path / "other").out == f"{tmp_path}/other\n"


def test_show_says_where_each_value_is_from(config: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGUSER", "me")
    monkeypatch.setenv("DATABASE_URL", "postgresql://x:hunter2@db/z")
    rows = {row["key"]: (row["value"], row["origin"]) for row in config("show", "--json").json}
    assert rows["file"] == (str(file), "--config")
    assert rows["opens"] == ("x@db/z", "DATABASE_URL")
    assert rows["active"] == ("team", "config.yaml, line 8")
    assert rows["databases.team.dialect"] == ("postgresql", "default")
    assert rows["databases.team.postgresql.port"] == ("5433", "config.yaml, line 4")
    assert rows["databases.team.postgresql.user"] == ("me", "PGUSER")
    assert rows["databases.team.postgresql.password"] == ("‹hidden›", "config.yaml, line 4")
    assert rows["databases.team.postgresql.pool.max"] == ("10", "default")
    assert rows["databases.prod.postgresql.url"] == (
        "postgresql://u:‹hidden›@h/d?sslmode=require",
        "config.yaml, line 7",
    )
    assert "databases.prod.postgresql.user" not in rows
    assert rows["ui.theme"] == ("dark", "default")
    assert rows["ui.keys.browser.filter"] == ("f", "config.yaml, line 10")
    assert rows["DATABASE_URL"] == ("postgresql://x:‹hidden›@db/z", "environment")
    assert rows["PGUSER"] == ("me", "environment")
    shown = config("show")
    assert "hunter2" not in shown.out + config("show", "--json").out
    assert [line.split()[0] for line in shown.out.splitlines()[1:]] == list(rows)
    assert [line.split()[0] for line in config("show", "ui").out.splitlines()[1:]] == [
        key for key in rows if key.startswith("ui.")
    ]


def test_show_without_a_file_and_with_a_broken_one(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    rows = {row["key"]: row for row in run("config", "show", "--json", "--config", file).json}
    assert rows["file"]["origin"] == "--config, not there"
    assert rows["opens"]["origin"] == "default"
    file.write_text("a: [")
    check(run("config", "show", "--config", file), 1, str(file), "line")


def test_get_prints_one_value(config: Run) -> None:
    assert config("get", "active").out == "team\n"
    assert config("get", "ui.pageSize").out == "128\n"
    assert config("get", "ui.pageSize", "--json").json == {"key": "ui.pageSize", "value": "128", "origin": "default"}
    assert config("get", "databases.prod.postgresql.url").out == "postgresql://u:‹hidden›@h/d?sslmode=require\n"
    check(config("get", "databases.team.postgresql.password"), 1, "is a secret", "line 4")
    check(config("get", "database.sqlite.path"), 4, "has no value", "config set")
    check(config("get", "ui"), 2, "group of keys", "config show ui")
    check(config("get", "ui.thema"), 2, "the nearest is “ui.theme”")
    check(config("show", "ui.thema"), 2, "the nearest is “ui.theme”")
    check(config("show", "database"), 2, "group of keys")


def test_set_and_unset_change_their_line_only(config: Run, file: Path) -> None:
    done = config("set", "databases.team.postgresql.port", "5434")
    assert (done.code, done.out, done.err) == (0, "databases.team.postgresql.port = 5434\n", "")
    assert file.read_text() == TEXT.replace("5433", "5434")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert config("set", "ui.live", "off").out == "ui.live = false\n"
    assert config("set", "active", "prod").code == 0
    expected = TEXT.replace("5433", "5434").replace("active: team ", "active: prod ")
    assert file.read_text() == f"{expected}  live: false\n"
    assert config("unset", "ui.live").code == 0
    assert config("unset", "databases.team").out == "databases.team is not set any more.\n"
    assert file.read_text() == expected.replace(
        TEXT[TEXT.index("  team:") : TEXT.index("  prod:")].replace("5433", "5434"), ""
    )


def test_set_makes_the_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.yaml"
    assert run("config", "set", "databases.lap top.sqlite.path", "x.db", "--config", file).code == 0
    assert file.read_text() == 'databases:\n  "lap top":\n    sqlite:\n      path: x.db\n'
    check(run("config", "unset", "ui.theme", "--config", tmp_path / "none.yaml"), 4, "no config file")


def test_a_password_is_said_to_stand_in_the_file(config: Run, file: Path) -> None:
    answer = config("set", "databases.team.postgresql.password", "p@:/% #x")
    assert answer.out == "databases.team.postgresql.password = ‹hidden›\n"
    assert str(file) in answer.err
    assert '"p@:/% #x"' in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["set", "ui.thema", "x"], 2, ["the nearest is “ui.theme”"]),
        (["set", "ui.theme", "pink"], 2, ["must be dark or light, not “pink”"]),
        (["set", "ui.theme", ""], 2, ["empty", "config unset"]),
        (["set", "ui.theme", "  "], 2, ["empty"]),
        (["set", "ui", "x"], 2, ["group of keys"]),
        (["set", "ui.pageSize", "many"], 2, ["whole number from 10 to 1000"]),
        (["set", "ui.live", "maybe"], 2, ["true or false"]),
        (["set", "databases.team.postgresql.port", "0"], 2, ["from 1 to 65535, not 0"]),
        (["set", "databases.team.postgresql.port", "99999"], 2, ["from 1 to 65535, not 99999"]),
        (["set", "databases.team.postgresql.host", "pg://u:hunter2@h"], 2, ["is a URL, not a name"]),
        (["set", "databases.a/b.sqlite.path", "x"], 2, ["“a/b” is no name for a database"]),
        (["set", "databases.team.sqlite.path", "x.db"], 2, ["no dialect says which counts"]),
        (["set", "active", "nobody"], 2, ["not among the databases"]),
        (["set", "opens", "x"], 2, ["not known"]),
        (["set", "databases.u:hunter2@h.x.y", "v"], 2, ["The key ‹hidden› is not known."]),
        (["unset", "databases.team"], 2, ["active names “team”"]),
        (["unset", "ui.theme"], 4, ["does not stand in"]),
        (["unset", "nope"], 2, ["not known"]),
        (["set", "ui.theme"], 2, ["Missing argument"]),
    ],
)  # fmt: skip
def test_what_cannot_be_set(config: Run, file: Path, arguments: list[str], code: int, words: list[str]) -> None:
    check(config(*arguments), code, *words)
    assert file.read_text() == TEXT


def test_a_protected_or_broken_file_stays(config: Run, file: Path) -> None:
    file.chmod(0o400)
    check(config("set", "ui.theme", "light"), 1, "is read-only", "chmod")
    file.chmod(0o600)
    file.write_text("a: [")
    check(config("set", "ui.theme", "light"), 1, "this is not YAML")
    assert file.read_text() == "a: ["

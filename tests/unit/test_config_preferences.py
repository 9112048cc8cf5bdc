"""The ``ui`` section as it is read, and the table of keys that the commands go by."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agor_tui.config.document import Section, parse_document
from agor_tui.config.keys import ENTRY, UI, Key, locate, masked, masked_url, typed
from agor_tui.config.places import Secret
from agor_tui.config.settings import read_settings
from agor_tui.errors import ConfigError, ConfigKeyError
from agor_tui.services.configuration import Configuration, Preferences

FILE = Path("/c/config.yaml")


def read(text: str) -> Preferences:
    root = parse_document(FILE, text.encode())
    assert isinstance(root, Section)
    return read_settings(root, {}).preferences


def test_every_key() -> None:
    found = read(
        "ui: {theme: light, times: absolute, timeZone: UTC, pageSize: 50, confirm: changes, live: off, "
        "keys: {browser.filter: f, x: 1, y: 'ctrl+g,G'}}"
    )
    assert found == Preferences("light", "absolute", "UTC", 50, "changes", False, found.keys)
    assert found.keys == {"browser.filter": "f", "x": "1", "y": "ctrl+g,G"}


@pytest.mark.parametrize("text", ["ui:\n", "ui: {}", "ui: {theme: , keys: {}}", "active:\n"])
def test_what_is_absent_has_its_default(text: str) -> None:
    assert read(text) == Preferences("dark", "relative", "local", 128, "deletes", True, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ui: x", "line 1: ui must be a map of keys, not a single value."),
        ("ui:\n  thema: x", "line 2: the key “ui.thema” is not known; the nearest is “theme”."),
        ("ui:\n  theme: pink", "line 2: ui.theme must be dark or light, not “pink”."),
        ("ui: {times: soon}", "line 1: ui.times must be relative or absolute, not “soon”."),
        ("ui: {confirm: never}", "line 1: ui.confirm must be changes or deletes, not “never”."),
        ("ui: {pageSize: 9}", "line 1: ui.pageSize must be a whole number from 10 to 1000, not 9."),
        ("ui: {pageSize: many}", "line 1: ui.pageSize must be a whole number from 10 to 1000."),
        ("ui: {live: 2}", "line 1: ui.live must be true or false."),
        ("ui: {timeZone: Mars/Base}", "line 1: ui.timeZone names no time zone: “Mars/Base”"),
        ("ui: {timeZone: ../x}", "line 1: ui.timeZone names no time zone: “../x”."),
        ("ui: {timeZone: Europe}", "line 1: ui.timeZone names no time zone: “Europe”"),
        ("ui: {keys: [a]}", "line 1: ui.keys must be a map of keys, not a list."),
        ("ui:\n  keys:\n    a: ", "line 3: ui.keys.a must be the name of a key."),
        ("ui:\n  keys:\n    a: ~", "line 3: ui.keys.a must be the name of a key."),
        (
            "ui:\n  keys:\n    a: 'x, Ctrl+Q'",
            "line 3: ui.keys.a cannot be ctrl+q, which leaves the app wherever one is.",
        ),
        ("ui:\n  keys:\n    a: {b: c}", "line 3: ui.keys.a must be a text, not a map of keys."),
    ],
)
def test_every_mistake_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert caught.value.message.startswith(f"{FILE}, {message}")


def test_yaml_is_imported_only_for_a_file_that_may_have_preferences(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\nfrom agor_tui.services.configuration import Configuration\n"
        "print(Configuration(Path(sys.argv[1]), {}).preferences().theme, 'yaml' in sys.modules)"
    )
    file = tmp_path / "config.yaml"

    def seen() -> str:
        return subprocess.run(
            [sys.executable, "-c", code, str(file)], capture_output=True, check=True, text=True
        ).stdout

    assert seen() == "dark False\n"
    file.write_text("database: {sqlite: {path: guide.db}}\n")
    assert seen() == "dark False\n"
    file.write_text("  'ui' : {theme: light}\n")
    assert seen() == "light True\n"


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("ui: [\n")
    with pytest.raises(ConfigError, match=r"config\.yaml, line"):
        Configuration(file, {}).preferences()


VALUES = {
    "dialect": "postgresql", "sqlite.path": "a.db", "sqlite.url": "libsql://a.io", "sqlite.syncUrl": "libsql://b.io",
    "sqlite.syncInterval": 60, "sqlite.authToken": "t", "postgresql.url": "postgresql://h/d", "postgresql.port": 1,
    "postgresql.passwordEnv": "PW", "postgresql.ssl.ca": "/ca", "ui.theme": "light", "ui.times": "absolute",
    "ui.timeZone": "UTC", "ui.pageSize": 20, "ui.confirm": "changes",
}  # fmt: skip


@pytest.mark.parametrize("key", ["active", *ENTRY, *(f"ui.{word}" for word in UI)])
def test_the_reader_knows_every_key_of_the_table(key: str) -> None:
    kind = (ENTRY.get(key) or UI.get(key.removeprefix("ui.")) or Key()).type
    value = VALUES.get(key, 1 if kind == "number" else "true" if kind == "flag" else "word")
    inner = f"{value}"
    for word in reversed(key.removeprefix("ui.").split(".")):
        inner = f"{{{word}: {inner}}}"
    text = f"ui: {inner}" if key.startswith("ui.") else inner if key == "active" else f"database: {inner}"
    root = parse_document(FILE, text.encode())
    assert root is not None
    said = ""
    try:
        read_settings(root, {})
    except ConfigError as error:  # something else may be missing beside it
        said = error.message
    assert "is not known" not in said


def test_the_table_has_every_key_of_the_reader() -> None:
    for text, prefix in (("database: {x: 1}", ""), ("database: {sqlite: {x: 1}}", "sqlite."),
                         ("database: {postgresql: {x: 1}}", "postgresql."),
                         ("database: {postgresql: {ssl: {x: 1}}}", "postgresql.ssl."),
                         ("database: {postgresql: {pool: {x: 1}}}", "postgresql.pool.")):  # fmt: skip
        with pytest.raises(ConfigError) as caught:
            read(text)
        known = caught.value.hint.removeprefix("Known here: ").rstrip(".").split(", ")
        table = {key.removeprefix(prefix).partition(".")[0] for key in ENTRY if key.startswith(prefix)}
        assert table == set(known)


@pytest.mark.parametrize(
    ("dotted", "path"),
    [
        ("active", ("active",)),
        ("ui.theme", ("ui", "theme")),
        ("ui.keys.browser.filter", ("ui", "keys", "browser.filter")),
        ("database.postgresql.pool.max", ("database", "postgresql", "pool", "max")),
        ("databases.team.sqlite.path", ("databases", "team", "sqlite", "path")),
        ("databases.v1.2.sqlite.path", ("databases", "v1.2", "sqlite", "path")),
        ("databases.a.sqlite.sqlite.path", ("databases", "a.sqlite", "sqlite", "path")),
        ("databases.v1.2", ("databases", "v1.2")),
        ("database.postgresql.ssl", ("database", "postgresql", "ssl")),
    ],
)
def test_where_a_key_is(dotted: str, path: tuple[str, ...]) -> None:
    assert locate(dotted, ("v1.2", "a.sqlite")).path == path


@pytest.mark.parametrize(
    ("dotted", "nearest"),
    [("ui.thema", "ui.theme"), ("databse.sqlite.path", "database.sqlite.path"), ("actve", "active"),
     ("databases.new.sqlite.pth", "databases.new.sqlite.path"), ("database.postgresql.pasword", "password"),
     ("", ""), ("ui.keys.", ""), ("postgresql://u:pw@h/d", "")],
)  # fmt: skip
def test_unknown_keys_are_refused_with_the_nearest(dotted: str, nearest: str) -> None:
    with pytest.raises(ConfigKeyError) as caught:
        locate(dotted, ("team",))
    assert nearest in caught.value.message
    assert "pw@" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p/w:x@h/d", "postgresql://u:‹hidden›@h/d"),
        ("postgresql://u:p w@h/d?sslmode=require&password=x", "postgresql://u:‹hidden›@h/d?sslmode=require&password=‹hidden›"),
        ("libsql://h?authToken=abc", "libsql://h?authToken=‹hidden›"),
        ("user:pw@host", Secret.MASK),
        ("host=h password=x", "postgresql://:‹hidden›@h/"),
        ("/data/a.db", "/data/a.db"),
        ("file:/data/a.db", "file:/data/a.db"),
    ],
)  # fmt: skip
def test_urls_show_no_secret(url: str, shown: str) -> None:
    assert masked_url(url) == shown
    assert masked(Key("secret"), url) == Secret.MASK


def test_words_take_the_type_of_their_key() -> None:
    assert [typed(Key("flag"), text) for text in ("true", "Off", "yes", "1", "x")] == [True, False, True, "1", "x"]
    assert [typed(Key("number"), text) for text in ("1", " -2 ", "1.5", "x")] == [1, -2, "1.5", "x"]
    assert typed(Key(), "1") == "1"

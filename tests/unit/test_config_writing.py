"""Writing the settings file: what is kept, what is refused, and that nothing is ever lost."""

from __future__ import annotations

import getpass
import os
import re
import resource
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.config import LibsqlPlace, Place, PostgresPlace, Secret, SqlitePlace, SslOptions
from agor_tui.config.places import short_label
from agor_tui.errors import ConfigChangedError, ConfigError, ConfigKeyError, ConfigMissingError
from agor_tui.services.configuration import Configuration, NamedDatabase, PasswordHome, Preferences

NONE = PasswordHome("none")
IN_FILE = PasswordHome("file")
TEXT = """\
# Settings of this laptop
database: {dialect: sqlite, sqlite: {path: a.db}}  # the default

databases:
  # the team's server
  team:  # shared
    dialect: 'postgresql'
    postgresql:
      host: db.example   # in the cellar
      database: agor
      user: me
      passwordEnv: TEAM_PASSWORD
  prod:
    postgresql: {url: "postgresql://u:se%40cret@h/d?connect_timeout=3", readOnly: true}
  # no more databases
active: team
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def configuration(file: Path) -> Configuration:
    return Configuration(file, {"HOME": str(file.parent)})


def sqlite(path: str = "/data/x.db", **more: Any) -> SqlitePlace:
    return SqlitePlace(None, "", Path(path), "", **more)


def postgres(**more: Any) -> PostgresPlace:
    return PostgresPlace(None, "", "", **more)


def named(configuration: Configuration, name: str | None) -> NamedDatabase:
    return next(row for row in configuration.databases() if row.name == name)


def bare(place: Place | None, **more: Any) -> Place:
    assert place is not None
    return replace(place, name=None, label="", origin="", **more)


PLACES: list[tuple[Place, PasswordHome]] = [
    (sqlite(), NONE),
    (sqlite("/with space/日本: #1.db", read_only=True, wal_mode=False, busy_timeout_ms=7), NONE),
    (LibsqlPlace(None, "", "", "libsql://a.io", Secret("tok"), read_only=True), IN_FILE),
    (LibsqlPlace(None, "", "", "file:///a.db", Secret("tok"), "libsql://a.io", 60), IN_FILE),
    (postgres(host="h", port=5433, database="d", user="u", password=Secret("p@:/%'\"\\ #ü日")), IN_FILE),
    (postgres(host="h", schema="s", tenant="t", pool_min=1, pool_max=3, idle_timeout_ms=5, read_only=True), NONE),
    (postgres(host="/run/postgresql", database="d"), NONE),
    (postgres(host="::1", database="d", ssl=SslOptions("disable")), NONE),
    (postgres(host="h", ssl=SslOptions("require")), NONE),
    (postgres(host="h", ssl=SslOptions("require", None, "/c", "/k")), NONE),
    (postgres(host="h", ssl=SslOptions("verify-full", "/ca", "/c", "/k")), NONE),
    (postgres(host="h", ssl=SslOptions("verify-full", "system")), NONE),
    (postgres(host="h", ssl=SslOptions("verify-ca", "/ca")), NONE),
    (postgres(host="a,b", database="d", password=Secret("p"), options={"port": "1,2", "gssencmode": "x"}), IN_FILE),
    (postgres(service="prod"), NONE),
    (postgres(embedded=True, database="agor", schema="s"), NONE),
]  # fmt: skip


@pytest.mark.parametrize(("place", "password"), PLACES)
def test_every_place_is_read_back_as_it_was_written(
    configuration: Configuration, place: Place, password: PasswordHome
) -> None:
    configuration.add("new", place, password)
    found = named(configuration, "new")
    assert bare(found.place) == bare(place)
    assert found.password == (password if getattr(place, "password", None) else NONE)
    assert found.target == "new"
    again = named(configuration, "team")
    configuration.replace("team", place, password, seen=again)
    assert bare(named(configuration, "team").place) == bare(place)


PARTS = st.one_of(st.none(), st.from_regex(r"[a-zA-Z0-9_.äß日 -]{1,12}", fullmatch=True).filter(str.strip))


PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).map(Secret)


@given(
    st.builds(
        postgres,
        host=st.sampled_from(["h", "db.example", "::1", "10.0.0.1", "/run/pg"]),
        port=st.one_of(st.none(), st.integers(1, 65535)),
        database=PARTS,
        user=PARTS,
        password=st.one_of(st.none(), PASSWORDS),
        schema=PARTS,
        read_only=st.booleans(),
    )
)  # fmt: skip
def test_any_place_is_read_back(tmp_path_factory: pytest.TempPathFactory, place: PostgresPlace) -> None:
    configuration = Configuration(tmp_path_factory.mktemp("any") / "config.yaml", {})
    configuration.add("it", place, IN_FILE)
    assert bare(named(configuration, "it").place) == bare(place)


@pytest.mark.parametrize("home", [PasswordHome("variable", "PW"), PasswordHome("command", "pass show 'my db'")])
def test_a_password_kept_elsewhere_is_not_written(configuration: Configuration, file: Path, home: PasswordHome) -> None:
    configuration.add("new", postgres(host="h", password=Secret("hunter2")), home)
    assert "hunter2" not in file.read_text()
    found = named(configuration, "new")
    assert (found.password, getattr(found.place, "password", 0)) == (home, None)


def test_a_password_goes_to_the_keyring_and_leaves_it_again(
    configuration: Configuration, file: Path, keyring: Any
) -> None:
    def kept() -> str | None:
        return keyring.get_password("agor-tui", "new")

    configuration.add("new", postgres(host="h", password=Secret("hunter2")), PasswordHome("keyring"))
    assert kept() == "hunter2"
    assert "hunter2" not in file.read_text()
    place = configuration.place("new")
    assert isinstance(place, PostgresPlace)
    assert place.password == Secret("hunter2")
    with pytest.raises(ConfigKeyError):
        configuration.add("new", postgres(password=Secret("other")), PasswordHome("keyring"))
    with pytest.raises(ConfigKeyError):
        configuration.add("bad", postgres(tenant="t", password=Secret("p"), pool_max=10**9), PasswordHome("keyring"))
    assert (kept(), keyring.get_password("agor-tui", "bad")) == ("hunter2", None)
    seen = named(configuration, "new")
    assert configuration.replace("new", postgres(host="h"), PasswordHome("variable", "PW"), seen=seen) == ""
    assert kept() is None
    seen = named(configuration, "new")
    configuration.replace("new", postgres(host="h", password=Secret("p")), PasswordHome("keyring"), seen=seen)
    assert kept() == "p"
    assert configuration.remove("new") == ""
    assert kept() is None
    assert file.read_text() == TEXT


def test_a_password_that_stays_in_the_keyring_is_said(
    configuration: Configuration, file: Path, keyring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration.add("new", postgres(password=Secret("hunter2")), PasswordHome("keyring"))
    assert "keyring del agor-tui new" in configuration.unset("databases.new")
    assert configuration.unset("active") == ""
    file.write_text(TEXT)
    configuration.add("new", postgres(password=Secret("hunter2")), PasswordHome("keyring"))
    monkeypatch.setattr("keyring.core._keyring_backend", None)  # which asks PYTHON_KEYRING_BACKEND
    assert "keyring del agor-tui new" in configuration.remove("new")
    assert file.read_text() == TEXT


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        (None, "needs the package keyring"),
        ("keyring.backends.fail.Keyring", "this system has no keyring"),
        ("keyring.backends.null.Keyring", "does not have it"),
        ("keyring.backends.SecretService.Keyring", "cannot be opened"),
        ("no.such.Keyring", "cannot be opened"),
    ],
)
def test_without_a_keyring_nothing_is_written(
    configuration: Configuration, file: Path, monkeypatch: pytest.MonkeyPatch, backend: str | None, words: str
) -> None:
    pytest.importorskip("keyring")
    if backend is None:
        monkeypatch.setitem(sys.modules, "keyring", None)
    else:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
        monkeypatch.setattr("keyring.core._keyring_backend", None)
    with pytest.raises(ConfigError, match=words) as caught:
        configuration.add("new", postgres(password=Secret("hunter2")), PasswordHome("keyring"))
    assert caught.value.hint
    assert file.read_text() == TEXT


def test_a_keyring_asks_in_the_terminal_only_where_no_app_draws(
    configuration: Configuration, keyring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration.add("new", postgres(password=Secret("hunter2")), PasswordHome("keyring"))
    get, asked = keyring.get_password, []

    def unlock(service: str, user: str) -> str:
        asked.append(getpass.getpass("Password of the keyring: "))
        return get(service, user)

    monkeypatch.setattr(keyring, "get_password", unlock)
    monkeypatch.setattr("getpass.getpass", lambda prompt: "typed")
    with ThreadPoolExecutor(1) as thread, pytest.raises(ConfigError, match="cannot be opened"):
        thread.submit(configuration.place, "new").result()
    assert asked == []
    assert configuration.place("new").password == Secret("hunter2")
    assert asked == ["typed"]


def test_adding_and_removing_leaves_every_other_byte(configuration: Configuration, file: Path) -> None:
    configuration.add("lap", sqlite(), NONE, make_default=True)
    added = "  lap:\n    dialect: sqlite\n    sqlite:\n      path: /data/x.db\n"
    first, comment, rest = TEXT.partition("  # no more")
    assert file.read_text() == f"{first}{added}{comment}{rest}".replace("active: team", "active: lap")
    configuration.remove("lap")
    assert file.read_text() == TEXT.replace("active: team\n", "")
    assert [row.is_default for row in configuration.databases()] == [True, False, False]


def test_replacing_changes_what_differs_only(configuration: Configuration, file: Path) -> None:
    seen = named(configuration, "team")
    assert isinstance(seen.place, PostgresPlace)
    configuration.replace("team", replace(seen.place, host="other", read_only=True), seen.password, seen=seen)
    expected = TEXT.replace("db.example ", "other ").replace(
        "      passwordEnv: TEAM_PASSWORD\n", "      passwordEnv: TEAM_PASSWORD\n      readOnly: true\n"
    )
    assert file.read_text() == expected


def test_replacing_writes_nothing_that_only_the_environment_says(file: Path) -> None:
    configuration = Configuration(file, {"PGPORT": "99", "PGPASSWORD": "hunter2"})
    seen = named(configuration, "team")
    assert isinstance(seen.place, PostgresPlace)
    assert (seen.place.port, seen.place.password) == (99, None)
    configuration.replace("team", replace(seen.place, user="other"), seen.password, seen=seen)
    assert file.read_text() == TEXT.replace("user: me", "user: other")


def test_replacing_keeps_or_moves_the_password_of_a_url(configuration: Configuration, file: Path) -> None:
    seen = named(configuration, "prod")
    assert isinstance(seen.place, PostgresPlace)
    assert seen.password == IN_FILE
    configuration.replace("prod", replace(seen.place, password=None, read_only=False), IN_FILE, seen=seen)
    assert file.read_text() == TEXT.replace(", readOnly: true", "")
    seen = named(configuration, "prod")
    configuration.replace("prod", seen.place or postgres(), PasswordHome("variable", "PW"), seen=seen)
    text = file.read_text()
    assert "cret" not in text
    assert "passwordEnv: PW" in text
    found = named(configuration, "prod").place
    assert isinstance(found, PostgresPlace)
    assert (found.host, found.database, found.user, found.options) == ("h", "d", "u", {"connect_timeout": "3"})


def test_replacing_the_default_section(configuration: Configuration, file: Path) -> None:
    seen = named(configuration, None)
    configuration.replace(None, sqlite("/other.db"), NONE, seen=seen)
    assert file.read_text() == TEXT.replace("path: a.db", "path: /other.db")
    configuration.use("database")
    assert "active" not in file.read_text()
    assert configuration.place().origin == "config.yaml: database"
    assert configuration.place("database").name is None


def test_a_database_of_the_environment_cannot_be_replaced(file: Path) -> None:
    configuration = Configuration(file, {"DATABASE_URL": "pg://h/d"})
    row = configuration.databases()[0]
    assert (row.name, row.target, row.origin, row.is_default) == (None, None, "DATABASE_URL", True)
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        configuration.replace(None, sqlite(), NONE, seen=row)
    assert file.read_text() == TEXT


def test_a_change_by_hand_of_the_same_entry_is_refused(configuration: Configuration, file: Path) -> None:
    seen = named(configuration, "team")
    for theirs in (TEXT.replace("TEAM_PASSWORD", "OTHER"), TEXT.replace("user: me", "user: you")):
        file.write_text(theirs)
        with pytest.raises(ConfigChangedError, match=r"team.* was changed"):
            configuration.replace("team", sqlite(), NONE, seen=seen)
        assert file.read_text() == theirs
    Configuration(file, {}).remove("team")
    with pytest.raises(ConfigChangedError, match="was taken out"):
        configuration.replace("team", sqlite(), NONE, seen=seen)


def test_a_change_by_hand_of_another_entry_is_kept(configuration: Configuration, file: Path) -> None:
    seen = named(configuration, "team")
    theirs = TEXT.replace("readOnly: true", "readOnly: false").replace("# shared", "# ours, shared")
    file.write_text(theirs)
    assert isinstance(seen.place, PostgresPlace)
    configuration.replace("team", replace(seen.place, user="you"), seen.password, seen=seen)
    assert file.read_text() == theirs.replace("user: me", "user: you")


def test_a_change_by_hand_in_the_middle_of_a_change_is_not_lost(
    configuration: Configuration, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = TEXT.replace("in the cellar", "in the attic")
    really = os.fsync

    def meanwhile(handle: int) -> None:
        monkeypatch.setattr(os, "fsync", really)
        file.write_text(theirs)

    monkeypatch.setattr(os, "fsync", meanwhile)
    configuration.use("prod")
    assert file.read_text() == theirs.replace("active: team", "active: prod")
    assert os.listdir(file.parent) == ["config.yaml"]


def test_many_runs_at_once_lose_nothing(configuration: Configuration, file: Path) -> None:
    def add(number: int) -> None:
        for each in range(4):
            Configuration(file, {}).add(f"n{number}-{each}", sqlite(), NONE)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    code = "import sys; from pathlib import Path; from agor_tui.services.configuration import Configuration as C\n" \
           "for n in range(4): C(Path(sys.argv[1]), {}).set_preference(f'keys.b{n}', str(n))"  # fmt: skip
    other = subprocess.Popen([sys.executable, "-c", code, str(file)])
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert other.wait(60) == 0
    names = {row.name for row in configuration.databases()}
    assert names == {None, "team", "prod", *(f"n{number}-{each}" for number in range(4) for each in range(4))}
    assert dict(configuration.preferences().keys) == {f"b{n}": str(n) for n in range(4)}
    assert "# in the cellar" in file.read_text()


def test_another_run_that_does_not_end_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    from agor_tui.config import editing

    monkeypatch.setattr(editing, "_LOCK_WAIT_S", 0.05)
    door = os.open(file.parent, os.O_RDONLY)
    fcntl.flock(door, fcntl.LOCK_EX)
    with pytest.raises(ConfigError, match="Another run is changing"):
        Configuration(file, {}).use("prod")
    os.close(door)
    assert file.read_text() == TEXT


def test_a_new_file_and_its_folders_are_the_users_alone(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "config.yaml"
    configuration = Configuration(file, {})
    assert configuration.databases()[0].origin == "default"
    assert configuration.preferences() == Preferences()
    configuration.set_preference("theme", "light")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent, file.parent.parent)] == [
        0o600, 0o700, 0o700,
    ]  # fmt: skip
    assert os.listdir(file.parent) == ["config.yaml"]


def test_a_file_that_all_could_read_is_the_users_alone_afterwards(configuration: Configuration, file: Path) -> None:
    file.chmod(0o644)
    configuration.use("prod")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_stays_one(tmp_path: Path, exists: bool) -> None:
    target, link = tmp_path / "dotfiles" / "mine.yaml", tmp_path / "config.yaml"
    target.parent.mkdir()
    if exists:
        target.write_text(TEXT)
    link.symlink_to("dotfiles/mine.yaml")
    Configuration(link, {}).set_preference("theme", "light")
    assert link.is_symlink()
    assert target.read_text() == (TEXT if exists else "") + "ui:\n  theme: light\n"


def refused(configuration: Configuration, change: Callable[[Configuration], None]) -> ConfigError:
    """The error of a change; the files are as they were."""
    folder = configuration.file.parent
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(ConfigError) as caught:
        change(configuration)
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert caught.value.message.endswith(".")
    return caught.value


def use_prod(configuration: Configuration) -> None:
    configuration.use("prod")


def test_a_file_that_somebody_protected_stays(configuration: Configuration, file: Path) -> None:
    file.chmod(0o400)
    error = refused(configuration, use_prod)
    assert error.message == f"The config file {file} is read-only."
    assert "chmod" in error.hint


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    configuration = Configuration(tmp_path / "file" / "config.yaml", {})
    with pytest.raises(ConfigError, match="cannot be written: Not a directory"):
        configuration.set_preference("theme", "light")
    with pytest.raises(ConfigError, match=r"cannot be (read|written): Is a directory"):
        Configuration(tmp_path, {}).set_preference("theme", "light")


READS: tuple[Callable[[Configuration], object], ...] = (
    lambda it: it.show(),
    lambda it: it.databases(),
    lambda it: it.unset("ui.theme"),
)


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    null = tmp_path / "null"
    try:
        os.mknod(null, stat.S_IFCHR | 0o666, os.stat(os.devnull).st_rdev)
        null.read_bytes()
    except PermissionError:
        pytest.skip("only root makes devices, and only where they may be used")
    assert Configuration(null, {}).preferences() == Preferences()
    with pytest.raises(ConfigError, match="is no ordinary file"):
        Configuration(null, {}).set_preference("theme", "light")
    assert stat.S_ISCHR(null.stat().st_mode)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    for use in READS:
        with pytest.raises(ConfigError, match="is no config file: it is a pipe"):
            use(Configuration(pipe, {}))
    assert Configuration(pipe, {}).preferences() == Preferences()


def test_what_a_killed_run_left_is_cleared(configuration: Configuration, file: Path) -> None:
    other = file.with_name(".config.yaml-abc.bak")
    other.write_text("password: x")
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from agor_tui.services.configuration import Configuration\n"
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Configuration(Path(sys.argv[1]), {}).use('prod')\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(file)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(file.parent.iterdir())) == 3
    configuration.use("prod")
    assert sorted(file.parent.iterdir()) == sorted([file, other])


def test_a_path_that_cannot_be_looked_at_is_not_taken_for_no_file(tmp_path: Path) -> None:
    configuration = Configuration(tmp_path / ("x" * 300), {})  # for root too, whom no right stops
    assert not configuration.is_first_run()
    for use in READS:
        with pytest.raises(ConfigError, match="File name too long"):
            use(configuration)


def test_a_folder_that_may_not_be_written(configuration: Configuration, file: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    file.parent.chmod(0o500)
    try:
        assert "cannot be written: Permission denied" in refused(configuration, use_prod).message
    finally:
        file.parent.chmod(0o700)


def test_a_full_disk_leaves_the_old_file(configuration: Configuration, file: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        error = refused(configuration, use_prod)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert error.message == f"The config file {file} cannot be written: File too large."


@pytest.mark.parametrize(
    "text", ["a: [", "database: {x: 1}\n\tb: 1", "a: 1\na: 2\n", "- a\n", "\x00", "a: &x [*x]\n", "just text"]
)
def test_broken_files_are_refused_and_left(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(text.encode())
    configuration = Configuration(file, {})
    for change in (
        lambda it: it.set_preference("theme", "light"),
        lambda it: it.add("x", sqlite(), NONE),
        lambda it: it.set("ui.theme", "light"),
        lambda it: it.use("x"),
    ):
        assert str(file) in refused(configuration, change).message


def test_a_mistake_elsewhere_is_to_be_mended_first_and_can_be(configuration: Configuration, file: Path) -> None:
    file.write_text(TEXT + "ui: {thema: light}\n")
    error = refused(configuration, lambda it: it.set_preference("times", "absolute"))
    assert "line 17: the key “ui.thema” is not known" in error.message
    assert "Mend this first" in error.hint
    configuration.unset("ui.thema")
    assert file.read_text() == TEXT


BAD_NAMES = [
    "",
    " ",
    "a/b",
    "a:b",
    "~x",
    ".x",
    "x.db",
    "x.sqlite",
    " team",
    "a\nb",
    "database",
    "postgresql://h/d",
    "x" * 101,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_are_none(configuration: Configuration, name: str) -> None:
    assert isinstance(refused(configuration, lambda it: it.add(name, sqlite(), NONE)), ConfigKeyError)


@pytest.mark.parametrize(
    "name", ["naïve", "日本", "a b", "v1.2", "yes", "1", "null", "-", "#x", "'", "[x", "a,b", "*x"]
)
def test_unusual_names_are_names(configuration: Configuration, file: Path, name: str) -> None:
    configuration.add(name, sqlite(), NONE, make_default=True)
    assert configuration.place().name == name
    configuration.set(f"databases.{name}.sqlite.readOnly", "true")
    assert configuration.get(f"databases.{name}.sqlite.readOnly").value == "true"
    configuration.remove(name)
    assert file.read_text() == TEXT.replace("active: team\n", "")


def test_names_that_are_taken_or_unknown(configuration: Configuration) -> None:
    assert "already" in refused(configuration, lambda it: it.add("team", sqlite(), NONE)).message
    for change in (lambda it: it.remove("teem"), lambda it: it.use("teem")):
        error = refused(configuration, change)
        assert isinstance(error, ConfigMissingError)
        assert "the nearest is “team”" in error.message


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (postgres(host="h", port=0), "port"),
        (postgres(host="h", port=99999), "port"),
        (postgres(host="postgresql://h/d"), "URL, not a name"),
        (postgres(host="h", pool_min=9, pool_max=3), "pool.min"),
        (sqlite("/bad\udcff.db"), "no text"),
        (LibsqlPlace(None, "", "", "http:/x"), "url"),
    ],
)
def test_places_that_the_reader_would_refuse_are_not_written(
    configuration: Configuration, place: Place, words: str
) -> None:
    assert words in refused(configuration, lambda it: it.add("new", place, NONE)).message


def test_only_postgresql_keeps_passwords_elsewhere(configuration: Configuration) -> None:
    refused(configuration, lambda it: it.add("new", sqlite(), PasswordHome("variable", "X")))
    refused(configuration, lambda it: it.add("new", postgres(host="h"), PasswordHome("variable", "no name")))


def test_preferences_are_set_and_reset(configuration: Configuration, file: Path) -> None:
    configuration.set_preference("theme", "light")
    configuration.set_preference("pageSize", 50)
    configuration.set_preference("live", False)
    configuration.set_preference("timeZone", "Europe/Berlin")
    configuration.set_preference("keys.browser.filter", "f")
    configuration.set_preference("keys.board.move", "~")
    found = configuration.preferences()
    assert found == Preferences("light", "relative", "Europe/Berlin", 50, "deletes", False, found.keys)
    assert found.keys == {"browser.filter": "f", "board.move": "~"}
    configuration.set_preference("keys.board.move", None)
    configuration.set_preference("keys.board.move", None)
    assert configuration.preferences().keys == {"browser.filter": "f"}
    configuration.set_preference("keys", {"a.b": "1"})
    assert configuration.preferences().keys == {"a.b": "1"}
    for key in ("theme", "pageSize", "live", "timeZone"):
        configuration.set_preference(key, None)
    configuration.set_preference("keys", {})
    assert file.read_text() == TEXT
    for key, value in (("thema", "x"), ("theme", "x"), ("pageSize", 9), ("pageSize", True), ("timeZone", "../etc")):
        assert isinstance(refused(configuration, lambda it, k=key, v=value: it.set_preference(k, v)), ConfigKeyError)


def test_what_is_a_first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = tmp_path / "config" / "agor-tui" / "config.yaml"
    assert Configuration(environ={}).file == file
    assert Configuration(environ={}).is_first_run()
    for variable in ("DATABASE_URL", "PGHOST", "AGOR_DB_PATH"):
        assert not Configuration(environ={variable: "file:/x.db"}).is_first_run()
    Configuration(environ={}).set_preference("theme", "light")
    assert Configuration(environ={}).is_first_run()
    file.write_text("databases: {x: {sqlite: {path: a.db}}}")
    assert not Configuration(environ={}).is_first_run()
    file.write_text("broken: [")
    assert not Configuration(environ={}).is_first_run()
    file.unlink()
    (tmp_path / "data" / "agor-tui").mkdir(parents=True)
    (tmp_path / "data" / "agor-tui" / "agor.db").touch()
    assert not Configuration(environ={}).is_first_run()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(["lap", "日本", "v1.2"])),
        st.tuples(st.just("remove"), st.sampled_from(["lap", "日本", "v1.2", "nobody"])),
        st.tuples(st.just("use"), st.sampled_from(["team", "lap", "database", "nobody"])),
        st.tuples(st.just("set"), st.sampled_from([
            ("ui.theme", "light"), ("ui.theme", "pink"), ("ui.keys.browser.filter", "#"), ("ui.pageSize", "20"),
            ("databases.team.postgresql.port", "5433"), ("databases.team.postgresql.port", "0"),
            ("databases.lap.sqlite.busyTimeout", "9"), ("database.sqlite.path", "b: c.db"),
            ("databases.v1.2.dialect", "x"),
        ])),
        st.tuples(st.just("unset"), st.sampled_from([
            "ui", "ui.theme", "ui.keys.browser.filter", "databases.team.postgresql.port", "databases.lap", "active",
            "nope",
        ])),
    ),
    max_size=8,
)  # fmt: skip


@given(STEPS, st.sampled_from(["\n", "\r\n"]))
def test_any_changes_keep_comments_and_other_keys(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]], newline: str
) -> None:
    file = tmp_path_factory.mktemp("steps") / "config.yaml"
    file.write_bytes(TEXT.replace("\n", newline).encode())
    configuration = Configuration(file, {})
    for verb, argument in steps:
        before = file.read_bytes()
        try:
            match verb:
                case "add":
                    configuration.add(argument, sqlite(f"/data/{argument}.db"), NONE)
                case "set":
                    configuration.set(*argument)
                case _:
                    getattr(configuration, verb)(argument)
        except ConfigError:
            assert file.read_bytes() == before
        configuration.databases()  # the reader has no complaint
        configuration.preferences()
        text = file.read_bytes().decode()
        assert re.findall(r"#.*?(?=\r?\n)", text.replace('"#"', "")) == re.findall(r"#.*", TEXT)
        assert text.count("\n") == text.count(newline)
        kept, was = yaml.safe_load(text), yaml.safe_load(TEXT)
        assert kept["databases"]["prod"] == was["databases"]["prod"]
        assert kept["databases"]["team"] | {"postgresql": 0} == was["databases"]["team"] | {"postgresql": 0}
        assert kept["database"]["dialect"] == "sqlite"


def test_labels_of_places_are_not_written(configuration: Configuration, file: Path) -> None:
    place = sqlite()
    configuration.add("new", replace(place, name="other", label=short_label(place), origin="form"), NONE)
    assert "other" not in file.read_text()

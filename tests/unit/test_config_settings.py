"""The settings file: what each key does, and one sentence with file, line and key for every mistake in it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agor_tui.config import (
    LibsqlPlace,
    Place,
    PostgresPlace,
    Secret,
    SqlitePlace,
    SslOptions,
    describe,
    passwords,
    resolve,
)
from agor_tui.config.settings import load_settings
from agor_tui.errors import ConfigError


def place(folder: Path, text: str, environ: dict[str, str] | None = None) -> Place:
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return resolve(None, config_path=file, environ={"HOME": str(folder / "home")} | (environ or {}))


def postgres(folder: Path, keys: str, environ: dict[str, str] | None = None) -> PostgresPlace:
    found = place(folder, f"database: {{dialect: postgresql, postgresql: {{{keys}}}}}", environ)
    assert isinstance(found, PostgresPlace)
    return found


def test_every_sqlite_key(tmp_path: Path) -> None:
    text = "database: {dialect: sqlite, sqlite: {path: ~/a.db, walMode: false, busyTimeout: 9, readOnly: true}}"
    assert place(tmp_path, text) == SqlitePlace(
        None, "a.db", tmp_path / "home/a.db", "config.yaml: database", read_only=True, wal_mode=False, busy_timeout_ms=9
    )


def test_sqlite_defaults_and_relative_paths(tmp_path: Path) -> None:
    found = place(tmp_path, "database: {sqlite: {path: a.db}}")
    assert found == SqlitePlace(None, "a.db", tmp_path / "a.db", "config.yaml: database", False, True, 5000)
    assert describe(place(tmp_path, "database: {sqlite: {url: 'file:a.db'}}")) == str(tmp_path / "a.db")
    assert describe(place(tmp_path, "database: {dialect: sqlite}")).endswith("/agor.db")


def test_every_libsql_key(tmp_path: Path) -> None:
    keys = "path: a.db, authToken: tok, syncUrl: 'libsql://b.io', syncInterval: 60, readOnly: true"
    url = (tmp_path / "a.db").as_uri()
    found = place(tmp_path, f"database: {{sqlite: {{{keys}}}}}")
    assert found == LibsqlPlace(None, "a.db", "config.yaml: database", url, Secret("tok"), "libsql://b.io", 60, True)
    assert describe(found) == f"{tmp_path}/a.db (replica of libsql://b.io)"
    remote = place(tmp_path, "database: {sqlite: {url: 'http://a.io:8080/x/', authToken: tok}}")
    assert remote == LibsqlPlace(
        None, "a.io:8080/x", "config.yaml: database", "libsql://a.io:8080/x?tls=0", Secret("tok")
    )
    replica = place(tmp_path, "database: {sqlite: {url: 'file:/a.db', syncUrl: 'libsql://b.io?authToken=tok'}}")
    assert isinstance(replica, LibsqlPlace)
    assert (replica.url, replica.sync_url, replica.auth_token) == ("file:///a.db", "libsql://b.io", Secret("tok"))


def test_the_embedded_server(tmp_path: Path) -> None:
    """It is the same whatever the environment says of other servers."""
    environ = {"PGHOST": "h", "PGPORT": "1", "PGUSER": "u", "PGPASSWORD": "p", "PGSERVICE": "s"}
    config = tmp_path / "config.yaml"
    config.write_text("databases: {own: {postgresql: {embedded: true, schema: s, readOnly: true}}}")
    found = resolve("own", config_path=config, environ=environ)
    assert found == PostgresPlace(
        "own", "own", "--database", database="agor", schema="s", read_only=True, embedded=True
    )
    assert describe(found) == "embedded server/agor"
    assert postgres(tmp_path, "embedded: true, database: other").database == "other"
    assert not postgres(tmp_path, "embedded: false, host: h").embedded


def test_every_postgresql_key(tmp_path: Path) -> None:
    found = place(
        tmp_path,
        """
databases:
  team:
    dialect: postgresql
    postgresql:
      host: h
      port: 5433
      database: d
      user: 007
      password: 0123
      schema: agor
      pool: {min: 1, max: 4, idleTimeout: 1000}
      tenant: acme
      ssl: {rejectUnauthorized: true, ca: ca.pem, cert: /c.pem, key: ~/k.pem}
      readOnly: true
active: team
""",
    )
    assert found == PostgresPlace(
        "team",
        "team",
        "config.yaml: active team",
        host="h",
        port=5433,
        database="d",
        user="007",
        password=Secret("0123"),
        schema="agor",
        tenant="acme",
        pool_min=1,
        pool_max=4,
        idle_timeout_ms=1000,
        ssl=SslOptions("verify-full", str(tmp_path / "ca.pem"), "/c.pem", str(tmp_path / "home/k.pem")),
        read_only=True,
    )


def test_postgresql_defaults(tmp_path: Path) -> None:
    assert postgres(tmp_path, "host: h") == PostgresPlace(None, "h", "config.yaml: database", host="h")
    default = PostgresPlace(None, "h", "o")
    assert (default.pool_min, default.pool_max, default.idle_timeout_ms) == (2, 10, 30_000)


def test_the_url_wins_and_the_keys_fill_what_it_leaves_open(tmp_path: Path) -> None:
    found = postgres(
        tmp_path, "url: 'pg://u:p@h/d?sslmode=require', host: x, port: 7, user: y, password: z, schema: s, tenant: t"
    )
    assert found.conninfo() == {
        "host": "h", "port": 7, "dbname": "d", "user": "u", "password": "p", "sslmode": "require"
    }  # fmt: skip
    assert (found.schema, found.tenant) == ("s", "t")
    assert postgres(tmp_path, "url: 'pg://u@h/d', password: z").password == Secret("z")


@pytest.mark.parametrize(
    ("ssl", "options"),
    [
        ("true", SslOptions("require")),
        ("false", SslOptions("disable")),
        ("{rejectUnauthorized: false}", SslOptions("require")),
        ("{rejectUnauthorized: false, ca: /ca}", SslOptions("require")),
        ("{rejectUnauthorized: true, ca: /ca}", SslOptions("verify-full", "/ca")),
        ("{rejectUnauthorized: true}", SslOptions("verify-full", "system")),
        ("{ca: /ca, cert: /c, key: /k}", SslOptions("verify-full", "/ca", "/c", "/k")),
        ("", SslOptions()),
    ],
)
def test_ssl(tmp_path: Path, ssl: str, options: SslOptions) -> None:
    assert postgres(tmp_path, f"host: h, ssl: {ssl}").ssl == options


@pytest.mark.parametrize(
    ("pool", "ends"),
    [("{min: 20}", (20, 20)), ("{max: 1}", (1, 1)), ("{min: 0}", (0, 10)), ("{idleTimeout: 5}", (2, 10))],
)
def test_one_end_of_the_pool_moves_the_other(tmp_path: Path, pool: str, ends: tuple[int, int]) -> None:
    found = postgres(tmp_path, f"host: h, pool: {pool}")
    assert (found.pool_min, found.pool_max) == ends


def test_the_dialect_is_seen_from_the_only_section(tmp_path: Path) -> None:
    assert isinstance(place(tmp_path, "database: {postgresql: {host: h}}"), PostgresPlace)
    assert isinstance(place(tmp_path, "database: {dialect: postgres, sqlite: {path: a}}"), PostgresPlace)


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "null\n", "\ufeffdatabase:\n", "databases: {}\nactive:\n"]
)
def test_an_empty_file_is_no_mistake(tmp_path: Path, text: str) -> None:
    assert place(tmp_path, text).origin == "default"


def test_anchors_and_unicode(tmp_path: Path) -> None:
    text = """
databases:
  ä: {postgresql: &shared {host: h, password: "pä"}}
  b: {postgresql: *shared}
active: ä
"""
    assert place(tmp_path, text).label == "ä"


PG = "database:\n  dialect: postgresql\n  postgresql:\n"

MISTAKES = [
    # the file, its line, what is said of it
    ("databse: {}", 1, "the key “databse” is not known; the nearest is “database”"),
    ("active: a\nzzz: 1", 2, "the key “zzz” is not known."),
    ("database:\n  sqllite: {}", 2, "the key “database.sqllite” is not known; the nearest is “sqlite”"),
    ("database:\n  sqlite:\n    walmode: true", 3, "“database.sqlite.walmode” is not known; the nearest is “walMode”"),
    (f"{PG}    passwort: SECRET", 4, "“database.postgresql.passwort” is not known; the nearest is “password”"),
    (f"{PG}    pool: {{minimum: 1}}", 4, "“database.postgresql.pool.minimum” is not known; the nearest is “min”"),
    (f"{PG}    ssl:\n      rejectUnauthorised: true", 5, "the nearest is “rejectUnauthorized”"),
    ("databases:\n  team:\n    postgres: {}", 3, "“databases.team.postgres” is not known; the nearest is “postgresql”"),
    ("database:\n  dialect: mysql", 2, "database.dialect must be sqlite or postgresql, not “mysql”"),
    ("database:\n  sqlite: {}\n  postgresql: {}", 3, "no dialect says which counts"),
    (f"{PG}    port: 0", 4, "database.postgresql.port must be a whole number from 1 to 65535, not 0"),
    (f"{PG}    port: 99999", 4, "from 1 to 65535, not 99999"),
    (f"{PG}    port: SECRET", 4, "from 1 to 65535."),
    (f"{PG}    port: 54.32", 4, "from 1 to 65535."),
    (f"{PG}    port: [1]", 4, "must be a whole number from 1 to 65535, not a list"),
    (f"{PG}    pool: {{min: 5, max: 4}}", 4, "pool.min is 5, more than max, which is 4"),
    (f"{PG}    pool: {{max: 0}}", 4, "pool.max must be a whole number from 1"),
    (f"{PG}    pool: 5", 4, "pool must be a map of keys, not a single value"),
    (f"{PG}    ssl: maybe", 4, "ssl must be true or false"),
    (f"{PG}    ssl: [a]", 4, "ssl must be true or false, not a list"),
    (f"{PG}    ssl: {{ca: '-----BEGIN CERTIFICATE----- SECRET'}}", 4, "must be the path of a PEM file"),
    (f"{PG}    readOnly: 1", 4, "readOnly must be true or false"),
    (f"{PG}    host: [h]", 4, "host must be a text, not a list"),
    (f"{PG}    password: {{SECRET: 1}}", 4, "password must be a text, not a map of keys"),
    (f"{PG}    password: !env SECRET", 4, "has a YAML tag"),
    (f"{PG}    password: !SECRET", 4, "has a YAML tag"),
    (f"{PG}    password: SECRET\n    passwordEnv: X", 5, "stands beside password"),
    (f"{PG}    passwordEnv: SECRET-1", 4, "must be the name of an environment variable"),
    (f"{PG}    passwordCommand: [[SECRET]]", 4, "must be a text or a list of texts"),
    (f"{PG}    passwordCommand: {{SECRET: 1}}", 4, "must be a text, not a map"),
    (f"{PG}    url: mysql://u:SECRET@h", 4, "database.postgresql.url has the scheme “mysql”"),
    (f"{PG}    url: 'file:/a.db'", 4, "url must begin with postgresql://"),
    (f"{PG}    url: postgresql://u:SECRET@h:x/d", 4, "url has a port that is not a number"),
    ("database:\n  sqlite: {url: 'postgres://u:SECRET@h'}", 2, "url must begin with libsql://, https:// or file:"),
    ("database:\n  sqlite:\n    path: a\n    url: b", 4, "url stands beside path"),
    ("database:\n  sqlite:\n    path: 'file:/a.db'", 3, "path is a URL"),
    ("database:\n  sqlite:\n    path: a\n    authToken: SECRET", 4, "authToken is for libSQL"),
    ("database:\n  sqlite:\n    busyTimeout: -1", 3, "must be a whole number from 0"),
    ("database:\n  sqlite:\n    syncUrl: 'file:/SECRET'", 3, "syncUrl must begin with libsql://"),
    ("database:\n  sqlite:\n    url: 'libsql://h'\n    syncUrl: 'libsql://i'", 4, "syncUrl is for a local copy"),
    ("database:\n  sqlite:\n    url: 'libsql://h'\n    syncInterval: 5", 4, "syncInterval is for a local copy"),
    ("database:\n  postgresql:\n    embedded: true\n    host: h", 4, "host is for a server elsewhere"),
    ("database:\n  postgresql:\n    password: SECRET\n    embedded: true", 3, "password is for a server elsewhere"),
    (f"{PG}    host: postgresql://u:SECRET@h/d", 4, "postgresql.host is a URL, not a name"),
    (f"{PG}    database: postgresql://u:SECRET@h/d", 4, "postgresql.database is a URL, not a name"),
    (f"{PG}    host: u:SECRET@h", 4, "postgresql.host is a URL, not a name"),
    (f"{PG}    {{postgresql://u:SECRET@h: }}", 4, "the key ‹hidden› is not known"),
    ("active: postgresql://u:SECRET@h", 1, "active names ‹hidden›, which is not among"),
    ("database:\n  dialect: postgresql://u:SECRET@h", 2, "must be sqlite or postgresql, not ‹hidden›"),
    ("database:\n- a", 1, "database must be a map of keys, not a list"),
    ("database: SECRET", 1, "database must be a map of keys, not a single value"),
    ("databases: [a]", 1, "databases must be a map of keys, not a list"),
    ("databases:\n  a:", 2, "databases.a is empty"),
    ("databases:\n  ./a: {}", 2, "databases.“./a” is no name for a database: it looks like a path"),
    ("databases:\n  a.db: {}", 2, "looks like a path"),
    ("databases:\n  'pg://x': {}", 2, "looks like a path"),
    ("databases:\n  ~: {}", 2, "looks like a path"),
    ("databases:\n  ? [a]\n  : {}", 2, "a key is a word, not a list"),
    ("databases:\n  team: {}\nactive: taem", 3,
     "active names “taem”, which is not among the databases; the nearest is “team”"),
    ("active: a", 1, "active names “a”, which is not among the databases"),
    ("database: {}\nactive: a\ndatabase: {}", 3, "the key “database” stands on line 1 already"),
    ("databases:\n  a: {}\n  a: {}", 3, "the key “a” stands on line 2 already"),
    ("- a", 1, "a config file is a map of keys, not a list"),
    ("SECRET", 1, "a config file is a map of keys, not a single value"),
    ("# x\ndatabase: &a {postgresql: *a}", 2, "“database.postgresql.postgresql” is not known"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "says"), MISTAKES)
def test_mistakes(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        place(tmp_path, text)
    assert error.value.message.startswith(f"{tmp_path}/config.yaml, line {line}: ")
    assert says in error.value.message
    assert error.value.message.endswith(".")
    assert "\n" not in error.value.message
    assert "SECRET" not in f"{error.value}{error.value.hint}".replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("database:\n  sqlite: [a", "line 3, column 1"),
        ("database:\n\tsqlite: a", "line 2, column 1"),
        ("a: b: c", "line 1, column 5"),
        ("password: *SECRET", "line 1, column 11"),
        ("password: @SECRET", "line 1, column 11"),
        ("password: &SECRET x\nb: &SECRET x", "line 2, column 4"),
        ("password: !SECRET!x y", "line 1, column 11"),
        ("--- {}\n--- {SECRET: x}", "line 2, column 1"),
        ("database: 'SECRET", "line 2, column 1"),
    ],
)
@pytest.mark.parametrize("parser", ["C", "Python"])
def test_bad_yaml(tmp_path: Path, text: str, where: str, parser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if parser == "Python":
        monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    with pytest.raises(ConfigError) as error:
        place(tmp_path, f"{text}\n")
    assert error.value.message.startswith(f"{tmp_path}/config.yaml, {where}: this is not YAML: ")
    assert "SECRET" not in error.value.message.replace(str(tmp_path), "")
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: 1\nb: \xff\n", "line 2: this is not UTF-8 text"),
        (b"a: 1\nb: \x01\n", "line 2: a control character is not allowed"),
        (b"[" * 50_000, "nested too deeply"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        load_settings(file, {})


def test_a_folder_is_no_config_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_settings(tmp_path, {})


PASSWORDS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1).map(lambda text: f"Zq{text}qZ")


@given(password=PASSWORDS)
@example(password="Zq://qZ")
def test_passwords_of_the_file_never_show(tmp_path_factory: pytest.TempPathFactory, password: str) -> None:
    folder = tmp_path_factory.mktemp("config")
    quoted = "'" + password.replace("'", "''") + "'"
    found = postgres(folder, f"host: h, password: {quoted}")
    assert found.password == Secret(password)
    assert found.conninfo()["password"] == password
    settings = load_settings(folder / "config.yaml", {})
    assert "Zq" not in f"{found!r}{found}{describe(found)}{settings!r}"
    for text in (
        f"database: {{postgresql: {{host: h, password: {password}",  # unquoted, and the rest of the file missing
        f"database: {{postgresql: {{port: {quoted}}}}}",
        f"database: {{sqlite: {{path: a, authToken: {quoted}}}}}",
        f"database: {{sqlite: {{url: {quoted}}}}}",
    ):
        with pytest.raises(ConfigError) as error:
            place(folder, text)
        assert "Zq" not in f"{error.value}{error.value.hint}"


def test_password_from_a_variable(tmp_path: Path) -> None:
    assert postgres(tmp_path, "passwordEnv: DB_PASS", {"DB_PASS": "s"}).password == Secret("s")
    with pytest.raises(ConfigError, match=r"line 1: .*\.passwordEnv names .* DB_PASS, which is not set"):
        postgres(tmp_path, "passwordEnv: DB_PASS")
    assert postgres(tmp_path, "passwordEnv: DB_PASS", {"DB_PASS": "s", "PGPASSWORD": "t"}).password == Secret("s")
    assert postgres(tmp_path, "host: h", {"PGPASSWORD": "t"}).password == Secret("t")


@pytest.mark.parametrize(
    ("command", "password"),
    [
        ("printf 's3 cret\\nuser: me'", "s3 cret"),
        ("[sh, -c, 'echo $WORD']", "from the environment"),
        ("printf %s '$HOME'", "$HOME"),
        ("printf '%s' 'a;b|c'", "a;b|c"),
    ],
)
def test_password_from_a_command(tmp_path: Path, command: str, password: str) -> None:
    yaml = command if command.startswith("[") else '"' + command.replace("\\", "\\\\") + '"'
    environ = {"WORD": "from the environment", "PATH": "/usr/bin:/bin"}
    assert postgres(tmp_path, f"passwordCommand: {yaml}", environ).password == Secret(password)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("sh -c 'echo SECRET; echo SECRET >&2; exit 3'", "the command ended with exit code 3"),
        ("SECRET-no-such-command", "the command cannot be run: No such file or directory"),
        ("'SECRET", "a quotation mark without its partner"),
        ("true", "printed no password"),
        ("printf '\\377'", "not UTF-8"),
    ],
)
def test_a_command_that_fails(tmp_path: Path, command: str, says: str) -> None:
    yaml = '"' + command.replace("\\", "\\\\") + '"'
    with pytest.raises(ConfigError, match=says) as error:
        postgres(tmp_path, f"passwordCommand: {yaml}", {"PATH": "/usr/bin:/bin"})
    assert "line 1: database.postgresql.passwordCommand" in error.value.message
    assert "SECRET" not in f"{error.value}{error.value.hint}"


def test_a_command_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COMMAND_TIMEOUT_S", 0.1)
    begun = time.monotonic()
    with pytest.raises(ConfigError, match=r"did not end within 0\.1 seconds"):
        postgres(tmp_path, "passwordCommand: sh -c 'sleep 5; true'", {"PATH": "/usr/bin:/bin"})
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    ("command", "password"),
    [
        ("printf 'one\\ntwo\\n' | head -1", "one"),
        ("printf 'one\\ntwo\\n'|tail -1", "two"),
        ("false || echo other", "other"),
        ("true && echo both", "both"),
        ('echo "$WORD"', "said"),
        ("echo $(echo inner)", "inner"),
        ("echo `echo old`", "old"),
        ("WORD=own; echo $WORD", "own"),
        ("OWN=1 printenv OWN", "1"),
        ("cat ~/secret", "at home"),
        ("echo yes > /dev/null; echo no", "no"),
        ("echo '$WORD | x && y'", "$WORD | x && y"),
        ('echo "a | b"', "a | b"),
        ("echo a\\|b", "a|b"),
        ("printf %s%s a b", "ab"),
        ("yes | head -1", "y"),
    ],
)
def test_a_command_with_the_signs_of_a_shell(tmp_path: Path, command: str, password: str) -> None:
    (tmp_path / "secret").write_text("at home\n")
    environ = {"WORD": "said", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    assert passwords.from_command(command, "X", environ) == Secret(password)


def test_a_list_of_words_is_never_a_shells() -> None:
    assert passwords.from_command(("echo", "$HOME | x"), "X", {"PATH": "/usr/bin:/bin"}) == Secret("$HOME | x")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("no-such-command-here | cat; no-such-command-here", "a command in it was not found"),
        ("echo x | (exit 3)", "ended with exit code 3"),
        ("yes", "prints more than 64 kB"),
        ("cat /dev/zero", "prints more than 64 kB"),
        ("kill -9 $$", "was ended by signal 9"),
        ("printf 'a\\0b'", "printed a NUL"),
    ],
)
def test_a_shells_command_that_fails(command: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        passwords.from_command(command, "X", {"PATH": "/usr/bin:/bin"})


def test_what_a_command_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is up: nothing goes on, and it has no terminal."""
    monkeypatch.setattr(passwords, "COMMAND_TIMEOUT_S", 1.0)
    command = (
        f"if (true </dev/tty); then echo tty; fi > {tmp_path}/tty; sleep 60 | (echo $$ > {tmp_path}/pid; sleep 60)"
    )
    with pytest.raises(ConfigError, match="did not end within 1 seconds"):
        passwords.from_command(command, "X", {"PATH": "/usr/bin:/bin"})
    shell = int((tmp_path / "pid").read_text())
    while Path(f"/proc/{shell}/fd").exists() and "Z" not in Path(f"/proc/{shell}/stat").read_text().split()[2]:
        pass
    assert (tmp_path / "tty").read_text() == ""


def test_password_from_the_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keyring: Any) -> None:
    def found(name: str) -> Place:
        return place(tmp_path, f"databases: {{{name}: {{postgresql: {{passwordKeyring: true}}}}}}\nactive: {name}")

    keyring.set_password("agor-tui", "team", "s")
    team = found("team")
    assert isinstance(team, PostgresPlace)
    assert team.password == Secret("s")
    with pytest.raises(ConfigError, match="has no password for agor-tui and other"):
        found("other")
    monkeypatch.setattr("keyring.core._keyring_backend", None)
    with pytest.raises(ConfigError, match="this system has no keyring"):
        found("team")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match="needs the package keyring"):
        found("team")
    assert postgres(tmp_path, "passwordKeyring: false").password is None


def test_only_the_chosen_databases_password_is_fetched(tmp_path: Path) -> None:
    text = """
database: {postgresql: {host: a, passwordEnv: NOT_SET}}
databases: {b: {postgresql: {host: b, passwordCommand: "false"}}, c: {postgresql: {host: c}}}
active: c
"""
    assert describe(place(tmp_path, text)) == "c"

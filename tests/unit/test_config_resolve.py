"""Which database is opened: every combination of target, environment, settings file and default."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from agor_tui import paths
from agor_tui.config import (
    LibsqlPlace,
    PostgresPlace,
    Secret,
    SqlitePlace,
    SslOptions,
    describe,
    named_databases,
    resolve,
)
from agor_tui.errors import ConfigError, UsageError

CONFIG = """
database:
  dialect: sqlite
  sqlite: {path: /data/default.db}
databases:
  team: {dialect: postgresql, postgresql: {host: team.example, database: agor, user: me}}
  laptop: {dialect: sqlite, sqlite: {path: laptop.db}}
active: team
"""
WITHOUT_ACTIVE = CONFIG.replace("active: team\n", "")
BOTH_SECTIONS = """
database:
  dialect: sqlite
  sqlite: {path: /data/default.db}
  postgresql: {host: second.example, database: agor}
"""
URL = "postgresql://u@url.example/db"
PG = {"PGHOST": "pg.example", "PGDATABASE": "pgdb"}
PG_PLACE = "pg.example/pgdb"
DEFAULT = "(the default file)"

PRECEDENCE = [
    # target, environment, config -> where it leads, what chose it
    (None, {}, None, DEFAULT, "default"),
    (None, {}, "", DEFAULT, "default"),
    (None, {}, WITHOUT_ACTIVE, "/data/default.db", "config.yaml: database"),
    (None, {}, CONFIG, "me@team.example/agor", "config.yaml: active team"),
    (None, PG, CONFIG, PG_PLACE, "PGHOST"),
    (None, {"PGDATABASE": "x"}, CONFIG, "[local]/x", "PGDATABASE"),
    (None, {"PGSERVICE": "prod"}, CONFIG, "service prod", "PGSERVICE"),
    (None, {"PGUSER": "x", "PGPASSWORD": "y", "PGPORT": "1"}, WITHOUT_ACTIVE, "/data/default.db",
     "config.yaml: database"),
    (None, {"PGUSER": "x", "PGPORT": "99"}, CONFIG, "me@team.example:99/agor", "config.yaml: active team"),
    (None, {**PG, "DATABASE_URL": URL}, CONFIG, "u@url.example/db", "DATABASE_URL"),
    (None, {"DATABASE_URL": ""}, CONFIG, "me@team.example/agor", "config.yaml: active team"),
    (None, {"DATABASE_URL": "file:/f.db"}, CONFIG, "/f.db", "DATABASE_URL"),
    (None, {"AGOR_DB_PATH": "/a.db", "DATABASE_URL": URL, **PG}, CONFIG, "/a.db", "AGOR_DB_PATH"),
    (None, {"AGOR_DB_PATH": "file:/a.db"}, CONFIG, "/a.db", "AGOR_DB_PATH"),
    (None, {"AGOR_DB_PATH": "file:~/a.db", "HOME": "/h"}, CONFIG, "/h/a.db", "AGOR_DB_PATH"),
    (None, {"AGOR_DB_PATH": "~/a.db", "HOME": "/h"}, CONFIG, "/h/a.db", "AGOR_DB_PATH"),
    (None, {"AGOR_DB_PATH": "libsql://x.turso.io"}, CONFIG, "libsql://x.turso.io", "AGOR_DB_PATH"),
    ("/t.db", {"AGOR_DB_PATH": "/a.db", "DATABASE_URL": URL}, CONFIG, "/t.db", "--database"),
    ("team", {"AGOR_DB_PATH": "/a.db", "AGOR_DB_DIALECT": "sqlite"}, CONFIG, "me@team.example/agor", "--database"),
    ("laptop", PG, CONFIG, "(config folder)/laptop.db", "--database"),
    (URL, {"AGOR_DB_PATH": "/a.db"}, CONFIG, "u@url.example/db", "--database"),
    # a dialect chooses among the sources
    (None, {"AGOR_DB_DIALECT": "sqlite", "DATABASE_URL": URL, **PG}, None, DEFAULT, "default (AGOR_DB_DIALECT)"),
    (None, {"DB_MODE": "sqlite", "DATABASE_URL": URL}, CONFIG, "/data/default.db", "config.yaml: database (DB_MODE)"),
    (None, {"DB_MODE": "SQLite", "DATABASE_URL": "mysql://x"}, None, DEFAULT, "default (DB_MODE)"),
    (None, {"DB_MODE": "sqlite", "AGOR_DB_PATH": "/a.db", "DATABASE_URL": URL}, CONFIG, "/a.db", "AGOR_DB_PATH"),
    (None, {"DB_MODE": "sqlite", "DATABASE_URL": "file:/f.db"}, CONFIG, "/f.db", "DATABASE_URL"),
    (None, {"DB_MODE": "postgres", "AGOR_DB_PATH": "/a.db", **PG}, CONFIG, PG_PLACE, "PGHOST"),
    (None, {"AGOR_DB_DIALECT": "postgresql", "AGOR_DB_PATH": "/a.db", "DATABASE_URL": URL}, CONFIG,
     "u@url.example/db", "DATABASE_URL"),
    (None, {"AGOR_DB_DIALECT": "postgresql", "DATABASE_URL": "file:/f.db", **PG}, CONFIG, PG_PLACE, "PGHOST"),
    (None, {"AGOR_DB_DIALECT": "postgresql"}, CONFIG, "me@team.example/agor",
     "config.yaml: active team (AGOR_DB_DIALECT)"),
    (None, {"DB_MODE": "postgres", "AGOR_DB_DIALECT": "postgresql"}, BOTH_SECTIONS, "second.example/agor",
     "config.yaml: database (AGOR_DB_DIALECT)"),
    (None, {"DB_MODE": "postgres", "PGUSER": "u"}, BOTH_SECTIONS, "u@second.example/agor",
     "config.yaml: database (DB_MODE)"),
    (None, {"DB_MODE": "postgres", "PGUSER": "u"}, None, "u@[local]", "PGUSER"),
]  # fmt: skip


@pytest.mark.parametrize(("target", "environ", "config", "leads_to", "origin"), PRECEDENCE)
def test_precedence(
    target: str | None, environ: dict[str, str], config: str | None, leads_to: str, origin: str
) -> None:
    if config is not None:
        paths.config_file().parent.mkdir(parents=True)
        paths.config_file().write_text(config)
    leads_to = leads_to.replace(DEFAULT, str(paths.default_database()))
    leads_to = leads_to.replace("(config folder)", str(paths.config_file().parent))
    place = resolve(target, config_path=None, environ=environ)
    assert (describe(place), place.origin) == (leads_to, origin)


def write(folder: Path, text: str) -> Path:
    file = folder / "config.yaml"
    file.write_text(text)
    return file


def test_config_comes_from_the_option_then_the_variable_then_the_user_folder(tmp_path: Path) -> None:
    files = {}
    for name in ("option", "variable"):
        (tmp_path / name).mkdir()
        files[name] = write(tmp_path / name, f"database: {{sqlite: {{path: /{name}.db}}}}")
    environ = {"AGOR_TUI_CONFIG": str(files["variable"])}
    assert describe(resolve(None, config_path=files["option"], environ=environ)) == "/option.db"
    assert describe(resolve(None, config_path=None, environ=environ)) == "/variable.db"
    assert describe(resolve(None, config_path=None, environ={"AGOR_TUI_CONFIG": ""})) == str(paths.default_database())


def test_a_named_config_must_exist_and_is_always_read(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    for target in (None, "/some/file.db"):
        with pytest.raises(ConfigError, match=r"none\.yaml does not exist") as error:
            resolve(target, config_path=missing, environ={})
        assert "--config" in error.value.hint
    with pytest.raises(ConfigError, match=r"none\.yaml does not exist") as error:
        resolve(None, config_path=None, environ={"AGOR_TUI_CONFIG": str(missing)})
    assert "AGOR_TUI_CONFIG" in error.value.hint


def test_a_name_wins_over_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "team").touch()
    (tmp_path / "other").touch()
    config = write(tmp_path, CONFIG)
    assert isinstance(resolve("team", config_path=config, environ={}), PostgresPlace)
    assert describe(resolve("./team", config_path=config, environ={})) == str(tmp_path / "team")
    assert describe(resolve("other", config_path=config, environ={})) == str(tmp_path / "other")


def test_labels(tmp_path: Path) -> None:
    config = write(tmp_path, CONFIG)

    def label(target: str | None, environ: dict[str, str] | None = None) -> tuple[str | None, str]:
        place = resolve(target, config_path=config, environ=environ or {})
        return place.name, place.label

    assert label("team") == ("team", "team")
    assert label(None) == ("team", "team")
    assert label("/x/agor.db") == (None, "agor.db")
    assert label(URL) == (None, "url.example/db")
    assert label("postgresql:///db?host=/run/pg") == (None, "db")
    assert label("libsql://x.turso.io") == (None, "x.turso.io")
    assert label(None, {"PGSERVICE": "prod"}) == (None, "prod")
    assert label("postgresql://") == (None, "[local]")


def test_a_path_that_is_missing_is_left_to_the_opening() -> None:
    place = resolve("nowhere.sqlite9", config_path=None, environ={})
    assert place == SqlitePlace(None, "nowhere.sqlite9", Path.cwd() / "nowhere.sqlite9", "--database")


def test_an_unknown_name_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No database is named “taem” in .*config\.yaml.*nearest is “team”") as error:
        resolve("taem", config_path=write(tmp_path, CONFIG), environ={})
    assert "“laptop”" in error.value.hint
    with pytest.raises(ConfigError, match="No database is named “x”"):
        resolve("x", config_path=None, environ={})
    with pytest.raises(ConfigError, match="--database is empty"):
        resolve(" ", config_path=None, environ={})


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"AGOR_DB_DIALECT": "mysql"}, "AGOR_DB_DIALECT must be sqlite or postgresql, not “mysql”"),
        ({"DB_MODE": "cloud"}, "DB_MODE must be"),
        ({"DB_MODE": "sqlite", "AGOR_DB_DIALECT": "postgres"}, "different dialects"),
        ({"AGOR_DB_DIALECT": "postgresql"}, "nothing says where"),
        ({"AGOR_DB_DIALECT": "postgresql", "AGOR_DB_PATH": "/a.db"}, "nothing says where"),
        ({"AGOR_DB_DIALECT": "postgresql", "DATABASE_URL": "mysql://x"}, "DATABASE_URL has the scheme “mysql”"),
        ({"AGOR_DB_PATH": "postgres://u:SECRET@h/d"}, "AGOR_DB_PATH names a PostgreSQL"),
        ({"AGOR_DB_PATH": "u:SECRET@h/d"}, "AGOR_DB_PATH looks like a connection string"),
        ({"DATABASE_URL": "mysql://u:SECRET@h/d"}, "DATABASE_URL has the scheme “mysql”"),
        ({"DATABASE_URL": "u:SECRET@h/d"}, "DATABASE_URL is not a database URL"),
        ({"PGHOST": "h", "PGPORT": "high"}, "PGPORT has a port that is not a number"),
        ({"PGHOST": "postgresql://u:SECRET@h/d"}, "PGHOST is a URL"),
        ({"AGOR_DB_DIALECT": "postgresql://u:SECRET@h/d"}, "AGOR_DB_DIALECT must be .*, not ‹hidden›"),
        ({"AGOR_TUI_CONFIG": "/no/such.yaml"}, "/no/such.yaml does not exist"),
    ],
)
def test_wrong_environment(environ: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as error:
        resolve(None, config_path=None, environ=environ)
    assert "SECRET" not in f"{error.value}{error.value.hint}"


@pytest.mark.parametrize(
    "target",
    [
        "user:SECRET@host/db",
        "postgresql:/user:SECRET@host/db",
        "DATABASE_URL=postgresql:/user:SECRET@host/db",
        "hots=h user=u password=SECRET",
        "host=h.example user=u password='SECRET",
    ],
)
def test_a_mistyped_url_is_not_repeated(target: str) -> None:
    with pytest.raises(ConfigError) as error:
        resolve(target, config_path=None, environ={})
    assert "SECRET" not in f"{error.value}{error.value.hint}"
    assert "postgresql://user:password@host:port/database" in error.value.hint


def test_tenant() -> None:
    def tenant(url: str, chosen: str | None) -> str | None:
        place = resolve(url, config_path=None, environ={}, tenant=chosen)
        assert isinstance(place, PostgresPlace)
        return place.tenant

    assert tenant("pg://h/d?tenant=a", None) == "a"
    assert tenant("pg://h/d?tenant=a", "b") == "b"
    with pytest.raises(UsageError, match="PostgreSQL database only"):
        tenant("/some.db", "b")


def test_what_libpq_takes_from_the_environment_is_seen_in_the_place() -> None:
    environ = {"PGHOST": "a,b", "PGPORT": "1,2", "PGDATABASE": "d", "PGUSER": "u", "PGPASSWORD": "p"}
    place = resolve(None, config_path=None, environ=environ)
    assert describe(place) == "u@a:1,b:2/d"
    assert isinstance(place, PostgresPlace)
    assert place.conninfo() == {"host": "a,b", "port": "1,2", "dbname": "d", "user": "u", "password": "p"}


def test_a_service_is_left_to_libpq() -> None:
    environ = {"PGSERVICE": "prod", "PGHOST": "h", "PGPASSWORD": "p", "PGSSLMODE": "require"}
    place = resolve(None, config_path=None, environ=environ)
    assert isinstance(place, PostgresPlace)
    assert place.conninfo() == {"service": "prod"}
    place = resolve("postgresql://h2/d", config_path=None, environ=environ)
    assert isinstance(place, PostgresPlace)
    assert place.conninfo() == {"host": "h2", "dbname": "d"}


def test_verifying_takes_the_authorities_of_the_system_unless_others_are_named(tmp_path: Path) -> None:
    def ssl(environ: dict[str, str], query: str = "") -> SslOptions:
        url = f"postgresql://h/d?sslmode=verify-full{query}"
        place = resolve(url, config_path=None, environ={"HOME": str(tmp_path), **environ})
        assert isinstance(place, PostgresPlace)
        return place.ssl

    assert ssl({}) == SslOptions("verify-full", "system")
    assert ssl({}, "&sslrootcert=/ca.pem") == SslOptions("verify-full", "/ca.pem")
    assert ssl({"PGSSLROOTCERT": "/ca.pem"}) == SslOptions("verify-full")
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql/root.crt").touch()
    assert ssl({}) == SslOptions("verify-full")


def test_named_databases_fetch_no_password(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        """
databases:
  b: {postgresql: {host: h, database: d, passwordCommand: "false"}}
  a: {sqlite: {url: "libsql://x.turso.io", authToken: t}}
""",
    )
    places = named_databases(config, {})
    assert list(places) == ["b", "a"]
    assert places["b"] == PostgresPlace("b", "b", "config.yaml: databases", host="h", database="d")
    assert places["a"] == LibsqlPlace("a", "a", "config.yaml: databases", "libsql://x.turso.io", auth_token=Secret("t"))


def test_nothing_heavy_is_imported_without_a_config_file() -> None:
    script = (
        "import sys, agor_tui.config as c; c.resolve('/a/b.db', config_path=None, environ={});"
        "print([m for m in ('yaml', 'platformdirs', 'subprocess', 'sqlalchemy') if m in sys.modules]);"
        "c.resolve(None, config_path=None, environ={}); print('yaml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "False"]


def test_every_way_leads_to_the_same_server(
    postgres18_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_url = resolve(postgres18_url, config_path=None, environ={})
    assert isinstance(by_url, PostgresPlace)
    assert by_url.host
    port = by_url.port or 5432
    variables = {
        "PGHOST": by_url.host,
        "PGPORT": str(port),
        "PGDATABASE": by_url.database or "",
        "PGUSER": by_url.user or "",
    }
    service = f"[here]\nhost={by_url.host}\nport={port}\ndbname={by_url.database}\nuser={by_url.user}\n"
    (tmp_path / "services").write_text(service)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    keys = f"host: {by_url.host}, port: {port}, database: {by_url.database}, user: {by_url.user}, ssl: false"
    config = write(tmp_path, f"database: {{postgresql: {{{keys}}}}}")
    places = [
        by_url,
        resolve(None, config_path=None, environ={"DATABASE_URL": postgres18_url}),
        resolve(None, config_path=None, environ=variables),
        resolve(None, config_path=None, environ={"PGSERVICE": "here"}),
        resolve(None, config_path=config, environ={}),
    ]
    for place in places:
        assert isinstance(place, PostgresPlace)
        with psycopg.connect("", **place.conninfo()) as connection:
            row = connection.execute("SELECT current_database(), current_user").fetchone()
        assert row == (by_url.database, by_url.user)


def test_the_token_of_libsql_from_the_environment() -> None:
    """It is taken where nothing else gives one, and by libSQL only."""
    environ = {"TURSO_AUTH_TOKEN": "hunter2"}

    def token(target: str) -> object:
        place = resolve(target, config_path=None, environ=environ)
        assert "hunter2" not in repr(place)
        return getattr(place, "auth_token", None)

    assert token("libsql://h") == Secret("hunter2")
    assert token("libsql://h?authToken=own") == Secret("own")
    assert token("/a.db") is None

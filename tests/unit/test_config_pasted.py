"""What people paste where a URL is asked for: the same place as the plain URL, wherever it comes in."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.config import PostgresPlace, resolve
from agor_tui.config.connection import ConnectionFields, from_url, secret_spans
from agor_tui.config.keys import masked_url
from agor_tui.config.pasted import as_url
from agor_tui.config.urls import is_url, parse_url
from agor_tui.errors import ConfigError
from agor_tui.services.configuration import Configuration

PLAIN = "postgresql://me:p%40ss@db.example.com:6543/agor?sslmode=require"
SAME = (
    f'"{PLAIN}"',
    f"'{PLAIN}'\r\n",
    f"  {PLAIN}\t",
    f"`{PLAIN}`",
    f"“{PLAIN}”",
    f"<{PLAIN}>;",
    f"\ufeff{PLAIN}",
    f"DATABASE_URL={PLAIN}",
    f'DATABASE_URL="{PLAIN}"\n',
    f"export POSTGRES_PRISMA_URL='{PLAIN}'",
    f'$env:DATABASE_URL = "{PLAIN}"',
    f"DATABASE_URL: {PLAIN}",
    f'"DATABASE_URL": "{PLAIN}",',
    f"jdbc:{PLAIN}",
    "jdbc:postgresql://db.example.com:6543/agor?user=me&password=p%40ss&sslmode=require",
    PLAIN.replace("postgresql:", "postgresql+psycopg:"),
    PLAIN.replace("postgresql:", "postgresql+asyncpg:"),
    PLAIN.replace("postgresql:", "postgres+psycopg2:"),
    "Server=db.example.com;Database=agor;Port=6543;User Id=me;Password=p@ss;Ssl Mode=Require;",
    'Host=db.example.com; Port=6543; Username=me; Password="p@ss"; Database=agor; SSL Mode=Require; Pooling=true',
    "DB='Data Source=db.example.com;Port=6543;Initial Catalog=agor;Uid=me;Pwd=p@ss;sslmode=require'",
    f"psql '{PLAIN}'",
    f'psql "{PLAIN}"',
    f"psql -d {PLAIN}",
    f"/usr/bin/psql --dbname='{PLAIN}' -c 'select 1'",
    "psql \"host=db.example.com port=6543 dbname=agor user=me password='p@ss' sslmode=require\"",
    "psql 'host=db.example.com port = 6543 dbname=agor user=me password=p@ss sslmode=require'",
    "PGPASSWORD='p@ss' PGSSLMODE=require psql -h db.example.com -p 6543 -U me -d agor",
    "PGPASSWORD='p@ss' PGAPPNAME='a b' PGSSLMODE=require psql -h db.example.com -p 6543 -U me -d agor",
    "PGSSLMODE=require PGPASSWORD=p@ss psql -hdb.example.com -Ume --port=6543 -X agor",
    "PGSSLMODE=require PGPASSWORD=p@ss psql \\\n  --host db.example.com \\\n  --port 6543 agor me",
    "PGPASSWORD=p@ss psql 'postgresql://db.example.com:6543/agor?sslmode=require' -U me",
    "pgcli postgresql://me:p%40ss@db.example.com:6543/agor?sslmode=require",
    "host=db.example.com port=6543 dbname=agor user=me password=p@ss sslmode=require",
    f"{PLAIN}&pgbouncer=true&connection_limit=1&pool_timeout=0",
    f"{PLAIN}&supa=base-pooler.x&uselibpqcompat=true&statement_cache_size=0&sslaccept=strict&socket_timeout=3",
    f"{PLAIN}&prepareThreshold=0&currentSchema=x&charset=utf8&prepared_statement_cache_size=0&ApplicationName=x",
    f"{PLAIN}&connectionLimit=1&pool-size=1",
)


@pytest.mark.parametrize("text", SAME)
def test_it_is_read_as_the_plain_url(text: str) -> None:
    assert is_url(text)
    place = parse_url(text, "X", {})
    assert place == parse_url(PLAIN, "X", {})
    assert as_url(as_url(text)) == as_url(text)


@pytest.mark.parametrize("text", SAME)
def test_wherever_it_comes_in(text: str, tmp_path: Path) -> None:
    plain = parse_url(PLAIN, "X", {})
    assert isinstance(plain, PostgresPlace)
    file = tmp_path / "config.yaml"
    by_target = resolve(text, config_path=None, environ={"AGOR_TUI_CONFIG": str(file)} if file.exists() else {})
    by_variable = resolve(None, config_path=None, environ={"DATABASE_URL": text})
    configuration = Configuration(file, environ={})
    file.write_text("")
    configuration.set("database.postgresql.url", text)
    by_file = resolve(None, config_path=file, environ={})
    for place in (by_target, by_variable, by_file):
        assert isinstance(place, PostgresPlace)
        assert place.conninfo() == plain.conninfo()
    fields = from_url(ConnectionFields("postgresql"), text, {})
    assert (fields.host, fields.port, fields.database, fields.user, fields.password, fields.ssl) == (
        "db.example.com", "6543", "agor", "me", "p@ss", "require",
    )  # fmt: skip
    shown = "".join(str(value) for value in configuration.show())
    assert "p@ss" not in shown
    assert "p%40ss" not in shown


def test_what_is_another_clients_is_kept_to_be_told() -> None:
    place = parse_url(f"{PLAIN}&pgbouncer=true&currentSchema=x", "X", {})
    assert isinstance(place, PostgresPlace)
    assert place.ignored == ("pgbouncer", "currentSchema")
    assert "pgbouncer" not in place.conninfo()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("sslmod", "sslmode"), ("ssl_mode", "sslmode"), ("sslMode", "sslmode"), ("conect_timeout", "connect_timeout"),
        ("aplication_name", "application_name"), ("targetsessionattrs", "target_session_attrs"), ("shema", "schema"),
        ("pasword", "password"), ("sslrootcrt", "sslrootcert"), ("chanel_binding", "channel_binding"),
    ],
)  # fmt: skip
def test_a_misspelt_one_of_libpq_is_refused(name: str, near: str) -> None:
    with pytest.raises(ConfigError, match=f"the unknown parameter “{name}”; the nearest is “{near}”"):
        parse_url(f"{PLAIN}&{name}=x", "X", {})


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("psql \"host=h password='a b' dbname=d\"", "a b"),
        ("PGPASSWORD=sec psql -h h", "sec"),
        ("DATABASE_URL=postgresql://u:sec@h/d", "sec"),
        ("postgresql+psycopg://u:sec@h/d", "sec"),
    ],
)
def test_a_screen_masks_what_is_typed(text: str, secret: str) -> None:
    spans = secret_spans(text)
    assert any(secret in text[start:end] for start, end in spans)
    assert secret not in masked_url(text)


@pytest.mark.parametrize(
    "text",
    ["a=b.db", "/tmp/x=y", "psql", "psql.db", "it's.db", '"x".db', "DATABASE_URL=", "user=1.db", "C:\\a.db", "x y"],
)
def test_a_path_stays_a_path(text: str) -> None:
    assert not is_url(text)
    assert as_url(text) == text


@given(st.text(max_size=60))
def test_whatever_is_pasted_ends_well(text: str) -> None:
    for whole in (text, f"psql {text}", f"postgresql://{text}", f"host={text}", f"jdbc:{text}", f'"{text}"'):
        try:
            parse_url(whole, "X", {})
        except ConfigError:
            continue


@given(
    user=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=12),
    password=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=12),
)
def test_a_command_with_any_password(user: str, password: str) -> None:
    escaped = ["'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'" for text in (user, password)]
    place = parse_url(f"host=h user={escaped[0]} password={escaped[1]} dbname=d", "X", {})
    assert isinstance(place, PostgresPlace)
    assert place.user == user
    assert place.password is not None
    assert place.password.reveal() == password

"""Database URLs: what they say is found again, what is wrong is named, and a password never comes out."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.pq import Conninfo

from agor_tui.config import LibsqlPlace, PostgresPlace, Secret, SqlitePlace, SslOptions, describe
from agor_tui.config.urls import LIBPQ_PARAMETERS, parse_url
from agor_tui.errors import ConfigError


def postgres(url: str) -> PostgresPlace:
    place = parse_url(url, "URL", {})
    assert isinstance(place, PostgresPlace)
    return place


@pytest.mark.parametrize(
    ("url", "parameters"),
    [
        ("postgresql://", {}),
        ("postgresql://h", {"host": "h"}),
        ("pg://h", {"host": "h"}),
        ("POSTGRES://h:5433/d", {"host": "h", "port": 5433, "dbname": "d"}),
        ("postgres://u@h/d", {"user": "u", "host": "h", "dbname": "d"}),
        ("postgres://u:@h/d", {"user": "u", "host": "h", "dbname": "d"}),
        ("postgres://u:p@h/d", {"user": "u", "password": "p", "host": "h", "dbname": "d"}),
        ("postgres://u:p@@h/d", {"user": "u", "password": "p@", "host": "h", "dbname": "d"}),
        ("postgres://u:p%40%3A%2F%25%20+ü@h/d", {"user": "u", "password": "p@:/% +ü", "host": "h", "dbname": "d"}),
        ("postgres://me%40corp:p@h/a%2Fb", {"user": "me@corp", "password": "p", "host": "h", "dbname": "a/b"}),
        ("postgres://[2001:db8::1]:99/d", {"host": "2001:db8::1", "port": 99, "dbname": "d"}),
        ("postgres://[::1]", {"host": "::1"}),
        ("postgres://a:1,b:2,[::1]/d", {"host": "a,b,::1", "port": "1,2,", "dbname": "d"}),
        ("postgres://a:7,b:7/d", {"host": "a,b", "port": 7, "dbname": "d"}),
        ("postgres://a,b/d", {"host": "a,b", "dbname": "d"}),
        ("postgres:///d?host=/run/pg&port=99", {"host": "/run/pg", "port": 99, "dbname": "d"}),
        ("postgres://%2Frun%2Fpg/d", {"host": "/run/pg", "dbname": "d"}),
        ("postgres://h?user=a@b&password=p%26q", {"host": "h", "user": "a@b", "password": "p&q"}),
        ("postgres://h?sslmode=verify-ca&sslrootcert=/ca", {"host": "h", "sslmode": "verify-ca", "sslrootcert": "/ca"}),
        ("postgres://h/d?ssl=true", {"host": "h", "dbname": "d", "sslmode": "require"}),
        ("postgres://h/d?sslmode=no-verify", {"host": "h", "dbname": "d", "sslmode": "require"}),
        ("postgres://?application_name=x&options=-c%20a%3Db", {"application_name": "x", "options": "-c a=b"}),
        ("postgres://?service=prod", {"service": "prod"}),
    ],
)  # fmt: skip
def test_postgresql_urls(url: str, parameters: dict[str, object]) -> None:
    assert postgres(url).conninfo() == parameters


def test_schema_and_tenant_are_ours_and_not_libpqs() -> None:
    place = postgres("postgresql://h/d?schema=agor&tenant=acme")
    assert (place.schema, place.tenant) == ("agor", "acme")
    assert set(place.conninfo()) == {"host", "dbname"}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://u:SECRET@h/d", "the scheme “mysql”"),
        ("u:SECRET@h", "not a database URL"),
        ("postgresql://u:SECRET/x@h/d", "a port that is not a number|an @ behind"),
        ("postgresql://u:12345/SECRET@h/d", "an @ behind the first /"),
        ("postgresql://u:SECRET?x@h/d", "not written as name=value"),
        ("postgresql://u:1?SECRET=x@h/d", "a parameter that is not known"),
        ("postgresql://u:SECRET%zz@h/d", "a % that is not followed"),
        ("postgresql://u:SECRET%00@h/d", "a % that is not followed"),
        ("postgresql://u:SECRET%ff@h/d", "not UTF-8"),
        ("postgresql://u:SECRET@h:0/d", "a port that is not a number from 1 to 65535"),
        ("postgresql://u:SECRET@h:99999/d", "a port that is not a number from 1 to 65535"),
        ("postgresql://u:SECRET@h:٣/d", "a port that is not a number from 1 to 65535"),
        ("postgresql://u:SECRET@::1/d", "a host that cannot be read"),
        ("postgresql://u:SECRET@h/d?sslmod=require", "the unknown parameter “sslmod”; the nearest is “sslmode”"),
        ("postgresql://u:SECRET@h/d?sslmode=SECRET", "an unknown sslmode"),
        ("file://server/share/a.db", "another computer"),
        ("file:", "names no file"),
        ("file:/a.db?mode=memory", "a mode"),
        ("file:/a.db?vfs=x", "the unknown parameter “vfs”"),
        ("libsql://", "names no host"),
        ("libsql://u:SECRET@h", "a user or password"),
        ("libsql://h?authTokn=SECRET", "unknown parameter “authTokn”; the nearest is “authToken”"),
    ],
)
def test_wrong_urls(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as error:
        parse_url(url, "DATABASE_URL", {})
    text = f"{error.value}{error.value.hint}"
    assert text.startswith("DATABASE_URL ")
    assert "SECRET" not in text


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:/a/b.db", "/a/b.db"),
        ("file:///a/b%20c.db", "/a/b c.db"),
        ("file://localhost/a.db", "/a.db"),
        ("file:~/a.db", "/home/me/a.db"),
        ("file://~/a.db", "/home/me/a.db"),
        ("file:a.db", "/base/a.db"),
        ("sqlite:///a.db", "/base/a.db"),
        ("sqlite:////a.db", "/a.db"),
        ("sqlite:///~/a.db", "/home/me/a.db"),
        ("FILE:/a#b.db", "/a#b.db"),
    ],
)
def test_file_urls(url: str, path: str) -> None:
    place = parse_url(url, "URL", {"HOME": "/home/me"}, Path("/base"))
    assert place == SqlitePlace(None, "", Path(path), "")


@pytest.mark.parametrize("query", ["mode=ro", "immutable=1"])
def test_file_urls_can_ask_for_reading_only(query: str) -> None:
    place = parse_url(f"file:/a.db?{query}", "URL", {})
    assert isinstance(place, SqlitePlace)
    assert place.read_only


def test_libsql_urls() -> None:
    place = parse_url("libsql://x.turso.io?authToken=abc&tls=0", "URL", {})
    assert place == LibsqlPlace(None, "", "", "libsql://x.turso.io?tls=0", auth_token=Secret("abc"))
    assert "abc" not in f"{place}{describe(place)}"


ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
HOSTS = st.from_regex(r"[a-z][a-z0-9.-]{0,10}", fullmatch=True) | st.just("2001:db8::7")


@given(user=ANY_TEXT, password=ANY_TEXT, host=HOSTS, port=st.integers(1, 65535), database=ANY_TEXT)
def test_round_trip(user: str, password: str, host: str, port: int, database: str) -> None:
    authority = f"[{host}]" if ":" in host else host
    encoded = [quote(part, safe="") for part in (user, password, database)]
    place = postgres(f"postgresql://{encoded[0]}:{encoded[1]}@{authority}:{port}/{encoded[2]}")
    assert place.conninfo() == {
        "host": host, "port": port, "user": user, "password": password, "dbname": database
    }  # fmt: skip


def masked(password: str) -> str:
    """A password that cannot stand in a message by chance."""
    return f"Zq{password}qZ"


@given(password=st.text(st.characters(exclude_categories=["Cs"])), encoded=st.booleans())
@example(password="p/ä@:%", encoded=False)
@example(password="?x=1@y", encoded=False)
@example(password="12/34", encoded=False)
def test_a_password_never_shows(password: str, encoded: bool) -> None:
    secret = masked(password)
    written = quote(secret, safe="") if encoded else secret
    for scheme in ("postgresql", "mysql", "libsql"):
        try:
            place = parse_url(f"{scheme}://me:{written}@host.example/db", "URL", {})
        except ConfigError as error:
            shown = f"{error!r}{error}{error.message}{error.hint}"
        else:
            shown = f"{place!r}{place}{describe(place)}"
            assert isinstance(place, PostgresPlace)
            assert place.password is not None
            assert f"{place.password!r}{place.password}".count(Secret.MASK) == 2
        assert "Zq" not in shown
        assert "qZ" not in shown


def test_libpq_knows_every_parameter_that_a_url_may_carry() -> None:
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    assert set(LIBPQ_PARAMETERS) <= known


def test_ssl_options_are_libpqs() -> None:
    place = PostgresPlace("n", "l", "o", ssl=SslOptions("verify-full", "/ca", "/cert", "/key"))
    assert place.conninfo() == {
        "sslmode": "verify-full", "sslrootcert": "/ca", "sslcert": "/cert", "sslkey": "/key"
    }  # fmt: skip

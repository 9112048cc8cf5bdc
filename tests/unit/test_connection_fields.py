"""The fields of a connection form: they and the URL mean the same, and what is wrong with each is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agor_tui.config.connection import (
    BULLET,
    MASKED,
    ConnectionFields,
    from_url,
    of_place,
    secret_spans,
    shown_url,
    to_place,
)
from agor_tui.config.connection_checks import complaints, file_complaints, name_complaint
from agor_tui.config.places import LibsqlPlace, PostgresPlace, Secret, SqlitePlace, SslOptions
from agor_tui.config.urls import parse_url
from agor_tui.errors import ConfigError

EMPTY = ConnectionFields("postgresql")
GOOD = ConnectionFields("postgresql", host="localhost", database="agor")

words = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=15).filter(
    lambda text: text == text.strip() and BULLET not in text and "://" not in text
)
hosts = st.one_of(
    st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True),
    st.just("::1"),
    st.just("/var/run/postgresql"),
    st.just("bücher.example"),
)


@st.composite
def typed(draw: st.DrawFn) -> ConnectionFields:
    """Fields as a user may type them."""
    return ConnectionFields(
        "postgresql",
        host=draw(hosts),
        port=draw(st.sampled_from(["", "5432", "65535"])),
        database=draw(words),
        schema=draw(st.one_of(st.just(""), words)),
        user=draw(st.one_of(st.just(""), words)),
        password=draw(st.one_of(st.just(""), words)),
        ssl=draw(st.sampled_from(["disable", "prefer", "require", "verify-full"])),
        ca=draw(st.sampled_from(["", "/etc/ca & co.pem", "system"])),
    )


@given(typed())
def test_the_fields_survive_the_way_through_the_url(fields: ConnectionFields) -> None:
    url = shown_url(fields)
    again = from_url(replace(EMPTY, password=fields.password), url, {})
    assert replace(again, url="") == fields
    assert shown_url(again) == url


@given(typed())
def test_the_url_never_shows_the_password(fields: ConnectionFields) -> None:
    fields = replace(fields, password="pass" + fields.password + "word")
    assume(fields.password not in repr(replace(fields, password="")))
    assert fields.password not in shown_url(fields)
    assert (MASKED in shown_url(fields)) == bool(fields.password)
    assert fields.password not in repr(fields)
    assert fields.password not in repr(of_place(to_place(fields, {})))


@given(typed())
def test_a_place_and_its_fields_mean_the_same(fields: ConnectionFields) -> None:
    place = to_place(fields, {})
    assert isinstance(place, PostgresPlace)
    assert (place.host, place.database) == (fields.host, fields.database)
    again = to_place(of_place(place), {})
    assert again == place


@pytest.mark.parametrize("password", ["p@ss", "a:b/c", "50%", "日本語", " spaced ", "?#[]", "••", "x&y=z"])
def test_any_password_reaches_the_driver_as_typed(password: str) -> None:
    fields = replace(GOOD, user="ada", password=password)
    place = to_place(from_url(fields, shown_url(fields), {}), {})
    assert isinstance(place, PostgresPlace)
    assert place.password == Secret(password)


def test_a_typed_password_moves_out_of_the_url() -> None:
    fields = from_url(EMPTY, "postgresql://ada:s3cr%40t@db.example:5433/team?sslmode=require&connect_timeout=3", {})
    assert (fields.user, fields.password, fields.host, fields.port) == ("ada", "s3cr@t", "db.example", "5433")
    assert (fields.database, fields.ssl, dict(fields.options)) == ("team", "require", {"connect_timeout": "3"})
    assert shown_url(fields) == (f"postgresql://ada:{MASKED}@db.example:5433/team?sslmode=require&connect_timeout=3")


def test_the_mask_in_a_url_keeps_the_password_and_another_one_replaces_it() -> None:
    fields = replace(GOOD, user="ada", password="old")
    assert from_url(fields, f"postgresql://ada:{MASKED}@db/x", {}).password == "old"
    assert from_url(fields, "postgresql://ada:••@db/x", {}).password == "old"
    assert from_url(replace(fields, host=""), "postgresql://ada@db/x", {}).password == "old"
    assert from_url(replace(fields, host="db"), "postgresql://ada@db/y", {}).password == "old"
    assert from_url(replace(fields, host="db"), "postgresql://ada@other/x", {}).password == ""
    assert from_url(fields, "postgresql://ada:new@db/x", {}).password == "new"
    assert from_url(fields, f"postgresql://ada:{MASKED}new@db/x", {}).password == "new"


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("postgresql://ada:secret@db/x", ["secret"]),
        ("postgresql://ada:p@ss@db/x", ["p@ss"]),
        ("postgresql://ada:secr", ["secr"]),
        ("postgresql://db:5432", []),
        ("postgresql://db:5432/x", []),
        ("postgresql://db/x?password=abc&sslmode=require", ["abc"]),
        ("libsql://db?authToken=tok", ["tok"]),
        ("localhostpostgresql://ada:secret@db:99999/x", ["secret"]),
        ("postgresql://ada@db/x", []),
    ],
)
def test_secrets_of_a_url_that_is_being_typed(url: str, hidden: list[str]) -> None:
    assert [url[start:end] for start, end in secret_spans(url)] == hidden


@given(st.text(max_size=60))
def test_no_text_breaks_a_form(text: str) -> None:
    for kind in ("sqlite", "postgresql", "embedded", "libsql"):
        fields = ConnectionFields(
            kind, text, text, text, text, text, text, text, text, text, "require", text, text, text, text, text
        )
        wrong = complaints(fields, ())
        assert all(sentence and "\n" not in sentence for sentence in wrong.values())
        secret_spans(text)
        if not wrong:
            to_place(fields, {"HOME": "/home/ada"})


@pytest.mark.parametrize(
    ("change", "field", "part"),
    [
        ({"host": ""}, "host", "Name the server"),
        ({"host": "   "}, "host", "Name the server"),
        ({"host": "postgresql://db/x"}, "host", "This is a URL"),
        ({"host": "ada@db"}, "host", "before the @ is the user"),
        ({"host": "db/agor"}, "host", "behind the / is the database"),
        ({"host": "db:5432"}, "host", "port has a field"),
        ({"host": "my host"}, "host", "no spaces"),
        ({"host": "[::1]"}, "host", "without brackets"),
        ({"host": "a,,b"}, "host", "missing"),
        ({"port": "0"}, "port", "1 to 65535"),
        ({"port": "99999"}, "port", "1 to 65535"),
        ({"port": "five"}, "port", "1 to 65535"),
        ({"port": "-1"}, "port", "1 to 65535"),
        ({"port": "５４３２"}, "port", "1 to 65535"),
        ({"database": ""}, "database", "Name the database"),
        ({"database": "postgresql://x/y"}, "database", "This is a URL"),
        ({"database": "日" * 22}, "database", "63 bytes"),
        ({"user": "a\x00b"}, "user", "control"),
        ({"database": "host=h password=hunter2"}, "database", "connection string"),
        ({"schema": "s\n"}, "schema", ""),
        ({"password": "a\x00"}, "password", "control"),
        ({"ssl": "require", "ca": "-----BEGIN CERTIFICATE-----"}, "ca", "not its content"),
        ({"ssl": "require", "cert": "/x.pem"}, "key", "both or neither"),
        ({"ssl": "require", "key": "/x.pem"}, "cert", "both or neither"),
        ({"url": "mysql://x"}, "url", "not known"),
        ({"url": "postgresql://db:99999/x"}, "url", "1 to 65535"),
        ({"url": "file:/x.db"}, "url", "SQLite"),
        ({"url": "just text"}, "url", "not a URL"),
    ],
)
def test_what_is_wrong_is_said_of_the_field(change: dict[str, str], field: str, part: str) -> None:
    fields = replace(GOOD, **change)  # type: ignore[arg-type]
    found = complaints(fields)
    if part:
        assert part in found[field]
        assert set(found) == {field}
    else:  # what stands around a word is taken away
        assert not found


def test_good_fields_have_no_complaints() -> None:
    for change in (
        {},
        {"host": " localhost "},
        {"host": "::1"},
        {"host": "a,b", "port": "1,2"},
        {"host": "/var/run/postgresql"},
        {"host": "bücher.example", "database": "日本語", "user": "zoë", "password": "p@:/% 日本"},
    ):
        assert complaints(replace(GOOD, **change)) == {}  # type: ignore[arg-type]


def test_names() -> None:
    assert name_complaint("team", ("other",)) == ""
    assert name_complaint("日本", ()) == ""
    for bad, part in (
        ("", "Give it"),
        ("  ", "Give it"),
        ("team", "already"),
        ("a/b", "word"),
        ("x.db", "word"),
        ("x" * 101, "100"),
    ):
        assert part in name_complaint(bad, ("team",))
    assert "default" in name_complaint("database", ())


def test_paths(tmp_path: Path) -> None:
    """On the disk: a folder, no folder to make it in, a file that is there."""

    def said(path: object) -> str:
        fields = ConnectionFields("sqlite", path=str(path))
        return {**complaints(fields), **(file_complaints(fields, {}) if not complaints(fields) else {})}.get("path", "")

    plain = tmp_path / "plain.txt"
    plain.write_text("x")
    assert said(tmp_path / "new" / "deep" / "ä 日本.db") == ""
    assert said(plain) == ""
    assert "folder" in said(tmp_path)
    assert "folder" in said(f"{tmp_path}/")
    assert "not a folder" in said(plain / "agor.db")
    assert "neither" in said("/dev/null")
    assert "path" in said("")
    assert "path" in said("   ")
    assert "URL" in said("postgresql://db/x")
    assert "control" in said("a\x07b")
    assert "too long" in said("/tmp/" + "x" * 300)


def test_a_path_below_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # tests may run as root, who may write anywhere
    fields = ConnectionFields("sqlite", path=str(tmp_path / "agor.db"))
    assert "nothing may be made in" in file_complaints(fields, {})["path"]
    (tmp_path / "agor.db").touch()
    assert "may not be read" in file_complaints(fields, {})["path"]


def test_certificates_must_be_there(tmp_path: Path) -> None:
    fields = replace(GOOD, ssl="verify-full", ca=str(tmp_path / "none.pem"), cert=str(tmp_path), key="system")
    wrong = file_complaints(fields, {})
    assert "no such file" in wrong["ca"]
    assert "no file" in wrong["cert"]
    assert file_complaints(replace(fields, ssl="disable"), {}) == {}
    assert "ca" not in file_complaints(replace(fields, ca="system"), {})


def test_what_no_field_says_stays_as_it_was() -> None:
    base = PostgresPlace("team", "team", "config", host="db", database="x", pool_max=3, read_only=True, tenant="t")
    place = to_place(replace(of_place(base), host="db2"), {}, base)
    assert isinstance(place, PostgresPlace)
    assert (place.host, place.pool_max, place.read_only, place.tenant) == ("db2", 3, True, "t")
    file = SqlitePlace("a", "a", Path("/a.db"), "", read_only=True, wal_mode=False)
    assert to_place(replace(of_place(file), path="/b.db"), {}, file) == replace(
        file, path=Path("/b.db"), origin="connection form"
    )


def test_ssl_and_files_reach_the_place() -> None:
    fields = replace(GOOD, ssl="verify-full", ca="~/ca.pem", cert="/c.pem", key="/k.pem")
    place = to_place(fields, {"HOME": "/home/ada"})
    assert isinstance(place, PostgresPlace)
    assert place.ssl == SslOptions("verify-full", "/home/ada/ca.pem", "/c.pem", "/k.pem")
    bare = to_place(replace(GOOD, ssl="verify-full"), {"HOME": "/home/ada"})
    assert isinstance(bare, PostgresPlace)
    assert bare.ssl == SslOptions("verify-full", "system")
    off = to_place(replace(fields, ssl="disable"), {})
    assert isinstance(off, PostgresPlace)
    assert off.ssl == SslOptions("disable")


def test_libsql() -> None:
    fields = from_url(ConnectionFields("libsql"), "libsql://name.turso.io?authToken=tok", {})
    assert (fields.url, fields.token) == ("libsql://name.turso.io", "tok")
    assert "tok" not in repr(fields)
    place = to_place(replace(fields, replica="/tmp/copy.db"), {})
    assert isinstance(place, LibsqlPlace)
    assert (place.url, place.sync_url) == ("file:///tmp/copy.db", "libsql://name.turso.io")
    assert to_place(of_place(place), {}) == place
    with pytest.raises(ConfigError, match="libSQL"):
        from_url(ConnectionFields("libsql"), "postgresql://x/y", {})


def test_the_place_is_what_the_url_itself_means() -> None:
    url = "postgresql://ada:x@a:1,b:2/agor?sslmode=require&target_session_attrs=read-write"
    direct = parse_url(url, "", {})
    place = to_place(from_url(EMPTY, url, {}), {})
    assert isinstance(direct, PostgresPlace)
    assert isinstance(place, PostgresPlace)
    assert place.conninfo() == direct.conninfo()


def test_a_url_that_cannot_be_read_is_all_that_is_wrong() -> None:
    """The other fields hold what the URL said when it could be read last, while it was typed."""
    fields = ConnectionFields("postgresql", url="postgresql://h:99999/agor", host="h", port="9999")
    assert set(complaints(fields)) == {"url"}


def test_no_fields_are_no_url() -> None:
    assert shown_url(ConnectionFields("postgresql", "team")) == ""

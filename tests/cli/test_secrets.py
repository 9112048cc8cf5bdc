"""A secret planted wherever one may stand comes out nowhere: by no command, no export, no comparison, no error."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from agor_tui.db import migrator
from agor_tui.db.engine import Database
from agor_tui.errors import DatabaseError
from agor_tui.redact import HIDDEN
from agor_tui.services.faults import write_log
from tests.builders import agor, opencode
from tests.builders.planted import SECRET, plant, plant_postgresql
from tests.conftest import place_of
from tests.data.one_row_each import fill

from .conftest import Answer, Run

# OpenCode keeps its sessions in SQLite files alone.
STORES = ("native-sqlite", "native-postgresql", "agor-sqlite", "agor-postgresql", "opencode")
FORMATS = ("md", "html", "txt", "json")


@pytest.fixture(params=STORES)
def store(
    request: pytest.FixtureRequest, run: Run, tmp_path: Path, agor_db: Path, native_templates: Callable[[str], str]
) -> str:
    """What ``--database`` names: a database with the secret in all its tables."""
    name, _, dialect = request.param.partition("-")
    path = tmp_path / f"{name}.db"
    if name == "opencode":
        opencode.build(path)
    elif name == "agor":
        shutil.copyfile(agor_db, path)
    else:
        shutil.copyfile(native_templates("sqlite"), path)
        fill(place_of(path))
    if dialect != "postgresql":
        assert plant(path) > 10
        return str(path)
    url: str = request.getfixturevalue("postgres18_url")
    if name == "agor":
        agor.build_postgresql(url, tenants=("default",))
        assert plant_postgresql(url) > 10
    else:
        plant(path)
        assert run("db", "copy", str(path), url).code == 0
    return url


def answers(run: Run, store: str, tmp_path: Path) -> Iterator[Answer]:
    """All that the commands say of a store, its exports among it."""

    def ask(*words: str) -> Answer:
        return run("-d", store, *words)

    sessions = [row["id"] for row in ask("session", "list", "archived:any", "--limit", "0", "--json").json]
    tasks = [row["id"] for row in ask("task", "list", "archived:any", "--limit", "0", "--json").json]
    for extra in ([], ["--json"]):
        yield ask("session", "list", "archived:any", "--limit", "0", *extra)
        yield ask("task", "list", "archived:any", "--limit", "0", *extra)
        for words in (["board", "list"], ["db", "status"], ["db", "test"], ["db", "check"], ["db", "secrets"]):
            yield ask(*words, *extra)
        for session in sessions[:8]:
            yield ask("session", "show", session, *extra)
            yield ask("session", "tree", session, *extra)
            yield ask("message", "list", session, "--limit", "0", *extra)
            yield ask("id", session, *extra)
        for task in tasks[:8]:
            yield ask("task", "show", task, *extra)
    for format in FORMATS:
        for session in sessions[:8]:
            yield ask("session", "export", session, "--format", format)
    for ending in ("jsonl", "json", "sql"):
        file = tmp_path / f"all.{ending}"
        yield ask("db", "export", str(file))
        yield Answer(0, file.read_text(), "")
    yield ask("session", "show", "0" * 12)
    yield ask("session", "list", "status:nothing", "board:nowhere")


def test_a_planted_secret_is_shown_by_nothing(run: Run, keep_open: None, store: str, tmp_path: Path) -> None:
    hidden = 0
    for answer in answers(run, store, tmp_path):
        for shown in (answer.out, answer.err):
            assert not re.search(f".{{0,80}}{SECRET}", shown)
            assert "Traceback" not in shown
        hidden += answer.out.count(HIDDEN)
    assert hidden > 50


def test_a_comparison_and_a_copy_show_no_secret_and_the_copy_has_them_all(
    run: Run, keep_open: None, store: str, tmp_path: Path
) -> None:
    copy, other = tmp_path / "copy.db", tmp_path / "other.db"
    said = [run("db", "copy", store, str(copy)), run("db", "copy", store, str(other))]
    assert SECRET.encode() in copy.read_bytes() or any((tmp_path / "copy.db-wal").glob("*"))
    plant(other)
    said += [run("db", "compare", str(copy), str(other), *extra) for extra in ([], ["--json"])]
    assert [answer.code for answer in said[2:]] == [5, 5]
    whole = tmp_path / "whole.jsonl"
    said.append(run("-d", str(copy), "db", "export", str(whole), "--include-secrets"))
    assert whole.read_text().count(SECRET) > 20
    back = tmp_path / "back.db"
    said.append(run("-d", str(back), "db", "import", str(whole), "--yes"))
    said.append(run("db", "compare", str(copy), str(back)))
    assert said[-1].code == 0
    assert not [answer for answer in said if SECRET in answer.out + answer.err]


def test_an_export_says_how_many_secrets_it_hides_and_the_list_says_where(
    run: Run, keep_open: None, store: str, tmp_path: Path
) -> None:
    file = tmp_path / "all.jsonl"
    report = run("-d", store, "db", "export", str(file), "--json")
    report_json = json.loads(report.out)
    assert report_json["secrets_hidden"] > 20
    found = run("-d", store, "db", "secrets", "--limit", "0", "--json").json
    kinds = {each["kind"] for each in found}
    assert {"password", "token"} <= kinds
    assert all(each["table"] and each["id"] and each["place"] for each in found)
    few = run("-d", store, "db", "secrets", "--limit", "2")
    assert len(few.out.splitlines()) == 2
    assert f"{len(found):,} secrets in " in few.err
    assert "The first 2 are listed." in few.err
    if store.endswith("opencode.db"):
        assert "Not looked through, since no export has it:" in few.err


def test_a_database_without_secrets_says_so(run: Run, native_templates: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    shutil.copyfile(native_templates("sqlite"), path)
    answer = run("-d", str(path), "db", "secrets")
    assert (answer.code, answer.out) == (0, "")
    assert "has no secrets that are known as such" in answer.err


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_log_has_neither_the_values_of_a_statement_nor_the_row_that_a_server_repeats(
    request: pytest.FixtureRequest, native_templates: Callable[[str], str], tmp_path: Path, dialect: str
) -> None:
    path = tmp_path / "native.db"
    shutil.copyfile(native_templates("sqlite"), path)
    place = place_of(path)
    if dialect == "postgresql":
        place = place_of(request.getfixturevalue("postgres18_url"))
        migrator.init(place)
    values = {"id": "u1", "email": "ann@example.org", "password": SECRET, "role": f"none of {SECRET}"}

    def insert(connection: Connection) -> None:
        columns = "user_id, email, password, role, onboarding_completed, created_at"
        now = "0" if dialect == "sqlite" else "now()"
        no = "0" if dialect == "sqlite" else "false"
        statement = f"INSERT INTO users ({columns}) VALUES (:id, :email, :password, :role, {no}, {now})"
        connection.execute(text(statement), values)

    with Database(place, writable=True) as database, pytest.raises(DatabaseError) as caught:
        database.write(insert)
    assert SECRET not in caught.value.message + caught.value.hint
    cause = caught.value.__cause__ or caught.value.__context__
    assert cause is not None
    log = write_log(cause)
    assert log is not None
    assert "INSERT INTO users" in log.read_text()
    assert SECRET not in log.read_text()


def test_an_export_on_a_terminal_steers_nothing(terminal: Run, agor_db: Path) -> None:
    """To a file or a pipe the same characters go as they are."""
    for format in ("jsonl", "sql"):
        shown = terminal("-d", agor_db, "db", "export", "-", "--format", format, width=200).out
        assert '"format":"agor-tui"' in shown.replace('\\"', '"') or "agor-tui" in shown
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
        assert "\x1b]" not in shown

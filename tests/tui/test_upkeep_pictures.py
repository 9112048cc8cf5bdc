"""Pictures of looking after a database: the menu, forms, what would be done, how far it is, and results to read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from agor_tui.config.places import PostgresPlace, SqlitePlace
from agor_tui.db.restoring import Holdings
from agor_tui.errors import AgorError, Cancelled, DatabaseError
from agor_tui.services.care.restoring import RestorePlan
from agor_tui.services.configuration import Configuration
from agor_tui.transfers import (
    CheckItem,
    CheckReport,
    CompareReport,
    CopyReport,
    Finding,
    Progress,
    RowDifference,
    TableCompared,
    TableCopied,
    ValueDifference,
)
from agor_tui.tui.app import AgorApp
from agor_tui.tui.screens.browser import BrowserScreen
from agor_tui.tui.screens.choose import ChooseModal
from agor_tui.tui.screens.upkeep import UpkeepScreen
from agor_tui.tui.themes import DARK, LIGHT
from agor_tui.tui.upkeep.begin import choose
from agor_tui.tui.upkeep.dumping import Export
from agor_tui.tui.upkeep.flow import Step, UpkeepFlow
from agor_tui.tui.upkeep.job import Expected, UpkeepJob
from agor_tui.tui.upkeep.keeping import Check, Restore, check_lines, check_sentence, restore_plan_lines
from agor_tui.tui.upkeep.reports import copied_sentence, copy_lines, copy_plan_lines
from agor_tui.tui.upkeep.task import Outcome, Plan, Subject, Upkeep
from agor_tui.tui.upkeep.transferring import Copy

from .lists import until

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
Compare = Callable[..., bool]
HERE = SqlitePlace("laptop", "laptop", Path("/home/ada/.local/share/agor-tui/agor.db"), "config.yaml: active laptop")
TEAM = PostgresPlace("team", "team", "config.yaml", host="db.example", database="agor", user="ada")
NARROW, WIDE = (80, 24), (160, 48)

ROWS = {
    "boards": 4, "repos": 6, "users": 5, "worktrees": 23, "board_objects": 20, "sessions": 10_412, "mcp_servers": 3,
    "tasks": 48_213, "messages": 512_044, "session_mcp_servers": 0, "board_comments": 26,
}  # fmt: skip
FINDINGS = (
    Finding("kb_documents", "", None, "2 rows of a table that agor-tui has not", "not copied"),
    Finding("sessions", "0199b73d-b52e-7ed1-b028-277d6ad08cef", "created_at",
            "the time +294247-01-10 is out of range", "kept as 9999-12-31"),
    Finding("messages", "日本語-[b]x[/b]", "data", "JSON that is broken", "kept as text"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whose folder is shown as ``~``; nothing is written there."""
    monkeypatch.setenv("HOME", "/home/ada")
    for name in ("STATE", "DATA", "CACHE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))


def copied(**more: Any) -> CopyReport:
    """What a copy tells."""
    tables = tuple(TableCopied(name, rows, bytes=rows * 700, seconds=rows / 20_000) for name, rows in ROWS.items())
    return replace(CopyReport("laptop", "ada@db.example/agor", "native", tables, seconds=27.4), **more)


def compared() -> CompareReport:
    """A comparison in which two tables differ."""
    found = []
    for name, rows in ROWS.items():
        table = TableCompared(name, rows, rows, "a64858f3" * 4, "a64858f3" * 4)
        if name == "sessions":
            values = (
                ValueDifference("status", "running", "failed"),
                ValueDifference("data.title", "Fix retry swallowing the last exception — 日本語", "[b]Fix[/b] ␛[31m"),
            )
            rows_of = (
                RowDifference("0199b73d-b52e-7ed1-b028-277d6ad08cef", None, values),
                RowDifference("0199b8ff-2bbb-7000-8000-000000000002", "a"),
            )
            table = replace(table, rows_b=rows - 1, checksum_b="19e0c2aa" * 4, only_in_a=1, changed=1,
                            differences=rows_of)  # fmt: skip
        if name == "tasks":
            table = replace(table, checksum_b="77bd01fe" * 4, changed=214)
        found.append(table)
    return CompareReport("laptop", "team", tuple(found), seconds=21.0)


def app_on(family: SqlitePlace, tmp_path: Path, theme: Any) -> AgorApp:
    """The app on a family of sessions that is called like the subject of the pictures."""
    file = tmp_path / "config.yaml"
    file.write_text("{}\n")
    configuration = Configuration(file, {"HOME": "/home/ada"})

    def connect() -> Any:
        browser = configuration.open(str(family.path))
        browser.info = replace(browser.info, label="laptop", server_version="3.50.4", origin="config.yaml: active")
        return browser

    app = AgorApp(connect, clock=lambda: NOW, configuration=configuration, theme=theme.name)
    app.animation_level = "none"
    return app


def subject(app: AgorApp) -> Subject:
    return Subject("laptop", HERE, lambda: HERE, app.configuration, NOW, is_open=True)


def shown(make: Callable[[AgorApp], UpkeepFlow]) -> Any:
    """Show a piece of upkeep as it stands, once the app is there."""

    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, AgorApp)
        await settled(pilot)
        flow = make(app)
        app.push_screen(UpkeepScreen(flow))
        await until(pilot, lambda: isinstance(app.screen, UpkeepScreen))
        await pilot.pause()

    return run


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the sessions are shown."""
    first = pilot.app.screen_stack[0]
    assert isinstance(first, BrowserScreen)
    await until(pilot, lambda: bool(first.query("RecordTable")) and first._key is not None)
    await until(pilot, lambda: first.table.count.exact and not first.table.busy)


def flow_at(
    app: AgorApp,
    upkeep: type[Upkeep],
    step: Step,
    *,
    seconds: float = 27.4,
    told: tuple[tuple[float, Progress], ...] = (),
    values: dict[str, str] | None = None,
    plan: Plan | None = None,
    outcome: Outcome | None = None,
    error: AgorError | None = None,
) -> UpkeepFlow:
    """A piece of upkeep at a step, as if it had run for so many seconds."""
    time = 0.0
    job: UpkeepJob[Any] = UpkeepJob(lambda tell, stop: None, plan.expected if plan else (), lambda: time)
    for time, progress in told:  # noqa: B007 - the job's clock looks at it
        job.tell(progress)
    time = seconds
    if step == "result":
        job.run()
    flow = UpkeepFlow(app, upkeep(subject(app)), values)
    flow.step, flow.job, flow.plan, flow.outcome, flow.error = step, job, plan, outcome, error
    return flow


def run_of_nothing(tell: Any, stop: threading.Event) -> Outcome:
    raise AssertionError("a picture runs nothing")


EXPECTED = tuple(Expected(name, rows) for name, rows in ROWS.items())
PLAN = Plan(partial(copy_plan_lines, copied(made="ada@db.example/agor would be given its tables.")),
            "copies 570,756 rows", run_of_nothing, expected=EXPECTED)  # fmt: skip


def half_way() -> tuple[tuple[float, Progress], ...]:
    """A copy in the midst of its messages."""
    told, time = [], 0.0
    for name, rows in ROWS.items():
        told.append((time, Progress("copy", name, 0, rows, 0)))
        part = rows * 2 // 5 if name == "messages" else rows
        time += part / 20_000
        told.append((time, Progress("copy", name, part, rows, part * 700)))
        if name == "messages":
            break
    return tuple(told)


@pytest.mark.parametrize(("size", "theme"), [(NARROW, DARK), (WIDE, LIGHT)], ids=["narrow-dark", "wide-light"])
def test_a_run(snap_compare: Compare, family: SqlitePlace, tmp_path: Path, size: Any, theme: Any) -> None:
    """Each table: done, under way with its bar, speed and time left, or still to come."""
    run = shown(
        lambda app: flow_at(app, Copy, "running", seconds=13.2, told=half_way(), values={"to": "team"}, plan=PLAN)
    )
    assert snap_compare(app_on(family, tmp_path, theme), terminal_size=size, run_before=run)


@pytest.mark.parametrize(("size", "theme"), [(NARROW, LIGHT), (WIDE, DARK)], ids=["narrow-light", "wide-dark"])
def test_a_copy_that_differs(snap_compare: Compare, family: SqlitePlace, tmp_path: Path, size: Any, theme: Any) -> None:
    """Rows, speed, checksums; what could not be held; the rows that differ, by column."""
    report = copied(findings=FINDINGS, finding_count=14, verified=compared())
    report = replace(report, tables=tuple(replace(each, left_out=each.rows // 50_000) for each in report.tables))
    outcome = Outcome(False, copied_sentence(report), partial(copy_lines, report), opens="team")
    run = shown(lambda app: flow_at(app, Copy, "result", values={"to": "team"}, outcome=outcome))
    assert snap_compare(app_on(family, tmp_path, theme), terminal_size=size, run_before=run)


def test_what_would_be_copied(snap_compare: Compare, family: SqlitePlace, tmp_path: Path) -> None:
    """The rows of each table, and what would be made."""
    run = shown(lambda app: flow_at(app, Copy, "plan", values={"to": "postgresql://u:p@db.example/agor"}, plan=PLAN))
    assert snap_compare(app_on(family, tmp_path, DARK), terminal_size=NARROW, run_before=run)


def test_a_form_after_a_refusal(snap_compare: Compare, family: SqlitePlace, tmp_path: Path) -> None:
    """What was typed stays, why it was refused stands below."""
    error = DatabaseError(
        "ada@db.example/agor is not empty: it has 48,213 rows.", "Say what becomes of the rows there."
    )
    run = shown(lambda app: flow_at(app, Copy, "form", values={"to": "team"}, error=error))
    assert snap_compare(app_on(family, tmp_path, DARK), terminal_size=NARROW, run_before=run)


@pytest.mark.parametrize(("size", "theme"), [(NARROW, DARK), (WIDE, LIGHT)], ids=["narrow-dark", "wide-light"])
def test_the_form_of_an_export(
    snap_compare: Compare, family: SqlitePlace, tmp_path: Path, size: Any, theme: Any
) -> None:
    """A file in the user's own folder; secrets are left out."""
    values = {"file": "~/laptop-20261121.jsonl"}
    run = shown(lambda app: flow_at(app, Export, "form", values=values))
    assert snap_compare(app_on(family, tmp_path, theme), terminal_size=size, run_before=run)


def test_stopped(snap_compare: Compare, family: SqlitePlace, tmp_path: Path) -> None:
    """What is there now, and how to go on."""
    error = Cancelled("The copy was stopped: ada@db.example/agor holds 263,500 rows of it, in whole batches.")
    run = shown(
        lambda app: flow_at(app, Copy, "result", seconds=13.2, told=half_way(), values={"to": "team"}, plan=PLAN,
                            error=error)
    )  # fmt: skip
    assert snap_compare(app_on(family, tmp_path, LIGHT), terminal_size=NARROW, run_before=run)


def test_what_is_restored(snap_compare: Compare, family: SqlitePlace, tmp_path: Path) -> None:
    """The database now, and then."""
    made = datetime(2026, 11, 14, 9, 30, tzinfo=UTC)
    planned = RestorePlan(HERE, Path("/home/ada/backups/laptop-20261114T093000Z.jsonl"), "jsonl", made, "0002",
                          Holdings(10_412, NOW), Holdings(9_870, made), secrets=False)  # fmt: skip
    plan = Plan(partial(restore_plan_lines, planned), "restores this backup", run_of_nothing)
    values = {"file": "/home/ada/backups/laptop-20261114T093000Z.jsonl"}
    run = shown(lambda app: flow_at(app, Restore, "plan", values=values, plan=plan))
    assert snap_compare(app_on(family, tmp_path, DARK), terminal_size=NARROW, run_before=run)


def test_what_a_check_finds(snap_compare: Compare, family: SqlitePlace, tmp_path: Path) -> None:
    """What is wrong comes first, with its rows."""
    items = (
        CheckItem("integrity", True, "SQLite finds the file whole"),
        CheckItem("references", False, "names worktrees that are not there", "sessions", "worktree_id", 214,
                  ("0199b73d-b52e-7ed1-b028-277d6ad08cef", "0199b8ff-2bbb-7000-8000-000000000002"), "UPDATE"),
        CheckItem("JSON", False, "is no JSON", "messages", "data", 1, ("日本語-[b]x[/b]",)),
        CheckItem("clock", True, "no time is far off"),
        CheckItem("drift", True, "the tables are as in the models"),
    )  # fmt: skip
    report = CheckReport("agor.db", "native", "agor-tui", items, 1.6)
    run = shown(
        lambda app: flow_at(app, Check, "result", seconds=1.6, outcome=Outcome(
            False, check_sentence(report), partial(check_lines, report), mend=Check(subject(app))))
    )  # fmt: skip
    assert snap_compare(app_on(family, tmp_path, DARK), terminal_size=NARROW, run_before=run)


def test_the_menu(snap_compare: Compare, family: SqlitePlace, tmp_path: Path) -> None:
    """All ways of looking after a database."""

    async def run(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, AgorApp)
        await settled(pilot)
        choose(app, subject(app))
        await until(pilot, lambda: isinstance(app.screen, ChooseModal))
        await pilot.pause()

    assert snap_compare(app_on(family, tmp_path, DARK), terminal_size=NARROW, run_before=run)

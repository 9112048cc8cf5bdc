"""The dialogs that several screens use: confirming, asking for a line, choosing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input

from agor_tui.tui import app
from agor_tui.tui.screens.choose import Choice, ChooseModal
from agor_tui.tui.screens.confirm import ConfirmModal
from agor_tui.tui.screens.prompt import PromptModal
from agor_tui.tui.themes import DARK
from agor_tui.tui.widgets.record_table import RecordTable

from .lists import until

SHEET = Path(app.__file__).with_name("app.tcss")
UNANSWERED = object()
CHOICES = (Choice("run", "running"), Choice("fail", "failed", "it ended badly"), Choice("jp", "日本語 [b]x[/b]"))


class Host(App[None]):
    """Shows one dialog and keeps its answer."""

    CSS_PATH = SHEET

    def __init__(self, dialog: ModalScreen[Any]) -> None:
        super().__init__()
        self.dialog = dialog
        self.answer: object = UNANSWERED
        self.register_theme(DARK)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DARK.variables

    def on_mount(self) -> None:
        self.push_screen(self.dialog, self._answered)

    def _answered(self, answer: object) -> None:
        self.answer = answer


@asynccontextmanager
async def showing(dialog: ModalScreen[Any]) -> AsyncIterator[tuple[Pilot[None], Host]]:
    host = Host(dialog)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        yield pilot, host


@pytest.mark.parametrize(("key", "answer"), [("enter", True), ("y", True), ("escape", False), ("n", False)])
async def test_a_question_is_answered_by_keys(key: str, answer: bool) -> None:
    async with showing(ConfirmModal("Delete it?", ["It is gone then."], action="delete")) as (pilot, host):
        await pilot.press(key)
        assert host.answer is answer


async def test_a_word_must_be_typed_before_enter_counts() -> None:
    async with showing(ConfirmModal("Undo 0002?", ["[red]3 rows[/red]"], action="undo", word="team")) as (pilot, host):
        await pilot.press("enter")
        await pilot.press("t", "e", "a", "enter")
        assert host.answer is UNANSWERED
        await pilot.press("m", "enter")
        assert host.answer is True


async def test_a_complaint_keeps_what_was_typed() -> None:
    def check(text: str) -> str | None:
        return None if text == "ok" else f"{text} is [b]not[/b] ok."

    async with showing(PromptModal("Name", value="日本", check=check)) as (pilot, host):
        await pilot.press("x", "enter")
        assert host.answer is UNANSWERED
        assert host.screen.query_one(Input).value == "日本x"
        assert "日本x is [b]not[/b] ok." in str(host.screen.query_one(".complaint").render())
        host.screen.query_one(Input).value = "  ok "
        await pilot.press("enter")
        assert host.answer == "ok"


async def test_leaving_a_prompt_answers_nothing() -> None:
    async with showing(PromptModal("Name", check=lambda text: None)) as (pilot, host):
        await pilot.press("a", "escape")
        assert host.answer is None


async def test_a_choice_begins_on_the_present_one_and_narrows() -> None:
    async with showing(ChooseModal("Status", CHOICES, current="fail")) as (pilot, host):
        table = host.screen.query_one(RecordTable)
        await until(pilot, lambda: table.current == CHOICES[1])
        await pilot.press("up", "down", "down")
        assert table.current == CHOICES[2]
        await pilot.press("b", "a", "d")
        await until(pilot, lambda: table.count.value == 1)
        await pilot.press("enter")
        assert host.answer == "fail"


async def test_a_choice_that_fits_nothing_takes_nothing() -> None:
    async with showing(ChooseModal("Status", CHOICES)) as (pilot, host):
        await pilot.press("z", "z", "enter")
        await until(pilot, lambda: host.screen.query_one(RecordTable).count.value == 0)
        await pilot.press("enter")
        assert host.answer is UNANSWERED
        await pilot.press("escape")
        assert host.answer is None


PICTURES: dict[str, ModalScreen[Any]] = {
    "confirm": ConfirmModal(
        "Undo revision 0002 of team?",
        ["Two tables are dropped, with 48,213 rows.", "日本語 A copy is made first: agor.db.before-0002"],
        action="undo it",
        word="team",
    ),
    "prompt": PromptModal("A new name for the board", value="Release — 日本語", check=lambda text: None),
    "choose": ChooseModal("Status of 3 sessions", CHOICES, current="run"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_of_the_dialogs(snap_compare: Any, name: str) -> None:
    assert snap_compare(Host(PICTURES[name]), terminal_size=(80, 24))

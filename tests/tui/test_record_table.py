"""The table: draws exactly its width, moves, loads what is seen and a little ahead, and never shows stale answers."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from agor_tui.errors import DatabaseError
from agor_tui.records import Count
from agor_tui.tui.themes import DARK
from agor_tui.tui.widgets.notice import Notice
from agor_tui.tui.widgets.record_table import RecordTable
from agor_tui.tui.widgets.table_columns import Column, arrange
from agor_tui.tui.widgets.table_pages import ListSource, PageCache

from .lists import Item, Items, until

COLUMNS: tuple[Column[Item], ...] = (
    Column("number", "NO", lambda item: ((str(item.number), "muted"),), 3, 9, gives_way=2, right=True, fits=True),
    Column("name", "NAME", lambda item: ((item.name, "text"),), 10, 30, sort="name"),
    Column("sort", "LENGTH", lambda item: ((str(len(item.name)), "faint"),), 6, 8, gives_way=1, sort="length"),
)


class TableApp(App[None]):
    """A table and nothing else; keeps what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.table: RecordTable[Item] = RecordTable(COLUMNS, lambda item: item.key)
        self.selected: list[Item] = []
        self.highlighted: list[Item | None] = []
        self.sorts: list[str] = []
        self.register_theme(DARK)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DARK.variables

    def compose(self) -> ComposeResult:
        yield self.table

    def on_record_table_selected(self, event: RecordTable.Selected[Item]) -> None:
        self.selected.append(event.record)

    def on_record_table_highlighted(self, event: RecordTable.Highlighted[Item]) -> None:
        self.highlighted.append(event.record)

    def on_record_table_header_selected(self, event: RecordTable.HeaderSelected) -> None:
        self.sorts.append(event.sort)

    def line(self, y: int) -> str:
        """What a line of the table shows."""
        return "".join(segment.text for segment in self.table.render_line(y))


@asynccontextmanager
async def shown(items: Items | None = None, size: tuple[int, int] = (40, 11)) -> AsyncIterator[Pilot[None]]:
    """The app with ten rows in sight, the first page there."""
    app = TableApp()
    async with app.run_test(size=size) as pilot:
        if items is not None:
            app.table.show(items)
            if items.gate.is_set():
                await until(pilot, lambda: app.table.row(0) is not None or app.table.notice is not None)
        yield pilot


def app_of(pilot: Pilot[None]) -> TableApp:
    assert isinstance(pilot.app, TableApp)
    return pilot.app


async def test_a_list_shows_its_header_and_rows() -> None:
    async with shown(Items(3)) as pilot:
        app = app_of(pilot)
        assert app.line(0).split() == ["NO", "NAME", "LENGTH"]
        assert [app.line(y).split() for y in (1, 2, 3)] == [
            ["▌", "0", "item", "0", "6"],
            ["1", "item", "1", "6"],
            ["2", "item", "2", "6"],
        ]
        assert app.line(4).strip() == ""
        assert app.table.count == Count(3)


async def test_the_cursor_moves_and_says_where_it_is() -> None:
    async with shown(Items(50)) as pilot:
        app = app_of(pilot)
        await pilot.press("down", "j", "k", "down")
        assert app.table.cursor == 2
        await pilot.press("up", "up", "up", "up")
        assert app.table.cursor == 0
        await pilot.press("pagedown")
        assert (app.table.cursor, app.table.scroll_offset.y) == (10, 10)
        await pilot.press("pagedown", "pageup")
        assert (app.table.cursor, app.table.scroll_offset.y) == (10, 10)
        await pilot.press("end")
        await until(pilot, lambda: app.table.current == Item(49, "item 49"))
        assert app.line(10).startswith("▌")
        await pilot.press("home")
        assert (app.table.cursor, app.table.scroll_offset.y) == (0, 0)
        await pilot.press("enter")
        await pilot.pause()
        assert app.selected == [Item(0, "item 0")]
        assert [item.number for item in app.highlighted if item][:4] == [0, 1, 2, 1]


async def test_the_mouse_moves_opens_and_sorts() -> None:
    async with shown(Items(50)) as pilot:
        app = app_of(pilot)
        await pilot.click(RecordTable, offset=(8, 4))
        assert app.table.cursor == 3
        assert app.selected == []
        await pilot.click(RecordTable, offset=(8, 6), times=2)
        assert [item.number for item in app.selected] == [5]
        await pilot.click(RecordTable, offset=(8, 0))
        assert app.sorts == ["name"]
        await pilot.hover(RecordTable, offset=(8, 2))
        assert app.table.hover == 1
        app.table.scroll_down(animate=False)
        app.table.scroll_down(animate=False)
        await pilot.pause()
        assert app.table.scroll_offset.y == 2
        assert app.table.cursor == 5


async def test_pages_ahead_are_asked_for_and_no_more() -> None:
    items = Items(1_000_000)
    async with shown(items) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: 2 in items.asked)
        await until(pilot, lambda: app.table.count == Count(1_000_000))
        assert sorted(items.asked) == [0, 1, 2]
        items.asked.clear()
        await pilot.press("end")
        await until(pilot, lambda: app.table.current is not None)
        assert app.table.current == Item(999_999, "item 999999")
        assert min(items.asked) >= 49_996
        await pilot.press("home")
        assert app.line(1).split() == ["▌", "0", "item", "0", "6"]


async def test_rows_on_their_way_have_a_place_and_come_into_it() -> None:
    items = Items(500)
    async with shown(items) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: app.table.count.exact and 2 in items.asked)
        items.gate.clear()
        app.table.action_last()
        await pilot.pause()
        assert app.table.current is None
        assert app.line(10).split() == ["▌", "·", "·", "·"]
        items.gate.set()
        await until(pilot, lambda: app.table.current is not None)
        assert app.line(10).startswith("▌499  item 499")


async def test_the_count_comes_later_and_nothing_jumps() -> None:
    items = Items(5_000, cap=1_000)
    items.count_gate.clear()
    async with shown(items) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: app.table.count.value == 1_000)
        assert not app.table.count.exact
        await pilot.press("pagedown")
        before = (app.table.cursor, app.table.scroll_offset.y, app.line(5))
        items.count_gate.set()
        await until(pilot, lambda: app.table.count.exact)
        assert app.table.count.value == 5_000
        assert (app.table.cursor, app.table.scroll_offset.y, app.line(5)) == before


async def test_the_end_waits_for_the_count() -> None:
    items = Items(5_000, cap=1_000)
    items.count_gate.clear()
    async with shown(items) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: app.table.count.value == 1_000)
        await pilot.press("end")
        assert app.table.cursor == 999
        items.count_gate.set()
        await until(pilot, lambda: app.table.current == Item(4_999, "item 4999"))


async def test_without_a_count_reading_finds_the_end() -> None:
    items = Items(50)
    items.count_gate.clear()
    async with shown(items) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: app.table.count == Count(50))
        items.count_gate.set()


async def test_answers_of_an_older_source_are_dropped() -> None:
    slow = Items(30, prefix="slow")
    slow.gate.clear()
    async with shown(slow) as pilot:
        app = app_of(pilot)
        assert app.table.busy
        app.table.show(Items(3, prefix="fast"))
        await until(pilot, lambda: app.table.row(0) == Item(0, "fast 0"))
        slow.gate.set()
        await pilot.pause(0.05)
        assert app.table.row(0) == Item(0, "fast 0")
        assert app.table.count == Count(3)


async def test_old_rows_stay_until_the_new_are_there() -> None:
    async with shown(Items(5, prefix="old")) as pilot:
        app = app_of(pilot)
        new = Items(5, prefix="new")
        new.gate.clear()
        app.table.show(new)
        await pilot.pause(0.02)
        assert app.table.row(0) == Item(0, "old 0")
        app.table.leave()
        new.gate.set()
        await pilot.pause(0.02)
        assert app.table.row(0) == Item(0, "old 0")
        assert not app.table.busy


async def test_the_cursor_stays_on_its_record() -> None:
    async with shown(Items(50)) as pilot:
        app = app_of(pilot)
        app.table.cursor = 12
        moved = ListSource([Item(99, "new"), *(Item(n, f"item {n}") for n in range(50))])
        app.table.show(moved, index=12, key="12")
        await until(pilot, lambda: app.table.row(0) == Item(99, "new"))
        assert app.table.cursor == 13
        app.table.show(ListSource([Item(1, "only")]), index=300)
        await until(pilot, lambda: app.table.count == Count(1))
        assert app.table.current == Item(1, "only")


async def test_an_error_stands_in_place_of_the_rows() -> None:
    items = Items(50, failing={0: DatabaseError("The server at db:5432 has gone.", "Press R.")})
    async with shown(items, (60, 20)) as pilot:
        app = app_of(pilot)
        text = "\n".join(app.line(y) for y in range(20))
        assert "Database problem" in text
        assert "The server at db:5432 has gone." in text
        assert "Press R." in text
        app.table.show(Items(2))
        await until(pilot, lambda: app.table.count == Count(2))
        assert app.table.notice is None


async def test_an_error_further_on_leaves_the_other_rows() -> None:
    items = Items(200, failing={5: DatabaseError("The server has gone.")})
    async with shown(items) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: app.table.count.exact)
        app.table.cursor = 105
        await until(pilot, lambda: "The server has gone." in app.line(10))
        await pilot.press("home")
        assert app.table.current == Item(0, "item 0")


async def test_a_fault_in_a_source_is_said_in_one_sentence() -> None:
    class Broken(Items):
        def page(self, number: int) -> list[Item]:
            raise RuntimeError("secret internals")

    async with shown(Broken(3), (60, 20)) as pilot:
        app = app_of(pilot)
        text = "\n".join(app.line(y) for y in range(20))
        assert "RuntimeError" in text
        assert "secret internals" not in text


async def test_an_empty_list_says_so() -> None:
    async with shown() as pilot:
        app = app_of(pilot)
        app.table.empty = Notice("No session matches", "Nothing fits.", "esc clears")
        app.table.show(Items(0))
        await until(pilot, lambda: app.table.notice is not None)
        assert any("No session matches" in app.line(y) for y in range(11))
        assert app.table.count == Count(0)
        await pilot.press("down", "end", "enter", "pagedown", "home")
        assert app.selected == []


@pytest.mark.parametrize("width", [1, 2, 5, 12, 20, 31, 40, 80, 200])
async def test_every_line_is_exactly_as_wide_as_the_table(width: int) -> None:
    names = ["plain", "日本語のタイトルがとても長い場合", "e\u0301clair", "👩‍👩‍👧‍👦 family", "a" * 300, "[b]no[/b]", ""]
    async with shown(size=(width, 11)) as pilot:
        app = app_of(pilot)
        app.table.show(ListSource([Item(n, name) for n, name in enumerate(names)]))
        await until(pilot, lambda: app.table.count == Count(len(names)))
        room = app.table.scrollable_content_region.width
        for y in range(11):
            assert app.table.render_line(y).cell_length == room
            assert cell_len(app.line(y)) == room


async def test_a_sign_that_terminals_measure_differently_is_drawn_without_its_selector() -> None:
    async with shown() as pilot:
        app = app_of(pilot)
        app.table.show(ListSource([Item(0, "map \U0001f5fa\ufe0f of it")]))
        await until(pilot, lambda: app.table.count == Count(1))
        assert "map \U0001f5fa of it" in app.line(1)


async def test_markup_is_shown_as_it_is() -> None:
    async with shown() as pilot:
        app = app_of(pilot)
        app.table.show(ListSource([Item(0, "[red]a[/red]")]))
        await until(pilot, lambda: app.table.count == Count(1))
        assert "[red]a[/red]" in app.line(1)


async def test_it_can_be_resized_at_any_time() -> None:
    async with shown(Items(500), (80, 30)) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: app.table.count.exact)
        app.table.cursor = 28
        for size in ((20, 5), (1, 1), (200, 60), (40, 3), (40, 11)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            height = max(1, size[1] - 1)
            await until(pilot, lambda height=height: 0 <= app.table.cursor - app.table.scroll_offset.y < height)  # type: ignore[misc]


def test_columns_give_way_in_their_order() -> None:
    def keys(width: int) -> list[str]:
        return [place.column.key for place in arrange(COLUMNS, width, {"number": 4})]

    assert keys(60) == ["number", "name", "sort"]
    assert keys(24) == ["number", "name", "sort"]
    assert keys(20) == ["name", "sort"]
    assert keys(12) == ["name"]
    assert keys(3) == ["name"]
    widths = {place.column.key: place.width for place in arrange(COLUMNS, 100, {"number": 4})}
    assert widths == {"number": 4, "name": 83, "sort": 8}


def test_a_cache_gives_up_what_was_not_used_for_longest() -> None:
    cache: PageCache[int] = PageCache(2)
    cache.put(0, [0, 1])
    for number in range(1, 60):
        cache.put(number, [number, number])
        assert cache.row(0) == 0
    assert cache.row(2) is None
    assert cache.row(118) == 59
    assert cache.known == 120
    cache.put(60, [])
    assert cache.known == 120


def test_pages_are_fetched_by_one_thread_at_a_time() -> None:
    threads = set()

    class Watching(Items):
        def page(self, number: int) -> list[Item]:
            threads.add(threading.get_ident())
            return list(super().page(number))

    items = Watching(2_000)

    async def run() -> None:
        async with shown(items) as pilot:
            app = app_of(pilot)
            for _ in range(30):
                await pilot.press("pagedown")
            await until(pilot, lambda: app.table.current is not None)
            assert len(items.asked) == len(set(items.asked))

    import asyncio

    asyncio.run(run())

"""The board's columns and cards on every dialect: which cards, in which order, how many, and moving them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agor_tui.config.places import Place
from agor_tui.db.types import dump_json
from agor_tui.errors import EditConflictError, NotFoundError, ReadOnlyError, UsageError
from agor_tui.records import BoardMode, BoardPage, Card, CardColumn, Count, Session, Task
from agor_tui.repositories import cards
from agor_tui.repositories.bulk import insert_tables
from agor_tui.repositories.cards import CAP, CardRepository, zones_of
from agor_tui.repositories.store import open_store
from agor_tui.services.board import CARDS, BoardService, column_of, move_complaint, settable
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database

from .test_plans import filled as filled
from .test_plans import scans
from .test_repositories import NOON, World

ZONES = {
    "zone-b": {"type": "zone", "label": "Review 🔍", "x": 640, "y": 0},
    "zone-a": {"type": "zone", "label": "Ideas", "x": 0, "y": 0},
    "text-1": {"type": "text", "x": 0, "y": 0, "content": "Parking lot"},
}


@pytest.fixture
def world(native: Browser) -> World:
    return World(native)


def service_of(world: World) -> BoardService:
    return BoardService(world.browser)


def page_of(world: World, mode: BoardMode = "sessions", board_id: str | None = None) -> BoardPage:
    return service_of(world).page(mode, board_id, {})


def column(page: BoardPage, key: str) -> CardColumn:
    return next(each for each in page.columns if each.key == key)


def titles(page: BoardPage) -> dict[str, list[str]]:
    return {each.key: [card.record.title for card in each.cards] for each in page.columns if each.cards}


def zoned(world: World) -> str:
    """The world's board with two zones."""
    world.boards.update(world.board.id, {"data": {"objects": ZONES}})
    return world.board.id


def place(world: World, worktree_id: str, zone: str | None, number: int = 1) -> None:
    """Put a worktree on the world's board."""
    data = {"position": {"x": 1, "y": 2.5}} | ({} if zone is None else {"zone_id": zone})
    row = {"object_id": f"0199a000-aaa{number}-7000-8000-000000000000", "board_id": world.board.id}
    row |= {"worktree_id": worktree_id, "created_at": NOON, "data": dump_json(data)}
    insert_tables(world.browser.store.database, {"board_objects": [row]})


def test_sessions_stand_in_the_columns_of_their_statuses_newest_first(world: World) -> None:
    for number, status in enumerate(("idle", "timed_out", "failed", "stopping", "failed", "idle")):
        world.session(number, status=status)
    world.session(9, status="idle", archived=True)
    page = page_of(world)
    assert [each.key for each in page.columns] == [
        "idle", "running", "awaiting_permission", "awaiting_input", "completed", "failed", "stopped",
    ]  # fmt: skip
    assert titles(page) == {
        "idle": ["Session 5", "Session 0"],
        "running": ["Session 3"],
        "failed": ["Session 4", "Session 2", "Session 1"],
    }
    assert [each.count.value for each in page.columns] == [2, 1, 0, 0, 0, 3, 0]
    assert page.board is None


def test_tasks_stand_in_columns_as_well(world: World) -> None:
    session = world.session()
    hidden = world.session(archived=True)
    for number, status in enumerate(("created", "queued", "completed", "dispatching")):
        time = NOON + timedelta(minutes=number)
        world.tasks.create(session_id=session.id, title=f"Task {number}", status=status, created_at=time)
    world.tasks.create(session_id=hidden.id, title="Hidden", status="completed")
    assert titles(page_of(world, "tasks")) == {
        "created": ["Task 1", "Task 0"],
        "running": ["Task 3"],
        "completed": ["Task 2"],
    }
    assert titles(page_of(world, "tasks", world.board.id)) == titles(page_of(world, "tasks"))
    assert titles(page_of(world, "tasks", world.boards.create(name="Empty").id)) == {}


@pytest.mark.parametrize("rare", [0, 10_000])
def test_a_board_has_the_sessions_of_its_worktrees_and_its_own(
    world: World, rare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "RARE", rare)
    other = world.boards.create(name="Spikes")
    elsewhere = world.worktrees.create(name="spike", branch="spike", repo_id=world.repo.id, board_id=other.id)
    world.session(1)
    world.session(2, worktree_id=elsewhere.id)
    world.session(3, worktree_id=elsewhere.id, board_id=world.board.id)
    world.session(4, board_id=other.id, status="failed")
    assert titles(page_of(world, board_id=world.board.id)) == {"idle": ["Session 3", "Session 1"]}
    page = page_of(world, board_id=other.id)
    assert titles(page) == {"idle": ["Session 2"], "failed": ["Session 4"]}
    assert page.board is not None
    assert page.board.name == "Spikes"


@pytest.mark.parametrize("on_board", [False, True])
def test_a_long_column_is_read_in_parts(world: World, on_board: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "RARE", 0)
    board_id = world.board.id if on_board else None
    second = world.worktrees.create(name="second", branch="b", repo_id=world.repo.id, board_id=world.board.id)
    for number in range(60):
        # Several share a time: the id decides.
        world.session(number // 3, title=f"S{number}", worktree_id=(world.worktree, second)[number % 2].id)
    service = service_of(world)
    first = column(service.page("sessions", board_id, {}), "idle")
    assert (len(first.cards), first.count) == (CARDS, Count(60))
    found, after = list(first.cards), first.next
    while after is not None:
        more = service.more("sessions", board_id, "idle", after)
        found += more.cards
        after = more.next
    times = [(card.record.created_at, card.id) for card in found]
    assert len({card.id for card in found}) == 60
    assert times == sorted(times, reverse=True)
    again = column(service.page("sessions", board_id, {"idle": 50}), "idle")
    assert again.cards == tuple(found[:50])


def test_counts_are_capped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CAP == 999
    monkeypatch.setattr(cards, "CAP", 30)
    for number in range(31):
        world.session(number)
    assert column(page_of(world), "idle").count == Count(30, exact=False)
    assert column(page_of(world, board_id=world.board.id), "idle").count == Count(30, exact=False)


def test_zones_are_columns_from_left_to_right(world: World) -> None:
    board_id = zoned(world)
    placed = world.worktrees.create(name="placed", branch="p", repo_id=world.repo.id, board_id=board_id)
    lost = world.worktrees.create(name="lost", branch="l", repo_id=world.repo.id, board_id=board_id)
    elsewhere = world.worktrees.create(name="elsewhere", branch="e", repo_id=world.repo.id)
    place(world, placed.id, "zone-b", 1)
    place(world, lost.id, "zone-gone", 2)
    world.session(1)
    world.session(2, worktree_id=placed.id)
    world.session(3, worktree_id=lost.id)
    world.session(4, worktree_id=elsewhere.id, board_id=board_id)
    world.session(5, worktree_id=elsewhere.id)
    page = page_of(world, "zones", board_id)
    assert [(each.key, each.title) for each in page.columns] == [
        ("", ""),
        ("zone-a", "Ideas"),
        ("zone-b", "Review 🔍"),
    ]
    assert titles(page) == {"": ["Session 4", "Session 3", "Session 1"], "zone-b": ["Session 2"]}
    places = {card.record.title: card.placement for each in page.columns for card in each.cards}
    assert places["Session 4"] is None
    found = places["Session 2"]
    assert found is not None
    assert (found.worktree, found.zone_id) == ("placed", "zone-b")
    assert service_of(world).modes(board_id) == ("sessions", "tasks", "zones")
    assert service_of(world).modes(None) == ("sessions", "tasks")
    with pytest.raises(UsageError):
        page_of(world, "zones")


def test_a_card_is_moved_to_another_status_and_back(world: World) -> None:
    world.session(1, status="running")
    service = service_of(world)
    page = page_of(world)
    card = column(page, "running").cards[0]
    undo = service.move("sessions", card, column(page, "completed"))
    assert titles(page_of(world)) == {"completed": ["Session 1"]}
    with pytest.raises(EditConflictError):
        service.move("sessions", card, column(page, "failed"))
    service.move("sessions", service.card("sessions", card), column(page, "failed"))
    with pytest.raises(EditConflictError):
        undo.run()
    assert titles(page_of(world)) == {"failed": ["Session 1"]}
    with pytest.raises(UsageError, match="Only the agent itself sets “running”"):
        service.move("sessions", card, column(page, "running"))


def test_a_task_is_moved(world: World) -> None:
    task = world.tasks.create(session_id=world.session().id, title="Do", status="running")
    service, page = service_of(world), page_of(world, "tasks")
    undo = service.move("tasks", column(page, "running").cards[0], column(page, "stopped"))
    assert titles(page_of(world, "tasks")) == {"stopped": ["Do"]}
    undo.run()
    assert column(page_of(world, "tasks"), "running").cards == (Card(task),)
    assert service.card("tasks", Card(task)).record == task


def test_a_worktree_is_moved_between_zones_with_its_sessions(world: World) -> None:
    board_id = zoned(world)
    place(world, world.worktree.id, "zone-a")
    world.session(1)
    world.session(2)
    service, page = service_of(world), page_of(world, "zones", board_id)
    card = column(page, "zone-a").cards[0]
    undo = service.move("zones", card, column(page, "zone-b"))
    assert undo.sentence == "Moved the worktree “main” to “Review 🔍”."
    assert titles(page_of(world, "zones", board_id)) == {"zone-b": ["Session 2", "Session 1"]}
    with pytest.raises(EditConflictError) as conflict:
        service.move("zones", card, column(page, ""))
    assert conflict.value.differences == (("zone", "Ideas", "Review 🔍"),)
    now = service.card("zones", card)
    assert now.placement is not None
    assert now.placement.zone_id == "zone-b"
    undo.run()
    assert page_of(world, "zones", board_id) == page
    service.move("zones", card, column(page, ""))
    assert titles(page_of(world, "zones", board_id)) == {"": ["Session 2", "Session 1"]}
    row = world.browser.store.database.read(
        lambda connection: connection.exec_driver_sql("SELECT data FROM board_objects").scalar()
    )
    assert json.loads(str(row)) == {"position": {"x": 1, "y": 2.5}}


def test_a_worktree_without_a_place_gets_one_and_loses_it_again(world: World) -> None:
    board_id = zoned(world)
    world.session(1)
    service, page = service_of(world), page_of(world, "zones", board_id)
    card = column(page, "").cards[0]
    undo = service.move("zones", card, column(page, "zone-a"))
    assert titles(page_of(world, "zones", board_id)) == {"zone-a": ["Session 1"]}
    with pytest.raises(EditConflictError):
        service.move("zones", card, column(page, "zone-b"))
    undo.run()
    assert page_of(world, "zones", board_id) == page
    with pytest.raises(NotFoundError, match="does not stand on this board any more"):
        undo.run()


def test_what_is_gone_meanwhile_is_said_to_be(world: World) -> None:
    board_id = zoned(world)
    place(world, world.worktree.id, "zone-a")
    world.session(1)
    service, page = service_of(world), page_of(world, "zones", board_id)
    card, other = column(page, "zone-a").cards[0], column(page, "zone-b")
    world.boards.update(board_id, {"data": {"objects": {"zone-b": None}}})
    with pytest.raises(NotFoundError, match="zone of the board does not exist"):
        service.move("zones", card, other)
    world.boards.delete(board_id)
    for ask in (
        lambda: service.page("sessions", board_id, {}),
        lambda: service.page("zones", board_id, {}),
        lambda: service.board(board_id),
        lambda: service.move("zones", card, other),
        lambda: service.card("zones", card),
    ):
        with pytest.raises(NotFoundError):
            ask()


def test_a_session_on_the_board_by_itself_is_in_no_zone(world: World) -> None:
    board_id = zoned(world)
    elsewhere = world.worktrees.create(name="elsewhere", branch="e", repo_id=world.repo.id)
    world.session(1, worktree_id=elsewhere.id, board_id=board_id)
    page = page_of(world, "zones", board_id)
    card = column(page, "").cards[0]
    assert "by itself" in (move_complaint("zones", card, column(page, "zone-a")) or "")
    with pytest.raises(UsageError):
        service_of(world).move("zones", card, column(page, "zone-a"))


def test_only_sensible_columns_take_cards(world: World) -> None:
    assert [each.key for each in page_of(world).columns if settable("sessions", each.key)] == [
        "idle", "completed", "failed", "stopped",
    ]  # fmt: skip
    assert [each.key for each in page_of(world, "tasks").columns if settable("tasks", each.key)] == [
        "created", "completed", "failed", "stopped",
    ]  # fmt: skip
    session = world.session(status="awaiting_input")
    assert column_of("sessions", Card(session)) == "awaiting_input"


def test_a_database_open_for_reading_moves_nothing(world: World, place: Place) -> None:
    world.session(1)
    page = page_of(world)
    with Browser(*open_store(place, read_only=True)) as browser, pytest.raises(ReadOnlyError):
        BoardService(browser).move("sessions", column(page, "idle").cards[0], column(page, "failed"))


def test_broken_boards_have_no_zones(world: World) -> None:
    for data in ('{"objects": [1]}', '{"objects": {"": {"type": "zone"}, "z": 1}}', "[]", "not JSON", None):
        assert zones_of(data) == {}
    assert zones_of(json.dumps({"objects": ZONES})).keys() == {"zone-a", "zone-b"}
    board = world.boards.create(name="Odd", data={"objects": {"z1": {"type": "zone", "x": "left"}}})
    page = page_of(world, "zones", board.id)
    assert [each.title for each in page.columns] == ["", "z1"]


def test_columns_are_walks_of_an_index(filled: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "CAP", 50)  # to count a sixth of so small a table, a planner rather reads all of it
    repository = CardRepository(filled.store)
    editor = filled.editor
    assert editor is not None
    board_id = editor.create_board("Big").id
    worktrees = filled.worktrees()[1:4]
    filled.store.database.write(
        lambda connection: connection.exec_driver_sql(
            f"UPDATE worktrees SET board_id = '{board_id}' WHERE name IN ('w1', 'w2', 'w3')"
        )
    )
    assert len(worktrees) == 3
    first = repository.page("sessions", None, {}, CARDS)
    assert not scans(filled, lambda: repository.page("sessions", None, {}, CARDS))
    assert not scans(filled, lambda: repository.page("tasks", None, {}, CARDS))
    assert not scans(filled, lambda: repository.page("zones", board_id, {}, CARDS))
    after = column(first, "idle").next
    assert after is not None
    assert not scans(filled, lambda: repository.more("sessions", None, "idle", after, CARDS))
    monkeypatch.setattr(cards, "RARE", 100)  # two statuses have more, the others none
    assert not scans(filled, lambda: repository.page("sessions", board_id, {}, CARDS))
    monkeypatch.setattr(cards, "CAP", 10)  # only a seventh of the tasks is of this board
    assert not scans(filled, lambda: repository.page("tasks", board_id, {}, CARDS))


@pytest.mark.parametrize(
    ("store", "board", "zone"), [("agor", "Checkout", "In progress"), ("agor-2026", "Ingest", "Review")]
)
def test_boards_of_other_programs_have_their_zones(fixtures_dir: Path, store: str, board: str, zone: str) -> None:
    with open_database(str(fixtures_dir / store / "agor.db"), environ={}) as browser:
        service = BoardService(browser)
        found = next(each for each in service.boards() if each.name.startswith(board))
        page = service.page("zones", found.id, {})
        assert page.columns[1].title.startswith(zone)
        everything = service.page("sessions", found.id, {})
        total = sum(each.count.value for each in everything.columns)
        assert total == sum(each.count.value for each in page.columns)
        assert total == next(each for each in browser.boards() if each.id == found.id).session_count > 0


def test_a_store_without_boards_has_its_sessions_all_the_same(fixtures_dir: Path) -> None:
    with open_database(str(fixtures_dir / "opencode" / "opencode.db"), environ={}) as browser:
        service = BoardService(browser)
        assert service.boards() == ()
        page = service.page("sessions", None, {})
        records = [card.record for each in page.columns for card in each.cards]
        assert records
        assert all(isinstance(record, Session) for record in records)
        tasks = [card.record for each in service.page("tasks", None, {}).columns for card in each.cards]
        assert all(isinstance(record, Task) for record in tasks)
        assert replace(page, columns=()).board is None

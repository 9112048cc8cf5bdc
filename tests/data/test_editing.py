"""Editing on every dialect: what is written, what a second editor is told, and what can be taken back."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from agor_tui.config.places import Place, PostgresPlace
from agor_tui.db import tables
from agor_tui.db.exact_json import load_exact
from agor_tui.errors import (
    AgorError,
    DatabaseError,
    EditConflictError,
    ForeignDatabaseError,
    NotFoundError,
    SchemaVersionError,
    UsageError,
)
from agor_tui.records import Board, BoardWeight, Session, SessionWeight
from agor_tui.repositories.edits import BoardChanges
from agor_tui.repositories.places import BoardRepository
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser
from agor_tui.services.editing import LONGEST_NAME, Editor, name_complaint
from agor_tui.statuses import status_word

from .test_repositories import NOON, World

pytestmark = pytest.mark.libsql


@pytest.fixture
def world(native: Browser) -> World:
    return World(native)


def editor_of(world: World) -> Editor:
    editor = world.browser.editor
    assert editor is not None
    return editor


def board_of(world: World) -> Board:
    return world.boards.get(world.board.id)


def test_a_session_is_renamed_and_named_back(world: World) -> None:
    made = world.session(title="Old — 日本語")
    undo = editor_of(world).rename_session(made, "  New name ")
    now = world.sessions.get(made.id)
    assert (now.title, undo.id) == ("New name", made.id)
    assert undo.sentence == "Renamed “Old — 日本語” to “New name”."
    assert now.updated_at is not None
    assert made.updated_at is not None
    assert now.updated_at > made.updated_at
    undo.run()
    assert world.sessions.get(made.id) == made


def test_tables_that_became_another_program_s_meanwhile_are_not_changed(world: World) -> None:
    made, database = world.session(title="Old"), world.browser.store.database
    for statement, refusal in (
        ("UPDATE agor_tui_version SET version_num = '0001'", SchemaVersionError),
        ("ALTER TABLE agor_tui_version RENAME TO theirs", ForeignDatabaseError),
    ):
        database.write(lambda connection, statement=statement: connection.exec_driver_sql(statement))  # type: ignore[misc]
        with pytest.raises(refusal):
            editor_of(world).rename_session(made, "New")
    assert world.sessions.get(made.id) == made


def test_a_title_that_was_only_a_description_goes_away_again(world: World) -> None:
    made = world.session(title=None, description="why")
    undo = editor_of(world).rename_session(made, "because")
    assert world.browser.session_detail(made.id).raw["title"] == "because"
    undo.run()
    assert "title" not in world.browser.session_detail(made.id).raw
    assert world.sessions.get(made.id).title == "why"


@pytest.mark.parametrize("text", ["", "\\ud83e"])
def test_what_else_its_data_hold_stays_to_the_last_digit(world: World, text: str) -> None:
    made = world.session(title="Old")
    kept = f'"big":12345678901234567890123,"fine":[0.1000000000000000055511],"money":1.00,"text":"{text}","no":null'
    rewrite = update(tables.sessions).where(tables.sessions.c.session_id == made.id)
    database = world.browser.store.database
    database.write(lambda connection: connection.execute(rewrite.values(data=f'{{"title":"Old",{kept}}}')))
    undo = editor_of(world).rename_session(world.sessions.get(made.id), "New")
    for expected, after in (("New", undo.run), ("Old", None)):
        stored = database.read(lambda connection: connection.execute(select(tables.sessions.c.data)).scalar_one())
        assert load_exact(stored) == load_exact(f'{{"title":"{expected}",{kept}}}')
        if after:
            after()


def test_a_key_that_its_data_has_twice_stays_or_is_refused(world: World, place: Place) -> None:
    """PostgreSQL stores one of them in the first place."""
    made = world.session(title="Old")
    data = '{"x":1,"x":{"y":[],"y":"\\u0041"},"title":"Old","x":2}'
    rewrite = update(tables.sessions).where(tables.sessions.c.session_id == made.id)
    read = select(tables.sessions.c.data)
    database = world.browser.store.database
    database.write(lambda connection: connection.execute(rewrite.values(data=data)))
    editor_of(world).rename_session(world.sessions.get(made.id), "New")
    stored = database.read(lambda connection: connection.execute(read).scalar_one())
    if isinstance(place, PostgresPlace):
        assert load_exact(stored) == load_exact('{"x":2,"title":"New"}')
        return
    assert stored == '{"x":1,"x":{"y":[],"y":"A"},"title":"New","x":2}'
    twice = '{"title":"One","title":"Two"}'
    database.write(lambda connection: connection.execute(rewrite.values(data=twice)))
    with pytest.raises(DatabaseError, match="has “title” more than once"):
        editor_of(world).rename_session(world.sessions.get(made.id), "New")
    assert database.read(lambda connection: connection.execute(read).scalar_one()) == twice


def test_the_second_of_two_editors_is_told_what_changed(world: World, place: Place) -> None:
    seen = world.session(title="Draft")
    with Browser(*open_store(place)) as other:
        assert other.editor is not None
        other.editor.rename_session(other.session(seen.id), "Theirs")
    with pytest.raises(EditConflictError) as conflict:
        editor_of(world).rename_session(seen, "Mine")
    assert conflict.value.differences == (("title", "Draft", "Theirs"),)
    assert conflict.value.message == "Someone changed the session “Draft” meanwhile: its title is now “Theirs”."
    now = world.sessions.get(seen.id)
    assert now.title == "Theirs"
    assert editor_of(world).rename_session(now, "Mine after all").id == seen.id
    assert world.sessions.get(seen.id).title == "Mine after all"


def test_of_two_who_give_boards_one_name_at_once_one_is_told(
    world: World, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def rename() -> None:
        with Browser(*open_store(place)) as other:
            assert other.editor is not None
            try:
                other.editor.edit_board(board_of(world), "TWICE", None)
            except UsageError as error:
                told.append(error.message)

    renaming = threading.Thread(target=rename)
    first = BoardChanges(BoardRepository(world.browser.store))
    insert = first.writer.insert

    def insert_slowly(connection: Connection, values: Mapping[str, Any]) -> str:
        made = insert(connection, values)
        renaming.start()
        renaming.join(0.5)  # nothing is committed yet
        return made

    monkeypatch.setattr(first.writer, "insert", insert_slowly)
    first.create({"name": "Twice"})
    renaming.join(10)
    assert told == ["There is already a board named “TWICE”."]


def test_only_the_fields_concerned_conflict(world: World) -> None:
    seen = world.session(title="Draft", status="running")
    world.sessions.update(seen.id, {"status": "failed"})
    world.tasks.create(session_id=seen.id, prompt="more")
    editor_of(world).rename_session(seen, "Final")
    now = world.sessions.get(seen.id)
    assert (now.title, now.status, now.task_count) == ("Final", "failed", 1)
    with pytest.raises(EditConflictError) as conflict:
        editor_of(world).set_session_status(seen, "completed")
    assert conflict.value.differences == (("status", "running", "failed"),)
    assert world.sessions.get(seen.id).status == "failed"


def test_of_two_at_the_same_time_one_wins_and_one_is_told(world: World) -> None:
    seen = world.session(title="Draft")
    editor, start = editor_of(world), threading.Barrier(4)
    outcomes: list[str] = []

    def rename(title: str) -> None:
        start.wait()
        try:
            editor.rename_session(seen, title)
        except EditConflictError as error:
            outcomes.append(f"told of {error.differences[0][2]}")
        else:
            outcomes.append(f"wrote {title}")

    threads = [threading.Thread(target=rename, args=(f"Title {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    title = world.sessions.get(seen.id).title
    assert sorted(outcomes) == [f"told of {title}"] * 3 + [f"wrote {title}"]


def test_an_undo_takes_back_nothing_that_was_changed_again(world: World) -> None:
    seen = world.session(status="running")
    editor = editor_of(world)
    undo = editor.set_session_status(seen, "stopped")
    editor.set_session_status(world.sessions.get(seen.id), "completed")
    with pytest.raises(EditConflictError) as conflict:
        undo.run()
    assert conflict.value.differences == (("status", "stopped", "completed"),)
    assert world.sessions.get(seen.id).status == "completed"


def test_an_undo_brings_back_the_stores_own_word(world: World) -> None:
    seen = world.session(status="timed_out")
    assert seen.status == "failed"
    undo = editor_of(world).set_session_status(seen, "idle")
    assert undo.sentence == "Set “Session 0” to idle."
    undo.run()
    assert world.sessions.get(seen.id) == seen


def test_what_was_deleted_meanwhile_is_said_to_be_gone(world: World) -> None:
    session, task, board = world.session(), None, world.boards.create(name="Short lived")
    task = world.tasks.create(session_id=session.id, prompt="do")
    editor = editor_of(world)
    undo = editor.rename_session(session, "Renamed")
    world.sessions.delete(session.id)
    world.boards.delete(board.id)
    for change in (
        lambda: editor.rename_session(session, "Again"),
        lambda: editor.archive_session(session, True),
        lambda: editor.delete_session(session),
        lambda: editor.session_weight(session.id),
        lambda: editor.set_task_status(task, "completed"),
        lambda: editor.edit_board(board, "Longer", None),
        lambda: editor.board_weight(board.id),
        lambda: editor.delete_board(board),
        undo.run,
    ):
        with pytest.raises(NotFoundError, match="does not exist any more"):
            change()


def test_only_sensible_statuses_can_be_set(world: World) -> None:
    session = world.session()
    task = world.tasks.create(session_id=session.id, prompt="do")
    with pytest.raises(UsageError) as error:
        editor_of(world).set_session_status(session, "running")
    assert (error.value.message, error.value.hint) == (
        "The status of a session cannot be set to “running”.",
        "It may be idle, completed, failed, stopped.",
    )
    with pytest.raises(UsageError):
        editor_of(world).set_task_status(task, "awaiting_input")
    undo = editor_of(world).set_task_status(task, "completed")
    assert world.browser.task_detail(task.id).task.status == "completed"
    undo.run()
    assert world.browser.task_detail(task.id).task == task


def test_archiving(world: World) -> None:
    seen = world.session()
    undo = editor_of(world).archive_session(seen, True)
    assert world.sessions.get(seen.id).archived
    undo.run()
    assert world.sessions.get(seen.id) == seen
    world.worktrees.update(world.worktree.id, {"archived": True})
    seen = world.sessions.get(seen.id)
    with pytest.raises(DatabaseError, match="because its worktree “main” is"):
        editor_of(world).archive_session(seen, False)


def test_moving_to_a_board_and_back_to_the_worktrees(world: World) -> None:
    seen, board = world.session(), world.boards.create(name="Spikes")
    undo = editor_of(world).move_session_to_board(seen, board.id)
    moved = world.sessions.get(seen.id)
    assert (seen.board, moved.board) == ("Checkout", "Spikes")
    editor_of(world).move_session_to_board(moved, None)
    assert world.sessions.get(seen.id).board == "Checkout"
    with pytest.raises(EditConflictError):
        undo.run()
    with pytest.raises(NotFoundError, match="does not exist any more"):
        editor_of(world).move_session_to_board(world.sessions.get(seen.id), seen.id)


def test_a_session_is_deleted_with_all_that_hangs_on_it(world: World) -> None:
    seen = world.session(1, title="Parent")
    child = world.session(2, parent_id=seen.id)
    fork = world.session(3, forked_from_id=seen.id)
    task = world.tasks.create(session_id=seen.id, prompt="do")
    for index in range(3):
        world.messages.create(session_id=seen.id, task_id=task.id, index=index, content="hello")
    editor = editor_of(world)
    assert editor.session_weight(seen.id) == SessionWeight(tasks=1, messages=3, comments=0, children=2)
    with pytest.raises(EditConflictError) as conflict:
        editor.delete_session(seen)
    assert conflict.value.differences == (("number of tasks", 0, 1), ("number of messages", 0, 3))
    editor.delete_session(world.sessions.get(seen.id))
    assert {session.id for session in world.sessions.list().rows} == {child.id, fork.id}
    assert world.sessions.get(child.id).parent_id is None
    assert world.tasks.list().rows == world.messages.list().rows == ()


def test_a_board_is_made_changed_archived_and_deleted(world: World) -> None:
    editor = editor_of(world)
    made = editor.create_board(" Ingest 再設計 ", "  ")
    board = world.boards.get(made.id)
    assert (board.name, board.description, board.archived) == ("Ingest 再設計", None, False)
    undo = editor.edit_board(board, "Ingest", "The new path")
    board = world.boards.get(made.id)
    assert (board.name, board.description) == ("Ingest", "The new path")
    undo.run()
    board = world.boards.get(made.id)
    assert (board.name, board.description) == ("Ingest 再設計", None)
    undo = editor.archive_board(board, True)
    assert world.boards.get(made.id).archived
    undo.run()
    assert world.boards.get(made.id) == board
    editor.archive_board(board, True)
    editor.archive_board(world.boards.get(made.id), False)
    assert not world.boards.get(made.id).archived
    with pytest.raises(EditConflictError):
        editor.delete_board(Board(**{**_fields(board), "name": "Another"}))
    editor.delete_board(world.boards.get(made.id))
    with pytest.raises(NotFoundError):
        world.boards.get(made.id)


def test_a_board_is_unmade_only_while_it_is_empty(world: World) -> None:
    editor = editor_of(world)
    undo = editor.create_board("Spikes")
    session = world.session(board_id=undo.id)
    with pytest.raises(DatabaseError, match="in use by now"):
        undo.run()
    world.sessions.delete(session.id)
    undo.run()
    with pytest.raises(NotFoundError):
        world.boards.get(undo.id)


def test_a_board_is_weighed_and_leaves_its_sessions_behind(world: World) -> None:
    session = world.session()
    other = world.session(board_id=world.boards.create(name="Spikes").id)
    editor = editor_of(world)
    assert editor.board_weight(world.board.id) == BoardWeight(worktrees=1, sessions=1, comments=0)
    editor.delete_board(board_of(world))
    assert world.sessions.get(session.id).board is None
    assert world.sessions.get(other.id).board == "Spikes"


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "\x1b[2J", "x" * (LONGEST_NAME + 1), "a\u202eb"])
def test_bad_names_are_refused(world: World, name: str) -> None:
    session, editor = world.session(), editor_of(world)
    assert name_complaint(name)
    for change in (
        lambda: editor.rename_session(session, name),
        lambda: editor.create_board(name),
        lambda: editor.edit_board(board_of(world), name, None),
    ):
        with pytest.raises(UsageError):
            change()
    assert world.sessions.get(session.id) == session


def test_a_name_that_exists_is_refused(world: World) -> None:
    editor = editor_of(world)
    with pytest.raises(UsageError, match="already a board named “CHECKOUT”"):
        editor.create_board("CHECKOUT")
    other = editor.create_board("Spikes").id
    with pytest.raises(UsageError, match="already"):
        editor.edit_board(world.boards.get(other), "checkout", None)
    editor.edit_board(board_of(world), "CHECKOUT", None)
    assert board_of(world).name == "CHECKOUT"
    undo = editor.edit_board(board_of(world), "Till", None)
    editor.create_board("Checkout")
    with pytest.raises(UsageError, match="already"):
        undo.run()
    assert board_of(world).name == "Till"
    assert name_complaint("spikes", ["Checkout", "Spikes "]) == "There is already one named “spikes”."


def test_good_names(world: World) -> None:
    for name in ("日本語", "👨‍👩‍👧‍👦", "a:b/c@d%", "می‌خواهم", "[bold]x[/]"):
        assert name_complaint(name) is None
        session = world.session()
        editor_of(world).rename_session(session, name)
        assert world.sessions.get(session.id).title == name


def test_a_database_open_for_reading_has_no_editor(place: Place) -> None:
    store, info = open_store(place, read_only=True)
    with Browser(store, info) as browser:
        assert browser.editor is None
        with pytest.raises(AgorError, match="open for reading only"):
            Editor(store).create_board("New")


def test_an_edit_counts_as_a_change_of_the_session_and_its_undo_does_not(world: World) -> None:
    old, new = world.session(1, title="Old"), world.session(2, title="New")
    undo = editor_of(world).archive_session(old, True)
    undo.run()
    again = world.sessions.get(old.id)
    assert again.updated_at == old.updated_at == NOON + timedelta(minutes=1)
    assert new.updated_at is not None
    assert again.updated_at < new.updated_at
    assert status_word(again.status) == "idle"


def _fields(record: Session | Board) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}

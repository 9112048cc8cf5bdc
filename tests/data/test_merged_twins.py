"""The same session in the files of two channels of one program is one row: that of the file that changed it last.

SQLite alone, since the programs have nothing else; ``test_hidden_sessions`` has the filter on every dialect.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agor_tui.filters import SessionFilter
from agor_tui.records import Sort, SortKey
from agor_tui.services.browser import Browser
from agor_tui.services.databases import open_database
from agor_tui.services.merged import MergedBrowser
from agor_tui.services.merged_pages import MergedPages
from agor_tui.services.transfer import copy
from agor_tui.transfers import CopyOptions
from tests.builders import opencode, opencode_entries
from tests.builders.opencode import START
from tests.conftest import place_of

from .test_repositories import World

EVERYTHING = SessionFilter(archived="any")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of one program, copies of each other in which some sessions went on."""
    ids = opencode.build(tmp_path / "usual.db")
    for name in ("stable", "local"):
        shutil.copyfile(tmp_path / "usual.db", tmp_path / f"{name}.db")
    later, newest = START + 800_000, START + 900_000
    opencode_entries.run_script(
        tmp_path / "stable.db",
        f"UPDATE session SET title = 'Went on in stable', time_updated = {later} WHERE id = '{ids['main']}';"
        f"UPDATE session SET title = 'Newer once' WHERE id = '{ids['child']}';"
        f"UPDATE session SET time_updated = {later} WHERE id = '{ids['child']}'",
    )
    opencode_entries.run_script(
        tmp_path / "local.db",
        f"UPDATE session SET title = 'Newest in local', time_updated = {newest} WHERE id = '{ids['child']}';"
        f"DELETE FROM session WHERE id = '{ids['failed']}'",
    )
    (tmp_path / "ids").write_text("\n".join(f"{name}={id}" for name, id in ids.items()))
    return tmp_path


def named(folder: Path) -> dict[str, str]:
    return dict(line.split("=") for line in (folder / "ids").read_text().splitlines())


def opened(folder: Path, *names: str) -> Iterator[MergedBrowser]:
    def open_one(name: str) -> Browser:
        return open_database(str(folder / f"{name}.db"), environ={})

    heard = threading.Semaphore(0)
    merged = MergedBrowser(names, open_one, heard.release)
    merged.start()
    for _ in names:
        assert heard.acquire(timeout=60)
    assert len(merged.opened) == len(names)
    yield merged
    merged.close()


def rows(pages: MergedPages) -> list[tuple[str, str]]:
    """Database and id of all rows, page by page."""
    found: list[tuple[str, str]] = []
    number = 0
    while page := pages.page(number):
        found += [(row.database, row.session.id) for row in page]
        number += 1
    return found


@pytest.mark.parametrize("key", ["updated", "created", "title", "id"])
def test_each_session_is_listed_once_as_it_is_newest(folder: Path, key: SortKey) -> None:
    ids = named(folder)
    sessions = {id for name, id in ids.items() if id.startswith("ses_")}
    for merged in opened(folder, "usual", "stable", "local"):
        for size in (3, 128):
            found = rows(merged.pages(EVERYTHING, Sort(key), page_size=size))
            assert len(found) == len(sessions)
            assert {id for _, id in found} == sessions
            of = {id: database for database, id in found}
            assert of[ids["main"]] == "stable"
            assert of[ids["child"]] == "local"
            assert {of[id] for id in sessions - {ids["main"], ids["child"]}} == {"usual"}
        assert merged.session_count(EVERYTHING).value == len(sessions)
        assert list(merged.pages(EVERYTHING, Sort(key)).counts())[-1].value == len(sessions)
        number = len(sessions)
        assert merged.twins.told("local") == (
            f"{number - 2} sessions listed as in stable and usual, where they are newer"
        )
        assert merged.twins.told("usual") == "2 sessions listed as in local and stable, where they are newer"


def test_an_id_leads_to_the_newest(folder: Path) -> None:
    ids = named(folder)
    for merged in opened(folder, "usual", "stable"):
        assert merged.resolve(ids["main"], ("session",)).database == "stable"
        assert merged.resolve(ids["prompt"], ("task",)).database == "stable"
        assert merged.resolve(ids["empty"], ("session",)).database == "usual"


def test_what_a_filter_lets_through_is_the_newest_or_nothing(folder: Path) -> None:
    """A session that goes by another title in the newer file is not found by the older one's."""
    for merged in opened(folder, "usual", "stable"):
        assert rows(merged.pages(SessionFilter(words=("retry",)), Sort("updated"))) == []
        assert len(rows(merged.pages(SessionFilter(words=("went",)), Sort("updated")))) == 1


def test_a_copy_in_another_kind_of_database_is_listed_beside(folder: Path) -> None:
    target = place_of(folder / "copied.db")
    copy(place_of(folder / "usual.db"), target, CopyOptions())
    for merged in opened(folder, "usual", "copied"):
        found = rows(merged.pages(EVERYTHING, Sort("updated")))
        assert len(found) == 2 * len({id for _, id in found})
        assert merged.twins.told("usual") == merged.twins.told("copied") == ""


def test_hidden_sessions(native: Browser) -> None:
    """The filter itself, on every dialect."""
    world = World(native)
    made = [world.session(number).id for number in range(3)]
    hidden = SessionFilter(archived="any", hidden=(made[1], "no such id"))
    found = native.session_page(hidden, Sort("updated"), limit=0).rows
    assert {each.id for each in found} == {made[0], made[2]}
    assert native.session_count(hidden).value == 2
    assert {id for id, _ in native.session_changes()} == set(made)
    assert all(changed is not None for _, changed in native.session_changes())

"""An empty native database on each dialect, and a history of migrations longer than ours is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agor_tui.config.places import Place
from agor_tui.db import migrator, revision, scripts
from agor_tui.repositories.store import open_store
from agor_tui.services.browser import Browser

from . import migrating


@pytest.fixture
def place(native_place: Place) -> Place:
    """Where a native database without rows is."""
    return native_place


@pytest.fixture
def native(place: Place) -> Iterator[Browser]:
    """A native database without rows."""
    with Browser(*open_store(place)) as browser:
        yield browser


@pytest.fixture
def next_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A function that gives the history one more revision of some text, and returns the history's folder."""

    def add(source: str) -> Path:
        folder = migrating.write_history(tmp_path / "history", source)
        monkeypatch.setattr(scripts, "folder", lambda: folder)
        for module in (revision, migrator):
            monkeypatch.setattr(module, "REVISIONS", ("0001", "0002", "0003"))
            monkeypatch.setattr(module, "HEAD", "0003")
        return folder

    return add

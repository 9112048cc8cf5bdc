"""Sessions written as documents from real databases: the same on each dialect, whole or not at all."""

from __future__ import annotations

import json
import os
import stat
import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agor_tui.config.places import Place
from agor_tui.errors import Cancelled, FileError
from agor_tui.records import Session, TextBlock, ToolCall
from agor_tui.repositories.store import open_store
from agor_tui.services import export
from agor_tui.services.browser import Browser
from agor_tui.services.files import write_whole
from agor_tui.services.session_export import (
    FORMATS,
    Format,
    document,
    export_to_file,
    export_to_folder,
    file_name,
    file_names,
)
from agor_tui.transfers import Progress
from tests.tui.stored import CHILD, MAIN, MAIN_TITLE, ROOT, fill
from tests.tui.talks import task, turn


@pytest.fixture
def family(native_place: Place) -> Iterator[Browser]:
    """A family of sessions; the main one holds one of everything that can stand in a conversation."""
    fill(native_place)
    with Browser(*open_store(native_place, read_only=True)) as browser:
        yield browser


def written(browser: Browser, format: Format, *ids: str) -> str:
    sessions = [browser.session(each) for each in ids or (MAIN,)]
    return b"".join(document(browser, sessions, format)).decode()


def test_all_of_a_session_in_each_format(family: Browser) -> None:
    documents = {format: written(family, format) for format in FORMATS}
    for format in ("md", "html", "txt"):
        text = documents[format]
        for part in (
            *(MAIN_TITLE, MAIN, "Retry audit", "Survey exception handling", "Lighthouse", "lanternctl", "fix/retry"),
            *("The retry loop returns None.", "Task 1 of 3", "Task 3 of 3", "12m 0s", "claude-code", "opus"),
            *("Make it re-raise", "The loop swallows it.", "lantern/retry.py", "+2 −1", "raise last"),
            *("test_59 PASSED", "Read the loop", "Conversation compacted", "Which database?", "denied", "screen.png"),
            *("日本語のテストも", "2026-03-02 14:02", "61k of 100k (61 %)", "(sub-agent)", "queued"),
        ):
            assert part in text, (format, part)
    assert "```diff\n-    return None\n+    raise last\n+    # never None\n```" in documents["md"]
    assert '<span class="removed">-    return None\n</span>' in documents["html"]
    assert "    │ -    return None\n    │ +    raise last\n" in documents["txt"]
    found = json.loads(documents["json"])
    detail = family.session_detail(MAIN)
    shown = export.session_detail_json(detail, family.ancestors(MAIN), family.children(MAIN))
    assert found["session"] == json.loads(export.dumps(shown))
    assert [each["id"] for each in found["tasks"]] == [each.id for each in family.tasks_of(MAIN)]
    assert all("prompt" in each for each in found["tasks"])
    assert len(found["messages"]) == family.message_count(MAIN)


def test_several_sessions_in_one_document(family: Browser) -> None:
    ids = (ROOT, MAIN, CHILD)
    assert written(family, "html", *ids).count("</html>") == 1
    assert [each["session"]["id"] for each in json.loads(written(family, "json", *ids))] == list(ids)
    assert written(family, "md", *ids).count("\n---\n\n# ") == 2
    assert written(family, "txt", *ids).count(f"\n{'═' * 100}\n") == 2


def test_a_long_session_is_never_in_memory_whole(native_place: Place, tmp_path: Path) -> None:
    text = "a word of fifty thousand characters " * 1_400
    first = task("t1", "Long")
    calls = [
        turn(n, "assistant", ToolCall(f"c{n}", "Bash", {"command": "make"}, "completed", text), task=first)
        for n in range(1, 250)
    ]
    fill(native_place, [turn(0, "user", TextBlock(text), task=first), *calls])
    with Browser(*open_store(native_place, read_only=True)) as browser:
        session = browser.session(MAIN)
        export_to_file(browser, [browser.session(ROOT)], "md", tmp_path / "first.md")  # imports all that it needs
        told: list[Progress] = []
        tracemalloc.start()
        size = export_to_file(browser, [session], "md", tmp_path / "long.md", tell=told.append)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert size == (tmp_path / "long.md").stat().st_size > 250 * len(text)
    assert peak < size / 1.2
    assert told[-1] == Progress("export", "messages", session.message_count, session.message_count, size)


def test_a_file_is_there_whole_or_not_at_all(family: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path, stop = folder / "there.md", threading.Event()
    path.write_text("before")
    session = family.session(MAIN)

    def halfway(progress: Progress) -> None:
        assert path.read_text() == "before"
        assert len(os.listdir(folder)) == 2
        stop.set()

    with pytest.raises(Cancelled, match="nothing was written"):
        export_to_file(family, [session], "html", path, tell=halfway, stop=stop)
    assert os.listdir(folder) == ["there.md"]
    assert path.read_text() == "before"
    export_to_file(family, [session], "html", path)
    assert path.read_text() == written(family, "html")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_several_sessions_go_to_a_folder(family: Browser, tmp_path: Path) -> None:
    sessions = [family.session(MAIN), family.session(ROOT)]
    folder = tmp_path / "new" / "folder"
    told: list[Progress] = []
    size = export_to_folder(family, sessions, "txt", folder, tell=told.append)
    names = file_names(sessions, "txt")
    assert names[0].startswith("fix-retry-swallowing-the-last-exception-0199b73d")
    assert set(os.listdir(folder)) == set(names)
    assert all(
        (folder / name).read_text().startswith(session.title) for name, session in zip(names, sessions, strict=True)
    )
    assert (told[-1].rows, told[-1].bytes) == (sum(each.message_count for each in sessions), size)
    double = replace(sessions[0], id=ROOT)
    assert file_names([sessions[0], double], "md") == [file_name(double, "md"), f"{ROOT}.md"]
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled, match="0 of 2 files are written"):
        export_to_folder(family, sessions, "txt", folder, stop=stop)


def test_no_secret_is_exported(fixtures_dir: Path) -> None:
    """The stores of other programs, which hold some; what they are stored in does not matter here."""
    from agor_tui.filters import SessionFilter
    from agor_tui.services.databases import open_database

    for fixture in ("agor/agor.db", "agor-2026/agor.db", "opencode/opencode.db"):
        with open_database(str(fixtures_dir / fixture), environ={}) as browser:
            page = browser.session_page(SessionFilter(archived="any"), browser.default_sort, limit=0)
            chosen = sorted(page.rows, key=lambda row: row.message_count)[-2:]
            for format in FORMATS:
                found = b"".join(document(browser, chosen, format)).decode()
                assert all(session.id in found for session in chosen)
                assert "FAKESECRET" not in found
                assert "\x1b" not in found


def a_session(title: str, short_id: str = "0199b73d5") -> Session:
    return Session(
        id="0199b73d", short_id=short_id, title=title, status="idle", store_status="idle", tool="codex",
        created_at=None, updated_at=None, created_by=None, parent_id=None, forked_from_id=None, repo=None,
        worktree=None, branch=None, board=None, archived=False, model=None, task_count=0, message_count=0,
        tokens_input=None, tokens_output=None, cost=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Fix retry/timeout: 日本語のテスト", "fix-retry-timeout-日本語のテスト-0199b73d5.md"),
        ("../../etc/passwd", "etc-passwd-0199b73d5.md"),
        ("…\x00\x1b[31m\ud83e", "31m-0199b73d5.md"),
        ("-rf .", "rf-0199b73d5.md"),
        ("👍", "0199b73d5.md"),
        ("nul.txt", "nul-txt-0199b73d5.md"),  # a device of Windows whatever follows the first dot
        ("CON.", "con-0199b73d5.md"),
        ("word " * 100, f"{'-'.join(['word'] * 12)}-0199b73d5.md"),
    ],
)
def test_a_file_is_named_after_its_session(title: str, name: str) -> None:
    assert file_name(a_session(title), "md") == name
    assert "/" not in file_name(a_session(title, "ses/../x"), "md")


def test_why_a_file_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        write_whole(tmp_path / "none" / "x.md", [b"x"])
    with pytest.raises(FileError, match="is a folder"):
        write_whole(tmp_path, [b"x"])
    with pytest.raises(FileError, match=r"^/dev/full cannot be written: there is no room for it"):
        write_whole(Path("/dev/full"), [b"x"])
    with pytest.raises(FileError, match="cannot be written: File name too long"):
        write_whole(tmp_path / ("x" * 300), [b"x"])
    assert os.listdir(tmp_path) == []

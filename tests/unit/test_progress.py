"""The line that says how far long work is."""

from __future__ import annotations

import pytest

from agor_tui.cli.progress import progress_text
from agor_tui.transfers import Progress


@pytest.mark.parametrize(
    ("progress", "seconds", "line"),
    [
        (Progress("verify", "messages", 0, 500, 0), 0.0, f"verify messages  {'░' * 20}  0 of 500"),
        (
            Progress("verify", "messages", 1_250, 5_000, 124_000_000),
            2.0,
            f"verify messages  {'█' * 5}{'░' * 15}  1,250 of 5,000  62 MB/s  6.0 s left",
        ),
        (Progress("copy", "tasks", 510, 500, 5_000), 1.0, f"copy tasks  {'█' * 20}  510 of 500  5.0 kB/s"),
        (Progress("export", "tasks", 510, None, 5_000), 0.5, "export tasks  510"),
        (Progress("copy", "boards", 0, 0, 0), 9.0, "copy boards"),
        (Progress("check", "", 0, None, 7), 9.0, "check  0 B/s"),
    ],
)
def test_the_line_says_what_is_known(progress: Progress, seconds: float, line: str) -> None:
    assert progress_text(progress, seconds) == line

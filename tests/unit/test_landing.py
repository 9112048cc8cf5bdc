"""Files that are there whole or not at all: what a killed process leaves goes, what another writes stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agor_tui.db.landing import landing

LEFT = ".agor-tui-0123456789ab.part"


@pytest.mark.skipif(os.name == "nt", reason="nothing is locked there")
def test_what_was_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    link, other = tmp_path / ".agor-tui-0123456789ac.part", tmp_path / ".agor-tui-mine.part"
    (tmp_path / "kept").write_text("")
    link.symlink_to("kept")
    for name in (LEFT, f"{LEFT}-journal", other.name):
        (tmp_path / name).write_text("half")
        os.utime(tmp_path / name, (0, 0))
    new = tmp_path / ".agor-tui-0123456789ad.part"  # whoever made it may not have come to lock it
    new.write_text("")
    with landing(tmp_path / "a") as part:
        assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "kept", link, other, new, part])
        os.utime(part, (0, 0))
        with landing(tmp_path / "b"):  # which is in use
            assert part.exists()
    assert {each.name for each in tmp_path.iterdir()} == {"kept", "a", "b", link.name, other.name, new.name}

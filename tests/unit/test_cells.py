"""Text is cut and padded to exactly the cells there are, whatever its characters take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.cells import cell_len, fit, fit_end, pad, wrapped
from agor_tui.text import printable

texts = st.text(st.characters() | st.sampled_from("日本❤👩🏽a\u200d\ufe0f\u0301 "), max_size=30).map(printable)


@pytest.mark.parametrize(
    ("text", "cells", "start", "end"),
    [
        ("abcdef", 6, "abcdef", "abcdef"),
        ("abcdef", 4, "abc…", "…def"),
        ("abcdef", 1, "…", "…"),
        ("abcdef", 0, "", ""),
        ("abcdef", -1, "", ""),
        ("日本語", 6, "日本語", "日本語"),
        ("日本語", 5, "日本…", "…本語"),
        ("日本語", 4, "日 …", "… 語"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…", "…e\u0301"),
        ("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3, "👩‍👩‍👧‍👦…", "…👩‍👩‍👧‍👦"),
    ],
)
def test_fit(text: str, cells: int, start: str, end: str) -> None:
    assert fit(text, cells) == start
    assert fit_end(text, cells) == end


def test_pad() -> None:
    assert pad("日本", 6) == "日本  "
    assert pad("12", 5, right=True) == "   12"
    assert pad("日本語", 4) == "日 …"


@given(texts, st.integers(0, 40))
def test_cut_text_is_exactly_as_wide_as_it_may_be(text: str, cells: int) -> None:
    for cut in (fit(text, cells), fit_end(text, cells)):
        assert cut == text or cell_len(cut) == cells
        assert cell_len(cut) <= cells
    assert cell_len(pad(text, cells)) == cell_len(pad(text, cells, right=True)) == cells


@pytest.mark.parametrize(
    ("text", "cells", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("/tmp/a-long-folder/team.db is gone", 20, ["/tmp/a-long-folder/", "team.db is gone"]),
        (r"C:\Users\ana\work\team.db", 14, ["C:\\Users\\ana\\", "work\\team.db"]),
        ("at /tmp/x/team.db", 12, ["at", "/tmp/x/", "team.db"]),
        ("at /x/y.db", 8, ["at", "/x/y.db"]),  # a word that fits on a line is not broken
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("/aaaaaaaaaa/b", 4, ["/", "aaaa", "aaaa", "aa/b"]),
        ("日本語/テスト", 6, ["日本語", "/", "テスト"]),
        ("one\n\ntwo", 9, ["one", "", "two"]),
        ("", 5, [""]),
    ],
)
def test_lines_break_at_spaces_and_paths_at_their_separators(text: str, cells: int, lines: list[str]) -> None:
    assert wrapped(text, cells) == lines


@given(st.text(st.sampled_from("ab /\\日é\n"), max_size=60), st.integers(2, 20))
def test_wrapping_loses_nothing_but_spaces_and_fits(text: str, cells: int) -> None:
    lines = wrapped(text, cells)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert all(cell_len(line) <= cells for line in lines)

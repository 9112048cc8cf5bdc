"""Text is cut and padded to exactly the cells there are, whatever its characters take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.cells import cell_len, fit, fit_end, pad
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

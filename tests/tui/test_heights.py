"""Where items of unknown heights begin."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agor_tui.tui.widgets.heights import Heights

CHANGES = st.lists(st.tuples(st.integers(0, 899), st.integers(0, 60)), max_size=40)


@given(CHANGES, st.integers(0, 5_000))
def test_agrees_with_a_plain_list(changes: list[tuple[int, int]], line: int) -> None:
    heights, plain = Heights(900, 3), [3] * 900
    for index, height in changes:
        heights.set(index, height)
        plain[index] = height
    assert heights.total == sum(plain)
    index, place = heights.at(line)
    assert heights.start(index) == sum(plain[:index])
    if line < heights.total:
        assert heights.start(index) + place == line
        assert 0 <= place < plain[index]
    assert heights.start(900) == heights.total


def test_grows_and_shrinks() -> None:
    heights = Heights(300, 2)
    heights.set(299, 10)
    heights.resize(600)
    assert heights.total == 299 * 2 + 10 + 300 * 2
    heights.resize(100)
    assert (heights.total, len(heights)) == (200, 100)
    heights.resize(0)
    assert (heights.total, heights.at(7)) == (0, (0, 0))


def test_estimates_are_told_from_measures() -> None:
    heights = Heights(3, 2)
    assert not heights.known(1)
    assert not heights.set(1, 2)
    assert heights.known(1)
    heights.forget()
    assert not heights.known(1)
    assert heights.total == 6

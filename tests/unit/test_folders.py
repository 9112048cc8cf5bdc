"""One spelling of a folder, whatever program on whatever system wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.folders import once, one_spelling
from agor_tui.repositories.conditions import named


@pytest.mark.parametrize(
    ("spellings", "one"),
    [
        (
            ["C:\\src\\api", "C:/src/api", "c:\\src\\api\\", "c:/src/api//", "C:\\src/api", "\\\\?\\C:\\src\\api"],
            "c:/src/api",
        ),
        (["C:\\", "c:/", "C:"], "c:/"),
        (["\\\\nas\\work\\api", "\\\\nas/work/api/", "\\\\?\\UNC\\nas\\work\\api"], "//nas/work/api"),
        (["/src/api", "/src/api/", "/src/api//"], "/src/api"),
        (["/", "//"], "/"),
        (["fix-retry"], "fix-retry"),
        (["feature/x/"], "feature/x/"),  # a branch, no path
        (["a:b"], "a:b"),
        ([""], ""),
    ],
)
def test_one_spelling(spellings: list[str], one: str) -> None:
    assert [one_spelling(each) for each in spellings] == [one] * len(spellings)
    assert len(once(spellings)) == 1


@given(st.text(st.sampled_from("aB:/\\?.*é"), max_size=12))
def test_the_one_spelling_is_its_own(folder: str) -> None:
    assert one_spelling(one_spelling(folder)) == one_spelling(folder)


def test_a_filter_finds_a_folder_by_any_of_its_spellings() -> None:
    names = {"1": ("C:\\Src\\API",), "2": ("c:/src/api/",), "3": ("D:\\src\\api",), "4": ("/src/api",)}
    assert named(["c:/src/api"], names) == named(["C:\\SRC\\api\\"], names) == {"1", "2"}
    assert named(["api"], names) == {"1", "2", "3", "4"}
    assert named(["C:\\src\\*"], names) == {"1", "2"}

"""Hostile text is made harmless and stays readable; numbers and times are said in few characters."""

from __future__ import annotations

import time
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.text import count, duration, money, place, printable, relative_time, title_text, tokens

NOW = datetime(2025, 11, 3, 12, 0, tzinfo=UTC)
FAMILY = "👩‍👩‍👧‍👦"

any_text = st.text(st.characters(), max_size=40) | st.text(
    "ab \t\n\r\v\f\x00\x1b\x7f\x85\x9b\u00ad\u0301\u200b\u200c\u200d\u200e\u2028\u202e\u2066\ufe0f\ufeff\ufff9"
    "\ud83e\udd16❤👩日می\U000e0041\uffff",
    max_size=40,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("", ""),
        ("[bold]no markup[/] & <b>", "[bold]no markup[/] & <b>"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("a\0b\x7fc\x08", "a␀b␡c␈"),
        ("\x9b31m", "�31m"),
        ("two\nlines", "two lines"),
        ("two\r\n\r\n  lines\there", "two lines here"),
        ("a\u2028b\u2029c\x85d\ve", "a b c d e"),
        ("  trimmed \n", "trimmed"),
        ("two  spaces", "two  spaces"),
        ("abc\u202egnp.exe", "abc·gnp.exe"),
        ("\u2066\u2067a\u2069", "·a·"),
        ("a\u200b\u200b\u2060b\ufeff", "a·b·"),
        ("x\u200dy", "x·y"),
        ("soft\u00adhyphen", "soft·hyphen"),
        ("\u3164name\u115f", "·name·"),
        ("hi\U000e0068\U000e0069", "hi·"),
        ("a\U000e0100b\ufe00", "a·b·"),
        ("\ufff9a\ufffb", "·a·"),
        ("\ufffe\uffff", "��"),
        ("half \ud83e of", "half � of"),
        ("both \ud83e\udd16 halves", "both 🤖 halves"),
        (f"a {FAMILY} b", f"a {FAMILY} b"),
        ("❤️ ☎︎ 1️⃣ 👍🏽 🏳️‍🌈 🇩🇪", "❤️ ☎︎ 1️⃣ 👍🏽 🏳️‍🌈 🇩🇪"),
        ("\ufe0fx", "·x"),
        ("日本語 한국어 العربية", "日本語 한국어 العربية"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("cafe\u0301", "cafe\u0301"),
        ("Z" + "\u0351" * 400 + "a", "Z" + "\u0351" * 4 + "a"),
        ("\ue0b0 \U000f0001", "\ue0b0 \U000f0001"),
    ],
)
def test_one_line(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\rc\nd\u2028e", "a\nb\nc\nd\ne"),
        ("a\tb\n\tc", "a   b\n    c"),
        ("  kept \n\n", "  kept \n\n"),
        ("progress 1\rprogress 2\x1b[K", "progress 1\nprogress 2␛[K"),
    ],
)
def test_many_lines(text: str, shown: str) -> None:
    assert printable(text, multiline=True) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 5, "abcd…"),
        ("abc def", 5, "abc…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("\n\n\nabcdef", 5, "abcd…"),
        (FAMILY, 3, "👩…"),
        ("ab\x1bdef", 4, "ab␛…"),
    ],
)
def test_a_limit_cuts_with_an_ellipsis(text: str, limit: int, shown: str) -> None:
    assert printable(text, limit) == shown


@given(any_text, st.booleans(), st.none() | st.integers(0, 30))
def test_whatever_goes_in_what_comes_out_is_harmless(text: str, multiline: bool, limit: int | None) -> None:
    shown = printable(text, limit, multiline=multiline)
    shown.encode()
    assert not any(c != "\n" and unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in shown)
    assert not set(shown) & set("\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    if not multiline:
        assert "\n" not in shown
        assert shown == shown.strip()
    if limit is not None and not (multiline and "\t" in text):
        assert len(shown) <= limit


@given(any_text, st.booleans())
def test_a_second_time_changes_nothing(text: str, multiline: bool) -> None:
    once = printable(text, multiline=multiline)
    assert printable(once, multiline=multiline) == once


@given(st.text(st.characters(whitelist_categories=("L", "N", "P", "S")), max_size=30))
def test_letters_and_signs_are_untouched(text: str) -> None:
    fillers = "\u115f\u1160\u3164\uffa0"
    assert printable(text) == text or set(text) & set(fillers)


@pytest.mark.parametrize("piece", ["x\x1b", "x", "日\u200b", "\t"])
def test_the_cost_depends_on_the_limit(piece: str) -> None:
    text = "x" + piece * 5_000_000
    started = time.process_time()
    for _ in range(100):
        printable(text, 200)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=59), "now"),
        (timedelta(seconds=-60), "now"),
        (timedelta(minutes=1), "1m"),
        (timedelta(minutes=59, seconds=59), "59m"),
        (timedelta(hours=2), "2h"),
        (timedelta(hours=24), "1d"),
        (timedelta(days=6, hours=23), "6d"),
        (timedelta(days=10), "2025-10-24"),
        (timedelta(minutes=-3), "in 3m"),
        (timedelta(days=-2), "in 2d"),
        (timedelta(days=-10), "2025-11-13"),
    ],
)
def test_relative_time(ago: timedelta, said: str) -> None:
    assert relative_time(NOW - ago, NOW) == said


def test_a_date_is_that_of_the_zone_of_now() -> None:
    late = datetime(2025, 10, 24, 22, 0, tzinfo=UTC)
    assert relative_time(late, NOW.astimezone(timezone(timedelta(hours=9)))) == "2025-10-25"
    assert relative_time(None, NOW) == "–"


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from([-12, 0, 14]))
def test_any_time_can_be_said(moment: datetime, hours: int) -> None:
    assert 2 <= len(relative_time(moment, NOW.astimezone(timezone(timedelta(hours=hours))))) <= 10


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "0 ms"), (41, "41 ms"), (999, "999 ms"), (999.6, "1.0 s"), (2100, "2.1 s"), (9_949, "9.9 s"),
        (9_950, "10 s"), (42_000, "42 s"), (59_700, "1m 0s"), (87_000, "1m 27s"), (7_500_000, "2h 5m"),
        (273_600_000, "3d 4h"), (None, "–"), (-5, "–"), (float("nan"), "–"), (float("inf"), "–"),
    ],
)  # fmt: skip
def test_duration(ms: float | None, said: str) -> None:
    assert duration(ms) == said


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (0, "0"), (950, "950"), (999, "999"), (1_000, "1.0k"), (1_602, "1.6k"), (9_949, "9.9k"), (9_950, "10k"),
        (41_234, "41k"), (999_499, "999k"), (999_500, "1.0M"), (1_234_567, "1.2M"), (41_000_000, "41M"),
        (5_000_000_000, "5.0G"), (None, "–"),
    ],
)  # fmt: skip
def test_tokens(n: int | None, said: str) -> None:
    assert tokens(n) == said


@pytest.mark.parametrize(
    ("dollars", "said"),
    [
        (0.0, "$0.00"), (0.83, "$0.83"), (1204.5, "$1,204.50"), (0.01, "$0.01"), (0.0099, "$0.0099"),
        (0.0038, "$0.0038"), (0.00012, "$0.00012"), (0.00001, "<$0.0001"), (-0.83, "-$0.83"), (None, "–"),
        (float("nan"), "–"),
    ],
)  # fmt: skip
def test_money(dollars: float | None, said: str) -> None:
    assert money(dollars) == said


def test_count() -> None:
    assert (count(1602), count(0), count(None)) == ("1,602", "0", "–")


@pytest.mark.parametrize(
    ("repo", "worktree", "said"),
    [
        ("harbor-api", "fix-retry", "harbor-api/fix-retry"), ("harbor-api", None, "harbor-api"), (None, "x", "x"),
        (None, None, ""), ("quay/harbor", "feat/tides", "harbor/feat/tides"), ("api", "/wt/tides/", "api/tides"),
        ("api", "/home/robin/api", "api"), ("api", "C:\\src\\tides", "api/tides"), ("global", "/", "global"),
    ],
)  # fmt: skip
def test_place(repo: str | None, worktree: str | None, said: str) -> None:
    assert place(repo, worktree) == said


@pytest.mark.parametrize("blank", ["", "   ", "\t\n\u3000", "\u200b\u200b", "\u2060 \ufeff"])
def test_a_title_of_nothing_that_can_be_seen_says_so(blank: str) -> None:
    assert title_text(blank) == title_text(blank, 10) == "untitled"


def test_any_other_title_stays() -> None:
    assert title_text(" Fix\x1b it ") == "Fix␛ it"
    assert title_text("· · ·") == "· · ·"

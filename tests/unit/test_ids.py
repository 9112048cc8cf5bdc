"""Ids: what may be typed as a prefix, the range it means, and the shortest text that tells ids apart."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui import ids
from agor_tui.errors import UsageError

FULL = "0199b73d-b52e-7ed1-b028-277d6ad08cef"
OPENCODE = "ses_ec154228bffez4Sra9wakDMGR2"

uuids = st.uuids().map(str)
literals = st.text("0123456789abcdefABCDEFXYZz_-", min_size=4, max_size=40)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("0199", "0199"),
        ("0199b73d", "0199b73d"),
        ("0199B73DB52E", "0199b73db52e"),
        ("0199b73d-b52e-7", "0199b73db52e7"),
        ("01-99b7-3d", "0199b73d"),
        ("0199b73db52e7ed1b0282771", "0199b73db52e7ed1b0282771"),
        (FULL, FULL.replace("-", "")),
        (FULL.upper(), FULL.replace("-", "")),
        (" 0199b73d\n", "0199b73d"),
        ("https://host/ui/s/0199b73db52e7ed1b0282771/", "0199b73db52e7ed1b0282771"),
        ("https://host:3030/ui/s/0199b73db52e7ed1b0282771?tab=tasks#feed", "0199b73db52e7ed1b0282771"),
        ("https://cafe.example/b/0199b73d/feed", "0199b73d"),
        ("https://host/#/session/0199b73d", "0199b73d"),
        ("/ui/s/0199b73d", "0199b73d"),
        ("https://host/ui/s/face", "face"),
    ],
)
def test_a_prefix_is_read_in_every_spelling(typed: str, text: str) -> None:
    prefix = ids.parse_prefix(typed)
    assert (prefix.text, prefix.style) == (text, "uuid")
    assert prefix.matches(text.ljust(8, "0")) is True
    assert (prefix.low, prefix.high) == ids.uuid_range(text)


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("ses_ec15…", "ses_ec15"),
        ("ses_ec15...", "ses_ec15"),
        (f'"{OPENCODE}"', OPENCODE),
        (f"'{OPENCODE}'", OPENCODE),
        (f"`{OPENCODE}`,", OPENCODE),
        (f"“{OPENCODE}”.", OPENCODE),
        (f"(session {OPENCODE})", OPENCODE),
        (f"<{OPENCODE}>;", OPENCODE),
        (f"id: {OPENCODE}", OPENCODE),
        (f"opencode -s {OPENCODE}", OPENCODE),
        (f"opencode -s '{OPENCODE}'", OPENCODE),
        ("opencode -s ses_ec15", "ses_ec15"),
        (f"opencode /home/robin/src/harbour2026 --session {OPENCODE}", OPENCODE),
        (f"opencode --session={OPENCODE} --model gpt-4o2026", OPENCODE),
        (f"cd /tmp/build20261201 && opencode -s {OPENCODE}", OPENCODE),
        (f"see https://host/session/{OPENCODE}/messages, please", OPENCODE),
        (f"\ufeff{OPENCODE}\u200b\n", OPENCODE),
    ],
)
def test_an_id_is_found_in_what_people_paste(typed: str, text: str) -> None:
    assert ids.parse_prefix(typed, literal=True).text == text
    as_uuid = typed.replace(OPENCODE, FULL).replace("ses_ec15", "0199b73d").replace("gpt-4o2026", "gpt")
    assert ids.parse_prefix(as_uuid).text == text.replace(OPENCODE, ids.compact(FULL)).replace("ses_ec15", "0199b73d")


@pytest.mark.parametrize(
    "typed",
    [
        "fix the retry",
        f"{OPENCODE} {OPENCODE[:-1]}9",
        "opencode --model ses_",
        "-s",
        "see https://host/",
        "a = b",
        "… …",
    ],
)
def test_words_without_one_clear_id_are_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        ids.parse_prefix(typed, literal=True)


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "019", "----", "0-1-9", "0199%", "0199_b73d", "%%%%", "____", "0199 b73d", "0199b73g", "0199\x00b7",
        "0199b73d*", "０１９９", "ses_ec15", FULL + "0", "0" * 33, "https://host/ui/s/", "https://deadbeef/", "a/b",
        "0199\ud83e", "-" * 100_000,
    ],
)  # fmt: skip
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        ids.parse_prefix(typed)
    assert len(caught.value.message) < 200
    assert caught.value.message.isprintable()


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(UsageError, match="at least 4 characters"):
        ids.parse_prefix("019")
    with pytest.raises(UsageError, match="at most 36 characters"):
        ids.parse_prefix(FULL + "0")
    with pytest.raises(UsageError, match="33 hex digits"):
        ids.parse_prefix("0" * 33)
    with pytest.raises(UsageError, match="“0199%” is not an id"):
        ids.parse_prefix("0199%")


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (OPENCODE, OPENCODE),
        ("ses_ec15", "ses_ec15"),
        ("ses_", "ses_"),
        ("0199b73d", "0199b73d"),
        ("a-b-c", "a-b-c"),
        (f"https://host/session/{OPENCODE}/messages", OPENCODE),
    ],
)
def test_ids_that_are_no_uuids_are_taken_literally(typed: str, text: str) -> None:
    prefix = ids.parse_prefix(typed, literal=True)
    assert (prefix.text, prefix.style, prefix.low) == (text, "literal", text)
    assert prefix.matches(text + "Zz9")
    assert not prefix.matches(text.swapcase())


@pytest.mark.parametrize("typed", ["", "ses", "ses%", "ses_é1", "se s_", "ses_\n1", "x" * 65])
def test_a_literal_prefix_is_no_pattern_either(typed: str) -> None:
    with pytest.raises(UsageError):
        ids.parse_prefix(typed, literal=True)


@given(uuids, st.integers(4, 36), st.booleans(), st.booleans())
def test_the_range_of_a_prefix_holds_exactly_the_ids_that_begin_with_it(
    id: str, length: int, dashes: bool, upper: bool
) -> None:
    typed = (id if dashes else id.replace("-", ""))[:length]
    prefix = ids.parse_prefix(typed.upper() if upper else typed)
    assert prefix.low <= id <= prefix.high
    assert ids.is_uuid(prefix.low)
    assert ids.is_uuid(prefix.high)
    assert prefix.matches(id)


@given(uuids, uuids, st.integers(4, 32))
def test_no_other_id_is_in_the_range(id: str, other: str, length: int) -> None:
    prefix = ids.parse_prefix(ids.compact(id)[:length])
    assert (prefix.low <= other <= prefix.high) == prefix.matches(other)


@given(literals, literals, st.integers(4, 40))
def test_the_range_of_a_literal_holds_what_begins_with_it(id: str, other: str, length: int) -> None:
    prefix = ids.parse_prefix(id[:length], literal=True)
    assert prefix.low <= id <= prefix.high
    assert (prefix.low <= other <= prefix.high) == prefix.matches(other)


@given(st.text(max_size=60), st.booleans())
def test_any_text_is_a_prefix_or_a_usage_error(text: str, literal: bool) -> None:
    try:
        prefix = ids.parse_prefix(text, literal)
    except UsageError:
        return
    assert set(prefix.text) <= set("0123456789abcdef") or literal
    assert not set(prefix.text) & set("%*? '\"")


@pytest.mark.parametrize(
    ("id", "previous", "next", "short"),
    [
        (FULL, None, None, "0199b73d"),
        (FULL, "0199b73d-b52e-7ed1-a028-277d6ad08cef", None, "0199b73db52e7ed1b"),
        (FULL, None, "0199b73d-c52e-7ed1-b028-277d6ad08cef", "0199b73db"),
        (FULL, "0100b73d-b52e-7ed1-b028-277d6ad08cef", "0200b73d-b52e-7ed1-b028-277d6ad08cef", "0199b73d"),
        (FULL, FULL, FULL, FULL.replace("-", "")),
        (FULL, "0199b73d-b52e", None, "0199b73db52e7"),
        (OPENCODE, None, None, "ses_ec15"),
        (OPENCODE, "ses_ec154228aaa", OPENCODE + "x", OPENCODE),
        ("ab", "a", "abc", "ab"),
        ("", None, "", ""),
    ],
)
def test_the_short_id_differs_from_both_neighbours(id: str, previous: str | None, next: str | None, short: str) -> None:
    assert ids.shortest(id, previous, next) == short


def test_the_least_length_can_be_given() -> None:
    assert ids.shortest(FULL, None, None, least=12) == "0199b73db52e"


@given(st.lists(uuids, min_size=1, max_size=30, unique=True), st.integers(0, 2**20))
def test_a_short_id_names_one_id_and_no_shorter_one_does(some: list[str], seed: int) -> None:
    close = [f"{some[0][:28]}{(seed + n) % 2**32:08x}" for n in range(3)]
    ordered = sorted({*some, *close})
    for place, id in enumerate(ordered):
        short = ids.shortest(
            id, ordered[place - 1] if place else None, ordered[place + 1] if place + 1 < len(ordered) else None
        )
        prefix = ids.parse_prefix(short)
        assert [other for other in ordered if prefix.low <= other <= prefix.high] == [id]
        if len(short) > 8:
            assert sum(ids.compact(other).startswith(short[:-1]) for other in ordered) > 1


def test_nearest_is_the_id_with_the_longest_common_beginning() -> None:
    others = ["0199b73d-ffff-7000-8000-000000000000", FULL, "0200b73d-b52e-7ed1-b028-277d6ad08cef"]
    assert ids.nearest("0199b73db5ff", others) == FULL
    assert ids.nearest("0199B73D-B5FF", others) == FULL
    assert ids.nearest("ses_ec9", ["ses_ab", OPENCODE]) == OPENCODE
    assert ids.nearest("0199", []) is None


def test_a_new_id_is_a_uuid_of_version_7_and_later_ones_sort_behind() -> None:
    made = [ids.new_id() for _ in range(100)]
    assert all(ids.is_uuid(id) and uuid.UUID(id).version == 7 for id in made)
    assert made == sorted(made)


def test_compact_takes_the_dashes_of_uuids_only() -> None:
    assert ids.compact(FULL.upper()) == FULL.replace("-", "")
    assert ids.compact("a-b-c") == "a-b-c"
    assert not ids.is_uuid(FULL.replace("-", ""))
    assert not ids.is_uuid(FULL + "\n")

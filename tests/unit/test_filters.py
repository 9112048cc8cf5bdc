"""The filter language: what each line means, what is said of a wrong one, and what completion offers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agor_tui.errors import UsageError
from agor_tui.filters import (
    SESSION_LANGUAGE,
    TASK_LANGUAGE,
    Choice,
    FilterError,
    SessionFilter,
    TaskFilter,
    complete,
    parse_session_filter,
    parse_task_filter,
)
from agor_tui.filters.terms import quote, read_terms
from agor_tui.records import SESSION_STATUSES, TASK_STATUSES
from agor_tui.zones import zone

NOW = datetime(2025, 10, 24, 15, 30, tzinfo=UTC)
MIDNIGHT = datetime(2025, 10, 24, tzinfo=UTC)


def parse(line: str) -> SessionFilter:
    return parse_session_filter(line, NOW)


def parse_error(line: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        parse(line)
    return caught.value


def test_an_empty_line_leaves_out_the_archived_and_nothing_else() -> None:
    assert parse("") == parse("   ") == SessionFilter()
    assert parse("").archived == "no"
    assert not parse("").tool


def test_the_whole_language_in_one_line() -> None:
    line = (
        "status:running tool:codex,!gemini repo:x worktree:y board:z user:me since:7d archived:yes has:tasks some words"
    )
    assert parse(line) == SessionFilter(
        status=Choice(("running",)),
        tool=Choice(("codex",), ("gemini",)),
        repo=Choice(("x",)),
        worktree=Choice(("y",)),
        board=Choice(("z",)),
        user=Choice(("me",)),
        has=Choice(("tasks",)),
        since=NOW - timedelta(days=7),
        archived="yes",
        words=("some", "words"),
    )


@pytest.mark.parametrize(
    ("line", "choice"),
    [
        ("repo:a,b", Choice(("a", "b"))),
        ("repo:a repo:b", Choice(("a", "b"))),
        ("repo:a,!b,-c", Choice(("a",), ("b", "c"))),
        ("!repo:a,b", Choice((), ("a", "b"))),
        ("-repo:a", Choice((), ("a",))),
        ("-repo:!a", Choice(("a",))),
        ("REPO:A,a", Choice(("A", "a"))),
        ("repo:a,,b,", Choice(("a", "b"))),
        ('repo:"two words"', Choice(("two words",))),
        ('repo:"two words",!"a, b",c', Choice(("two words", "c"), ("a, b",))),
        ('repo:"say ""hi"""', Choice(('say "hi"',))),
        ('repo:"left open', Choice(("left open",))),
        ("repo:a:b", Choice(("a:b",))),
        ("repo:--x", Choice(("--x",))),
        ("repo:日本語", Choice(("日本語",))),
        ("repo:%_", Choice(("%_",))),
        ("repo:a/b\\c'd", Choice(("a/b\\c'd",))),
        ("repo:/home/ann/x", Choice(("/home/ann/x",))),
    ],
)
def test_values(line: str, choice: Choice) -> None:
    assert parse(line).repo == choice


@pytest.mark.parametrize(
    ("line", "words", "without"),
    [
        ("retry last", ("retry", "last"), ()),
        ("retry -draft !wip", ("retry",), ("draft", "wip")),
        ('"two words" -"three more words"', ("two words",), ("three more words",)),
        ("retry retry", ("retry",), ()),
        ("http://host/a?b=c", ("http://host/a?b=c",), ()),
        ("12:30 a.py:12 C:\\x std::vector", ("12:30", "a.py:12", "C:\\x", "std::vector"), ()),
        ('"feat:x" "status:running"', ("feat:x", "status:running"), ()),
        ("TypeError: x", ("TypeError:", "x"), ()),
        ("--json - !", ("--json", "-", "!"), ()),
        ('""', (), ()),
        ("100% a_b", ("100%", "a_b"), ()),
        ("don't", ("don't",), ()),
    ],
)
def test_words(line: str, words: tuple[str, ...], without: tuple[str, ...]) -> None:
    assert (parse(line).words, parse(line).without) == (words, without)


@pytest.mark.parametrize(
    ("value", "statuses"),
    [
        ("running", ("running",)),
        ("RUN", ("running",)),
        ("awaiting", ("awaiting_permission", "awaiting_input")),
        ("awaiting-input", ("awaiting_input",)),
        ("waiting", ("awaiting_permission", "awaiting_input")),
        ("done", ("completed",)),
        ("error", ("failed",)),
        ("timed_out", ("failed",)),
        ("cancelled", ("stopped",)),
        ("stopping", ("running",)),
        ('"awaiting input"', ("awaiting_input",)),
        *((status, (status,)) for status in SESSION_STATUSES),
    ],
)
def test_statuses(value: str, statuses: tuple[str, ...]) -> None:
    assert parse(f"status:{value}").status == Choice(statuses)
    assert parse(f"status:!{value}").status == Choice((), statuses)


def test_claude_means_both_of_its_tools_and_any_other_word_itself() -> None:
    assert parse("tool:claude").tool == Choice(("claude-code", "claude-code-cli"))
    assert parse("tool:claude-code,someday").tool == Choice(("claude-code", "someday"))


@pytest.mark.parametrize(
    ("line", "archived"),
    [
        ("archived:no", "no"),
        ("archived:YES", "yes"),
        ("archived:any", "any"),
        ("archived:yes,no", "any"),
        ("archived:yes archived:no", "any"),
        ("archived:!yes", "no"),
        ("-archived:no", "yes"),
        ("archived:only", "yes"),
    ],
)
def test_archived(line: str, archived: str) -> None:
    assert parse(line).archived == archived


@pytest.mark.parametrize(
    ("value", "since", "until"),
    [
        ("30m", NOW - timedelta(minutes=30), None),
        ("12h", NOW - timedelta(hours=12), None),
        ("7D", NOW - timedelta(days=7), None),
        ("3w", NOW - timedelta(weeks=3), None),
        ("2mo", NOW - timedelta(days=60), None),
        ("1y", NOW - timedelta(days=365), None),
        ("0m", NOW, None),
        ("today", MIDNIGHT, MIDNIGHT + timedelta(days=1)),
        ("yesterday", MIDNIGHT - timedelta(days=1), MIDNIGHT),
        ("2025-10-02", datetime(2025, 10, 2, tzinfo=UTC), datetime(2025, 10, 3, tzinfo=UTC)),
        ("2025-10-02T14:05", datetime(2025, 10, 2, 14, 5, tzinfo=UTC), None),
        ("2025-10-02t14:05:06z", datetime(2025, 10, 2, 14, 5, 6, tzinfo=UTC), None),
        ('"2025-10-02 14:05"', datetime(2025, 10, 2, 14, 5, tzinfo=UTC), None),
        ("2025-10-02T14:05+02:00", datetime(2025, 10, 2, 12, 5, tzinfo=UTC), None),
    ],
)
def test_times(value: str, since: datetime, until: datetime | None) -> None:
    assert parse(f"since:{value}").since == since
    assert parse(f"until:{value}").until == (until or since)


@pytest.mark.parametrize("machine", [False, True], ids=["named zone", "zone of the machine"])
@pytest.mark.parametrize(
    ("name", "now", "value", "since", "until"),
    [
        ("Asia/Tokyo", "2025-10-24T20:00", "today", "2025-10-24T15:00", "2025-10-25T15:00"),
        ("America/Los_Angeles", "2025-10-24T05:00", "today", "2025-10-23T07:00", "2025-10-24T07:00"),
        ("Asia/Kathmandu", "2025-10-24T12:00", "yesterday", "2025-10-22T18:15", "2025-10-23T18:15"),
        ("Europe/Berlin", "2026-03-29T12:00", "today", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Berlin", "2026-03-30T12:00", "yesterday", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Berlin", "2026-10-26T12:00", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("Europe/Berlin", "2026-07-01T12:00", "2026-01-15T08:00", "2026-01-15T07:00", "2026-01-15T07:00"),
        ("America/Santiago", "2026-09-06T12:00", "today", "2026-09-06T04:00", "2026-09-07T03:00"),
        ("UTC", "2026-01-01T00:00", "yesterday", "2025-12-31T00:00", "2026-01-01T00:00"),
    ],
)
def test_days_are_those_of_the_zone_that_is_shown(
    monkeypatch: pytest.MonkeyPatch, machine: bool, name: str, now: str, value: str, since: str, until: str
) -> None:
    if machine:
        monkeypatch.setenv("TZ", name)
        time.tzset()
    here = datetime.fromisoformat(now).replace(tzinfo=UTC).astimezone(zone("local" if machine else name))
    read = parse_session_filter(f"since:{value} until:{value}", here)
    assert (read.since, read.until) == tuple(
        datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (since, until)
    )
    assert read.since is not None
    assert read.since.tzinfo is UTC


def test_several_times_hold_together() -> None:
    both = parse("since:7d since:1d until:2h until:today")
    assert (both.since, both.until) == (NOW - timedelta(days=1), NOW - timedelta(hours=2))


@pytest.mark.parametrize(
    "value", ["soon", "7", "d", "-7d", "7x", "2025-13-01", "2025-02-30", "99:99", "٣d", "2025", "1.5h", "7d7d"]
)
def test_what_is_no_time_is_refused(value: str) -> None:
    assert "is not a time" in parse_error(f"since:{value}" if value[0] != "-" else f'since:"{value}"').message


@pytest.mark.parametrize(
    "line",
    [
        "since:99999999y", f"since:{'9' * 5000}d", "since:9999y", "until:9999-12-31", "since:0001-01-01T00:00+23:00",
        "since:999999999w",
    ],
)  # fmt: skip
def test_a_time_out_of_range_is_refused(line: str) -> None:
    assert "outside the years" in parse_error(line).message


@pytest.mark.parametrize(
    ("line", "start", "end", "says"),
    [
        ("stauts:running", 0, 6, "nearest is status"),
        ("x -stauts:running", 3, 9, "nearest is status"),
        ("feat:x", 0, 4, "no key “feat”"),
        ("session:x", 0, 7, "no key “session”"),
        ("status:runing", 7, 13, "nearest is running"),
        ("status:running,!fialed", 16, 22, "nearest is failed"),
        ('status:"two words"', 7, 18, "no value"),
        ('status:" "', 7, 10, "no value"),
        ("status:created", 7, 14, "no value"),
        ("a status: b", 2, 9, "missing"),
        ("status:,", 0, 8, "missing"),
        ('repo:""', 0, 7, "missing"),
        ("has:taks", 4, 8, "nearest is tasks"),
        ("archived:perhaps", 9, 16, "no value"),
        ("archived:!any", 10, 13, "Nothing is left"),
        ("since:!7d", 7, 9, "turned round"),
        ("a\0b", 1, 2, "null character"),
        ("repo:\ud83e", 5, 6, "half a character"),
    ],
)
def test_an_error_says_what_and_where(line: str, start: int, end: int, says: str) -> None:
    error = parse_error(line)
    assert (error.start, error.end) == (start, end)
    assert says in error.message
    assert error.hint
    assert isinstance(error, UsageError)


def test_every_word_of_the_help_is_understood() -> None:
    for language, read in ((SESSION_LANGUAGE, parse_session_filter), (TASK_LANGUAGE, parse_task_filter)):
        for key in language.keys:
            for found in complete(f"{key}:", len(key) + 1, lambda _: ["one", 'two, "three'], language):
                read(f"{key}:{found.text}", NOW)


def test_tasks_have_their_own_statuses_and_a_session() -> None:
    assert parse_task_filter("status:queued,run session:0199b73d user:me -x y since:1h", NOW) == TaskFilter(
        status=Choice(("created", "running")),
        user=Choice(("me",)),
        session_id="0199b73d",
        since=NOW - timedelta(hours=1),
        words=("y",),
        without=("x",),
    )
    for status in TASK_STATUSES:
        assert parse_task_filter(f"status:{status}", NOW).status == Choice((status,))
    assert parse_task_filter("session:https://host/ui/s/0199b73d/", NOW).session_id == "https://host/ui/s/0199b73d/"
    for wrong in ("has:tasks", "status:idle", "session:a,b", "session:!a", "session:a session:b"):
        with pytest.raises(FilterError):
            parse_task_filter(wrong, NOW)


pieces = st.sampled_from(
    [
        *SESSION_LANGUAGE.keys, "session", ":", ",", "!", "-", '"', '""', " ", "\t", "a", "http://", "7d", "9999y",
        "today", "running", "2025-10-24", "T", "\u3000", "\0", "\ud800", "é", "none",
    ]
)  # fmt: skip
lines = st.text(max_size=40) | st.lists(pieces, max_size=14).map("".join)


@given(lines)
def test_any_line_is_read_or_refused_in_its_place(line: str) -> None:
    for read in (parse_session_filter, parse_task_filter):
        refusal: FilterError | None = None
        try:
            read(line, NOW)
        except FilterError as error:
            refusal = error
        if refusal:
            assert 0 <= refusal.start < refusal.end <= len(line)
            assert refusal.message.isprintable()
            assert len(refusal.message) < 200


@given(lines)
def test_terms_cover_the_line_in_order(line: str) -> None:
    at = 0
    for term in read_terms(line):
        assert not line[at : term.start].strip()
        assert at <= term.start < term.end
        assert all(term.start <= value.start <= value.end <= term.end for value in term.values)
        at = term.end
    assert not line[at:].strip()


@given(st.text(min_size=1, max_size=20).filter(lambda s: not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in s)))
def test_a_quoted_value_is_read_as_it_is(value: str) -> None:
    assert parse(f"repo:{quote(value)}").repo == Choice((value,))
    assert parse(f"x repo:a,!{quote(value)} y").repo.exclude == (value,)


def existing(field: str) -> Sequence[str]:
    return {
        "tool": ("claude-code", "claude-code-cli", "codex", "gemini"),
        "repo": ("lanternctl", "two words", "tidepool"),
        "user": ("ann",),
    }.get(field, ())


def offered(line: str, cursor: int | None = None) -> list[str]:
    """The lines that accepting each completion would give."""
    cursor = len(line) if cursor is None else cursor
    return [line[: c.start] + c.text + line[c.end :] for c in complete(line, cursor, existing)]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("st", ["status:"]),
        ("x -re", ["x -repo:"]),
        ("ST", ["status:"]),
        ("status:r", ["status:running", "status:awaiting_permission"]),
        ("status:awaiting", ["status:awaiting", "status:awaiting_permission", "status:awaiting_input"]),
        ("tool:!g", ["tool:!gemini"]),
        ("tool:codex,ge", ["tool:codex,gemini"]),
        ("tool:codex,gemini,c", ["tool:codex,gemini,claude", "tool:codex,gemini,claude-code"]),
        ("repo:t", ['repo:"two words"', "repo:tidepool", "repo:lanternctl"]),
        ('repo:"two w', ['repo:"two words"']),
        ('repo:"two words",l', ['repo:"two words",lanternctl']),
        ("user:", ["user:me", "user:ann"]),
        ("archived:", ["archived:yes", "archived:no", "archived:any"]),
        ("-has:ch", ["-has:children"]),
        ("since:y", ["since:yesterday", "since:today", "since:1y"]),
        ("board:", []),
        ("retry", []),
        ('"st', []),
        ("http://s", []),
        ("colour:r", []),
    ],
)
def test_completion(line: str, lines: list[str]) -> None:
    found = offered(line)
    assert found[: len(lines)] == lines
    assert lines or not found


def test_completion_offers_every_key_with_a_line_on_it_where_a_term_can_begin() -> None:
    for line in ("", "status:running ", "-"):
        found = complete(line, len(line), existing)
        assert [c.text for c in found] == [f"{key}:" for key in SESSION_LANGUAGE.keys]
        assert all(c.description for c in found)
    assert "session:" in [c.text for c in complete("se", 2, existing, TASK_LANGUAGE)]
    assert complete("status:cr", 9, existing, TASK_LANGUAGE)[0].text == "created"


def test_completion_replaces_the_whole_word_around_the_cursor() -> None:
    assert offered("status:ruxx tool:x", 9)[0] == "status:running tool:x"
    assert offered("stxx:running", 2) == ["status:running"]
    assert offered("tool:!gxx,codex", 7) == ["tool:!gemini,codex"]
    assert offered("tool:codex ", 0)[0] == "status:tool:codex "


def test_the_database_is_asked_only_for_the_values_of_the_key_at_the_cursor() -> None:
    asked: list[str] = []

    def values(field: str) -> Sequence[str]:
        asked.append(field)
        return ()

    for line in ("", "st", "status:", "has:", "since:", "session:", "retry", "colour:"):
        complete(line, len(line), values)
    assert asked == []
    complete("repo:x board:", 13, values)
    assert asked == ["board"]


@given(lines, st.integers(-2, 50))
def test_completion_answers_anywhere_in_any_line(line: str, cursor: int) -> None:
    for found in complete(line, cursor, existing):
        assert 0 <= found.start <= found.end <= len(line)

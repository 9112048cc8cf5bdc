"""Rows as lines of a dump: whatever a database may hold comes back as it was, and a line is JSON for anybody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agor_tui.db.row_format import FORMATS, Row
from agor_tui.db.types import EPOCH, keep_text
from agor_tui.services.dump.rows import RowDecoder, RowEncoder, RowError, iso_of_ms, ms_of_iso

AWKWARD = st.text(
    st.one_of(st.characters(), st.sampled_from('\x00\n\r"\\/:,{}[]\u2028\ufdd0\ud83e\udd14\ufeff\x1b')), max_size=12
)
"""Any text at all, lone surrogates and what JSON and the database mark among it."""

TEXTS = AWKWARD.map(keep_text) | st.sampled_from(["\ufdd0", "\ufdd0xyz", "\ufdd0d83e\ufdd0dd14", ',"data":{', '"}'])

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | AWKWARD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(AWKWARD, inner, max_size=3),
    max_leaves=8,
)
JSON_TEXTS = (
    JSON_VALUES.map(json.dumps)
    | JSON_VALUES.map(lambda value: json.dumps(value, indent=1))
    | st.sampled_from(
        [
            '{"title": "cut o', "", "null", " 1", "1e400", "123456789012345678901234567890", "NaN", '"\\ud83e"',
            '{"a":1,"a":2}', '{"x": 1,"data":{"data":2},"reactions":[]}', "[" * 2_000 + "]" * 2_000, "not \x00 JSON",
            "\ufeff{}", '{"nul": "\\u0000", "\\ufdd0": "\ufdd0"}', "1.50", '{"a"\t:\t1}',
        ]
    )
)  # fmt: skip
INTEGERS = st.integers(-(2**63), 2**63 - 1)
ODD = st.binary(max_size=4) | st.floats() | INTEGERS | TEXTS
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "id": TEXTS,
    "text": TEXTS,
    "instant": INTEGERS | st.integers(0, 2**42),
    "flag": st.booleans(),
    "json": JSON_TEXTS,
    "integer": INTEGERS,
}


@st.composite
def rows(draw: st.DrawFn) -> tuple[str, Row]:
    """A table and a row of it; now and then with values that only SQLite would hold there."""
    form = FORMATS[draw(st.sampled_from(("messages", "board_comments", "session_mcp_servers", "worktrees")))]
    odd = draw(st.integers(0, 4)) == 0
    values = []
    for column in form.columns:
        value = draw(ODD if odd and draw(st.booleans()) else KINDS[column.kind])
        if column.nullable and draw(st.integers(0, 3)) == 0:
            value = None
        values.append(value)
    return form.name, tuple(values)


def same(a: Row, b: Row) -> bool:
    """Equal in value and type; a float that is no number equals itself."""
    return [(type(each), repr(each)) for each in a] == [(type(each), repr(each)) for each in b]


def comment(reactions: str, data: str) -> tuple[str, Row]:
    """A row of the one table with JSON in two columns."""
    return "board_comments", ("c", 0, None, "b", "u", *[None] * 4, "", "", None, False, False, reactions, data)


@given(rows())
@example(comment("null", '{"cut'))
@example(comment('[{"x":1,"data":2},{"data":3}]', "{}"))
@example(comment("[" * 300 + "]" * 300, '{"data":1}'))
@example(comment(" [] ", " {} "))
def test_a_row_comes_back_as_it_was_from_a_line_of_json(found: tuple[str, Row]) -> None:
    table, row = found
    line = RowEncoder(FORMATS[table]).line(row)
    assert b"\n" not in line
    assert json.loads(line.decode())["table"] == table
    for checked in (False, True):
        assert same(RowDecoder(FORMATS[table]).row(line, checked=checked), row)


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
@example(0)
@example(-1)
@example(-30_610_224_000_000)
@example(-30_610_224_000_001)
def test_a_time_is_written_as_iso_8601_and_read_back(ms: int) -> None:
    text = iso_of_ms(ms)
    moment = EPOCH + timedelta(milliseconds=ms)
    if moment >= datetime(1000, 1, 1, tzinfo=UTC):
        assert text == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        assert ms_of_iso(str(text)) == ms
    else:
        assert text == ms


def line_of(**changes: Any) -> bytes:
    """A line of ``session_mcp_servers``, whose values need nothing else."""
    values = {
        "table": "session_mcp_servers",
        "session_id": "s",
        "mcp_server_id": "m",
        "enabled": True,
        "added_at": "2026-01-01T00:00:00.000Z",
    } | changes
    return json.dumps(
        {name: value for name, value in values.items() if value != "gone"}, separators=(",", ":")
    ).encode()


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01T00:00:60.000Z", "2026-02-30T00:00:00.000Z",
     "2026-01-01T24:00:00.000Z", "2026-01-01T00:00:00.000+00", "2026-01-01t00:00:00.000Z", "２026-01-01T00:00:00.000Z",
     "2026-01-01T00:00:٠0.000Z", "20260101T000000.00000000Z"],
)  # fmt: skip
def test_what_is_no_time_in_that_form_is_refused(text: str) -> None:
    with pytest.raises(RowError, match="is no time"):
        RowDecoder(FORMATS["session_mcp_servers"]).row(line_of(added_at=text))


@pytest.mark.parametrize(
    ("changes", "column", "what"),
    [
        ({"enabled": 1}, "enabled", "is no true or false"),
        ({"enabled": None}, "enabled", "is empty, which it may not be"),
        ({"session_id": 5}, "session_id", "is no text"),
        ({"added_at": "yesterday"}, "added_at", "is no time"),
        ({"added_at": 1.5}, "added_at", "is no time"),
        ({"added_at": "gone"}, "added_at", "is missing"),
        ({"colour": "red"}, "colour", "is no column of this table"),
        ({"added_at": "gone", "added_at:bytes": "xyz"}, "added_at:bytes", "is not as agor-tui writes it"),
        ({"added_at": "gone", "added_at:wrong": "xyz"}, "added_at:wrong", "is not as agor-tui writes it"),
        ({"added_at": "gone", "added_at:stored": "xyz"}, "added_at:stored", "is not as agor-tui writes it"),
        ({"added_at": "gone", "added_at:other": "\ud800"}, "added_at:other", "is not as agor-tui writes it"),
    ],
)
def test_a_line_that_is_no_row_is_refused_with_its_column(changes: dict[str, Any], column: str, what: str) -> None:
    decoder = RowDecoder(FORMATS["session_mcp_servers"])
    decoder.row(line_of())
    with pytest.raises(RowError) as refused:
        decoder.row(line_of(**changes))
    assert (refused.value.column, refused.value.what) == (column, what)

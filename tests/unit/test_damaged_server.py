"""What a PostgreSQL server says of damaged pages and TOAST values, as its sources word it, is a sentence."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import exc

from agor_tui.db.failures import explain, is_row_fault
from tests.conftest import place_of


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (psycopg.errors.DataCorrupted, "invalid page in block 3 of relation base/16384/16385"),
        (psycopg.errors.DataCorrupted, "missing chunk number 0 for toast value 16401 in pg_toast_16385"),
        (
            psycopg.errors.DataCorrupted,
            "unexpected chunk number 2 (expected 1) for toast value 16401 in pg_toast_16385",
        ),
        (psycopg.errors.DataCorrupted, "compressed pglz data is corrupt"),
        (psycopg.errors.IndexCorrupted, 'index "sessions_pkey" contains unexpected zero page at block 4'),
    ],
)
def test_damage_on_a_server_is_called_damage(kind: type[psycopg.Error], text: str) -> None:
    error = exc.DBAPIError(None, None, kind(text))
    shown = explain(place_of("postgresql://me@db.example/team"), error)
    assert "is damaged" in shown.message
    assert "db.example" in shown.message
    assert is_row_fault(error)

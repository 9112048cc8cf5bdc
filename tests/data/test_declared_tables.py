"""Each schema kind says of its owner's tables which it maps and which it knowingly leaves aside, and why.

SQLite alone for OpenCode, whose program has no other; Agor's and ours on both dialects.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agor_tui.config.places import Place
from agor_tui.db import transfer_marks
from agor_tui.db.catalog import Catalog
from agor_tui.db.engine import Database
from agor_tui.db.revision import VERSION_TABLE
from agor_tui.db.row_format import FORMATS
from agor_tui.db.tables import schema_migrations
from agor_tui.repositories.store import learn
from agor_tui.schemas import recognise
from agor_tui.schemas.base import Schema
from tests.conftest import place_of
from tests.servers import restore_dump

NAMED_BY_A_COPY = {
    "agentic_tool_presets", "artifact_trust_grants", "artifacts", "board_access_entries", "board_access_policies",
    "board_group_grants", "board_owners", "branch_group_grants", "branch_owners", "branch_permission_configs",
    "branch_permission_entries", "card_types", "cards", "completion_subscriptions", "group_memberships", "groups",
    "kb_document_units", "kb_document_versions", "kb_documents", "kb_embedding_spaces", "kb_graph_edges",
    "kb_graph_nodes", "kb_import_receipts", "kb_namespace_acl", "kb_namespaces", "schedules", "session_relationships",
    "thread_session_map", "uploads",
}  # fmt: skip
"""Tables of Agor's newest generation that ours have nothing for: their rows stay behind, and a copy says so."""


def declared(place: Place) -> tuple[Catalog, Schema]:
    with Database(place) as database:
        catalog, _ = database.read(learn)
        return catalog, recognise(catalog, database.dialect, None, "here")


def unknown(place: Place) -> set[str]:
    """The tables of a database that its kind says nothing of."""
    catalog, schema = declared(place)
    assert not schema.mapped_tables & schema.left_aside.keys()
    assert all(reason.strip() for reason in schema.left_aside.values())
    return set(catalog.tables) - schema.mapped_tables - schema.left_aside.keys()


@pytest.mark.parametrize(
    "file",
    ["agor/agor.db", "opencode/opencode.db", "opencode-v2/opencode.db", "opencode-2x/opencode.db", "kilo/kilo.db"],
)
def test_every_table_of_a_fixture_is_declared(fixtures_dir: Path, file: str) -> None:
    assert unknown(place_of(fixtures_dir / file)) == set()


def test_what_ours_have_nothing_for_is_declared_as_neither(fixtures_dir: Path) -> None:
    assert unknown(place_of(fixtures_dir / "agor-2026" / "agor.db")) == NAMED_BY_A_COPY


@pytest.mark.parametrize("version", [16, 18])
def test_the_newest_generation_of_agor_on_a_server(
    request: pytest.FixtureRequest, fixtures_dir: Path, version: int
) -> None:
    url = request.getfixturevalue(f"postgres{version}_url")
    restore_dump(fixtures_dir / "agor-2026" / "agor.sql.gz", url)
    assert unknown(place_of(url)) == NAMED_BY_A_COPY


def test_native_tables_are_declared(native_place: Place) -> None:
    _, schema = declared(native_place)
    assert schema.mapped_tables == set(FORMATS)
    assert schema.left_aside.keys() == {VERSION_TABLE, schema_migrations.name, transfer_marks.NAME}
    assert unknown(native_place) == set()


def test_a_table_that_somebody_added_is_not(native_place: Place) -> None:
    with Database(native_place, writable=True) as database:
        database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE notes (id integer)"))
    assert unknown(native_place) == {"notes"}

"""The URLs that managed services show, given to the command as they are: it connects, and says what it ignored once."""

from __future__ import annotations

from pathlib import Path

import pytest

from agor_tui.db import migrator
from tests.conftest import place_of

from .conftest import Run


def test_parameters_of_other_clients_are_said_once(run: Run, postgres18_url: str) -> None:
    migrator.init(place_of(postgres18_url))
    url = f"{postgres18_url}?pgbouncer=true&connection_limit=1&schema=public"
    for text in (url, f'"{url}"\n', f"psql '{url}'", f"DATABASE_URL={url}"):
        for command in (["session", "list"], ["db", "status"]):
            done = run(*command, "--json", "-d", text)
            assert done.code == 0, done.err
            assert done.err.count("pgbouncer, connection_limit in the URL are another client's and ignored here.") == 1
    done = run("session", "list", "-d", f"{postgres18_url}?sslmod=require")
    assert done.code == 1
    assert "the nearest is “sslmode”" in done.err


@pytest.mark.parametrize("content", [None, "", "[other]\nhost=h\n"])
def test_a_service_that_no_file_has(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    file = tmp_path / "services"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    done = run("db", "test", "-d", "postgresql://?service=mine")
    assert done.code == 1
    assert "service mine is in no service file that was found." in done.err
    assert "Check its name, ~/.pg_service.conf and PGSERVICEFILE." in done.err

"""The URLs that managed services show, given to the command as they are: it connects, and says what it ignored once."""

from __future__ import annotations

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

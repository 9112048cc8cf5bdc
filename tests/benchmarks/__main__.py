"""``python -m tests.benchmarks [--only NAME] [--folder PATH] [--small]``: measures and prints one table."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg

from agor_tui import paths

from . import databases, live, queries, screens, startup, transfer
from .report import Result, machine, table

GROUPS = ("start", "queries", "paging", "conversation", "live", "copy")


def main(arguments: list[str]) -> int:
    """Run the groups asked for; exit code 0 whatever the figures are: they are for people."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", choices=GROUPS, action="append", help="only this group; may be given again")
    parser.add_argument("--dialect", choices=("sqlite", "postgresql"), action="append", help="only this dialect")
    parser.add_argument(
        "--folder", type=Path, default=paths.cache_dir() / "benchmarks", help="where databases are kept"
    )
    parser.add_argument("--small", action="store_true", help="ten thousand sessions only, made in seconds")
    chosen = parser.parse_args(arguments)
    groups = chosen.only or GROUPS
    dialects = tuple(chosen.dialect or ("sqlite", "postgresql"))
    sizes = databases.SIZES[:1] if chosen.small or groups == ["copy"] else databases.SIZES
    results: list[Result] = []
    version = None
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        targets: dict[int, list[tuple[str, str]]] = {size: [] for size in sizes}
        for size in sizes:
            _say(f"the databases of {size:,} sessions are made where they are missing")
            if "sqlite" in dialects:
                path = databases.prepare_sqlite(chosen.folder, size)
                targets[size].append((f"sqlite, {size:,} sessions", str(path)))
        if "postgresql" in dialects:
            urls = stack.enter_context(databases.postgresql_server(chosen.folder, sizes))
            for size, url in urls.items():
                targets[size].append((f"postgresql, {size:,} sessions", url))
            with psycopg.connect(urls[sizes[0]]) as connection:
                version = connection.execute("SHOW server_version").fetchone()
        steps: dict[str, Callable[[], list[Result]]] = {
            "start": lambda: (
                startup.commands(_fixture(chosen.folder), home) + startup.first_paint(targets[sizes[-1]], home)
            ),
            "queries": lambda: queries.measure(
                [(name.partition(",")[0], size, target) for size in sizes for name, target in targets[size]]
            ),
            "paging": lambda: screens.paging(targets[sizes[-1]], home),
            "conversation": lambda: screens.conversations(targets[sizes[0]], home),
            "live": lambda: live.measure(targets[sizes[-1]]),
            "copy": lambda: transfer.measure(chosen.folder, small=chosen.small),
        }
        for group in groups:
            _say(group)
            results += steps[group]()
    print(machine(str(version[0]).partition(" ")[0] if version else None), end="\n\n")
    print(table(results))
    return 0


def _fixture(folder: Path) -> Path:
    """Agor's database of the fixtures, or the small one of our own where there are none."""
    shared = Path(__file__).resolve().parents[3] / "shared" / "fixtures"
    found = Path(os.environ.get("AGOR_TUI_FIXTURES") or shared) / "agor" / "agor.db"
    return found if found.exists() else databases.prepare_sqlite(folder, databases.SIZES[0])


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


sys.exit(main(sys.argv[1:]))

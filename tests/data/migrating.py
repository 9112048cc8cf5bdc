"""A history with more revisions than ours has, for the tests; as a program, it migrates a database with it.

``python -m tests.data.migrating TARGET FOLDER`` upgrades and prints how many revisions it applied.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from agor_tui import config
from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, SqlitePlace
from agor_tui.db import migrator, revision, scripts

HEADER = '''"""one more"""
from __future__ import annotations
import sqlalchemy as sa
from alembic import op
revision = "0003"
down_revision = "0002"
'''

#: Rebuilds a table that others refer to, on SQLite as a copy.
REBUILD = (
    HEADER
    + """
def upgrade() -> None:
    with op.batch_alter_table("sessions") as batch:
        batch.add_column(sa.Column("mood", sa.Text(), nullable=False, server_default="calm"))
        batch.create_check_constraint("mood", "mood <> ''")

def downgrade() -> None:
    with op.batch_alter_table("sessions") as batch:
        batch.drop_constraint("mood", type_="check")
        batch.drop_column("mood")
"""
)

#: Fails when a good part is done.
BROKEN = (
    HEADER
    + """
def upgrade() -> None:
    op.create_table("half_done", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("UPDATE sessions SET status = 'stopped'")
    op.execute("SELECT * FROM no_such_table")

def downgrade() -> None:
    pass
"""
)

#: Says so when a good part is done, and then waits for its standard input.
HANGING = BROKEN.replace(
    'op.execute("SELECT * FROM no_such_table")', 'print("half", flush=True); __import__("sys").stdin.read()'
)


def write_history(folder: Path, source: str) -> Path:
    """Copy our scripts to ``folder`` and add one more revision with the text ``source``."""
    shutil.copytree(scripts.folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "0003_more.py").write_text(source)
    return folder


def use_history(folder: Path) -> None:
    """Take the scripts from ``folder``, for as long as the process lives."""
    scripts.folder = lambda: folder
    for module in (revision, migrator):
        module.REVISIONS = ("0001", "0002", "0003")  # type: ignore[attr-defined]
        module.HEAD = "0003"  # type: ignore[attr-defined]


def run_program(place: Place, folder: Path) -> subprocess.Popen[str]:
    """Start this module as a program on ``place``; the caller talks to it and waits for it."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.data.migrating", address(place), str(folder)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def address(place: Place) -> str:
    """The path or the URL of a place of the tests."""
    if isinstance(place, SqlitePlace):
        return str(place.path)
    if isinstance(place, LibsqlPlace):
        return place.url
    assert isinstance(place, PostgresPlace)
    return f"postgresql://{place.user}@{place.host}:{place.port}/{place.database}"


def main(target: str, folder: str) -> None:
    """Upgrade ``target`` with the history in ``folder``."""
    use_history(Path(folder))
    place = config.resolve(target, config_path=None, environ={})
    print(len(migrator.init(place).revisions))


if __name__ == "__main__":
    main(*sys.argv[1:])

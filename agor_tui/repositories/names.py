"""The names by which a filter knows worktrees, repos, boards and users; each list is read once, when it is needed."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.engine import Connection

from agor_tui.repositories.base import Store

Known = Mapping[str, Sequence[str | None]]

ME = "me"


class Names:
    """id -> names, within one unit of work."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self._schema = store.schema
        self._connection = connection

    def of(self, field: str) -> Known:
        """The names for a field of the filter language: worktree, repo, board or user; empty for another."""
        readers = {"worktree": self.worktrees, "repo": self.repos, "board": self.boards, "user": self.users}
        return readers[field]() if field in readers else {}

    def worktrees(self) -> Known:
        """Worktrees by name, and by repo/name."""
        source = self._schema.worktrees
        if source is None:
            return {}
        rows = self._connection.execute(select(source.c.id, source.c.name, source.c.repo))
        return {row.id: (row.name, f"{row.repo}/{row.name}") for row in rows}

    def repos(self) -> Known:
        """Repositories by slug."""
        source = self._schema.repos
        if source is None:
            return {}
        return {row.id: (row.name,) for row in self._connection.execute(select(source.c.id, source.c.name))}

    def boards(self) -> Known:
        """Boards by name and slug."""
        source = self._schema.boards
        if source is None:
            return {}
        rows = self._connection.execute(select(source.c.id, source.c.name, source.c.slug))
        return {row.id: (row.name, row.slug) for row in rows}

    def users(self) -> Known:
        """Users by name, email, its local part, login and id; ``me`` is the one of this login, or the only one."""
        source = self._schema.users
        fixed: dict[str, Sequence[str | None]] = {each: (each,) for each in ("anonymous", "cli-import")}
        if source is None:
            return {**fixed, "": (ME,)}
        rows = self._connection.execute(select(source.c.id, source.c.name, source.c.email, source.c.login)).all()
        login = _login()
        found = dict(fixed)
        for row in rows:
            names = (row.name, row.email, (row.email or "").partition("@")[0], row.login, row.id)
            mine = len(rows) == 1 or login in {name.casefold() for name in names[:4] if name}
            found[row.id] = (*names, ME) if mine else names
        return found


def _login() -> str:
    try:
        return getpass.getuser().casefold()
    except (OSError, KeyError):
        return ""

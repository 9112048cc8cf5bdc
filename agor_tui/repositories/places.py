"""Boards, repos, worktrees and users: where sessions belong, and to whom."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from sqlalchemy import FromClause, func, literal, select
from sqlalchemy.sql.elements import ColumnElement

from agor_tui.records import Board, Repo, User, Worktree
from agor_tui.repositories.base import Repository, Store


class BoardRepository(Repository[Board]):
    """The boards of a store."""

    kind = "board"

    def __init__(self, store: Store, *, counted: bool = True) -> None:
        """``counted``: whether the sessions of each board are counted, which takes its time; else they are 0."""
        super().__init__(store)
        self._counted = counted

    @property
    def _variant(self) -> Hashable:
        return type(self).__name__, self._counted

    def list_columns(self, source: FromClause) -> list[ColumnElement[Any]]:
        schema = self.store.schema
        names = ("id", "name", "slug", "description", "archived", "created_at", "updated_at", "created_by")
        number: ColumnElement[Any] = literal(0)
        if self._counted:
            on_board = select(func.count()).where(schema.in_boards([source.c.id]), schema.not_archived)
            number = on_board.scalar_subquery()
        return [*(source.c[name] for name in names), number.label("session_count")]

    def record(self, row: Any, short_id: str) -> Board:
        return Board(
            id=row.id,
            short_id=short_id,
            name=row.name or "",
            slug=row.slug,
            description=row.description,
            archived=bool(row.archived),
            created_at=row.created_at,
            updated_at=row.updated_at,
            created_by=row.created_by,
            session_count=row.session_count,
        )


class RepoRepository(Repository[Repo]):
    """The repositories of a store."""

    kind = "repo"

    def list_columns(self, source: FromClause) -> list[ColumnElement[Any]]:
        names = ("id", "name", "path", "remote_url", "default_branch", "created_at")
        return [source.c[name] for name in names]

    def record(self, row: Any, short_id: str) -> Repo:
        return Repo(row.id, short_id, row.name or "", row.path, row.remote_url, row.default_branch, row.created_at)


class WorktreeRepository(Repository[Worktree]):
    """The worktrees of a store."""

    kind = "worktree"

    def list_columns(self, source: FromClause) -> list[ColumnElement[Any]]:
        names = (
            "id",
            "repo_id",
            "repo",
            "name",
            "branch",
            "path",
            "board_id",
            "board",
            "archived",
            "created_at",
        )
        return [source.c[name] for name in names]

    def record(self, row: Any, short_id: str) -> Worktree:
        return Worktree(
            id=row.id,
            short_id=short_id,
            repo_id=row.repo_id,
            repo=row.repo,
            name=row.name or "",
            branch=row.branch,
            path=row.path,
            board_id=row.board_id,
            board=row.board,
            archived=bool(row.archived),
            created_at=row.created_at,
        )


class UserRepository(Repository[User]):
    """The users of a store; neither password hashes nor keys are ever selected."""

    kind = "user"

    def list_columns(self, source: FromClause) -> list[ColumnElement[Any]]:
        return [source.c[name] for name in ("id", "name", "email", "role", "created_at")]

    def record(self, row: Any, short_id: str) -> User:
        return User(row.id, short_id, row.name, row.email, row.role, row.created_at)

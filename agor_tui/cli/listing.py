"""Lists of any length in flat memory: fetched page by page, printed as they come, as JSON or as a table."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, Generic, Protocol, TypeVar

import click

from agor_tui.cli import streams
from agor_tui.cli.tables import Column, Table
from agor_tui.records import Count, Cursor, Page
from agor_tui.services import export
from agor_tui.services.cursors import place_text
from agor_tui.text import printable

_PAGE = 500
_LARGEST_PAGE = 8_000
"""Pages of a long list grow to this size: where no index gives the order, each page costs a sort of all rows."""


class HasId(Protocol):
    """A record that ``--after`` can name."""

    @property
    def id(self) -> str:
        """The whole id."""


R = TypeVar("R", bound=HasId)


def list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--limit``, ``--after`` and ``--json`` for a command that lists."""
    for option in (
        json_option,
        click.option("--after", metavar="ID", help="Go on behind this row."),
        click.option(
            "--limit",
            type=click.IntRange(min=0),
            default=50,
            show_default=True,
            metavar="N",
            help="At most so many rows; 0 for all.",
        ),
    ):
        command = option(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


class Listing(Generic[R]):
    """Up to ``limit`` rows behind ``after`` (0: all), a page in memory at a time.

    After they were read, ``shown`` is their number, ``last`` the last one, and ``more`` whether others follow.
    """

    def __init__(
        self, fetch: Callable[[Cursor | None, int], Page[R]], *, after: Cursor | None, limit: int, order: str
    ) -> None:
        """``order`` names what the rows are ordered by, in the text of the place where the next list begins."""
        self._fetch = fetch
        self._after = after
        self._limit = limit
        self._order = order
        self.next: Cursor | None = None
        self.shown = 0
        self.last: R | None = None
        self.more = False

    def pages(self) -> Iterator[tuple[R, ...]]:
        """The pages in order; none is empty."""
        after = self._after
        size = _PAGE
        while True:
            left = self._limit - self.shown if self._limit else size
            page = self._fetch(after, min(left, size))
            size = min(2 * size, _LARGEST_PAGE)
            if page.rows:
                self.shown += len(page.rows)
                self.last = page.rows[-1]
                yield page.rows
            after = page.next
            self.next, self.more = after, after is not None
            if after is None or self.shown == self._limit:
                return

    def print_json(self, shape: Callable[[R], dict[str, Any]]) -> None:
        """Print one JSON array."""
        streams.write(export.array(chain.from_iterable(self.pages()), shape))

    def print_table(self, columns: Sequence[Column[R]]) -> None:
        """Print a table whose columns are as wide as the first page needs."""
        table: Table[R] | None = None
        for rows in self.pages():
            if table is None:
                table = Table(columns, rows, streams.look(sys.stdout))
                streams.write_lines(table.head())
            streams.write_lines(map(table.line, rows))
            streams.flush()

    def print_note(self, what: str, count: Callable[[], Count], explain: Callable[[], Sequence[str]]) -> None:
        """Tell the person, apart from the data, that there are more rows, or why there may be none."""
        if not self.shown:
            streams.note("\n".join([f"There are no such {what}.", *explain()]))
        elif self.next is not None:
            total = count()
            streams.note(
                f"Showing {self.shown:,} of {total.value:,}{'' if total.exact else '+'} {what} · "
                f"more: --after {printable(place_text(self.next, self._order), 5_000)}"
            )

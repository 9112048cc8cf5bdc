"""A dump as a source of rows, for what reads databases."""

from __future__ import annotations

from collections.abc import Iterator

from agor_tui.db.row_format import FORMATS, Row
from agor_tui.db.row_source import RowSource, Selection
from agor_tui.services.dump.form import damaged
from agor_tui.services.dump.reader import Batch, DumpReader


class DumpSource(RowSource):
    """The rows of a dump that was read to its end before. Tables are asked for in their order, each once."""

    def __init__(self, reader: DumpReader) -> None:
        super().__init__()
        self._reader = reader
        self._sha256 = reader.sha256
        self._batches = reader.batches(checked=True)
        self._next: Batch | None = None
        self.label = reader.file
        self.kind = reader.header.kind
        self.tables = tuple(name for name in FORMATS if name in reader.header.tables)

    def count(self, table: str, selection: Selection | None = None) -> int | None:
        return self._reader.footer.tables[table].rows if selection is None else None

    def rows(self, table: str, *, after: str | None = None, selection: Selection | None = None) -> Iterator[list[Row]]:
        form = FORMATS[table]
        place = form.key_at
        while (batch := self._following()) is not None:
            if self.tables.index(batch.table) > self.tables.index(table):
                self._next = batch
                return
            rows = batch.rows if batch.table == table else []
            if after is not None and place is not None:
                rows = [row for row in rows if row[place] > after]
            if selection is not None:
                rows = [row for row in rows if selection.has(form, row)]
            if rows:
                yield rows

    def since(self, ms: int) -> Selection:
        form = FORMATS["sessions"]
        key, updated = form.names.index("session_id"), form.names.index("updated_at")
        found = (batch.rows for batch in self._reader.batches(checked=True) if batch.table == form.name)
        return Selection(frozenset(row[key] for rows in found for row in rows if row[updated] >= ms))

    def finish(self) -> None:
        """Read what is left. Raises FileError where the file is not the one that was checked."""
        while self._following() is not None:
            pass
        if self._reader.sha256 != self._sha256:
            raise damaged(self.label, 1, "the file was replaced while it was read")

    def _following(self) -> Batch | None:
        batch, self._next = self._next, None
        return batch or next(self._batches, None)

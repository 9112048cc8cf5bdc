"""The floor of the app: Textual with a table of 50 rows and nothing else."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import DataTable

FIRST_ROW = "bare-row-00"


class BareApp(App[None]):
    """Fifty rows of eight columns."""

    def compose(self) -> ComposeResult:
        yield DataTable[str]()

    def on_mount(self) -> None:
        table: DataTable[str] = self.query_one(DataTable)
        table.add_columns(*(f"column {number}" for number in range(8)))
        for number in range(50):
            table.add_row(f"bare-row-{number:02d}", *(f"cell {number}.{column}" for column in range(7)))


if __name__ == "__main__":
    BareApp().run()

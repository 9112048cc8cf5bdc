"""``session export``: sessions as documents, to standard output, a file or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Command, Settings, pass_settings
from agor_tui.paths import shown
from agor_tui.text import byte_size, printable

if TYPE_CHECKING:
    from agor_tui.services.session_export import Format

_FORMATS: tuple[Format, ...] = ("md", "html", "json", "txt")


@click.command(
    "export",
    cls=Command,
    help="Write sessions as documents to read, keep or send.\n\n"
    "ID is an id or the beginning of one. Without -o all go to standard output as one document; with it, one session "
    "goes to that file or folder, several go to a folder, a file each, which is replaced where it is there.",
)
@click.argument("session_ids", metavar="ID...", nargs=-1, required=True)
@click.option(
    "--format",
    "format",
    type=click.Choice(_FORMATS),
    help="md, html, json or txt; without it what the name of the file says, else md.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE|FOLDER", help="Where to write.")
@pass_settings
def session_export(
    settings: Settings, session_ids: tuple[str, ...], format: Format | None, output: Path | None
) -> None:
    from agor_tui.services import session_export as exports

    format = format or _format_of(output)
    with settings.open_browser() as browser:
        sessions = list({found.id: found for found in map(browser.session, session_ids)}.values())
        if output is None or str(output) == "-":
            streams.write(exports.document(browser, sessions, format))
            return
        output = output.expanduser()
        if len(sessions) > 1:
            exports.export_to_folder(browser, sessions, format, output)
            streams.note(f"Wrote {len(sessions):,} files to {printable(shown(output))}.")
            return
        path = output / exports.file_name(sessions[0], format) if output.is_dir() else output
        size = exports.export_to_file(browser, sessions, format, path)
        streams.note(f"Wrote {byte_size(size)} to {printable(shown(path))}.")


def _format_of(output: Path | None) -> Format:
    """The format that the ending of a file's name says, else Markdown."""
    ending = output.suffix[1:].lower() if output is not None else ""
    return next((known for known in _FORMATS if known == ending), "md")

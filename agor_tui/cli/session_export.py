"""``session export``: sessions as documents, to standard output, a file or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Command, Settings, pass_settings
from agor_tui.errors import UsageError, quoted
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
    "goes to that file or folder, several go to a folder, a file each.",
)
@click.argument("session_ids", metavar="ID...", nargs=-1, required=True)
@click.option(
    "--format",
    "format",
    type=click.Choice(_FORMATS),
    help="md, html, json or txt; without it what the name of the file says, else md.",
)
@click.option("-o", "--output", metavar="FILE|FOLDER", help="Where to write.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@pass_settings
def session_export(
    settings: Settings, session_ids: tuple[str, ...], format: Format | None, output: str | None, force: bool
) -> None:
    from agor_tui.services import session_export as exports
    from agor_tui.services.files import make_folder

    out = None if output is None or output == "-" else Path(output).expanduser()
    with settings.open_browser() as browser:
        sessions = list({found.id: found for found in map(browser.session, session_ids)}.values())
        if out is None or output is None:
            streams.write(exports.document(browser, sessions, format or "md"))
            return
        is_folder = len(sessions) > 1 or output.endswith(os.sep) or out.is_dir()
        if is_folder and _ending(out) and not out.is_dir():
            raise UsageError(f"{quoted(out.name)} would be a folder, and is named like a file.", "Name a folder.")
        format = format or ("md" if is_folder else _format_of(out))
        paths = [out / name for name in exports.file_names(sessions, format)] if is_folder else [out]
        if not force:
            _require_new(paths)
        if len(sessions) > 1:
            exports.export_to_folder(browser, sessions, format, out)
            streams.note(f"Wrote {len(sessions):,} files to {printable(shown(out))}{_hidden(paths)}.")
            return
        if is_folder:
            make_folder(out)
        size = exports.export_to_file(browser, sessions, format, paths[0])
        streams.note(f"Wrote {byte_size(size)} to {printable(shown(paths[0]))}{_hidden(paths)}.")


def _hidden(paths: Iterable[Path]) -> str:
    from agor_tui.redact import HIDDEN
    from agor_tui.services.session_export import hidden_in

    number = hidden_in(paths)
    return f"; {HIDDEN} stands for {number:,} secret{'s' * (number != 1)}" if number else ""


def _require_new(paths: Iterable[Path]) -> None:
    from agor_tui.db.landing import taken

    found = next((path for path in paths if os.path.lexists(path)), None)
    if found is not None:
        error = taken(found)
        error.hint = f"{error.hint} --force replaces it."
        raise error


def _ending(out: Path) -> Format | None:
    """The format that the ending of a name says, if any."""
    return next((each for each in _FORMATS if f".{each}" == out.suffix.lower()), None)


def _format_of(out: Path) -> Format:
    """The format that the name of a file says, Markdown where it has none. Raises UsageError for another ending."""
    known = _ending(out)
    if known is None and out.suffix:
        raise UsageError(
            f"{quoted(out.name)} ends in none of {', '.join(f'.{each}' for each in _FORMATS)}.",
            "Let it end in one of them, or say which format: --format.",
        )
    return known or "md"

"""The header and the footer of a dump (see the package's text), and what both sides know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from agor_tui.db.row_format import FORMATS, TableFormat
from agor_tui.errors import FileError
from agor_tui.hints import own_command
from agor_tui.services.export import dumps

Format = Literal["jsonl", "json", "sql"]

NAME = "agor-tui"
VERSION = 1
LONGEST_LINE = 256_000_000
"""No line is longer than so many bytes, so that none has to be held that no database could take either."""

SHA256 = b'"sha256":"'
BEGIN_ROW = b'{"table":"'
BEGIN_FOOTER = b'{"footer":'
BEGIN_DOCUMENT = b'{"header":'
BEGIN_ROWS = b',"rows":['
END_ROWS = b'],"footer":'

COMPRESSED = (".gz", ".zst")
_FORMATS: Mapping[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".sql": "sql"}


@dataclass(frozen=True, slots=True)
class Header:
    """What a dump says of itself before its rows; ``tables`` are names and columns in their order in the file."""

    label: str
    kind: str
    dialect: str
    revision: str
    exported_at: str
    tool_version: str
    secrets: bool
    filter: str = ""
    tables: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {name: columns_of(form) for name, form in FORMATS.items()}
    )

    def encoded(self) -> bytes:
        """The header as JSON without a line feed."""
        return dumps(
            {
                "format": NAME,
                "version": VERSION,
                "revision": self.revision,
                "source": {"label": self.label, "kind": self.kind, "dialect": self.dialect},
                "exported_at": self.exported_at,
                "tool_version": self.tool_version,
                "filter": self.filter,
                "secrets": "included" if self.secrets else "left out",
                "tables": [{"name": name, "columns": columns} for name, columns in self.tables.items()],
            }
        )


@dataclass(frozen=True, slots=True)
class TableSum:
    """How many rows of a table there are, and their checksum as ``db.row_checksum`` makes it."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Footer:
    """What a dump says of its rows; ``left_empty`` counts references by ``table.column``."""

    tables: Mapping[str, TableSum]
    left_empty: Mapping[str, int]

    def encoded(self) -> bytes:
        """The footer as JSON up to where its last value, the SHA-256, is to follow."""
        tables = {name: {"rows": each.rows, "checksum": each.checksum} for name, each in self.tables.items()}
        return dumps({"footer": tables, "left_empty": dict(self.left_empty)})[:-1] + b"," + SHA256


def columns_of(form: TableFormat) -> tuple[str, ...]:
    """The columns of a table in their order in a line: JSON last. Plain strings: orjson takes no other keys."""
    return tuple(str(each.name) for each in sorted(form.columns, key=lambda each: each.kind == "json"))


def format_of(path: Path | None) -> tuple[Format | None, str]:
    """Return the format that a file's name says (None: none), and how it is compressed: ``.gz``, ``.zst`` or not."""
    if path is None:
        return None, ""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSED else ""
    return _FORMATS.get(suffixes[-1]) if suffixes else None, compression


def parse_header(encoded: bytes, file: str) -> Header:
    """Return the header of a dump.

    Raises:
        FileError: it is none, or one of a later version of the format or of the tables.
    """
    found = _object(encoded)
    if found.get("format") != NAME:
        raise FileError(f"{file} is no export of agor-tui.", f"Export a database with: {own_command('db export FILE')}")
    version = found.get("version")
    if type(version) is int and version > VERSION:
        raise FileError(
            f"{file} has version {version} of the format, and this agor-tui reads {VERSION}.",
            f"It was written by agor-tui {found.get('tool_version')}: update to that, or to a later one.",
        )
    try:
        source = found["source"]
        if _of(version, int) < 1:
            raise ValueError(version)
        return Header(
            label=_of(source["label"], str),
            kind=_of(source["kind"], str),
            dialect=_of(source["dialect"], str),
            revision=_of(found["revision"], str),
            exported_at=_of(found["exported_at"], str),
            tool_version=_of(found["tool_version"], str),
            secrets={"included": True, "left out": False}[found["secrets"]],
            filter=_of(found["filter"], str),
            tables={
                _of(each["name"], str): tuple(_of(column, str) for column in _of(each["columns"], list))
                for each in _of(found["tables"], list)
            },
        )
    except (KeyError, TypeError, ValueError):
        raise damaged(file, 1, "the header is not as agor-tui writes it") from None


def parse_footer(encoded: bytes) -> Footer | None:
    """Return the footer that stands in ``encoded``, up to the SHA-256's first digit; None where there is none."""
    found = _object(encoded[: -len(SHA256) - 1] + b"}")
    try:
        tables = {
            name: TableSum(_of(each["rows"], int), _of(each["checksum"], str)) for name, each in found["footer"].items()
        }
        footer = Footer(tables, {name: _of(number, int) for name, number in found["left_empty"].items()})
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return footer if footer.encoded() == encoded else None


def damaged(file: str, line: int, what: str) -> FileError:
    """The error for a file that is not as it was written."""
    return FileError(f"{file}, line {line:,}: {what}.", "It was cut or altered; nothing was written. Export it again.")


def _object(encoded: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(encoded)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _of(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError
    return value

"""Streams that compress what is written to a file, and undo that on reading, by its first bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from agor_tui.errors import FileError
from agor_tui.services.dump.form import LONGEST_LINE, damaged
from agor_tui.text import byte_size

_BUFFER = 1 << 20
_GZIP_LEVEL = 6
_ZSTANDARD_LEVEL = 3
_MAGIC = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}


@contextmanager
def compressing(stream: BinaryIO, compression: str) -> Iterator[IO[bytes]]:
    """A stream whose bytes go to ``stream`` as ``compression`` (``.gz``, ``.zst`` or none) says; that stays open."""
    if compression == ".gz":
        import gzip

        with gzip.GzipFile("", "wb", _GZIP_LEVEL, stream, mtime=0) as packed:
            yield cast("IO[bytes]", packed)
    elif compression == ".zst":
        with _zstandard().ZstdFile(stream, "wb", level=_ZSTANDARD_LEVEL) as packed:
            yield cast("IO[bytes]", packed)
    else:
        yield stream


def lines_of(path: Path) -> Iterator[bytes]:
    """Give the lines of a file with their line feeds, unpacked where it is compressed.

    Raises:
        FileError: it cannot be opened or read, is not as it was compressed, or has a line longer than ``LONGEST_LINE``.
    """
    number = 0
    try:
        with open(path, "rb", _BUFFER) as file, _unpacking(file) as stream:
            for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE + 1), b""), 1):
                if len(line) > LONGEST_LINE:
                    raise FileError(
                        f"{path}, line {number:,}: it is longer than {byte_size(LONGEST_LINE)}, the most there may be.",
                        "Nothing was written.",
                    )
                yield line
    except OSError as error:
        if error.errno is not None:
            raise FileError(f"{path} cannot be read: {error.strerror}.", "Nothing was written.") from None
        raise damaged(str(path), number + 1, "it cannot be unpacked from here on") from None
    except Exception as error:
        if not isinstance(error, (EOFError, *_errors())):
            raise
        raise damaged(str(path), number + 1, "it cannot be unpacked from here on") from None


@contextmanager
def _unpacking(file: BinaryIO) -> Iterator[IO[bytes]]:
    start = file.read(4)
    file.seek(0)
    compression = next((found for magic, found in _MAGIC.items() if start.startswith(magic)), "")
    if compression == ".gz":
        import gzip

        with gzip.GzipFile(fileobj=file) as stream:
            yield cast("IO[bytes]", stream)
    elif compression == ".zst":
        with _zstandard().ZstdFile(file) as stream:
            yield cast("IO[bytes]", stream)
    else:
        yield file


def _errors() -> tuple[type[Exception], ...]:
    import zlib

    loaded = sys.modules.get(_MODULE)
    return (zlib.error, loaded.ZstdError) if loaded else (zlib.error,)


_MODULE = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


def _zstandard() -> Any:
    from importlib import import_module

    return import_module(_MODULE)

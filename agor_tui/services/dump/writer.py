"""Writing a dump in the format of ``jsonl`` or ``json``, row by row."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from typing import IO, Literal

from agor_tui.errors import FileError
from agor_tui.hints import own_command
from agor_tui.services.dump.form import (
    BEGIN_DOCUMENT,
    BEGIN_ROWS,
    LONGEST_LINE,
    Footer,
    Header,
)
from agor_tui.text import byte_size

_PIECE = 1 << 20


class DumpWriter:
    """The lines of a dump into ``stream``; ``bytes`` of them so far. A thread of its own compresses and writes them."""

    def __init__(self, stream: IO[bytes], format: Literal["jsonl", "json"], header: Header) -> None:
        self._stream = stream
        self._document = format == "json"
        self._between = b"\n"
        self._sum = sha256()
        self._pieces: list[bytes] = []
        self._held = 0
        self._sender = ThreadPoolExecutor(1, "agor-tui-writing")
        self._sent: Future[None] | None = None
        self.bytes = 0
        begin = header.encoded()
        self._add(BEGIN_DOCUMENT + begin + BEGIN_ROWS if self._document else begin)

    def row(self, line: bytes) -> None:
        """Add a row, a line without its line feed.

        Raises:
            FileError: it is longer than any line may be.
        """
        if len(line) >= LONGEST_LINE:
            raise FileError(
                f"A row of {byte_size(len(line))} cannot be exported: {byte_size(LONGEST_LINE)} is the most.",
                f"Copy the database instead: {own_command('db copy')}",
            )
        self._pieces.append(self._between)
        self._held += len(self._between)
        self._add(line)
        if self._document:
            self._between = b",\n"

    def end(self, footer: Footer) -> None:
        """Add the footer, and write what was not written yet."""
        last = footer.encoded()
        self._add(b"\n]," + last[1:] if self._document else b"\n" + last)
        self._send()
        self._wait()
        self._add(f'{self._sum.hexdigest()}"}}{"}" if self._document else ""}\n'.encode())
        self._send()
        self.close()

    def close(self) -> None:
        """Write nothing more. Raises what the writing raised."""
        try:
            self._wait()
        finally:
            self._sender.shutdown()

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held > _PIECE:
            self._send()

    def _send(self) -> None:
        pieces, self._pieces = self._pieces, []
        self.bytes += self._held
        self._held = 0
        self._wait()  # for the piece before: not more than two are held
        self._sent = self._sender.submit(self._write, pieces)

    def _wait(self) -> None:
        sent, self._sent = self._sent, None
        if sent is not None:
            sent.result()

    def _write(self, pieces: list[bytes]) -> None:
        whole = b"".join(pieces)
        self._sum.update(whole)
        self._stream.write(whole)

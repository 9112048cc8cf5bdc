"""Sessions as documents to keep or to send: Markdown, HTML, plain text or JSON, written as they are read."""

from __future__ import annotations

import re
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from agor_tui.errors import Cancelled, FileError
from agor_tui.records import Message, Session
from agor_tui.redact import HIDDEN
from agor_tui.services import export
from agor_tui.services.conversation import in_pieces, paired_window
from agor_tui.services.files import make_folder, write_whole
from agor_tui.services.transcript.walk import PIECE, Piece, opening_of, walk
from agor_tui.text import printable
from agor_tui.transfers import Progress, Tell

if TYPE_CHECKING:
    from agor_tui.services.browser import Browser

Format = Literal["md", "html", "json", "txt"]
FORMATS: dict[Format, str] = {
    "md": "Markdown, tools and thinking folded",
    "html": "one file for any browser, nothing loaded",
    "txt": "plain text of 100 columns",
    "json": "session, tasks, messages for programs",
}
"""The formats, which are the endings of their files as well, and a few words on each."""

_TOLD_EVERY_S = 0.2
_LONGEST_NAME = 60
_NOT_IN_NAMES = re.compile(r"[^\w.]+")


class _Writer(Protocol):
    """What makes a document of the pieces of sessions."""

    def head(self, titles: Sequence[str]) -> Iterator[str]: ...

    def piece(self, piece: Piece) -> Iterator[str]: ...

    def foot(self) -> Iterator[str]: ...


def file_name(session: Session, format: Format) -> str:
    """``fix-retry-swallowing-the-last-exception-0199b73d5.md``: from the title and the short id."""
    plain = unicodedata.normalize("NFKC", printable(session.title, 200)).lower()
    # Without dots: to Windows a name is a device where one stands before the first dot (nul.txt-1.md).
    title = _NOT_IN_NAMES.sub("-", plain).replace(".", "-")[:_LONGEST_NAME].strip("-_")
    short_id = _NOT_IN_NAMES.sub("-", session.short_id)
    return f"{title}-{short_id}.{format}" if title else f"{short_id}.{format}"


def document(
    browser: Browser,
    sessions: Sequence[Session],
    format: Format,
    *,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> Iterator[bytes]:
    """Sessions as one document in UTF-8, in pieces; a few messages are in memory at a time.

    Raises:
        Cancelled: ``stop`` was set. AgorError: as the browser does.
    """
    return _document(browser, sessions, format, _Watch(sessions, tell, stop))


def export_to_file(
    browser: Browser,
    sessions: Sequence[Session],
    format: Format,
    path: Path,
    *,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Write sessions to one file, whole or not at all, and return its bytes; what stood there before is replaced.

    Raises:
        FileError: it cannot be written. Cancelled: ``stop`` was set. AgorError: as the browser does.
    """
    return write_whole(path, document(browser, sessions, format, tell=tell, stop=stop))


def export_to_folder(
    browser: Browser,
    sessions: Sequence[Session],
    format: Format,
    folder: Path,
    *,
    tell: Tell | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Write a file for each session to a folder, which is made where it is missing, and return all their bytes.

    Raises:
        As ``export_to_file``; files that were written before stay.
    """
    make_folder(folder)
    watch = _Watch(sessions, tell, stop)
    size = 0
    for done, (session, name) in enumerate(zip(sessions, file_names(sessions, format), strict=True)):
        try:
            size += write_whole(folder / name, _document(browser, [session], format, watch))
        except Cancelled:
            raise Cancelled(f"The export was stopped; {done:,} of {len(sessions):,} files are written.") from None
    return size


def hidden_in(files: Iterable[Path]) -> int:
    """In how many places of written files ``HIDDEN`` stands for a secret; raises FileError where one cannot be read."""
    mark = HIDDEN.encode()
    number = 0
    for file in files:
        end = b""
        try:
            with open(file, "rb") as stream:
                while piece := stream.read(1 << 20):
                    number += (end + piece).count(mark)
                    end = (end + piece)[-len(mark) + 1 :]
        except OSError as error:
            raise FileError(f"{file} cannot be read: {error.strerror}.", "It was written all the same.") from None
    return number


def file_names(sessions: Sequence[Session], format: Format) -> list[str]:
    """The name of each session's file, all different."""
    names: list[str] = []
    for session in sessions:
        name = file_name(session, format)
        # Of two sessions with one title and one short id the whole id sets the second apart.
        names.append(f"{_NOT_IN_NAMES.sub('-', session.id)}.{format}" if name in names else name)
    return names


def _document(browser: Browser, sessions: Sequence[Session], format: Format, watch: _Watch) -> Iterator[bytes]:
    if format == "json":
        pieces = _json(browser, sessions, watch.passed)
    else:
        pieces = _transcript(browser, sessions, _writer(format), watch.passed)
    for piece in pieces:
        watch.written(len(piece))
        yield piece
    watch.tell()


class _Watch:
    """Tells how far an export is, and ends it where it is to stop."""

    def __init__(self, sessions: Sequence[Session], tell: Tell | None, stop: threading.Event | None) -> None:
        self._bytes = 0
        self._total = sum(session.message_count for session in sessions)
        self._tell = tell
        self._stop = stop
        self._rows = 0
        self._told = 0.0

    def written(self, size: int) -> None:
        """A piece of so many bytes is about to be written."""
        if self._stop is not None and self._stop.is_set():
            raise Cancelled("The export was stopped; nothing was written.")
        self._bytes += size

    def passed(self) -> None:
        """A message was written."""
        self._rows += 1
        now = time.monotonic()
        if now - self._told >= _TOLD_EVERY_S:
            self._told = now
            self.tell()

    def tell(self) -> None:
        """Tell how far it is now."""
        if self._tell is not None:
            self._tell(Progress("export", "messages", self._rows, max(self._total, self._rows), self._bytes))


def _writer(format: Format) -> _Writer:
    if format == "html":
        from agor_tui.services.transcript.html import HtmlWriter

        return HtmlWriter()
    if format == "txt":
        from agor_tui.services.transcript.text import TextWriter

        return TextWriter()
    from agor_tui.services.transcript.markdown import MarkdownWriter

    return MarkdownWriter()


def _transcript(
    browser: Browser, sessions: Sequence[Session], writer: _Writer, passed: Callable[[], None]
) -> Iterator[bytes]:
    for text in writer.head([session.title for session in sessions]):
        yield text.encode()
    for session in sessions:
        for piece in walk(browser, session.id, passed):
            for text in writer.piece(piece):
                yield text.encode()
    for text in writer.foot():
        yield text.encode()


def _json(browser: Browser, sessions: Sequence[Session], passed: Callable[[], None]) -> Iterator[bytes]:
    """One object, or an array of objects where there are several sessions."""
    several = len(sessions) > 1
    if several:
        yield b"[\n"
    for number, session in enumerate(sessions):
        if number:
            yield b",\n"
        yield from _json_document(browser, session.id, passed)
    if several:
        yield b"]\n"


def _json_document(browser: Browser, session_id: str, passed: Callable[[], None]) -> Iterator[bytes]:
    """``session`` as ``session show`` gives it, ``tasks`` as ``task show``, ``messages`` as ``message list``."""
    opening = opening_of(browser, session_id)
    yield b'{"session":'
    yield export.dumps(export.session_detail_json(opening.detail, opening.ancestors, opening.children))
    yield b',\n"tasks":'
    tasks = (browser.task_detail(task.id) for task in opening.tasks)
    yield from export.array(tasks, export.task_detail_json)
    yield b',"messages":'
    fetch = partial(browser.message_window, session_id)
    messages = in_pieces(partial(paired_window, fetch, keep_results=True), 0, PIECE)

    def watched() -> Iterator[Message]:
        for message in messages:
            yield message
            passed()

    yield from export.array(watched(), export.message_json)
    yield b"}\n"

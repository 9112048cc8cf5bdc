"""Writing the settings file: one run at a time, whole or not at all, and never over what is not understood."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agor_tui.config.file import read_content
from agor_tui.config.settings import Settings, read_settings
from agor_tui.errors import ConfigChangedError, ConfigError, ConfigKeyError
from agor_tui.scratch import clear_leftovers, make_private, scratch_file

if TYPE_CHECKING:
    from agor_tui.config.yaml_text import Value

_LOCK_WAIT_S = 5.0
_LOCK_POLL_S = 0.02
_MOST_ATTEMPTS = 20
_UNCHANGED = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class Document:
    """The text of the file as it is now, and what it says."""

    file: Path
    text: str
    environ: Mapping[str, str]

    @property
    def settings(self) -> Settings:
        """What the file says. Raises ConfigError where something in it is wrong."""
        from agor_tui.config.document import parse_document

        root = parse_document(self.file, self.text.encode())
        return Settings(self.file) if root is None else read_settings(root, self.environ)

    def has(self, *path: str) -> bool:
        """Tell whether the file has the keys of ``path``."""
        from agor_tui.config.document import parse_document

        section = parse_document(self.file, self.text.encode())
        for key in path[:-1]:
            section = section.section(key) if section and section.is_map(key) else None
        return section is not None and section.has(path[-1])


Edit = Callable[[Document], str]
"""Gets the file as it is, returns its text as it shall be."""


def change(file: Path, environ: Mapping[str, str], edit: Edit) -> None:
    """Change the settings file; a missing one is made, with its folders, for the user's eyes only.

    Another run's change is waited for and then built upon; where somebody else writes meanwhile, ``edit`` is asked
    again with what stands there then. A symbolic link stays, and the file it leads to is changed.

    Raises:
        ConfigError: what ``edit`` raises; the file is broken, may not be written or does not fit on the disk; the
            result would be wrong. The file is as it was.
    """
    target = Path(os.path.realpath(file))
    try:
        make_private(target.parent)
        with _locked(file, target.parent):
            clear_leftovers(target.parent)  # what runs that were killed left may hold passwords
            for _ in range(_MOST_ATTEMPTS):
                before = _content(file, target)
                document = _document(file, before or b"", environ)
                text = edit(document)
                if text == document.text or _replaced(target, before, _checked(document, text)):
                    return
    except OSError as error:
        raise ConfigError(f"The config file {file} cannot be written: {error.strerror}.", _UNCHANGED) from None
    raise ConfigChangedError(f"The config file {file} is being changed again and again by someone else.", _UNCHANGED)


def put(document: Document, path: Sequence[str], value: Value) -> Document:
    """The document with ``value`` at ``path``."""
    from agor_tui.config.yaml_text import CannotEditError, with_value

    try:
        return Document(document.file, with_value(document.text, path, value), document.environ)
    except UnicodeEncodeError:
        raise ConfigKeyError("A value holds bytes that are no text, which a config file cannot hold.") from None
    except CannotEditError:
        raise _too_unusual(document, path) from None


def take_out(document: Document, path: Sequence[str]) -> Document:
    """The document without what stands at ``path``. Raises KeyError where nothing does."""
    from agor_tui.config.yaml_text import CannotEditError, without

    try:
        return Document(document.file, without(document.text, path), document.environ)
    except CannotEditError:
        raise _too_unusual(document, path) from None


def _too_unusual(document: Document, path: Sequence[str]) -> ConfigError:
    return ConfigError(
        f"{document.file} is written in a way in which {'.'.join(path)} cannot be changed from here.",
        "Change it with an editor; an alias (*) may be what stands in the way.",
    )


def _document(file: Path, content: bytes, environ: Mapping[str, str]) -> Document:
    from agor_tui.config.document import parse_document

    if root := parse_document(file, content):  # what is broken is not changed
        root.digest()
    return Document(file, content.decode(), environ)  # the mark at its beginning stays, as part of the text


def _content(file: Path, target: Path) -> bytes | None:
    """What stands in the file; None where it does not exist. Raises ConfigError where it may not be changed."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    content = read_content(file)
    if not stat.S_ISREG(mode):  # such as /dev/null, which root could replace
        raise ConfigError(f"The config file {file} is no ordinary file.", _UNCHANGED)
    # It could be replaced all the same, but somebody protected it.
    if not mode & 0o200 or not os.access(target, os.W_OK):
        raise ConfigError(f"The config file {file} is read-only.", f"{_UNCHANGED} Make it writable with: chmod u+w")
    return content


def _checked(document: Document, text: str) -> bytes:
    """The bytes of a text that the reader has read without complaint."""
    try:
        _ = Document(document.file, text, document.environ).settings
    except ConfigError as error:
        try:
            _ = document.settings
        except ConfigError as older:
            raise ConfigError(older.message, f"{_UNCHANGED} Mend this first. {older.hint}".rstrip()) from None
        said = re.sub(rf"^{re.escape(str(document.file))}, line [0-9]+(, column [0-9]+)?: ", "", error.message)
        raise ConfigKeyError(said, error.hint or _UNCHANGED) from None
    return text.encode()


def _replaced(target: Path, before: bytes | None, content: bytes) -> bool:
    """Put ``content`` in the place of ``before``; False where something else stands there by now."""
    with scratch_file(target.parent) as part:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if _bytes(target) != before:
            return False
        if before is not None and hasattr(os, "chown"):
            found = target.stat()
            with suppress(OSError):  # another owner's file, changed by root, stays that owner's
                os.chown(part, found.st_uid, found.st_gid)
        os.replace(part, target)
    return True


def _bytes(target: Path) -> bytes | None:
    try:
        return target.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def _locked(file: Path, folder: Path) -> Iterator[None]:
    """Keep other runs out, by a lock on the folder: it leaves nothing behind, whatever becomes of this run."""
    if os.name == "nt":  # there what stands in the file is compared right before it is replaced, no more
        yield
        return
    import fcntl

    door = os.open(folder, os.O_RDONLY)
    try:
        deadline = time.monotonic() + _LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ConfigError(f"Another run is changing {file}.", f"{_UNCHANGED} Try again.") from None
                time.sleep(_LOCK_POLL_S)
        yield
    finally:
        os.close(door)

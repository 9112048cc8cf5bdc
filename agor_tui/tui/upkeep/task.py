"""What the ways of looking after a database have in common: what is asked, what is shown, and what came of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from agor_tui.config.places import Place, describe
from agor_tui.errors import AgorError, OccupiedError
from agor_tui.services.configuration import Configuration
from agor_tui.transfers import Tell
from agor_tui.tui.upkeep.drawing import Draw
from agor_tui.tui.upkeep.job import Expected

Values = Mapping[str, str]
"""What stands in the fields of the form, by their names."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The database that is looked after. ``find`` fetches its place with its password and blocks."""

    name: str
    place: Place
    find: Callable[[], Place]
    configuration: Configuration
    now: datetime
    is_open: bool = False

    def other(self, target: str) -> Place:
        """The place of another database, by its name, path or URL; blocks as ``find`` does."""
        return self.configuration.place(target)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the form: to type in, or with ``choices`` one of these values; the word for each stands beside it.

    ``note`` is a quiet sentence under it, ``when`` says of the other values whether it is asked at all.
    """

    name: str
    label: str
    value: str = ""
    placeholder: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    note: str = ""
    is_url: bool = False
    when: Callable[[Values], bool] = field(default=lambda values: True)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something that cannot be taken back; ``word``: what must be typed, where anything must."""

    title: str
    effects: tuple[str, ...]
    action: str
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done: ``draw`` shows it, ``action`` is the verb of the key that does it, ``run`` does it.

    ``question`` is asked before; ``expected`` are the tables that the work comes to.
    """

    draw: Draw
    action: str
    run: Callable[[Tell, threading.Event], Outcome]
    question: Question | None = None
    expected: tuple[Expected, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: a sentence, and ``draw`` for all else that there is to read. ``good``: nothing is wrong.

    ``path`` is what ``y`` copies, ``opens`` what ``o`` switches to. ``changed``: rows of the database have changed;
    ``replaced``: all of it is another now. ``mend`` is what may be done next, where there is anything.
    """

    good: bool
    sentence: str
    draw: Draw
    path: str = ""
    opens: str | None = None
    changed: bool = False
    replaced: bool = False
    mend: Upkeep | None = None


class Upkeep:
    """One way of looking after a database; ``plan`` and ``run`` block and belong in a thread."""

    id: ClassVar[str]
    word: ClassVar[str]
    """What the menu calls it."""
    verb: ClassVar[str]
    """As a heading: ``Copy``."""
    told: ClassVar[str]
    """What it does, in half a sentence."""
    plans: ClassVar[bool] = False
    """Whether there is something to read before it runs."""
    needs_other: ClassVar[str] = ""
    """How a second database is asked for, where there is one."""
    between: ClassVar[str] = "→"
    """What stands between the two ends of its way."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def fields(self) -> Sequence[Field]:
        """What is asked; nothing: it begins at once."""
        return ()

    def complaints(self, values: Values) -> dict[str, str]:
        """What is wrong with the values, by field; as far as that can be told without a database."""
        return {}

    def follow(self, changed: str, values: Values) -> dict[str, str]:
        """The values of other fields that go with a change of the field ``changed``."""
        return {}

    def question(self, values: Values) -> Question | None:
        """What is to be asked before anything begins."""
        return None

    def way(self, values: Values) -> tuple[str, str]:
        """Where from and where to, as far as that is known; fit to be shown when made printable."""
        return self.place_text, ""

    def plan(self, values: Values, tell: Tell, stop: threading.Event) -> Plan:
        """What would be done."""
        raise NotImplementedError

    def run(self, values: Values, tell: Tell, stop: threading.Event) -> Outcome:
        """Do it, where nothing is planned before."""
        raise NotImplementedError

    def stop_effects(self, values: Values) -> tuple[str, ...]:
        """What state things are in where it is stopped."""
        return ("Nothing is changed.",)

    def continues(self, values: Values) -> bool:
        """Whether the same, done again, goes on where it was stopped."""
        return False

    def advice(self, error: AgorError) -> str:
        """What to do after an error, in the words of the form where it has any for that."""
        if isinstance(error, OccupiedError):
            return "Choose above what becomes of the rows that are there, or take an empty database."
        return error.hint

    @property
    def place_text(self) -> str:
        """Where the database is."""
        return describe(self.subject.place)


def file_of(text: str) -> Path:
    """The file that was typed; ``~`` is the user's own folder."""
    return Path(os.path.expanduser(text.strip()))


def folder_complaint(text: str) -> str:
    """What is wrong with the folder of a file to be written."""
    folder = file_of(text).parent
    return "" if folder.is_dir() else f"There is no folder {folder}."


def absent_complaint(text: str) -> str:
    """What is wrong with a file to be read."""
    if not text.strip():
        return "Name the file."
    path = file_of(text)
    return "" if path.is_file() else f"{path} is a folder." if path.is_dir() else f"There is no file {path}."

"""Reads a filter line into a filter, or says which part of it is not understood and what would be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches

from agor_tui.errors import quoted
from agor_tui.filters.language import (
    ARCHIVED,
    HAS,
    SESSION_LANGUAGE,
    STATUS_WORDS,
    TASK_LANGUAGE,
    TOOL_WORDS,
    Language,
)
from agor_tui.filters.model import Archived, Choice, FilterError, SessionFilter, TaskFilter
from agor_tui.filters.terms import Term, Value, read_terms
from agor_tui.filters.times import parse_time

# Neither can be sent to PostgreSQL, and no text that it holds contains them.
_UNSENDABLE = re.compile("[\0\ud800-\udfff]")
_ARCHIVED_WORDS: Mapping[str, Archived] = {
    "yes": "yes",
    "true": "yes",
    "only": "yes",
    "no": "no",
    "false": "no",
    "any": "any",
    "all": "any",
    "both": "any",
}


def parse_session_filter(text: str, now: datetime) -> SessionFilter:
    """Read the filter line of a session list. Raises FilterError, with the place of the part at fault."""
    reading = _Reading(text, now, SESSION_LANGUAGE)
    return SessionFilter(
        status=reading.choice("status", reading.statuses),
        tool=reading.choice("tool", _tools),
        repo=reading.choice("repo"),
        worktree=reading.choice("worktree"),
        board=reading.choice("board"),
        user=reading.choice("user"),
        has=reading.choice("has", _has),
        since=reading.since(),
        until=reading.until(),
        archived=reading.archived(),
        words=reading.words(excluded=False),
        without=reading.words(excluded=True),
    )


def parse_task_filter(text: str, now: datetime) -> TaskFilter:
    """Read the filter line of a task list. Raises FilterError, with the place of the part at fault."""
    reading = _Reading(text, now, TASK_LANGUAGE)
    return TaskFilter(
        status=reading.choice("status", reading.statuses),
        tool=reading.choice("tool", _tools),
        repo=reading.choice("repo"),
        worktree=reading.choice("worktree"),
        board=reading.choice("board"),
        user=reading.choice("user"),
        session_id=reading.session_id(),
        since=reading.since(),
        until=reading.until(),
        archived=reading.archived(),
        words=reading.words(excluded=False),
        without=reading.words(excluded=True),
    )


class _Reading:
    """The values of a line by key, in the order of the line."""

    def __init__(self, line: str, now: datetime, language: Language) -> None:
        unsendable = _UNSENDABLE.search(line)
        if unsendable:
            raise FilterError(
                "A filter cannot hold a null character or half a character.",
                unsendable.start(),
                unsendable.end(),
                "Take the part that shows as � out of the filter.",
            )
        self._now = now
        self._language = language
        self._values: dict[str | None, list[Value]] = {}
        for term in read_terms(line):
            self._add(term)

    def _add(self, term: Term) -> None:
        key = term.key.lower() if term.key is not None else None
        values = [v for v in term.values if v.text]
        if key is not None and key not in self._language.keys:
            if not values:  # "TypeError:" at the end of some pasted text
                word = Value(f"{term.key}:", term.start, term.end, excluded=term.start < term.key_start)
                self._values.setdefault(None, []).append(word)
                return
            raise FilterError(
                f"There is no key {quoted(key)} to filter by{_meant(key, self._language.keys)}.",
                term.key_start,
                term.key_end,
                f"The keys are {_listed(self._language.keys)}. Put text with a colon in quotation marks.",
            )
        if key is not None and not values:
            raise FilterError(
                f"A value is missing after {quoted(key + ':')}.",
                term.start,
                term.end,
                f"After it stands {self._language.keys[key]}.",
            )
        self._values.setdefault(key, []).extend(values)

    def words(self, *, excluded: bool) -> tuple[str, ...]:
        """The free words, those that must be there or those that must not."""
        return _once(v.text for v in self._values.get(None, ()) if v.excluded is excluded)

    def choice(self, key: str, expand: Callable[[Value], tuple[str, ...]] | None = None) -> Choice:
        """The values of a key, each in the words of the store where ``expand`` knows them."""
        include: list[str] = []
        exclude: list[str] = []
        for value in self._values.get(key, ()):
            words = expand(value) if expand else (value.text,)
            (exclude if value.excluded else include).extend(words)
        return Choice(_once(include), _once(exclude))

    def statuses(self, value: Value) -> tuple[str, ...]:
        """The common statuses that a word, or the beginning of one, stands for."""
        word = _plain(value)
        known = self._language.statuses
        found = tuple(s for s in known if s == word) or tuple(s for s in known if word and s.startswith(word))
        if word and not found:
            meanings = [m for said, m in STATUS_WORDS.items() if said.startswith(word) and set(m) <= set(known)]
            found = _once(status for meaning in meanings for status in meaning)
        if not found:
            raise _unknown("status", value, known)
        return found

    def since(self) -> datetime | None:
        """The latest of the times named, since all terms of a line hold together."""
        return max(self._times("since", end_of_day=False), default=None)

    def until(self) -> datetime | None:
        """The earliest of the times named."""
        return min(self._times("until", end_of_day=True), default=None)

    def _times(self, key: str, *, end_of_day: bool) -> list[datetime]:
        times = []
        for value in self._values.get(key, ()):
            if value.excluded:
                other = "until" if key == "since" else "since"
                raise _at(value, f"{quoted(key + ':')} cannot be turned round.", f"Use {other}: instead.")
            try:
                times.append(parse_time(value.text, self._now, end_of_day=end_of_day))
            except OverflowError:
                raise _at(
                    value,
                    f"The time {quoted(value.text)} is outside the years 1 to 9999.",
                    f"Leave {key}: out to set no bound.",
                ) from None
            except ValueError:
                raise _at(
                    value,
                    f"{quoted(value.text)} is not a time.",
                    "Times are 30m, 12h, 7d, 3w, 2mo, 1y, today, yesterday, 2025-10-24 or 2025-10-24T14:00.",
                ) from None
        return times

    def archived(self) -> Archived:
        """Which of the archived and the others; ``no`` where the line does not say."""
        said: set[Archived] = set()
        for value in self._values.get("archived", ()):
            word = _ARCHIVED_WORDS.get(_plain(value))
            if word is None:
                raise _unknown("archived", value, ARCHIVED)
            if value.excluded:
                if word == "any":
                    raise _at(value, "Nothing is left without both kinds.", "Write archived:yes, no or any.")
                word = "no" if word == "yes" else "yes"
            said.add(word)
        if len(said) > 1:
            return "any"
        return said.pop() if said else "no"

    def session_id(self) -> str | None:
        """The one id after ``session:``."""
        values = self._values.get("session", [])
        for value in values:
            if value.excluded:
                raise _at(value, "“session:” takes the session to list and cannot leave one out.")
        if len(values) > 1:
            raise _at(values[1], "“session:” takes one session.", "Leave it out to list the tasks of all sessions.")
        return values[0].text if values else None


def _tools(value: Value) -> tuple[str, ...]:
    return TOOL_WORDS.get(_plain(value), (value.text,))


def _has(value: Value) -> tuple[str, ...]:
    word = _plain(value)
    found = tuple(h for h in HAS if word and h.startswith(word))
    if not found:
        raise _unknown("has", value, HAS)
    return found


def _plain(value: Value) -> str:
    return value.text.strip().lower().replace("-", "_").replace(" ", "_")


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _at(value: Value, message: str, hint: str = "") -> FilterError:
    return FilterError(message, value.start, value.end, hint)


def _unknown(key: str, value: Value, known: Iterable[str]) -> FilterError:
    words = tuple(known)
    message = f"{quoted(value.text)} is no value of {quoted(key + ':')}{_meant(_plain(value), words)}."
    return _at(value, message, f"It takes {_listed(words)}.")


def _meant(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word[:48], tuple(known), n=1, cutoff=0.5)
    return f"; the nearest is {close[0]}" if close else ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)

"""A YAML file as sections that know their lines, so that every mistake in it is reported where it stands.

Values are never repeated in an error where they could be secrets: only numbers, and words of a fixed choice.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import yaml

from agor_tui.config.file import read_content
from agor_tui.config.urls import quoted_unless_secret
from agor_tui.errors import ConfigError, suggestion

W = TypeVar("W", bound=str)

_TAG = "tag:yaml.org,2002:"
_MAX_DEPTH = 50
"""Composing recurses, in C: some thousand levels would end the process."""
_MOST_NODES = 100_000
"""Of an entry, those that aliases repeat included."""

Content = dict[str, "Content"] | list["Content"] | tuple[str, str] | None


def read_document(file: Path) -> Section | None:
    """The outermost section of a YAML file, None of a file without content.

    Raises:
        ConfigError: the file cannot be read, is no YAML, or is no map of keys.
    """
    return parse_document(file, read_content(file))


def parse_document(file: Path, content: bytes) -> Section | None:
    """The outermost section of what stands, or shall stand, in ``file``; as ``read_document``."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{file}, line {line}: this is not UTF-8 text.", "Save the file as UTF-8.") from None
    if unprintable := yaml.reader.Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, unprintable.start()) + 1
        raise ConfigError(f"{file}, line {line}: a control character is not allowed here.", "Remove it.")
    try:
        node = _compose(file, text)
    except yaml.MarkedYAMLError as error:
        raise _bad_yaml(file, error) from None
    if node is None or _is_null(node):
        return None
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{file}, line 1: a config file is a map of keys, not {_kind(node)}.")
    return Section(file, "", node)


class Section:
    """One map of the file.

    Its getters return None for a key that is absent or empty, and raise ConfigError for a wrong value.
    """

    def __init__(self, file: Path, name: str, node: yaml.MappingNode) -> None:
        self.file = file
        self._name = name
        self._node = node
        self._nodes: dict[str, tuple[int, yaml.Node]] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(f"{file}, line {line}: a key is a word, not {_kind(key)}.")
            word: str = key.value
            if word in self._nodes:
                first = self._nodes[word][0]
                raise ConfigError(
                    f"{file}, line {line}: the key {quoted_unless_secret(word)} stands on line {first} already."
                )
            self._nodes[word] = (line, value)

    def where(self, key: str) -> str:
        """The place of a key that is there, to begin an error: ``FILE, line 3: database.sqlite.path``."""
        shown = key if re.fullmatch(r"[\w-]+", key) else quoted_unless_secret(key)
        return f"{self.file}, line {self._nodes[key][0]}: {self._name}{shown}"

    def check(self, *known: str) -> None:
        """Refuse keys other than ``known``."""
        for key, (line, _) in self._nodes.items():
            if key not in known:
                path = quoted_unless_secret(f"{self._name}{key}")
                raise ConfigError(
                    f"{self.file}, line {line}: the key {path} is not known{suggestion(key, known)}.",
                    f"Known here: {', '.join(known)}.",
                )

    def has(self, key: str) -> bool:
        """Tell whether a key is there with a value; nothing and an empty text are none."""
        if key not in self._nodes:
            return False
        node = self._nodes[key][1]
        if not isinstance(node, yaml.ScalarNode):
            return True
        # What begins with a ! is a tag with nothing behind it, to be complained of.
        return not _is_null(node) and bool(node.value or not node.tag.startswith(_TAG))

    def text(self, key: str) -> str | None:
        """A text as it stands in the file; numbers and the like count as text."""
        node = self._scalar(key, "a text")
        return None if node is None else node.value

    def choice(self, key: str, words: tuple[W, ...]) -> W | None:
        """One of ``words``."""
        word = self.text(key)
        for each in words:
            if word == each:
                return each
        if word is None:
            return None
        raise ConfigError(f"{self.where(key)} must be {' or '.join(words)}, not {quoted_unless_secret(word)}.")

    def number(self, key: str, low: int, high: int) -> int | None:
        """A whole number from ``low`` to ``high``."""
        expected = f"a whole number from {low} to {high}"
        node = self._scalar(key, expected)
        if node is None:
            return None
        is_number = node.tag == f"{_TAG}int" and re.fullmatch(r"-?[0-9]{1,18}", node.value)
        if not is_number or not low <= int(node.value) <= high:
            raise ConfigError(f"{self.where(key)} must be {expected}" + (f", not {node.value}." if is_number else "."))
        return int(node.value)

    def flag(self, key: str) -> bool | None:
        """True or false."""
        node = self._scalar(key, "true or false")
        if node is None:
            return None
        if node.tag != f"{_TAG}bool":
            raise ConfigError(f"{self.where(key)} must be true or false.")
        return str(node.value).lower() in ("true", "yes", "on")

    def words(self, key: str) -> str | tuple[str, ...] | None:
        """A text, or a list of texts."""
        node = self._nodes[key][1] if self.has(key) else None
        if not isinstance(node, yaml.SequenceNode):
            return self.text(key)
        if not all(isinstance(item, yaml.ScalarNode) for item in node.value):
            raise ConfigError(f"{self.where(key)} must be a text or a list of texts.")
        return tuple(item.value for item in node.value)

    def is_map(self, key: str) -> bool:
        """Tell whether the value of a key is a map."""
        return self.has(key) and isinstance(self._nodes[key][1], yaml.MappingNode)

    def section(self, key: str) -> Section | None:
        """The map under a key."""
        if not self.has(key):
            return None
        node = self._nodes[key][1]
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{self.where(key)} must be a map of keys, not {_kind(node)}.")
        return Section(self.file, f"{self._name}{key}.", node)

    def sections(self) -> Iterator[tuple[str, Section]]:
        """All maps under keys that the user chose."""
        for key in self._nodes:
            inner = self.section(key)
            if inner is None:
                raise ConfigError(f"{self.where(key)} is empty.")
            yield key, inner

    def lines(self) -> Iterator[tuple[str, int]]:
        """All keys in order, with their lines."""
        for key, (line, _) in self._nodes.items():
            yield key, line

    def leaves(self) -> Iterator[tuple[tuple[str, ...], int, str]]:
        """All single values in this map and the maps in it: their keys, outermost first, their lines, their text."""
        for key, (line, _) in self._nodes.items():
            if self.is_map(key):
                inner = self.section(key)
                assert inner is not None
                yield from (((key, *path), deeper, text) for path, deeper, text in inner.leaves())
            elif self.has(key):
                words = self.words(key)
                yield (key,), line, words if isinstance(words, str) else shlex.join(words or ())

    def digest(self) -> str:
        """A hash of all that stands in this map, whatever its form."""
        try:
            return sha256(repr(content_of(self._node)).encode()).hexdigest()
        except RecursionError:
            raise ConfigError(f"{self.file} is no config file: its aliases (*) repeat too much.") from None

    def only_one_of(self, keys: Sequence[str]) -> str | None:
        """The one of ``keys`` that is there; several of them contradict each other."""
        given = [key for key in keys if self.has(key)]
        if len(given) > 1:
            raise ConfigError(f"{self.where(given[1])} stands beside {given[0]}, and only one of them can count.")
        return given[0] if given else None

    def _scalar(self, key: str, expected: str) -> yaml.ScalarNode | None:
        if not self.has(key):
            return None
        node = self._nodes[key][1]
        if not isinstance(node, yaml.ScalarNode):
            raise ConfigError(f"{self.where(key)} must be {expected}, not {_kind(node)}.")
        if not node.tag.startswith(_TAG):
            raise ConfigError(f"{self.where(key)} has a YAML tag (!…), which is not known here.", "Quote the value.")
        return node


def _compose(file: Path, text: str) -> yaml.Node | None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise _too_deep(file)
    node: yaml.Node | None = yaml.compose(text, Loader=loader)
    return node


def content_of(node: yaml.Node | None) -> Content:
    """What a node says, whatever its form: maps as dicts, lists as lists, all else as tag and text.

    Raises:
        RecursionError: aliases (*) repeat or hold themselves so often that there is no end to it.
    """
    return _content(node, [_MOST_NODES], 0)


def _content(node: yaml.Node | None, left: list[int], depth: int) -> Content:
    left[0] -= 1
    if left[0] < 0 or depth > _MAX_DEPTH:
        raise RecursionError
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _content(value, left, depth + 1) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_content(item, left, depth + 1) for item in node.value]
    return None if node is None else (node.tag, node.value)


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a map of keys"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a single value"


def _is_null(node: yaml.Node) -> bool:
    return bool(node.tag == f"{_TAG}null")


def _too_deep(file: Path) -> ConfigError:
    return ConfigError(f"{file} is no config file: it is nested too deeply.")


def _bad_yaml(file: Path, error: yaml.MarkedYAMLError) -> ConfigError:
    if "nesting" in (error.problem or ""):  # a limit of libyaml itself, met while it reads ahead
        return _too_deep(file)
    mark = error.problem_mark
    place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    # The pure Python parser repeats these words, and an unquoted password may look like one of them.
    problem = re.sub(r"(alias|anchor|handle) .*", r"\1", error.problem or "it is not understood", flags=re.S)
    if problem == "second occurrence":
        problem = "an anchor (&) stands twice"
    return ConfigError(
        f"{file}{place}: this is not YAML: {problem}.",
        "Check indentation (spaces, no tabs), and quote values that hold : # @ * & ! % or [ ] { }.",
    )

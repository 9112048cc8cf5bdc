"""Changes of single keys in the text of a YAML file: all else stays as it is, byte for byte.

Values are put in, replaced and cut out at the places that the parser reports, so that comments, order, quoting, spacing
and line endings of what is not changed need no care. What came out is parsed again and compared with what was
meant; a text that is written in a way that defeats this is refused, never spoilt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from agor_tui.config.document import Content, content_of

Value = str | int | bool | Mapping[str, "Value"]
Pair = tuple[yaml.Node, yaml.Node]

_STR = "tag:yaml.org,2002:str"
_PLAIN = re.compile(r"[\w./~][\w./~@+=%&-]*(?: ?:[\w./~@+=%&-]+)*")
"""What needs no quotation marks, in a flow map neither; the rest might."""
_BREAK = re.compile(r"\r\n|\r|\n")
_INDENT = 2


class CannotEditError(Exception):
    """The text is written in a way that a single change of it is not possible."""


def with_value(text: str, path: Sequence[str], value: Value) -> str:
    """``text`` with ``value`` at the keys of ``path``, which are made where they are missing.

    Raises:
        CannotEditError: the text is too unusual to be changed like this. UnicodeEncodeError: ``value`` is no text.
    """
    root = _compose(text)
    return _proven(text, _set(text, root, path, value), path, _as_content(value))


def without(text: str, path: Sequence[str]) -> str:
    """``text`` without the keys of ``path``, and without the maps that are empty then.

    Raises:
        KeyError: there is no such key. CannotEditError: as for ``with_value``.
    """
    node = _compose(text)
    chain: list[tuple[yaml.MappingNode, int]] = []
    for key in path:
        if not isinstance(node, yaml.MappingNode):
            raise KeyError(key)
        at = _find(node, key)
        if at is None:
            raise KeyError(key)
        chain.append((node, at))
        node = node.value[at][1]
        _require_own(chain[-1][0].value[at])
    depth = len(chain)
    while depth > 1 and len(chain[depth - 1][0].value) == 1:
        depth -= 1
    parent, at = chain[depth - 1]
    cut = _cut_flow if parent.flow_style else _cut_block
    return _proven(text, cut(text, parent.value, at), path[:depth], None)


def _compose(text: str) -> yaml.Node | None:
    root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)  # its marks count characters, to the end
    return None if root is None or (isinstance(root, yaml.ScalarNode) and not root.value) else root


def _proven(old: str, new: str, path: Sequence[str], content: Content | None) -> str:
    """``new``, where it says what ``old`` says but for ``content`` at ``path``, None for nothing there."""
    expected = _map_of(content_of(_compose(old)))
    inner = expected
    for key in path[:-1]:
        inner[key] = deeper = _map_of(inner.get(key))
        inner = deeper
    if content is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = content
    try:
        found = content_of(_compose(new))
    except yaml.YAMLError:
        raise CannotEditError from None
    if _map_of(found) != expected:
        raise CannotEditError
    return new


def _map_of(content: Content) -> dict[str, Content]:
    return dict(content) if isinstance(content, dict) else {}


def _as_content(value: Value) -> Content:
    if isinstance(value, Mapping):
        return {key: _as_content(inner) for key, inner in value.items()}
    kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "str"
    return f"tag:yaml.org,2002:{kind}", str(value).lower() if kind == "bool" else str(value)


def _set(text: str, root: yaml.Node | None, path: Sequence[str], value: Value) -> str:
    if root is None:
        return _insert_lines(text, len(text), _lines(_nested(path, value), 0, text))
    if not isinstance(root, yaml.MappingNode):
        raise CannotEditError
    node, at = root, 0
    while True:
        found = _find(node, path[at])
        if found is None:
            return _insert(text, node, _nested(path[at:], value))
        pair: Pair = node.value[found]
        _require_own(pair)
        at += 1
        if at == len(path):
            return _replace(text, node, pair, value)
        inner = pair[1]
        if not isinstance(inner, yaml.MappingNode):
            return _replace(text, node, pair, _nested(path[at:], value))
        node = inner


def _find(node: yaml.MappingNode, key: str) -> int | None:
    return next((n for n, (found, _) in enumerate(node.value) if found.value == key), None)


def _nested(path: Sequence[str], value: Value) -> Value:
    for key in reversed(path):
        value = {key: value}
    return value


def _require_own(pair: Pair) -> None:
    """Refuse an alias: what it stands for was written elsewhere, and may count there too."""
    key, value = pair
    if value.start_mark.index < key.end_mark.index:
        raise CannotEditError


def _end(text: str, pair: Pair) -> int:
    """The index behind the last character of a value; behind the key of none."""
    key, value = pair
    if value.start_mark.index < key.end_mark.index:
        alias = re.compile(r"\s*:\s*\*[^\s,\[\]{}]+").match(text, key.end_mark.index)
        if alias is None:
            raise CannotEditError
        return alias.end()
    return _end_of(text, value)


def _end_of(text: str, node: yaml.Node) -> int:
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:  # whose own end is where the next thing begins
        last = node.value[-1]
        return _end(text, last) if isinstance(node, yaml.MappingNode) else _end_of(text, last)
    return int(node.end_mark.index)


def _behind_colon(text: str, key: yaml.Node) -> int:
    colon = re.compile(r"\s*:").match(text, key.end_mark.index)
    if colon is None:
        raise CannotEditError
    return colon.end()


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _line_end(text: str, at: int) -> int:
    """Where the line of ``at`` ends, its break included; ``at`` itself at the beginning of a line."""
    if at and text[at - 1] in "\r\n":
        return at
    found = _BREAK.search(text, at)
    return found.end() if found else len(text)


def _insert(text: str, node: yaml.MappingNode, value: Value) -> str:
    assert isinstance(value, Mapping)
    if node.flow_style:
        inner = _flow(value)[1:-1]
        if not node.value:
            at = int(node.start_mark.index)
            at = text.index("{", at) + 1
            return text[:at] + inner + text[at:]
        at = _end(text, node.value[-1])
        return f"{text[:at]}, {inner}{text[at:]}"
    first = node.value[0][0].start_mark
    return _insert_lines(text, _line_end(text, _end(text, node.value[-1])), _lines(value, first.column, text))


def _insert_lines(text: str, at: int, lines: str) -> str:
    before = text[:at]
    if before and before[-1] not in "\r\n":
        before += _newline(text)
    return before + lines + text[at:]


def _replace(text: str, parent: yaml.MappingNode, pair: Pair, value: Value) -> str:
    key, old = pair
    colon, end = _behind_colon(text, key), _end(text, pair)
    is_inline = isinstance(old, yaml.ScalarNode) and old.style not in ("|", ">")
    if isinstance(value, Mapping) and not parent.flow_style:
        if is_inline:
            rest = _line_end(text, end)
            kept = text[end:rest].rstrip()
        else:
            kept, rest = _comment(text, colon), _line_end(text, end)
        lines = _newline(text) + _lines(value, key.start_mark.column + _INDENT, text)
        return text[:colon] + kept + lines + text[rest:]
    style = old.style if isinstance(old, yaml.ScalarNode) else None
    shown = _flow(value) if isinstance(value, Mapping) else _scalar(value, style)
    if is_inline or parent.flow_style or (isinstance(old, yaml.CollectionNode) and old.flow_style):
        start = max(colon, int(old.start_mark.index))
        gap = "" if start > colon else " "
        return text[:start] + gap + shown + text[end:]
    tail = _newline(text) if text[end - 1] in "\r\n" else ""
    return f"{text[:colon]} {shown}{_comment(text, colon)}{tail}{text[end:]}"


def _comment(text: str, at: int) -> str:
    """The comment on the rest of a line, with the space before it."""
    found = re.compile(r"[ \t]+#[^\r\n]*").match(text, at)
    return found[0] if found else ""


def _cut_block(text: str, pairs: list[Pair], at: int) -> str:
    start = _line_start(text, pairs[at][0].start_mark.index)
    return text[:start] + text[_line_end(text, _end(text, pairs[at])) :]


def _cut_flow(text: str, pairs: list[Pair], at: int) -> str:
    start, end = int(pairs[at][0].start_mark.index), _end(text, pairs[at])
    if at + 1 < len(pairs):
        following = int(pairs[at + 1][0].start_mark.index)
        between = text[end:following]
        return text[:start] + text[end + between.index(",") + 1 if "#" in between else following :]
    if at:
        before = _end(text, pairs[at - 1])
        between = text[before:start]
        kept = between.replace(",", "", 1) if "#" in between else ""
        return text[:before] + kept + text[end:]
    return text[:start] + text[end:]


def _lines(value: Value, column: int, text: str) -> str:
    """A map as lines of a block."""
    assert isinstance(value, Mapping)
    shown = ""
    for key, inner in value.items():
        head = " " * column + _scalar(key) + ":"
        if isinstance(inner, Mapping):
            shown += head + _newline(text) + _lines(inner, column + _INDENT, text)
        else:
            shown += f"{head} {_scalar(inner)}{_newline(text)}"
    return shown


def _flow(value: Value) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    return _scalar(value)


def _newline(text: str) -> str:
    found = _BREAK.search(text)
    return found[0] if found else "\n"


def _scalar(value: str | int | bool, style: str | None = None) -> str:
    """A value as YAML, in the quotation marks that were there before where it can be.

    Raises:
        UnicodeEncodeError: it holds half a surrogate pair, as the names of files that are not UTF-8 do.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    value.encode()
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and _PLAIN.fullmatch(value) and _is_text(value):
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _is_text(value: str) -> bool:
    """Whether YAML takes these characters for a text and not for a number, a date, true or nothing."""
    resolver: Any = yaml.resolver.Resolver()
    return bool(resolver.resolve(yaml.ScalarNode, value, (True, False)) == _STR)


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

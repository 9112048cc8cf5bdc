"""What an unfolded tool call shows: what was asked, what changed, what came back; long parts cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from rich.style import Style
from rich.text import Text

from agor_tui.records import ToolCall
from agor_tui.services.tools.block_text import json_text, todo_tick
from agor_tui.services.tools.diff import DiffLine, diff_of
from agor_tui.services.tools.names import PATH_KEYS, arguments, command_text, first_text, kind_of, todo_items
from agor_tui.text import printable
from agor_tui.tui.widgets.code import code_lines, folded
from agor_tui.tui.widgets.ink import Ink
from agor_tui.tui.widgets.prose import fold, markdown_lines, wrap

CUT_LINES = 20
"""Lines that an unfolded part shows at first."""

MOST_LINES = 2_000
"""Lines that are ever drawn of one part; the pager has the rest."""

_MOST_MARKDOWN = 32_000
_SIGNS = {"added": "+ ", "removed": "- ", "context": "  ", "hunk": "", "file": ""}


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of at most a given width, and how many lines of the text were left out."""

    lines: list[Text]
    hidden: int = 0


def safe_lines(text: str) -> str:
    """Text of several lines with everything that could act on a terminal made visible."""
    return printable(text, multiline=True)


def safe_line(text: str) -> str:
    """Text in one line with everything that could act on a terminal made visible."""
    return printable(text)


def plain_part(text: str, width: int, most: int, style: Style) -> Part:
    """Text as it is, folded; only what is shown is looked at, so a text of any length costs the same."""
    lines: list[Text] = []
    source = text.rstrip("\n").split("\n")
    for number, line in enumerate(source):
        room = most - len(lines)
        if room <= 0:
            return Part(lines, len(source) - number)
        shown = safe_lines(line[: width * room + 1].rstrip("\r"))
        pieces = [piece for part in shown.split("\n") for piece in fold(part, width)]
        lines += [Text(piece, style) for piece in pieces[:room]]
        if len(pieces) > room or len(line) > width * room + 1:
            return Part(lines, len(source) - number)
    return Part(lines)


def markdown_part(text: str, width: int, ink: Ink, *, most: int, characters: int, style: Style | None = None) -> Part:
    """Markdown, cut after ``characters`` of it at the end of a line, and after ``most`` lines."""
    if len(text) > characters:
        if characters >= _MOST_MARKDOWN:
            return plain_part(text, width, most, style or ink.text)
        end = text.rfind("\n", characters // 2, characters)
        shown = text[: end if end > 0 else characters]
        hidden = text.count("\n", len(shown)) + 1
    else:
        shown, hidden = text, 0
    lines = markdown_lines(safe_lines(shown), width, ink, style=style)
    return Part(lines[:most], hidden + max(0, len(lines) - most))


def call_parts(call: ToolCall, width: int, ink: Ink, most: int) -> Iterable[Part]:
    """The parts of an unfolded call, top down."""
    values = arguments(call.input)
    kind = kind_of(call.name, values)
    changed = diff_of(call)
    path = first_text(values, PATH_KEYS) or ""
    if kind == "shell":
        command = safe_lines(command_text(values)[:_MOST_MARKDOWN])
        yield _cut(_marked(code_lines(command, "bash", width - 2, ink), Text("$ ", ink.muted)), most)
    elif kind == "todo" and (items := todo_items(values)):
        yield _cut([line for text, status in items for line in _todo(text, status, width, ink)], most)
    elif changed and kind == "write" and not call.diff:
        code = "\n".join(line.text for line in islice(changed, most))
        yield _with_rest(code_lines(safe_lines(code), path, width, ink), most, len(changed) - most)
    elif changed:
        yield _diff(changed, width, ink, most)
    elif kind == "agent" and (prompt := first_text(values, ("prompt", "task", "instructions"))):
        yield markdown_part(prompt, width, ink, most=most, characters=_MOST_MARKDOWN // 4)
    elif set(values) - set(PATH_KEYS) or not path:
        yield _input(call, width, ink, most)
    if call.output and not (kind == "todo" and call.status != "error"):
        yield _output(call, kind == "agent", width, ink, most)


def _output(call: ToolCall, is_prose: bool, width: int, ink: Ink, most: int) -> Part:
    text = call.output or ""
    if is_prose:
        return markdown_part(text, width, ink, most=most, characters=_MOST_MARKDOWN // 4)
    return plain_part(text, width, most, ink.error if call.status == "error" else ink.muted)


def _input(call: ToolCall, width: int, ink: Ink, most: int) -> Part:
    """A small input as names and values, any other as JSON."""
    values = arguments(call.input)
    if values and all(isinstance(value, str | int | float | bool) for value in values.values()):
        lines: list[Text] = []
        for name, value in values.items():
            text = str(value).rstrip("\n")
            if "\n" not in text and len(text) < width * 3:
                lines += wrap(Text.assemble((f"{safe_line(name)}: ", ink.muted), safe_line(text)), width)
            else:
                lines.append(Text(f"{safe_line(name)}:", ink.muted))
                lines += plain_part(text, width, most, ink.text).lines
        return _cut(lines, most)
    text = json_text(call.input)
    if len(text) > _MOST_MARKDOWN:
        return plain_part(text, width, most, ink.text)
    return _cut(code_lines(safe_lines(text), "json", width, ink), most) if text else Part([])


def _diff(changed: tuple[DiffLine, ...], width: int, ink: Ink, most: int) -> Part:
    styles = {"added": ink.added, "removed": ink.removed, "context": ink.muted, "hunk": ink.faint, "file": ink.name}
    lines: list[Text] = []
    for line in islice(changed, most):
        text = safe_lines(line.text[: width * CUT_LINES]).replace("\n", " ")
        lines += folded(Text(f"{_SIGNS[line.kind]}{text}", styles[line.kind]), width)
    return _with_rest(lines, most, len(changed) - most)


def _todo(text: str, status: str, width: int, ink: Ink) -> list[Text]:
    style = {"completed": ink.muted, "cancelled": ink.faint, "in_progress": ink.heading}.get(status, ink.text)
    tick = ink.success if status == "completed" else ink.accent if status == "in_progress" else ink.muted
    return _marked(wrap(Text(safe_line(text), style), width - 2), Text(f"{todo_tick(status)} ", tick))


def _marked(lines: list[Text], mark: Text) -> list[Text]:
    return [Text.assemble(mark if at == 0 else "  ", line) for at, line in enumerate(lines)]


def _cut(lines: list[Text], most: int) -> Part:
    return _with_rest(lines, most, 0)


def _with_rest(lines: list[Text], most: int, rest: int) -> Part:
    return Part(lines[:most], max(rest, 0) + max(0, len(lines) - most))

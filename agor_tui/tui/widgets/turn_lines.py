"""One turn of a conversation as lines: who speaks, what was said, what the tools did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from agor_tui.cells import fit, fit_end
from agor_tui.records import (
    AttachmentBlock,
    Block,
    NoticeBlock,
    RequestBlock,
    Task,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    Turn,
    UnknownBlock,
)
from agor_tui.services.tools.summary import summarise
from agor_tui.statuses import status_glyph, status_word
from agor_tui.text import duration
from agor_tui.tui.widgets.ink import Ink
from agor_tui.tui.widgets.prose import markdown_lines, strip_of
from agor_tui.tui.widgets.tool_body import (
    CUT_LINES,
    MOST_LINES,
    Part,
    call_parts,
    markdown_part,
    plain_part,
    safe_line,
    safe_lines,
)
from agor_tui.tui.widgets.turn_parts import FOLDED, FULL, OPEN, PROMPT, LineBuilder, Place, Rendered, View

_WIDEST_PROSE = 110
_PAUSE = timedelta(minutes=5)
_TEXT_CHARACTERS = 8_000
_ALL_CHARACTERS = 32_000
_PROMPT_LINES = 40
_NESTED_FIRST = 60


def speaker(turn: Turn) -> str:
    """user, agent or program: who a turn is shown under."""
    blocks = turn.message.blocks
    if blocks and all(isinstance(block, NoticeBlock | RequestBlock) for block in blocks):
        return "program"
    if turn.message.role == "user":
        return "agent" if blocks and all(isinstance(block, ToolResult) for block in blocks) else "user"
    return "agent" if turn.message.role == "assistant" else "program"


def is_shown(turn: Turn) -> bool:
    """Whether a turn has anything to draw."""
    return bool(turn.message.blocks or turn.prompt or turn.task)


def local_time(time: datetime) -> datetime:
    """A time in this machine's zone; within a day of the years 1 and 9999 it stays as it is."""
    try:
        return time.astimezone()
    except OverflowError:
        return time


Local = Callable[[datetime], datetime]


@dataclass(frozen=True, slots=True)
class TurnLines:
    """Draws turns at one width in one ink.

    ``numbers`` gives each task's place among the session's, from 1; ``local`` brings a time into the user's zone.
    """

    ink: Ink
    width: int
    agent: str = "agent"
    person: str = "you"
    roots: tuple[str, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    local: Local = local_time

    def render(self, turn: Turn, before: Turn | None, view: View, depth: int = 0) -> Rendered:
        """Draw a turn that follows ``before`` (None at the beginning, or where that is not known)."""
        lines = LineBuilder()
        if turn.task and not turn.message.queued and not depth:
            self._divider(turn.task, before, lines)
        if turn.prompt:
            self._label(self.person, self.ink.accent, turn, before, lines, "", self.ink.accent)
            self._prompt(turn.prompt, Place(turn.ordinal, PROMPT), view, lines, self.width)
            if turn.message.blocks:
                lines.gap()
        who = speaker(turn)
        label = bool(turn.message.blocks) and who != "program" and self._opens_group(turn, before, who)
        if label and not turn.prompt and lines.strips == [] and before is not None:
            lines.gap()
        if label and who == "user":
            mark = "queued" if turn.message.queued else "" if not depth else "asks the sub-agent"
            bar = self.ink.faint if depth else self.ink.accent
            self._label("" if depth else self.person, self.ink.accent, turn, before, lines, mark, bar)
        elif label:
            self._label(self.agent if not depth else "sub-agent", self.ink.name, turn, before, lines, "")
        self._blocks(turn, before if not label else None, who, view, depth, lines)
        return Rendered(lines.strips, lines.spots)

    def stray(self, turn: Turn, before: Turn | None, view: View) -> Rendered:
        """A turn of a sub-agent whose call is not known (yet): set apart where it stands."""
        lines = LineBuilder()
        inner = replace(self, width=max(self.width - 4, 20))
        same = before is not None and before.message.parent_tool_id == turn.message.parent_tool_id
        lines.nest(inner.render(turn, before if same else None, view, 1), self._rail())
        return Rendered(lines.strips, lines.spots)

    def _rail(self) -> Strip:
        return strip_of(Text.assemble("    ", ("┊", self.ink.faint)))

    def reverted(self, ordinal: int, count: int, is_open: bool, more: bool) -> Rendered:
        """The line that stands for a run of turns which the user took back."""
        lines = LineBuilder()
        lines.gap()
        number = f"{count:,}{' or more' if more else ''} message{'' if count == 1 else 's'} taken back"
        text = Text.assemble(("▾ " if is_open else "▸ ", self.ink.muted), (number, self.ink.muted))
        lines.add([Text.assemble("  ", text)], Place(ordinal, 0, "gone"), opens=True)
        return Rendered(lines.strips, lines.spots)

    def waiting(self, ordinal: int) -> Strip:
        """The line that stands for a turn which is still being fetched."""
        return strip_of(Text(f"  · message {ordinal + 1:,} …", self.ink.faint))

    def _opens_group(self, turn: Turn, before: Turn | None, who: str) -> bool:
        if before is None or turn.task or who == "user" or speaker(before) != who or before.prompt:
            return True
        if before.message.model != turn.message.model and turn.message.model and before.message.model:
            return True
        now, then = turn.message.timestamp, before.message.timestamp
        return bool(now and then and now - then > _PAUSE)

    def _label(
        self,
        name: str,
        style: Style,
        turn: Turn,
        before: Turn | None,
        lines: LineBuilder,
        mark: str,
        bar: Style | None = None,
    ) -> None:
        text = Text.assemble(" ", ("▌ ", bar)) if bar else Text("  ")
        when = turn.message.timestamp
        parts = [part for part in (name and (name, style + Style(bold=True)), mark and (mark, self.ink.muted)) if part]
        if when:
            local = self.local(when)
            earlier = self.local(before.message.timestamp) if before and before.message.timestamp else None
            new_day = (earlier is None and name != "") or (earlier is not None and earlier.date() != local.date())
            parts.append((f"{local:%H:%M}", self.ink.faint))
            if new_day:
                parts.append((f"{local.day} {local:%b %Y}", self.ink.faint))
        for at, part in enumerate(parts):
            text.append("  " if at else "")
            text.append(*part)
        if parts:
            lines.add([text])

    def _divider(self, task: Task, before: Turn | None, lines: LineBuilder) -> None:
        if before is not None:
            lines.gap()
        number, total = self.numbers.get(task.id), len(self.numbers)
        words = [f"task {number} of {total}" if number else "task"]
        if task.duration_ms:
            words.append(span(task.duration_ms))
        if task.tool_use_count:
            words.append(f"{task.tool_use_count:,} tool{'' if task.tool_use_count == 1 else 's'}")
        text = Text.assemble(" ", ("── ", self.ink.rule), (" · ".join(words), self.ink.muted))
        if task.status != "completed":
            style = self.ink.error if task.status == "failed" else self.ink.muted
            text.append(f" · {status_glyph(task.status)} {status_word(task.status)}", style)
        text.append(f" {'─' * max(0, self.width - text.cell_len - 2)}", self.ink.rule)
        lines.add([text])

    def _blocks(self, turn: Turn, before: Turn | None, who: str, view: View, depth: int, lines: LineBuilder) -> None:
        last: Block | None = before.message.blocks[-1] if before and before.message.blocks else None
        for number, block in enumerate(turn.message.blocks):
            place = Place(turn.ordinal, number)
            airy = isinstance(block, TextBlock | NoticeBlock | RequestBlock)
            if last is not None and airy:
                lines.gap()
            if who == "user" and isinstance(block, TextBlock):
                self._prompt(block.text, place, view, lines, self.width, muted=depth > 0)
            else:
                self._block(block, place, view, depth, lines)
            last = block

    def _prompt(
        self, text: str, place: Place, view: View, lines: LineBuilder, width: int, *, muted: bool = False
    ) -> None:
        bar = Text.assemble(" ", ("▌ ", self.ink.faint if muted else self.ink.accent))
        style = self.ink.muted if muted else self.ink.text
        room = min(width - 4, _WIDEST_PROSE)
        shown = text[:_TEXT_CHARACTERS]
        body = markdown_lines(safe_lines(shown), room, self.ink, keep_breaks=True, style=style)
        whole = len(shown) == len(text) and len(body) <= _PROMPT_LINES
        full = not whole and view.level(place, OPEN) == FULL
        if full and len(text) > len(shown):
            part = plain_part(text, room, MOST_LINES, style)
        elif full:
            part = Part(body)
        else:
            rest = text.count("\n", len(shown))
            part = Part(body[:_PROMPT_LINES], 0 if whole else rest + max(0, len(body) - _PROMPT_LINES) or 1)
        lines.add([Text.assemble(bar, line) for line in part.lines], place)
        self._more(text, part, place, full, lines, bar)

    def _more(self, text: str, part: Part, place: Place, full: bool, lines: LineBuilder, bar: Text) -> None:
        """The line under a part that was cut."""
        if not part.hidden:
            return
        total = text.rstrip("\n").count("\n") + 1
        if full:
            words = f"… {part.hidden:,} more lines: o opens all of it"
        elif total > len(part.lines):
            words = f"… show all {total:,} lines"
        else:
            words = f"… show all {len(text):,} characters"
        lines.add(
            [Text.assemble(bar, (words, self.ink.accent))], Place(place.ordinal, place.block, "more"), opens=not full
        )

    def _block(self, block: Block, place: Place, view: View, depth: int, lines: LineBuilder) -> None:
        match block:
            case TextBlock():
                full = view.level(place, OPEN) == FULL
                most = MOST_LINES if full else 400
                characters = _ALL_CHARACTERS if full else _TEXT_CHARACTERS
                room = min(self.width - 3, _WIDEST_PROSE)
                part = markdown_part(block.text, room, self.ink, most=most, characters=characters)
                lines.add([Text.assemble("  ", line) for line in part.lines], place)
                self._more(block.text, part, place, full, lines, Text("  "))
            case ToolCall():
                self._call(block, place, view, depth, lines)
            case ThinkingBlock():
                self._thinking(block, place, view, lines)
            case ToolResult():
                count = block.output.rstrip("\n").count("\n") + 1 if block.output else 0
                title = Text.assemble(("result of an earlier call", self.ink.muted), f" · {count:,} lines")
                self._foldable(title, block.output, place, view, lines, failed=block.is_error)
            case UnknownBlock():
                title = Text.assemble((f"{safe_line(block.type)}: not known here", self.ink.warning))
                self._foldable(title, block.text, place, view, lines)
            case NoticeBlock():
                words = f"── {safe_line(block.text or block.kind)} "
                text = Text(f"  {fit(words, self.width - 4).rstrip()} ", self.ink.muted)
                text.append("─" * max(0, min(self.width - 2, _WIDEST_PROSE) - text.cell_len), self.ink.rule)
                lines.add([text], place)
            case RequestBlock():
                self._request(block, place, view, lines)
            case AttachmentBlock():
                size = f"{max(1, block.size // 1024):,} KB" if block.size else ""
                facts = " · ".join(part for part in (block.kind, safe_line(block.media_type or ""), size) if part)
                name = safe_line(block.name)
                lines.add([Text.assemble("  ", ("▣ ", self.ink.muted), name, (f" · {facts}", self.ink.muted))], place)

    def _thinking(self, block: ThinkingBlock, place: Place, view: View, lines: LineBuilder) -> None:
        if not block.text.strip():
            lines.add([Text.assemble("  ", ("· thought, not kept in the open", self.ink.faint))], place)
            return
        words = len(block.text.split()) if len(block.text) < 100_000 else len(block.text) // 6
        told = f"thought for {span(block.duration_ms)}" if block.duration_ms else f"thought · {words:,} words"
        self._foldable(Text(told, self.ink.muted), block.text, place, view, lines, markdown=True)

    def _request(self, block: RequestBlock, place: Place, view: View, lines: LineBuilder) -> None:
        waiting = block.status in ("pending", "waiting", "")
        refused = block.status in ("denied", "rejected", "expired", "cancelled", "timed_out")
        glyph, style = (
            ("?", self.ink.warning) if waiting else ("✗", self.ink.error) if refused else ("✓", self.ink.success)
        )
        kind = {"permission": "may it use", "input": "asks", "widget": "shows"}[block.kind]
        title = Text.assemble((f"{glyph} ", style), (f"{kind} ", self.ink.muted), safe_line(block.title))
        title.append(f" · {safe_line(block.status) or 'pending'}", style)
        self._foldable(title, block.body, place, view, lines)

    def _call(self, call: ToolCall, place: Place, view: View, depth: int, lines: LineBuilder) -> None:
        is_open = view.level(place, FOLDED)
        lines.add([self._call_line(call, bool(is_open))], place, opens=True)
        rail = Text.assemble("  ", ("│ ", self.ink.rule))
        if is_open:
            hidden, start = 0, len(lines.strips)
            for part in call_parts(call, self.width - 6, self.ink, MOST_LINES if is_open == FULL else CUT_LINES):
                lines.add([Text.assemble(rail, line) for line in part.lines])
                hidden += part.hidden
            if hidden:
                shown = len(lines.strips) - start
                words = "o opens all of it" if is_open == FULL else f"show all {shown + hidden:,} lines"
                more = Place(place.ordinal, place.block, "more")
                text = Text.assemble(rail, (f"… {words}", self.ink.accent))
                lines.add([text], more, opens=is_open != FULL)
        if count := view.agent_count(call.id):
            self._agent(call, count, Place(place.ordinal, place.block, "agent"), view, depth, lines)

    def _agent(self, call: ToolCall, count: int, place: Place, view: View, depth: int, lines: LineBuilder) -> None:
        is_open = view.level(place, FOLDED)
        glyph = "▾" if is_open else "▸"
        number = f"{count:,} message{'' if count == 1 else 's'} of its sub-agent"
        lines.add([Text.assemble("    ", (f"{glyph} ", self.ink.muted), (number, self.ink.muted))], place, opens=True)
        if not is_open:
            return
        inner = replace(self, width=max(self.width - 4, 20))
        rail = self._rail()
        turns = view.agent_turns(call.id)
        shown = turns if is_open == FULL else turns[:_NESTED_FIRST]
        before: Turn | None = None
        for turn in shown:
            if depth < 4 and turn.message.blocks:
                lines.nest(inner.render(turn, before, view, depth + 1), rail)
                before = turn
        if len(shown) < len(turns):
            words = (f"… show all {count:,} messages", self.ink.accent)
            more = Place(place.ordinal, place.block, "agent-more")
            lines.add([Text.assemble("    ", ("┊ ", self.ink.faint), words)], more, opens=True)

    def _call_line(self, call: ToolCall, is_open: bool) -> Text:
        summary = summarise(call, self.roots)
        glyph = "▾ " if is_open else "▸ "
        name = safe_line(summary.name)
        facts = Text()
        for fact in (*summary.facts, *((span(call.duration_ms),) if call.duration_ms else ())):
            facts.append(" · ", self.ink.faint)
            facts.append_text(self._fact(safe_line(fact)))
        room = self.width - 6 - len(name) - facts.cell_len
        subject = safe_line(summary.subject)
        if summary.kind in ("read", "write", "edit"):
            subject = fit_end(subject, max(room, 8))
        else:
            subject = fit(subject, max(room, 8)).rstrip()
        style = self.ink.error if summary.failed else self.ink.muted
        return Text.assemble("  ", (glyph, style), (name, self.ink.name), " ", (subject, self.ink.text), facts)

    def _fact(self, fact: str) -> Text:
        if fact.startswith(("failed", "exit")):
            return Text(f"✗ {fact}", self.ink.error)
        if fact == "passed":
            return Text("✓ passed", self.ink.success)
        text = Text(fact, self.ink.muted)
        for word in fact.split():
            if word[:1] == "+" and word[1:2].isdigit():
                text.stylize(self.ink.added, fact.index(word), fact.index(word) + len(word))
            elif word[:1] == "−":
                text.stylize(self.ink.removed, fact.index(word), fact.index(word) + len(word))
        return text

    def _foldable(
        self,
        title: Text,
        body: str,
        place: Place,
        view: View,
        lines: LineBuilder,
        *,
        markdown: bool = False,
        failed: bool = False,
    ) -> None:
        level = view.level(place, FOLDED) if body.strip() else FOLDED
        glyph = ("▾ " if level else "▸ ") if body.strip() else "  "
        lines.add([Text.assemble("  ", (glyph, self.ink.muted), title)], place, opens=bool(body.strip()))
        if not level:
            return
        rail = Text.assemble("  ", ("│ ", self.ink.rule))
        most = MOST_LINES if level == FULL else CUT_LINES
        width = min(self.width - 6, _WIDEST_PROSE)
        style = self.ink.error if failed else self.ink.muted
        if markdown:
            part = markdown_part(body, width, self.ink, most=most, characters=_ALL_CHARACTERS // 4, style=style)
        else:
            part = plain_part(body, width, most, style)
        lines.add([Text.assemble(rail, line) for line in part.lines])
        self._more(body, part, place, level == FULL, lines, rail)


def span(ms: int) -> str:
    """A span of time without a unit that is nought: ``12m``, ``4 s``."""
    return duration(ms).replace(".0 s", " s").removesuffix(" 0s").removesuffix(" 0m")

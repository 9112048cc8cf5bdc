"""The conversation widget: opens at any length alike, keeps its place, folds, finds, and never shows a blank frame."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from agor_tui import paths
from agor_tui.errors import DatabaseError
from agor_tui.records import TextBlock, ToolCall, Turn
from agor_tui.tui.themes import DARK
from agor_tui.tui.widgets.conversation import Conversation
from agor_tui.tui.widgets.turn_lines import Place

from .talks import Long, Talk, ordinary, rich_talk, turn


class TalkApp(App[None]):
    """A conversation and nothing else."""

    def __init__(self, source: Talk) -> None:
        super().__init__()
        self.source = source
        self.texts: list[Conversation.TextWanted] = []
        self.register_theme(DARK)
        self.theme = DARK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DARK.variables

    def compose(self) -> ComposeResult:
        yield Conversation()
        yield Static("below", id="below")

    def on_mount(self) -> None:
        talk = self.query_one(Conversation)
        talk.focus()
        talk.show(self.source, agent="claude", roots=("lanternctl",))

    def on_conversation_text_wanted(self, event: Conversation.TextWanted) -> None:
        self.texts.append(event)


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Let the app work until something is so; fail when it does not become so."""
    for _ in range(300):
        await pilot.pause(0.01)
        if true():
            return
    raise AssertionError("it did not come about")


def seen(talk: Conversation) -> list[str]:
    """The lines on the screen."""
    return [talk.render_line(y).text.rstrip() for y in range(talk.size.height)]


def shown(talk: Conversation) -> str:
    return "\n".join(seen(talk))


@asynccontextmanager
async def opened(source: Talk, size: tuple[int, int] = (100, 30)) -> AsyncIterator[tuple[Pilot[None], Conversation]]:
    app = TalkApp(source)
    async with app.run_test(size=size) as pilot:
        talk = app.query_one(Conversation)
        await until(pilot, lambda: talk.is_open and not talk.busy)
        yield pilot, talk


async def press(pilot: Pilot[None], talk: Conversation, *keys: str) -> None:
    await pilot.press(*keys)
    await until(pilot, lambda: not talk.busy)


async def test_reads_like_a_chat() -> None:
    async with opened(rich_talk(), (110, 60)) as (_, talk):
        text = shown(talk)
        for line in (
            "── task 1 of 2 · 12m · 18 tools ─",
            "▌ you  14:02  2 Mar 2026",
            "▌ Make it re-raise.",
            "  claude  14:02",
            "▸ thought for 4 s",
            "▸ Read lantern/retry.py · 88 lines",
            "▸ Edit lantern/retry.py · +2 −1",
            "I kept the last exception in last and raise it after the loop.",
            "What changed",
            "1. The loop remembers the error, see retry.py (lantern/retry.py) and https://example.org/retry",
            "   • with its traceback",
            "case     │ before │ after",
            "日本語   │      0 │ ✓",
            "for _ in range(attempts):  # at least once",
            "▎ Retrying is not a cure.",
            "▸ Bash pytest -q tests/test_retry.py · ✓ passed · 2.1 s",
            "▸ TodoWrite 3 items, 1 done",
            "▸ Task Survey exception handling · Explore",
            "▸ 3 messages of its sub-agent",
            "── context compacted · 155k tokens before ─",
            "✗ may it use Bash rm -rf build · denied",
            "? asks Which database? · pending",
            "── task 2 of 2 · 1m 3s · 18 tools · ✗ failed",
            "▣ screen.png · image · image/png · 24 KB",
        ):
            assert line in text
        assert "Find all." not in text  # the sub-agent's traffic is folded


async def test_folds_and_unfolds() -> None:
    async with opened(rich_talk(), (100, 60)) as (pilot, talk):
        await press(pilot, talk, "down", "down", "down", "space")  # thinking, Read, Edit
        assert "+     raise last" in shown(talk)
        assert "-     return None" in shown(talk)
        await press(pilot, talk, "space")
        assert "raise last" not in shown(talk).split("What changed")[0]
        await press(pilot, talk, "up", "enter")
        assert "… show all 88 lines" in shown(talk)
        await press(pilot, talk, "down", "space")
        await press(pilot, talk, "home")
        assert "show all 88" not in shown(talk)
        assert shown(talk).count("│ x") > 40


async def test_sub_agents_are_nested_under_their_call() -> None:
    async with opened(rich_talk(), (100, 70)) as (pilot, talk):
        talk.action_fold_all(1)
        await pilot.pause()
        await press(pilot, talk, "home")
        for _ in range(12):
            await press(pilot, talk, "pagedown")
            if "messages of its sub-agent" in shown(talk):
                break
        text = shown(talk)
        at = text.index("▾ 3 messages of its sub-agent")
        assert text.index("┊ ▌ Find all.") > at
        assert "┊  ▾ Grep except in lantern · 2 matches" in text
        assert "┊  One place: retry.py." in text
        talk.action_fold_all(0)
        await pilot.pause()
        assert "┊" not in shown(talk)


async def test_todo_lists_are_ticked() -> None:
    async with opened(rich_talk(), (100, 90)) as (pilot, talk):
        talk.action_fold_all(1)
        await press(pilot, talk, "home", "pagedown")
        assert "☑ Read the loop" in shown(talk)
        assert "◐ Keep the error" in shown(talk)
        assert "☐ Write tests" in shown(talk)


async def test_what_was_taken_back_is_one_line_and_the_queue_is_last() -> None:
    async with opened(rich_talk(), (100, 24)) as (pilot, talk):
        await press(pilot, talk, "end")
        text = shown(talk)
        assert "▸ 2 messages taken back" in text
        assert "Taken back." not in text
        assert "▌ you  queued" in text
        await press(pilot, talk, "up", "space", "pagedown")
        assert "Taken back." in shown(talk)


@pytest.mark.parametrize("count", [50, 5_000, 100_000])
async def test_opens_at_any_length_with_the_same_work(count: int) -> None:
    source = Long(count)
    async with opened(source) as (_, talk):
        assert seen(talk)[1].endswith("Prompt 0: make the retry loop keep the last error.")
        assert len(source.asked) <= 2  # the first window, and the one after it ahead of the reader
        assert all(limit <= 64 for _, limit in source.asked)


async def test_the_end_of_a_hundred_thousand() -> None:
    source = Long(100_000)
    async with opened(source) as (pilot, talk):
        await press(pilot, talk, "end")
        await until(pilot, lambda: "99,999" in shown(talk) or "file_99998" in shown(talk) or "99999" in shown(talk))
        assert seen(talk)[-1] != ""
        assert len(source.asked) < 8
        await press(pilot, talk, "home")
        assert "Prompt 0:" in shown(talk)


async def test_scrolling_never_shows_a_blank_frame() -> None:
    async with opened(Long(2_000)) as (pilot, talk):
        for key in ["pagedown"] * 25 + ["pageup"] * 5 + ["end", "pageup", "home", "pagedown"]:
            await pilot.press(key)
            lines = seen(talk)
            assert sum(1 for line in lines if line) > len(lines) // 3
            assert not any("· message " in line for line in lines)


async def test_the_last_frame_stays_while_the_next_is_fetched() -> None:
    source = Long(5_000)
    async with opened(source) as (pilot, talk):
        source.gate.clear()
        before = seen(talk)
        await pilot.press("end")
        await pilot.pause(0.05)
        assert seen(talk) == before
        source.gate.set()
        await until(pilot, lambda: seen(talk) != before)
        assert not any("· message " in line for line in seen(talk))


async def test_a_slow_database_is_said_to_be_slow() -> None:
    source = Long(5_000)
    async with opened(source) as (pilot, talk):
        source.gate.clear()
        talk.scroll_to(y=8_000)
        await until(pilot, lambda: any("· message " in line for line in seen(talk)))
        source.gate.set()
        await until(pilot, lambda: not any("· message " in line for line in seen(talk)))


async def test_the_place_is_kept_when_heights_above_change() -> None:
    async with opened(Long(3_000)) as (pilot, talk):
        talk.jump_to(1_000)
        await until(pilot, lambda: "Prompt 1000:" in shown(talk))
        before = seen(talk)
        talk.reload()
        await until(pilot, lambda: not talk.busy)
        assert seen(talk) == before
        position = talk.scroll_y
        await press(pilot, talk, "pageup", "pageup", "pagedown", "pagedown")
        assert seen(talk) == before
        assert talk.scroll_y <= position + 200


async def test_another_width_keeps_the_place() -> None:
    async with opened(Long(3_000)) as (pilot, talk):
        talk.jump_to(1_000)
        await until(pilot, lambda: "Prompt 1000:" in shown(talk))
        await pilot.resize_terminal(60, 30)
        await until(pilot, lambda: talk.size.width <= 60 and "Prompt 1000:" in "\n".join(seen(talk)[:4]))


async def test_the_wheel_moves_by_lines_and_back() -> None:
    async with opened(Long(500)) as (pilot, talk):
        before = seen(talk)
        talk.scroll_to(y=3)
        await pilot.pause()
        assert seen(talk)[:20] == before[3:23]
        talk.scroll_to(y=0)
        await pilot.pause()
        assert seen(talk) == before


async def test_prompts_by_key() -> None:
    async with opened(Long(5_000)) as (pilot, talk):
        await press(pilot, talk, "right_square_bracket")
        await until(pilot, lambda: "Prompt 10:" in "\n".join(seen(talk)[:4]))
        await press(pilot, talk, "right_square_bracket")
        await until(pilot, lambda: "Prompt 20:" in "\n".join(seen(talk)[:4]))
        await press(pilot, talk, "left_square_bracket")
        await until(pilot, lambda: "Prompt 10:" in "\n".join(seen(talk)[:4]))


async def test_finds_in_the_whole_conversation() -> None:
    def make(ordinal: int) -> object:
        if ordinal in (700, 4_100):
            output = "\n".join(["nothing"] * 40 + ["the needle is here"])
            return turn(ordinal, "assistant", ToolCall("x", "Bash", {"command": "ls"}, "completed", output))
        return ordinary(ordinal)

    async with opened(Long(5_000, make)) as (pilot, talk):  # type: ignore[arg-type]
        talk.find("NEEDLE")
        await until(pilot, lambda: "the needle is here" in shown(talk))
        assert talk.finder.place == Place(700, 0)
        await until(pilot, lambda: not talk.finder.running)
        await press(pilot, talk, "n")
        await until(pilot, lambda: talk.finder.place == Place(4_100, 0) and "the needle is here" in shown(talk))
        await press(pilot, talk, "n")
        await until(pilot, lambda: talk.finder.place == Place(700, 0))
        await press(pilot, talk, "N")
        await until(pilot, lambda: talk.finder.place == Place(4_100, 0))
        talk.find("")
        assert not talk.finder.hits


async def test_a_search_that_fails_says_so() -> None:
    """It is not taken for one that has found nothing."""
    async with opened(Long(5_000)) as (pilot, talk):

        def window(start: int, limit: int) -> tuple[Turn, ...]:
            raise ZeroDivisionError

        pilot.app.source.window = window  # type: ignore[attr-defined]
        talk.find("needle")
        await until(pilot, lambda: any("ZeroDivisionError" in note.message for note in pilot.app._notifications))
    assert "ZeroDivisionError" in paths.log_file().read_text()


async def test_finds_within_what_is_folded() -> None:
    async with opened(rich_talk(), (100, 30)) as (pilot, talk):
        talk.find("One place: **retry")
        await until(pilot, lambda: "┊  One place: retry.py." in shown(talk))
        talk.find("Taken back")
        await until(pilot, lambda: "Taken back." in shown(talk))


async def test_copies_and_opens_the_block() -> None:
    async with opened(rich_talk(), (100, 40)) as (pilot, talk):
        await press(pilot, talk, "y")
        assert pilot.app.clipboard.startswith("retry() in lantern/retry.py returns None")
        await press(pilot, talk, "down", "down", "o")
        texts = pilot.app.texts  # type: ignore[attr-defined]
        assert texts[0].title == "Read"
        assert texts[0].text.count("x\n") >= 87


async def test_a_click_folds() -> None:
    async with opened(rich_talk(), (100, 40)) as (pilot, talk):
        y = next(number for number, line in enumerate(seen(talk)) if "Edit lantern/retry.py" in line)
        await pilot.click(Conversation, offset=(10, y))
        assert "+     raise last" in shown(talk)


async def test_hostile_text_stays_text() -> None:
    bad = (
        "\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x07 [bold]markup[/bold] \ud800 \u202edesrever a\rb\tc <b>html</b>"
    )
    blocks = (TextBlock(bad), ToolCall("c", f"Ba{bad}sh", {"command": bad, bad: bad}, "error", bad))
    async with opened(Talk([turn(0, "user", TextBlock(bad)), turn(1, "assistant", *blocks)])) as (pilot, talk):
        talk.action_fold_all(1)
        await pilot.pause()
        text = shown(talk)
        assert "\x1b" not in text
        assert "\r" not in text
        assert "\u202e" not in text
        assert "\ud800" not in text
        assert "[bold]markup[/bold]" in text
        assert "<b>html</b>" in text


HUGE = {
    "one line": "x" * 50_000,
    "words": "word " * 80_000,
    "lines": "line\n" * 80_000,
    "wide": "日本" * 25_000,
    "headings": "# a\n\n" * 20_000,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE)
async def test_huge_messages_are_cut_and_shown_on_demand(text: str) -> None:
    source = Talk([turn(0, "user", TextBlock("short")), turn(1, "assistant", TextBlock(text))])
    async with opened(source) as (pilot, talk):
        await press(pilot, talk, "end")
        assert "show all" in shown(talk)
        await press(pilot, talk, "enter")
        await press(pilot, talk, "end")
        assert "show all" not in shown(talk)


async def test_empty_and_error() -> None:
    app = TalkApp(Talk([]))
    async with app.run_test() as pilot:
        talk = app.query_one(Conversation)
        await until(pilot, lambda: "No messages yet" in shown(talk))
    broken = rich_talk()
    broken.error = DatabaseError("The file team.db is locked by another program.", "Try again in a moment.")
    app = TalkApp(broken)
    async with app.run_test() as pilot:
        talk = app.query_one(Conversation)
        await until(pilot, lambda: "The file team.db is locked" in shown(talk))
        assert "Try again in a moment." in shown(talk)
        broken.error = None
        talk.reload()
        await until(pilot, lambda: "claude" in shown(talk))


async def test_grows_with_its_database() -> None:
    source = Long(100)
    async with opened(source) as (pilot, talk):
        await press(pilot, talk, "end")
        source.length = 130
        talk.reload()
        await until(pilot, lambda: not talk.busy)
        await press(pilot, talk, "end")
        await until(pilot, lambda: "Answer 129" in shown(talk))


async def test_a_sub_agent_without_its_call_is_set_apart() -> None:
    stray = turn(1, "user", TextBlock("Find all."), parent_tool_id="gone")
    async with opened(Talk([turn(0, "user", TextBlock("Begin.")), stray])) as (_, talk):
        assert "┊ ▌ Find all." in shown(talk)


async def test_parallel_sub_agents_stay_with_their_calls() -> None:
    calls = [ToolCall(f"c{n}", "Task", {"description": f"agent {n}"}, "completed", "done") for n in (1, 2)]
    turns = [turn(0, "user", TextBlock("Begin.")), turn(1, "assistant", *calls)]
    turns += [turn(n, "assistant", TextBlock(f"word {n}"), parent_tool_id=f"c{n % 2 + 1}") for n in range(2, 8)]
    async with opened(Talk([*turns, turn(8, "assistant", TextBlock("All done."))])) as (pilot, talk):
        assert shown(talk).count("3 messages of its sub-agent") == 2
        talk.action_fold_all(1)
        await pilot.pause()
        words = [line.rsplit(maxsplit=1)[-1] for line in seen(talk) if "┊  word" in line]
        assert words == ["2", "4", "6", "3", "5", "7"]
        assert "  All done." in shown(talk)


async def test_another_theme_is_taken_up() -> None:
    async with opened(rich_talk()) as (pilot, talk):
        before = {segment.style for y in range(5) for segment in talk.render_line(y)}
        pilot.app.theme = "textual-light"
        await pilot.pause()
        await pilot.pause()
        after = {segment.style for y in range(5) for segment in talk.render_line(y)}
        assert not before & after - {None}

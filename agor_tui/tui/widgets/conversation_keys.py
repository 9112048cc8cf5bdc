"""The keys of the conversation."""

from __future__ import annotations

from textual.binding import Binding, BindingType

_MOVE = Binding.Group("Move")
_READ = Binding.Group("Conversation")


def _key(keys: str, action: str, word: str, tooltip: str, *, show: bool = False, display: str | None = None) -> Binding:
    name = f"talk.{action.partition('(')[0]}{'_back' if '(-1)' in action else ''}{'_all' if '(1)' in action else ''}"
    group = _MOVE if action.startswith(("step", "page", "first", "last")) else _READ
    return Binding(keys, action, word, show=show, key_display=display, id=name, tooltip=tooltip, group=group)


TALK_KEYS: list[BindingType] = [
    _key("down,j", "step(1)", "down", "To the next block"),
    _key("up,k", "step(-1)", "up", "To the block before"),
    _key("pagedown", "page(1)", "page down", "On by a page"),
    _key("pageup", "page(-1)", "page up", "Back by a page"),
    _key("home", "first", "first", "To the beginning"),
    _key("end,G", "last", "last", "To the end"),
    _key("right_square_bracket", "prompt(1)", "prompt", "To the next prompt", show=True, display="]"),
    _key("left_square_bracket", "prompt(-1)", "prompt before", "To the prompt before", display="["),
    _key("space,enter", "fold", "fold", "Fold or unfold the block, or show all of it", show=True),
    _key("z", "fold_all(0)", "fold all", "Fold everything"),
    _key("Z", "fold_all(1)", "unfold all", "Unfold everything"),
    _key("slash", "find", "find", "Find words in the conversation", show=True, display="/"),
    _key("n", "find_next(1)", "next", "To the next find", show=True),
    _key("N", "find_next(-1)", "find before", "To the find before"),
    _key("o", "open_text", "pager", "Read all of the block in a pager", show=True),
    _key("y", "copy", "copy", "Copy the text of the block", show=True),
]

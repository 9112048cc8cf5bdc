"""Whatever a terminal sends: never an error, nothing taken for keys that is none, and the next key is heard."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from agor_tui.tui.terminal.keyboard import LONGEST_PASTE, Keyboard, PasteRefused

LONG_S = 10.0


class Typed:
    """A keyboard whose time is told, and what came of it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.messages: list[Message] = []
        self._keyboard = Keyboard(lambda: self.now)

    def type(self, data: bytes, silence_s: float = 0.0) -> Typed:
        """Send bytes, then nothing for a while."""
        self.messages += self._keyboard.feed(data)
        self.now += silence_s
        self.messages += self._keyboard.tick()
        return self

    def keys(self) -> list[str]:
        """The keys, in order."""
        return [message.key for message in self.messages if isinstance(message, events.Key)]

    def pasted(self) -> list[str]:
        """The pasted texts."""
        return [message.text for message in self.messages if isinstance(message, events.Paste)]


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"a\xffb", ["a", "replacement_character", "b"]),
        ("caf\xe9".encode("latin-1") + b"x", ["c", "a", "f", "replacement_character", "x"]),
        ("é€😀".encode(), ["é", "euro_sign", "grinning_face"]),
        (b"\x1b[99999999999uq", ["q"]),
        (b"\x1b[1114112uq", ["q"]),
        (b"\x1b[55296uq", ["q"]),
        (b"\x1b[97;1;56320uq", ["q"]),
        (b"\x1b[" + b"9" * 5_000 + b"uq", ["q"]),
        (b"\x1b[99xq", ["q"]),
        (b"\x1b]52;c;qqqq\x07j", ["j"]),
        (b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\j", ["j"]),
        (b"\x1bP1+r544e=qqq\x1b\\j", ["j"]),
        (b"\x1b]0;q\x1b[A", ["up"]),
        (b"\x1b_q\x18j", ["j"]),
        (b"\x1b[48;99999999;99999999;1;1tq", ["q"]),
        (b"\x1b[48;0;0;0;0tq", ["q"]),
        (b"\x1b[M\xff\xff\xffq", ["q"]),
        (b"\x1b[<0;999999999999;999999999999Mq", ["q"]),
        (b"\x00\x01\r\t\x7f", ["ctrl+@", "ctrl+a", "enter", "tab", "backspace"]),
        (b"\x1b[A\x1b[1;5A\x1bOP\x1b[15~\x1b[[A\x1b[97;5u", ["up", "ctrl+up", "f1", "f5", "f1", "ctrl+a"]),
        (b"\x1b[0;;98111:98112:98113:98114:98115:98116:98117u", [chr(number) for number in range(98111, 98118)]),
    ],
)
@pytest.mark.parametrize("size", [1, 4096])
def test_what_bytes_mean(data: bytes, keys: list[str], size: int) -> None:
    typed = Typed()
    for start in range(0, len(data), size):
        typed.type(data[start : start + size])
    assert typed.type(b"", LONG_S).keys() == keys


@pytest.mark.parametrize(
    ("data", "keys"),
    [(b"\x1b", ["escape"]), (b"\x1b\x1b", ["escape", "escape"]), (b"\x1bx", ["alt+x"]), (b"\x1b\r", ["enter"])],
)
def test_escape_and_keys_with_alt_are_known_by_the_silence_behind_them(data: bytes, keys: list[str]) -> None:
    assert Typed().type(data, LONG_S).keys() == keys


@pytest.mark.parametrize(
    "unended", [b"\x1b]52;c;q", b"\x1bPq", b"\x1b^q", b"\x1bXq", b"\x1b[1;2", b"\x1b[200~q", b"\x1b[M", b"\xe2\x82"]
)
def test_what_has_no_end_ends_with_silence(unended: bytes) -> None:
    assert Typed().type(unended, LONG_S).type(b"j").keys()[-1:] == ["j"]


def test_a_paste_is_text_without_control_characters() -> None:
    typed = Typed().type(b"\x1b[200~one\ntwo\tx\x1b]52;c;q\x07\x1b[A\x00\xc2\x9b\xff\x1b[20").type(b"1~q", LONG_S)
    assert typed.pasted() == ["one\ntwo\tx]52;c;q[A\ufffd"]
    assert typed.keys() == ["q"]


def test_the_rest_of_a_paste_that_was_silent_is_no_keys() -> None:
    typed = Typed().type(b"\x1b[200~one", LONG_S).type(b"qqq\x1b[201~j", LONG_S)
    assert (typed.pasted(), typed.keys()) == (["one", "qqq"], ["j"])
    typed = Typed().type(b"\x1b[200~one", LONG_S).type(b"q" * 100, LONG_S).type(b"j", LONG_S)
    assert (typed.pasted(), typed.keys()) == (["one", "q" * 100], ["j"])


def test_a_paste_too_long_is_refused_whole() -> None:
    typed = Typed().type(b"\x1b[200~")
    for _ in range(LONGEST_PASTE // 1000 + 1):
        typed.type(b"q" * 1000)
    typed.type(b"\x1b[201~j", LONG_S)
    assert (typed.pasted(), typed.keys()) == ([], ["j"])
    assert [message.length for message in typed.messages if isinstance(message, PasteRefused)] == [LONGEST_PASTE + 1000]


_PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"\x1b", b"\x1b[", b"\x1b]", b"\x1bP", b"\x1bO", b"\x1b[200~", b"\x1b[201~", b"\x1b[<", b"\x1b[M"]
    ),
    st.from_regex(rb"\x1b\[[<?0-9;:]{0,40}[A-Za-z~]", fullmatch=True),
    st.from_regex(rb"\x1b\[48;\d{1,9};\d{1,9};\d{1,9};\d{1,9}t", fullmatch=True),
)


@settings(max_examples=400)
@given(st.lists(st.tuples(_PIECES, st.sampled_from([0.0, 0.2, 2.0])), max_size=12))
def test_after_anything_the_next_key_is_heard(pieces: list[tuple[bytes, float]]) -> None:
    typed = Typed()
    for data, silence_s in pieces:
        typed.type(data, silence_s)
    typed.type(b"", LONG_S)
    for message in typed.messages:
        if isinstance(message, events.Key):
            (message.key + (message.character or "")).encode()
        if isinstance(message, events.Resize):
            assert (message.size.width, message.size.height) <= (1_000, 500)
    assert typed.type(b"j", LONG_S).keys()[-1:] == ["j"]
    assert typed.type(b"\x1b[<0;3;3M").type(b"\x1b[B", LONG_S).keys()[-1:] == ["down"]

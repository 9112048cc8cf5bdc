"""What a terminal sends, whatever it is, as Textual's messages.

Textual's own parser ends with an error, or never hears a key again, at bytes that are no UTF-8, at numbers that are no
characters, and at sequences without an end; what it does not know it takes for keys, one for each character. So it gets
whole sequences of a right form only, one at a time (ECMA-48, 5.4 and 5.6, and xterm's "Control Sequences"), and pastes
are taken out of the stream before it. What nobody understands is dropped.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Generator, Iterator
from time import monotonic

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.message import Message

LONGEST_PASTE = 100_000
"""Characters of a paste; of a longer one nothing is taken."""
MOST_COLUMNS, MOST_LINES = 1_000, 500
"""Cells of the largest terminal that is believed in."""
PASTE_SILENCE_S = 1.5
"""Seconds of silence after which a paste without an end has ended."""

_ESC = "\x1b"
_ESCAPE_S = min(constants.ESCAPE_DELAY, 1.0)
_STRING_SILENCE_S = 0.5
_LONGEST_SEQUENCE = 1_000
_LONGEST_PARSED = 32
"""Characters of a sequence from which Textual's parser takes each for a key."""
_BURST = 32
"""Characters in one read that no fingers type: the rest of a paste that was silent for a while."""
_FARTHEST = 10_000
"""The column or line behind which no mouse is believed in."""

_PASTE_START, _PASTE_END = "\x1b[200~", "\x1b[201~"
_CSI_BEGUN = re.compile(r"\x1b\[(?:\[|M.{0,2}|[0-?]*[ -/]*)", re.DOTALL)
_CSI = re.compile(r"\x1b\[(?:\[[@-~]|M...|[@-LN-Z\\-~]|[0-?]+[ -/]*[@-~]|[ -/]+[@-~])", re.DOTALL)
"""Among them keys of Linux's console, which have a second bracket, and the mouse of X10, three characters longer."""
_SS3_BEGUN, _SS3 = re.compile(r"\x1bO[0-9;]*"), re.compile(r"\x1bO[0-9;]*[A-Za-z~]")
_STRING_BEGUN = re.compile(r"\x1b[]PX^_]")
"""OSC, DCS, SOS, PM and APC: words of a terminal, up to BEL or ST; CAN, SUB and another escape break them off."""
_STRING_END = re.compile("[\x07\x18\x1a\x1b\x9c]")
_SIZE_REPORT = re.compile(r"\x1b\[48;(\d+)[\d:]*;(\d+)[\d:]*;(\d+)[\d:]*;(\d+)[\d:]*t")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters that no text needs which is pasted here."""
_SURROGATE = re.compile("[\ud800-\udfff]")

_Rest = Generator[Message, None, str]
"""Messages, and what of the text is still to be looked at."""


class PasteRefused(Message):
    """A paste of ``length`` characters was too long to be taken."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length


class TerminalGone(Message):
    """There is no terminal any more: nothing comes from it, and nothing can be shown."""


class Keyboard:
    """Turns bytes into messages. ``clock`` is seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._parser = _Parser()
        self._heard_at = clock()
        self._sequence = ""
        self._in_string = False
        self._paste: list[str] | None = None
        self._paste_tail = ""
        """The last characters of a paste, in which its end may begin."""
        self._pasted = 0
        self._paste_broke_off = False

    @property
    def patience_s(self) -> float:
        """Seconds after which ``tick`` may have something to say."""
        return _ESCAPE_S if self._sequence else PASTE_SILENCE_S / 2

    def feed(self, data: bytes) -> Iterator[Message]:
        """What these bytes mean, behind those before."""
        yield from self.tick()
        self._heard_at = self._clock()
        text = self._decode(data)
        if self._paste_broke_off:
            self._paste_broke_off = False
            if _PASTE_END in text or (len(text) > _BURST and _ESC not in text):
                self._paste = []
        while text:
            if self._paste is not None:
                text = yield from self._go_on_pasting(text)
            elif self._in_string:
                text = self._skip_string(text)
            elif self._sequence:
                text = yield from self._go_on_with_sequence(text)
            else:
                keys, self._sequence, text = text.partition(_ESC)
                for character in keys:
                    yield from self._parsed(character)

    def tick(self) -> Iterator[Message]:
        """What it means that nothing has come for a while."""
        silence_s = self._clock() - self._heard_at
        if self._paste is not None:
            if silence_s >= PASTE_SILENCE_S:
                yield from self._end_paste("")
                self._paste_broke_off = True
        elif self._in_string:
            self._in_string = silence_s < _STRING_SILENCE_S
        elif self._sequence and silence_s >= _ESCAPE_S:
            yield from self._break_off()

    def _go_on_with_sequence(self, text: str) -> _Rest:
        character = text[0]
        if character == _ESC:
            yield from self._break_off()
            self._sequence = _ESC
            return text[1:]
        sequence = self._sequence[:_LONGEST_SEQUENCE] + character
        if _STRING_BEGUN.fullmatch(self._sequence):  # alone, it may have been a key with Alt
            self._sequence, self._in_string = "", True
            return text
        if any(begun.fullmatch(sequence) for begun in (_CSI_BEGUN, _SS3_BEGUN, _STRING_BEGUN)):
            self._sequence = sequence
            return text[1:]
        if len(sequence) == 2:
            self._sequence = sequence
            yield from self._break_off()
            return text[1:]
        if _CSI.fullmatch(sequence) or _SS3.fullmatch(sequence):
            self._sequence = ""
            yield from self._meant_by(sequence)
            return text[1:]
        yield from self._break_off()
        return text

    def _break_off(self) -> Iterator[Message]:
        """No more of the sequence comes: the Escape key, a key with Alt, or nothing."""
        sequence, self._sequence = self._sequence, ""
        if len(sequence) <= 2 and sequence != "\x1b\\":  # which ends a string that is over already
            yield from self._parsed(sequence)

    def _meant_by(self, sequence: str) -> Iterator[Message]:
        if sequence == _PASTE_START:
            self._paste, self._pasted, self._paste_tail = [], 0, ""
        elif size := _SIZE_REPORT.fullmatch(sequence):
            lines, columns, *pixels = map(int, size.groups())
            if 0 < lines <= MOST_LINES and 0 < columns <= MOST_COLUMNS and all(pixels):
                yield from self._parsed(sequence)
        elif len(sequence) <= _LONGEST_PARSED or sequence.endswith("u"):
            yield from self._parsed(sequence)

    def _parsed(self, sequence: str) -> Iterator[Message]:
        """What Textual makes of one key or sequence; nothing where that is an error or nonsense."""
        try:
            messages = self._parser.whole(sequence)
        except Exception:  # whatever it is, the next key is heard
            messages = []
        if self._parser.is_stuck:
            self._parser = _Parser(self._parser)
        yield from filter(_is_sane, messages)

    def _skip_string(self, text: str) -> str:
        end = _STRING_END.search(text)
        if end is None:
            return ""
        self._in_string = False
        return text[end.start() if end[0] == _ESC else end.end() :]

    def _go_on_pasting(self, text: str) -> _Rest:
        inside, end, rest = (self._paste_tail + text).partition(_PASTE_END)
        if end:
            self._paste_tail = ""
            yield from self._end_paste(inside)
            return rest
        kept = len(_PASTE_END) - 1
        self._paste_tail = inside[-kept:]
        self._add_to_paste(inside[:-kept])
        return ""

    def _add_to_paste(self, text: str) -> None:
        self._pasted += len(text)
        if self._paste is not None and self._pasted <= LONGEST_PASTE:
            self._paste.append(text)

    def _end_paste(self, text: str) -> Iterator[Message]:
        self._add_to_paste(self._paste_tail + text)
        pasted, self._paste, self._paste_tail = self._paste or [], None, ""
        length, self._pasted = self._pasted, 0
        if length > LONGEST_PASTE:
            yield PasteRefused(length)
        elif seen := _UNSEEN.sub("", "".join(pasted)):
            yield events.Paste(seen)


class _Parser(XTermParser):
    """Textual's parser, given one whole key or sequence at a time; ``before`` is one to be taken over from."""

    def __init__(self, before: _Parser | None = None) -> None:
        super().__init__()
        self._has_failed = False
        if before is not None:
            self.last_x, self.last_y = before.last_x, before.last_y
            self.mouse_pixels = before.mouse_pixels
            self.terminal_size, self.terminal_pixel_size = before.terminal_size, before.terminal_pixel_size

    def whole(self, sequence: str) -> list[Message]:
        """The messages of a sequence of which no more comes. Raises whatever its numbers lead to."""
        self._has_failed = True
        long = len(sequence) > _LONGEST_PARSED
        messages = list(self._sequence_to_key_events(sequence) if long else self.feed(sequence))
        if self._awaiting.timeout is not None and len(sequence) <= 2:
            self._timeout_time = 0.0  # has it take what it waits for as not coming
            messages += self.tick()
        self._has_failed = False
        return messages

    @property
    def is_stuck(self) -> bool:
        """Whether it has ended, or takes what comes next for a part of what it did not understand."""
        return self._has_failed or self._awaiting.timeout is not None


def _is_sane(message: Message) -> bool:
    match message:
        case events.Key():
            return not _SURROGATE.search(f"{message.key}{message.character or ''}")
        case events.MouseEvent():
            return message.x < _FARTHEST and message.y < _FARTHEST
        case events.Paste():
            return False
    return True


def believable(columns: int, lines: int) -> tuple[int, int]:
    """A terminal's size as it is drawn on: 80 × 24 where it does not say, and not too much for drawing."""
    return min(columns or 80, MOST_COLUMNS), min(lines or 24, MOST_LINES)

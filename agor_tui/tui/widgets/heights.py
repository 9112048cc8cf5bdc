"""Heights of a long column of items, most of them only estimated, and where each begins."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate

_BLOCK = 256


class Heights:
    """Heights in lines of ``count`` items. Setting one and finding a place cost the same for fifty as for a million."""

    def __init__(self, count: int, estimate: int) -> None:
        self._estimate = estimate
        self._heights = array("i")
        self._known = bytearray()
        self._blocks: list[int] = []
        self._starts: list[int] | None = None
        self.resize(count)

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    @property
    def total(self) -> int:
        """Lines of all items together."""
        return self._block_starts()[-1]

    def resize(self, count: int) -> None:
        """Add items of the estimated height at the end, or drop some there."""
        old = len(self._heights)
        if count < old:
            del self._heights[count:]
            del self._known[count:]
        else:
            self._heights.extend(array("i", [self._estimate]) * (count - old))
            self._known.extend(bytes(count - old))
        first = min(old, count) // _BLOCK
        del self._blocks[first:]
        for start in range(first * _BLOCK, count, _BLOCK):
            self._blocks.append(sum(self._heights[start : start + _BLOCK]))
        self._starts = None

    def known(self, index: int) -> bool:
        """Whether this height was measured."""
        return bool(self._known[index])

    def set(self, index: int, height: int) -> bool:
        """Note a measured height; True when it differs from what stood there."""
        self._known[index] = 1
        change = height - self._heights[index]
        if not change:
            return False
        self._heights[index] = height
        self._blocks[index // _BLOCK] += change
        self._starts = None
        return True

    def forget(self) -> None:
        """Take every height as an estimate from now on, as after a change of width."""
        self._known = bytearray(len(self._heights))

    def start(self, index: int) -> int:
        """The line on which an item begins; ``index`` may be the count, for the end."""
        block = index // _BLOCK
        return self._block_starts()[block] + sum(self._heights[block * _BLOCK : index])

    def at(self, line: int) -> tuple[int, int]:
        """The item that holds a line, and the line's place within it; clamped to the first and the last item."""
        starts = self._block_starts()
        line = max(0, min(line, starts[-1] - 1))
        block = min(bisect_right(starts, line) - 1, len(self._blocks) - 1)
        if block < 0:
            return 0, 0
        place = line - starts[block]
        index = block * _BLOCK
        last = min(index + _BLOCK, len(self._heights)) - 1
        while index < last and place >= self._heights[index]:
            place -= self._heights[index]
            index += 1
        return index, place

    def _block_starts(self) -> list[int]:
        if self._starts is None:
            self._starts = list(accumulate(self._blocks, initial=0))
        return self._starts

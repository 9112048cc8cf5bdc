"""``python -m tests.keys [kind ...]``: random keys in a real terminal, on a slowed processor; faults end it with 1."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import servers
from ..benchmarks.terminal import Terminal
from . import stock
from .pressing import as_bytes, random_keys

ROUND_S = 0.1
"""The process runs for its share of so many seconds, then it is held for the rest."""
PATIENCE_S = 60.0
"""So long it may take to take in what was pressed, and to answer."""


def main(arguments: list[str]) -> int:
    """Press keys on each kind asked for; 1 where the app has ended, hangs, or has written to its log."""
    parser = argparse.ArgumentParser(prog="python -m tests.keys", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="kind", help=f"of {', '.join(stock.KINDS)}; all of them by default")
    parser.add_argument("--seconds", type=float, default=300, help="how long each kind is tried (default: 300)")
    parser.add_argument("--share", type=float, default=0.2, help="the share of a processor that it gets (default: 0.2)")
    parser.add_argument("--seed", type=int, default=1, help="which keys (default: 1)")
    chosen = parser.parse_args(arguments)
    folder = servers.make_folder()
    numbers = itertools.count()
    faults = 0
    try:
        for kind in chosen.kinds or stock.KINDS:
            with tempfile.TemporaryDirectory(prefix="agor-tui-keys-") as name:
                home = Path(name)
                arguments = stock.make(
                    kind, home, lambda: servers.running_server(folder, 18, f"keys{next(numbers)}").create_database()
                )
                faults += _try(kind, arguments, home, chosen)
    finally:
        servers.stop_all(folder)
    return int(faults > 0)


def _try(kind: str, arguments: list[str], home: Path, chosen: argparse.Namespace) -> int:
    """Press keys on one kind, tell what went wrong, and return how often."""
    pressed: list[str] = []
    faults, logged = 0, ""
    dice = random.Random(chosen.seed)
    with (
        contextlib.chdir(home),  # what is exported lies there
        Terminal([str(stock.COMMAND), *arguments], home, stock.VARIABLES) as terminal,
    ):
        terminal.listen(3)
        end = time.monotonic() + chosen.seconds
        keys = random_keys(chosen.seed)
        with _slowed(terminal.pid, chosen.share):
            while time.monotonic() < end:
                pressed.append(next(keys))
                with contextlib.suppress(OSError):
                    terminal.send(as_bytes(pressed[-1]))
                pause = dice.choice((0.0, dice.uniform(0.02, 0.15), dice.uniform(0.15, 1.0), dice.uniform(0.15, 1.0)))
                alive = terminal.listen(pause)
                if (text := _log(home)) != logged:
                    faults += 1
                    _tell(kind, text[len(logged) :], pressed)
                    logged = text
                if not alive:
                    _tell(kind, f"it has ended with {terminal.wait()}: {terminal.seen[-300:]!r}", pressed)
                    return faults + 1
        terminal.listen(2)  # it may never rest: what runs is told every second
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            terminal.send(as_bytes("question_mark"))
            if not terminal.listen(1) or terminal.seen:
                break
            terminal.send(as_bytes("escape"))
            terminal.listen(1)
        if not terminal.seen:
            _tell(kind, "it does not answer any more", pressed)
            faults += 1
    if not faults:
        print(f"{kind}: well after {len(pressed)} keys", flush=True)
    return faults


def _tell(kind: str, fault: str, pressed: list[str]) -> None:
    print(f"{kind}: {fault}\nafter {len(pressed)} keys, the last ones {' '.join(pressed[-25:])}\n", flush=True)


def _log(home: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in home.glob(".local/state/**/*.log"))


@contextmanager
def _slowed(pid: int, share: float) -> Iterator[None]:
    """Let a process run for a share of the time only."""
    over = threading.Event()

    def run() -> None:
        with contextlib.suppress(ProcessLookupError):
            while not over.is_set():
                os.kill(pid, signal.SIGCONT)
                over.wait(ROUND_S * share)
                if not over.is_set() and share < 1:
                    os.kill(pid, signal.SIGSTOP)
                    over.wait(ROUND_S * (1 - share))
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

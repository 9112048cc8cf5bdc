"""The entry point: answers ``--version`` at once, and imports the command line only when it is needed."""

import os
import sys


def main() -> None:
    """Run the command line on ``sys.argv``."""
    _fill_closed_descriptors()
    if sys.argv[1:] in (["--version"], ["-V"]) and sys.stdout is not None:
        from agor_tui import __version__

        try:
            sys.stdout.write(f"agor-tui {__version__}\n")
            sys.stdout.flush()
            return
        except OSError:
            pass  # the command line meets the same, and says it
    from agor_tui.cli.main import run

    run()


def _fill_closed_descriptors() -> None:
    """Standard streams that the caller closed lead nowhere: else a database opened next would be one of them."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    main()

"""The entry point: answers ``--version`` at once, and imports the command line only when it is needed."""

import sys


def main() -> None:
    """Run the command line on ``sys.argv``."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from agor_tui import __version__

        sys.stdout.write(f"agor-tui {__version__}\n")
        return
    from agor_tui.cli.main import run

    run()


if __name__ == "__main__":
    main()

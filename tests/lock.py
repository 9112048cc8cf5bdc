"""``python -m tests.lock``: pin what tests and CI install, with hashes, for every Python and system.

The pins are in requirements.txt beside this.

Run it to renew the pins; it takes the newest releases within the ranges of pyproject.toml. It needs uv (``pip install
uv``), which writes one file for all of them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = "tests/requirements.txt"
COMPILE = (
    *("uv", "pip", "compile", "pyproject.toml", "--extra", "test", "--output-file", PINS),
    *("--universal", "--python-version", "3.11", "--generate-hashes", "--upgrade", "--quiet"),
    *("--no-annotate", "--no-emit-package", "agor-tui"),
    *("--custom-compile-command", "python -m tests.lock"),
)


if __name__ == "__main__":
    sys.exit(subprocess.run(COMPILE, cwd=ROOT).returncode)

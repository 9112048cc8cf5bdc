"""``python -m tests [pytest arguments]``: every check, one after another, pytest last."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = (os.cpu_count() or 1) + 1
"""One more than there are processors: many tests wait for a server, a program or a time limit."""

CHECKS = (
    ("lint", ("-m", "ruff", "check", ".")),
    ("format", ("-m", "ruff", "format", "--check", ".")),
    ("types", ("-m", "mypy")),
    ("import contracts", ("-c", "from importlinter.cli import lint_imports_command as check; check()")),
)


def main(arguments: list[str]) -> int:
    """Run all checks, each to its end; return 0 only when all are well."""
    failed = []
    for name, command in CHECKS:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, *command], cwd=ROOT).returncode:
            failed.append(name)
    print("== tests", flush=True)
    if failed:
        print(f"These checks failed: {', '.join(failed)}.", flush=True)
    tests = subprocess.run([sys.executable, "-m", "pytest", "-n", str(WORKERS), *arguments], cwd=ROOT).returncode
    return tests or bool(failed)


sys.exit(main(sys.argv[1:]))

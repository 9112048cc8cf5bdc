"""``python -m tests.ranges [pytest arguments]``: the tests on the oldest and the newest packages of pyproject.toml.

The pins of requirements.txt say nothing of a user's installation, whose packages may be any of the ranges. What only
the tests need is the newest in both runs. It needs uv (``pip install uv``).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ".[keyring,postgres-embedded,turso]"


def main(arguments: list[str]) -> int:
    """Run the tests on both ends; return 0 only when both are well."""
    return max(_tests_on(end, arguments) for end in ("lowest-direct", "highest"))


def _tests_on(end: str, arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="agor-tui-ranges-") as folder:
        python = str(Path(folder) / "bin" / "python")
        print(f"== {end}", flush=True)
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, folder], check=True)
        install = ["uv", "pip", "install", "--quiet", "--python", python]
        subprocess.run([*install, "--resolution", end, "--editable", PRODUCT], cwd=ROOT, check=True)
        subprocess.run([*install, "--editable", ".[test]"], cwd=ROOT, check=True)
        subprocess.run(["uv", "pip", "list", "--python", python], check=True)
        return subprocess.run([python, "-m", "pytest", "-n", "3", *arguments], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What tests and CI install is pinned, and the README, CI and the pins say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PINS = (ROOT / "tests" / "requirements.txt").read_text()


def pinned() -> dict[str, str]:
    """Name -> version of all that is pinned."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", PINS, re.MULTILINE))


def required() -> list[Requirement]:
    """What the product and its tests ask for, with the extras that the tests include."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [
        *project["dependencies"],
        *(line for extra in ("test", "keyring", "postgres-embedded", "turso") for line in extras[extra]),
    ]
    return [requirement for line in lines if (requirement := Requirement(line)).name != "agor-tui"]


def test_each_package_is_pinned_within_its_range() -> None:
    pins = pinned()
    for requirement in required():
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert requirement.specifier.contains(pins[name]), f"python -m tests.lock: {requirement}"


def test_each_pin_has_its_hashes_and_none_names_a_host() -> None:
    blocks = re.split(r"^(?=[a-z0-9-]+==)", PINS, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pinned()) > 50
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"://|^-", PINS, re.MULTILINE)


def test_ci_runs_the_readmes_command_and_nothing_else() -> None:
    readme = (ROOT / "README.md").read_text()
    command = re.search(r"(?:^    .*\n)*^    .*-m tests\n", readme, re.MULTILINE)
    assert command is not None
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    lines = [line.strip() for line in script if not re.match(r"#|set -eu$|cd \"\$\(dirname \"\$0\"\)/\.\.\"$", line)]
    assert lines == [line.strip() for line in command[0].splitlines()]

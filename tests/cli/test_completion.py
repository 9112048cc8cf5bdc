"""Completion scripts, and what they answer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_and_its_shell_takes_it(program: Run, shell: str) -> None:
    answer = program("completion", shell)
    assert (answer.code, answer.err) == (0, "")
    assert "_AGOR_TUI_COMPLETE" in answer.out
    found = shutil.which(shell)
    if found:
        assert subprocess.run([found, "-n"], input=answer.out.encode(), check=False).returncode == 0


def completed(program: Run, *words: str) -> set[str]:
    """What the shell is offered for the last of ``words``."""
    env = {
        "_AGOR_TUI_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["agor-tui", *words]),
        "COMP_CWORD": str(len(words)),
    }
    answer = program(env=env)
    assert (answer.code, answer.err) == (0, "")
    return {line.partition(",")[2] for line in answer.out.splitlines()}


def test_commands_options_and_databases_are_completed(program: Run, tmp_path: Path) -> None:
    assert {"session", "task", "message", "board", "id", "db"} <= completed(program, "")
    assert completed(program, "session", "sh") == {"show"}
    assert "--database" in completed(program, "session", "list", "--")
    config = tmp_path / "config.yaml"
    config.write_text(
        "databases:\n  team: {dialect: sqlite, sqlite: {path: /x.db}}\n"
        "  test: {dialect: sqlite, sqlite: {path: /y.db}}\n"
    )
    offered = completed(program, "--config", str(config), "session", "list", "--database", "te")
    assert offered == {"team", "test"}


def test_a_broken_config_does_not_break_completion(program: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("[")
    completed(program, "--config", str(config), "-d", "te")

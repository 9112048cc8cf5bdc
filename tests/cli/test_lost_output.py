"""Output that nobody takes, and an environment of nonsense: one sentence at most, a proper exit code, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Answer, Run

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")

COMMANDS = [
    ["--version"],
    ["-V"],
    ["--help"],
    ["session", "list", "--help"],
    ["completion", "bash"],
    ["session", "list", "-d", "{db}", "--limit", "0"],
    ["session", "list", "-d", "{db}", "--limit", "0", "--json"],
    ["board", "list", "-d", "{db}"],
    ["db", "status", "-d", "{db}"],
    ["db", "export", "-", "-d", "{db}"],
    ["config", "show"],
    ["databases", "list"],
]


def redirected(words: list[str], redirection: str, db: Path, unbuffered: str) -> Answer:
    """Run the program below a shell that redirects it; standard error where that is still there."""
    script = f'set -o pipefail; "$0" -m agor_tui "$@" {redirection}'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable, *(word.format(db=db) for word in words)],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


@needs_full
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_output_is_one_sentence(words: list[str], unbuffered: str, agor_db: Path) -> None:
    answer = redirected(words, ">/dev/full", agor_db, unbuffered)
    assert (answer.code, answer.err) == (1, "agor-tui: The output cannot be written: No space left on device.\n")
    assert redirected(words, ">/dev/full 2>&1", agor_db, unbuffered).code == 1


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_closed_streams_and_readers_that_leave_are_quiet(words: list[str], agor_db: Path) -> None:
    code = 2 if "export" in words else 0  # to nowhere, all of it
    for redirection in (">&-", ">&- 2>&- <&-"):
        answer = redirected(words, redirection, agor_db, "")
        assert answer.code == code
        assert "Traceback" not in answer.err
    for redirection in ("| true", "2>&1 | true", "2>&- >/dev/null"):
        answer = redirected(words, redirection, agor_db, "")
        assert answer.code in ((0, 5) if "export" in words else (0,))  # 5: tables that are not exported are named
        assert "Traceback" not in answer.err + answer.out


@needs_full
@pytest.mark.parametrize("words", [["session", "list", "-d", "{db}", "--limit", "1"], ["nonsense"], ["session"]])
def test_a_full_standard_error_changes_neither_data_nor_code(words: list[str], agor_db: Path) -> None:
    whole, cut = (redirected(words, to, agor_db, "") for to in ("", "2>/dev/full"))
    assert (cut.code, cut.out, cut.err) == (whole.code, whole.out, "")


def test_a_closed_descriptor_is_no_database(agor_db: Path) -> None:
    """What a library writes to a standard stream that the caller closed must not end up in the file opened next."""
    script = (
        "import os, sys\n"
        "from agor_tui.__main__ import _fill_closed_descriptors\n"
        "_fill_closed_descriptors()\n"
        "found = os.open(sys.argv[1], os.O_RDONLY)\n"
        "sys.exit(found <= 2)\n"
    )
    shell = '"$0" -c "$1" "$2" >&- 2>&- <&-'
    assert subprocess.run(["bash", "-c", shell, sys.executable, script, agor_db], check=False).returncode == 0


@pytest.mark.parametrize(
    "more",
    [
        {"_AGOR_TUI_COMPLETE": "nonsense"},
        {"_AGOR_TUI_COMPLETE": "bash_nonsense"},
        {"_AGOR_TUI_COMPLETE": "bash_complete"},
        {"_AGOR_TUI_COMPLETE": "zsh_complete", "COMP_WORDS": "agor-tui", "COMP_CWORD": "x"},
        {"_AGOR_TUI_COMPLETE": "tcsh_source"},
    ],
)
def test_a_completion_of_nonsense_is_a_sentence(program: Run, more: dict[str, str]) -> None:
    answer = program("session", env=more)
    assert (answer.code, answer.out) == (2, "")
    sentence, hint = answer.err.splitlines()
    assert sentence.startswith("agor-tui: _AGOR_TUI_COMPLETE is ")
    assert "Unset" in hint


def test_completion_still_completes(program: Run) -> None:
    for shell, word in (("bash", "1"), ("zsh", "1"), ("fish", "ses")):
        env = {"_AGOR_TUI_COMPLETE": f"{shell}_complete", "COMP_WORDS": "agor-tui ses", "COMP_CWORD": word}
        assert "session" in program(env=env).out


@pytest.mark.parametrize("value", ["nonsense", "", "-1", "9" * 30, "/proc/nowhere", "\udcff\udcfe", "x" * 100_000])
@pytest.mark.parametrize(
    "names",
    [
        ("COLUMNS", "LINES", "TERM", "NO_COLOR"),
        ("TZ", "LANG", "LC_ALL", "LANGUAGE"),
        ("HOME",),
        ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"),
        ("TMPDIR", "SQLITE_TMPDIR"),
        ("PAGER", "EDITOR", "TURSO_AUTH_TOKEN", "SSL_CERT_FILE", "PYTHON_KEYRING_BACKEND"),
    ],
    ids=" ".join,
)
def test_what_does_not_concern_a_list_does_not_disturb_it(
    program: Run, agor_db: Path, tmp_path: Path, names: tuple[str, ...], value: str
) -> None:
    answer = program("session", "list", "-d", agor_db, "--limit", "1", env=dict.fromkeys(names, value), cwd=tmp_path)
    assert answer.code == 0
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("value", ["nonsense", "-1", "9" * 30, "/proc/nowhere", "\udcff\udcfe", "x" * 100_000])
@pytest.mark.parametrize(
    "name",
    [
        *("AGOR_TUI_CONFIG", "AGOR_DB_PATH", "DATABASE_URL", "AGOR_DB_DIALECT", "DB_MODE"),
        *("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE", "PGSSLMODE", "PGHOSTADDR"),
    ],
)
def test_what_names_a_database_is_refused_in_a_sentence(program: Run, tmp_path: Path, name: str, value: str) -> None:
    server = {"PGHOST": "127.0.0.1", "PGPORT": "1"} if name.startswith("PG") else {}
    answer = program("db", "status", env={**server, name: value}, cwd=tmp_path)
    assert answer.code in (1, 2)
    assert answer.err.startswith("agor-tui: ")
    assert "Something failed" not in answer.err
    assert "Traceback" not in answer.err
    assert len(answer.err) < 10_000

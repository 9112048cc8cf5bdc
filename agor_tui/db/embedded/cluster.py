"""The data folder of a server: made, recovered where making it was interrupted, and its rules of who is let in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from agor_tui.db.embedded.postmaster import SUPERUSER
from agor_tui.db.postgresql_programs import program_path
from agor_tui.errors import DatabaseError
from agor_tui.scratch import make_private

_FIRST_USER_OID = 16384
"""PostgreSQL's FirstNormalObjectId: the files of what a user makes have numbers from here on."""
_OURS = re.compile(r"PG_VERSION|base|global|log|pg_\w+(\.conf)?|postmaster\.pid|postgresql(\.auto)?\.conf")
"""What initdb makes, which may all be there or only the first of it."""
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LD_PRELOAD", "TZ")
_RULES = """\
# Written by agor-tui at each start. By the socket alone, and only for who the system says has the right.
local all {superuser} peer map=owner
"""
_NAMES = """\
# Written by agor-tui at each start.
owner {user} {superuser}
"""


def environment() -> dict[str, str]:
    """The environment of PostgreSQL's programs: what is set for other servers, and the locale, does not reach them."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return {**kept, "LC_ALL": "C"}


def claim(data: Path, installed: Mapping[int, Path]) -> int | None:
    """Return the major version whose data are in the folder; None where it has still to be made. Changes nothing else.

    ``installed`` are the folders of PostgreSQL's programs, by major version, the newest first.

    Raises:
        DatabaseError: it is another user's or another program's, or of a version that is not installed.
        OSError: the folder cannot be read or made.
    """
    if "\n" in str(data):
        raise DatabaseError("PostgreSQL cannot have a line break in the path of its data.", "Choose another folder.")
    if data.exists() and not data.is_dir():
        raise no_data(data)
    make_private(data)
    if data.stat().st_uid != os.geteuid():
        raise DatabaseError(f"{data} belongs to another user.", "Run agor-tui as that user.")
    if not installed:
        raise DatabaseError("The extra postgres-embedded brings no PostgreSQL that runs on this machine.")
    if _holds_nothing(data):
        return None
    version = _version(data)
    if version not in installed:
        shipped = " and ".join(str(each) for each in installed)
        raise DatabaseError(
            f"{data} is of PostgreSQL {version}, and the installed programs are of PostgreSQL {shipped}.",
            "Nothing was changed. Install a version of the extra that has it, or move the folder away.",
        )
    return version


def make(data: Path, version: int, programs: Path, before_exec: Callable[[], None]) -> None:
    """Make the data, in place of what was left where making them was interrupted.

    ``before_exec`` is called in the program that does it, before it begins.

    Raises:
        DatabaseError: it could not.
    """
    _clear(data)
    # Not cleaned by initdb itself: one that was killed could do that while the next one is at work.
    options = ["-U", SUPERUSER, "--auth=peer", "--encoding=UTF8", "--locale=C", "--no-instructions", "--no-clean"]
    if version >= 17:  # letters of all languages have cases, on every machine alike
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    made = subprocess.run(
        [program_path(programs, "initdb"), "-D", data, *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=data,
        preexec_fn=before_exec,
        check=False,
    )
    if made.returncode:
        _clear(data)
        raise DatabaseError(
            f"The data of the embedded PostgreSQL server cannot be made in {data}: "
            f"{reason(made.stderr.decode('utf-8', 'replace')) or f'initdb ended with {made.returncode}'}."
        )


def _clear(data: Path) -> None:
    for path in data.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def tighten(data: Path, user: str) -> None:
    """Let in nobody but the user of this name, whoever was let in before."""
    _write(data / "pg_hba.conf", _RULES.format(superuser=SUPERUSER))
    quoted = '"' + user.replace('"', '""') + '"'
    _write(data / "pg_ident.conf", _NAMES.format(user=quoted, superuser=SUPERUSER))


def _version(data: Path) -> int:
    """The major version whose data these are."""
    try:
        return int((data / "PG_VERSION").read_bytes())
    except FileNotFoundError:
        raise no_data(data) from None
    except ValueError:
        raise DatabaseError(
            f"{data / 'PG_VERSION'} does not say a version of PostgreSQL.", "Restore the folder from a backup."
        ) from None


def no_data(data: Path) -> DatabaseError:
    """The error for what is in the place of the data, and is something else."""
    return DatabaseError(f"{data} is no folder of PostgreSQL's data.", "Move what is there elsewhere.")


def _holds_nothing(data: Path) -> bool:
    """Whether it is empty, or making it was interrupted: no server ever ran there, and nothing is a user's."""
    if (data / "postmaster.opts").exists() or (data / "backup_label").exists():
        return False
    if not all(_OURS.fullmatch(path.name) for path in data.iterdir()):
        return False
    files = (path.name.partition(".")[0].partition("_")[0] for path in data.glob("base/*/[0-9]*"))
    databases = (path.name for path in data.glob("base/[0-9]*"))
    return all(int(name) < _FIRST_USER_OID for name in (*files, *databases) if name.isdecimal())


def reason(said: str) -> str:
    """The last error in what one of PostgreSQL's programs said, without a full stop; empty where it said none."""
    errors = re.findall(r"(?:PANIC|FATAL|error): +(.+)", said)
    return errors[-1].strip().rstrip(".") if errors else ""


def _write(path: Path, text: str) -> None:
    """Write a file whole, unless that is in it already."""
    content = text.encode("utf-8", "surrogateescape")
    if path.exists() and path.read_bytes() == content:
        return
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise

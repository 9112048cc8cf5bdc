"""Where the app runs as root, as which PostgreSQL does not run: a system user for the server, with what it needs.

Nothing above the data and the programs is opened for that user. Where it cannot pass through the folders of root, as it
should not, the data are in a folder of the system, to which a link leads, and the programs are copied there.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from agor_tui.db.embedded import locks
from agor_tui.db.embedded.cluster import no_data
from agor_tui.db.postgresql_programs import program_path
from agor_tui.errors import DatabaseError
from agor_tui.scratch import make_private

SERVER_USER = "pgserver"
_SYSTEM_FOLDER = Path("/var/lib/agor-tui")
_ELSE = "Run agor-tui as an ordinary user, or use an SQLite file or a server that runs already."


def find_user() -> pwd.struct_passwd | None:
    """The system user that the server is for where the app runs as root; None where it does not, or there is none."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        return None


def ensure_user() -> pwd.struct_passwd:
    """Return that user, who is made where missing: of the system, without a home and without a login.

    Raises:
        DatabaseError: it cannot be made, or is root.
    """
    if find_user() is None and (useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")):
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/", "--shell", "/usr/sbin/nologin"]
        subprocess.run([useradd, *options, SERVER_USER], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    user = find_user()
    if user is None:
        raise DatabaseError(
            f"PostgreSQL does not run as root, and the system user {SERVER_USER}, for the server, could not be made.",
            _ELSE,
        )
    if user.pw_uid == 0:
        raise DatabaseError(f"PostgreSQL does not run as root, and the system user {SERVER_USER} is root.", _ELSE)
    return user


def settle(folder: Path) -> None:
    """See to it that the server's user can have its data in ``folder``, which may become a link.

    Raises:
        DatabaseError: it cannot. OSError: a folder cannot be made.
    """
    user = ensure_user()
    owner = next(path for path in (folder, *folder.parents) if path.exists()).stat().st_uid
    if owner not in (0, user.pw_uid):
        raise DatabaseError(
            f"{folder} belongs to {_name(owner)}, and agor-tui runs as root.", f"Run agor-tui as {_name(owner)}."
        )
    make_private(folder.parent)
    if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
        folder.rmdir()
    data = folder.resolve()
    if data.exists() and (not data.is_dir() or data.stat().st_uid != user.pw_uid):
        raise no_data(data)
    if not is_passable(data, user):
        data = _move_out(folder, data)
    if not data.exists():
        data.mkdir(mode=0o700)
        os.chown(data, user.pw_uid, user.pw_gid)


def runnable(programs: Path, user: pwd.struct_passwd) -> Path:
    """Return a folder of PostgreSQL's programs that the user can run: the given one, or a copy in the system's folder.

    Raises:
        DatabaseError: no copy can be made.
    """
    if _can_run(programs, user):
        return programs
    origin = hashlib.sha256(os.fsencode(programs)).hexdigest()[:12]
    state = program_path(programs, "postgres").stat()
    copy = _system_folder() / f"programs-{origin}-{state.st_mtime_ns:x}"
    lock = locks.open_lock(copy.parent / "lock")
    try:
        locks.wait_alone(lock)
        if not copy.exists():
            _copy(programs.parent, copy)
            for older in copy.parent.glob(f"programs-{origin}-*"):
                if older != copy:
                    shutil.rmtree(older, ignore_errors=True)
    except OSError as error:
        raise DatabaseError(
            f"PostgreSQL does not run as root. Its programs could not be copied to {copy}, where its own user "
            f"{SERVER_USER} can run them: {error.strerror}.",
            _ELSE,
        ) from None
    finally:
        os.close(lock)
    return copy / programs.name


def drop(user: pwd.struct_passwd) -> None:
    """Become this user, for good."""
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def _move_out(folder: Path, data: Path) -> Path:
    """Give ``folder`` a place in the system's folder, with what is in it; it becomes a link there."""
    place = _system_folder() / hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    if data.exists():
        try:
            data.rename(place)
        except OSError as error:
            raise DatabaseError(
                f"PostgreSQL does not run as root, and its own user {SERVER_USER} cannot reach {data}: "
                f"it could not be moved to {place} ({error.strerror}).",
                "Move it there by hand, with its owner kept, and put a link in its old place.",
            ) from None
    if folder.is_symlink():
        folder.unlink()
    folder.symlink_to(place)
    return place


def _copy(source: Path, target: Path) -> None:
    for left in target.parent.glob("part-*"):  # by a program that was killed
        shutil.rmtree(left)
    part = Path(tempfile.mkdtemp(prefix="part-", dir=target.parent))
    try:
        shutil.copytree(source, part, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("include"))
        for path in (part, *part.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _system_folder() -> Path:
    _SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
    found = _SYSTEM_FOLDER.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0:
        raise DatabaseError(f"{_SYSTEM_FOLDER} is to be a folder of root's.", _ELSE)
    _SYSTEM_FOLDER.chmod(0o755)
    return _SYSTEM_FOLDER


def is_passable(path: Path, user: pwd.struct_passwd) -> bool:
    """Tell whether the user may pass through all folders above ``path``."""
    for parent in path.parents:
        try:
            found = parent.stat()
        except FileNotFoundError:
            return False
        bit = 0o100 if found.st_uid == user.pw_uid else 0o010 if found.st_gid == user.pw_gid else 0o001
        if not found.st_mode & bit:
            return False
    return True


def _can_run(programs: Path, user: pwd.struct_passwd) -> bool:
    try:
        subprocess.run(
            [program_path(programs, "postgres"), "--version"],
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"

"""Where a password is kept, and fetching it from there. Errors name the key and never what was found."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal

from agor_tui.config.places import Place, PostgresPlace, Secret
from agor_tui.errors import ConfigError
from agor_tui.hints import install_hint

if TYPE_CHECKING:
    import subprocess

COMMAND_TIMEOUT_S = 10.0
_MOST_PRINTED = 64 << 10
"""Bytes; a command may print without end."""
KEYRING_SERVICE = "agor-tui"
ELSEWHERE = "A variable or a command may have the password as well."


@dataclass(frozen=True, slots=True)
class PasswordHome:
    """Where a database's password is kept: nowhere, in the settings file, in an environment variable, in the answer
    of a command or in the system keyring; ``detail`` is the variable's name, or the command."""

    kind: Literal["none", "file", "variable", "command", "keyring"]
    detail: str = ""


NO_PASSWORD = PasswordHome("none")


def from_variable(variable: str, where: str, environ: Mapping[str, str]) -> Secret:
    """The password in an environment variable."""
    value = environ.get(variable)
    if not value:
        raise ConfigError(
            f"{where} names the environment variable {variable}, which is not set.",
            f"Set {variable} and try again.",
        )
    return Secret(value)


def from_command(command: str | tuple[str, ...], where: str, environ: Mapping[str, str]) -> Secret:
    """The first line that a command prints; it runs without a terminal.

    One text with a shell's signs in it (a pipe, a variable, ...) is the shell's; all else is run as it stands.
    """
    import shlex

    try:
        words = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError:
        raise ConfigError(f"{where} has a quotation mark without its partner.") from None
    if not words or not words[0]:
        raise ConfigError(f"{where} is empty.")
    by_shell = isinstance(command, str) and os.name == "posix" and _has_shell_signs(command)
    code, printed = _run(["/bin/sh", "-c", str(command)] if by_shell else words, where, environ)
    by_hand = "Run it by hand to see why" + (": sh -c runs it." if by_shell else ".")
    if code == 127 and by_shell:
        raise ConfigError(f"{where}: a command in it was not found.", by_hand)
    if code != 0:
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise ConfigError(f"{where}: the command {ended}.", by_hand)
    try:
        password = printed.partition(b"\n")[0].removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{where}: the command printed something that is not UTF-8 text.") from None
    if "\0" in password:
        raise ConfigError(f"{where}: the command printed a NUL, which no password has.")
    if not password:
        raise ConfigError(f"{where}: the command printed no password on its first line.", by_hand)
    return Secret(password)


def _has_shell_signs(command: str) -> bool:
    """Tell whether a shell would read ``command`` otherwise than as words in quotation marks."""
    outside = re.sub(r"'[^']*'", "", command)
    if re.search(r"[$`]", re.sub(r"\\.", "", outside, flags=re.S)):  # a shell reads these in double quotation marks too
        return True
    bare = re.sub(r'\\.|"(?:\\.|[^"\\])*"', "", outside, flags=re.S)
    return bool(re.search(r"[|&;<>()*\n]|(?:^|\s)(?:~|[A-Za-z_]\w*=)", bare))


def _run(words: list[str], where: str, environ: Mapping[str, str]) -> tuple[int, bytes]:
    """Run a command; return its exit code and the beginning of what it printed.

    It gets no keyboard and no terminal, where the app draws, and takes all that it started with it when its time is up.
    """
    import subprocess

    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it may hold secrets, and would be written over the screen
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds a NUL"
        raise ConfigError(f"{where}: the command cannot be run: {reason}.") from None
    printed = bytearray()
    enough = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        with process.stdout as stream, suppress(OSError, ValueError):
            while len(printed) <= _MOST_PRINTED and (part := os.read(stream.fileno(), 4096)):
                printed.extend(part)
        if len(printed) > _MOST_PRINTED:
            enough.set()
            _end(process)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        code = process.wait(COMMAND_TIMEOUT_S)
    except BaseException as error:
        _end(process)
        process.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        raise ConfigError(
            f"{where}: the command did not end within {COMMAND_TIMEOUT_S:g} seconds.",
            "It has no terminal to ask on. Run it by hand to see why.",
        ) from None
    reader.join(1)  # what it left behind may still hold its output
    if enough.is_set():
        raise ConfigError(f"{where}: the command prints more than {_MOST_PRINTED >> 10} kB, which is no password.")
    return code, bytes(printed)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command, which was not waited for yet, with all that it started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def from_keyring(user: str, where: str, environ: Mapping[str, str]) -> Secret:
    """The password that the system keyring has for the service ``agor-tui`` and the database's name."""
    with _keyring(where) as keyring:
        password = keyring.get_password(KEYRING_SERVICE, user)
    if not password:
        raise ConfigError(
            f"{where}: the system keyring has no password for {KEYRING_SERVICE} and {user}.",
            f"Store it with: keyring set {KEYRING_SERVICE} {user}",
        )
    return Secret(password)


@contextmanager
def keyring_entry(user: str, place: Place, password: PasswordHome) -> Iterator[None]:
    """Store the password of ``place`` in the system keyring where ``password`` says so; taken back on an error.

    Raises:
        ConfigError: there is no keyring, it cannot be opened, or does not keep what it is given.
    """
    if password.kind != "keyring" or not isinstance(place, PostgresPlace) or place.password is None:
        yield
        return
    secret = place.password.reveal()
    with _keyring("The password is not kept") as keyring:
        before = keyring.get_password(KEYRING_SERVICE, user)
        keyring.set_password(KEYRING_SERVICE, user, secret)
        kept = keyring.get_password(KEYRING_SERVICE, user) == secret
    if not kept:  # a keyring that is switched off takes everything and has nothing
        raise ConfigError("The system keyring took the password, but does not have it.", ELSEWHERE)
    try:
        yield
    except BaseException:
        if before is None:
            forget_in_keyring(user)
        else:
            with suppress(ConfigError), _keyring("") as keyring:
                keyring.set_password(KEYRING_SERVICE, user, before)
        raise


def forget_in_keyring(user: str) -> str:
    """Take a password out of the system keyring, where it is there; return what is to be said where that failed."""
    try:
        with _keyring("") as keyring:
            if keyring.get_password(KEYRING_SERVICE, user) is not None:
                keyring.delete_password(KEYRING_SERVICE, user)
    except ConfigError:
        return (
            "The system keyring cannot be opened, and may still have its password: "
            f"keyring del {KEYRING_SERVICE} {user} takes it out."
        )
    return ""


@contextmanager
def _keyring(what: str) -> Iterator[Any]:
    """The package keyring, to be used; whatever fails in it becomes a sentence that begins with ``what``."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise ConfigError(f"{what}: it needs the package keyring.", install_hint("keyring")) from None
    _ask_in_front_only()
    try:
        yield keyring
    except keyring.errors.NoKeyringError:
        raise ConfigError(f"{what}: this system has no keyring.", ELSEWHERE) from None
    except Exception:  # its backends raise anything; what they say may hold what they were given
        raise ConfigError(
            f"{what}: the system keyring cannot be opened.", f"Unlock it and try again. {ELSEWHERE}"
        ) from None


def _ask_in_front_only() -> None:
    """Keep keyrings that are files from asking for their own password in a terminal where the app draws.

    The app fetches passwords in threads, the command line in front, where a question can be answered.
    """
    import getpass
    import threading

    real = getpass.getpass
    if hasattr(real, "__wrapped__"):
        return

    @wraps(real)
    def asked(*arguments: Any, **options: Any) -> str:
        if threading.current_thread() is not threading.main_thread():
            raise EOFError("there is nobody to ask")
        return real(*arguments, **options)

    getpass.getpass = asked

"""Fetching a password from where the config says that it is. Errors name the key and never what was found."""

from __future__ import annotations

from collections.abc import Mapping

from agor_tui.config.places import Secret
from agor_tui.errors import ConfigError

COMMAND_TIMEOUT_S = 10.0
KEYRING_SERVICE = "agor-tui"


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
    """The first line that a command prints; it runs without a shell and without a keyboard."""
    import shlex
    import subprocess

    try:
        words = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError:
        raise ConfigError(f"{where} has a quotation mark without its partner.") from None
    if not words or not words[0]:
        raise ConfigError(f"{where} is empty.")
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it may hold secrets, and would be written over the screen
            env=dict(environ),
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"{where}: the command did not end within {COMMAND_TIMEOUT_S:g} seconds.",
            "Run it by hand to see why.",
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds a NUL"
        raise ConfigError(f"{where}: the command cannot be run: {reason}.") from None
    if done.returncode != 0:
        raise ConfigError(f"{where}: the command ended with exit code {done.returncode}.", "Run it by hand to see why.")
    try:
        password = done.stdout.decode().partition("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        raise ConfigError(f"{where}: the command printed something that is not UTF-8 text.") from None
    if not password:
        raise ConfigError(f"{where}: the command printed no password on its first line.", "Run it by hand to see why.")
    return Secret(password)


def from_keyring(user: str, where: str, environ: Mapping[str, str]) -> Secret:
    """The password that the system keyring has for the service ``agor-tui`` and the database's name."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise ConfigError(
            f"{where} needs the package keyring.", 'Install it with: pip install "agor-tui[keyring]"'
        ) from None
    try:
        password = keyring.get_password(KEYRING_SERVICE, user)
    except KeyringError:
        raise ConfigError(f"{where}: the system keyring cannot be opened.", "Unlock it and try again.") from None
    if not password:
        raise ConfigError(
            f"{where}: the system keyring has no password for {KEYRING_SERVICE} and {user}.",
            f"Store it with: keyring set {KEYRING_SERVICE} {user}",
        )
    return Secret(password)

"""What an error of a libSQL server means to a user, and what to do."""

from __future__ import annotations

import re

from agor_tui.config.places import LibsqlPlace, describe
from agor_tui.errors import DatabaseError

_TOKEN = r"HTTP 40[13]\b|AUTH_|[Uu]nauthorized|[Uu]nauthenticated|status=401|JWT|the token has characters"
_NO_WRITING = r"Write permission|writes? (operations )?(are|is) (forbidden|blocked)|read-?only"

_ELSEWHERE = re.compile(r"sends on to another address(?:, (\S+://\S+))?")

_SENTENCES = (
    (
        r"TRANSACTION_TIMEOUT|[Tt]ransaction timed out|transaction is not open|stream has expired",
        "ended the transaction, since it took too long.",
        "Nothing was changed. Try again when nobody else writes.",
    ),
    (
        _NO_WRITING,
        "may not be written with this token.",
        "Ask for a token with the right to write, or open it with --read-only.",
    ),
    (r"Connection refused|Network is unreachable|No route to host|error trying to connect: tcp", "cannot be reached.",
     "Check that the server runs, and its host and port."),
    (r"unknown host name|dns error|failed to lookup", "has an unknown host name.", "Check the host."),
    (r"timed out", "did not answer in time.", "Check host and port, the firewall, and the server's load."),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate",
        "showed a certificate that cannot be checked.",
        "Check the host's name; the environment variable SSL_CERT_FILE can name an authority of your own.",
    ),
    (
        r"WRONG_VERSION_NUMBER|RECORD_LAYER|\bssl\b|SSL|TLS|tls|corrupt message|EOF occurred",
        "could not agree on encryption.",
        "A server without it is written with ?tls=0 at the end of the URL, or as http://.",
    ),
    (r"HTTP 404", "has no database at this address.", "Check the URL, its path among it."),
    (r"HTTP 429", "asks to slow down.", "Try again in a moment."),
    (r"HTTP 5\d\d", "has a fault of its own.", "Try again in a moment."),
    (r"no answer of libSQL|no HTTP answer|HTTP \d+", "is no libSQL server, or wants an encrypted connection.",
     "Check host, port and tls."),
    (
        r"connection lost|Connection reset|Broken pipe|the server has closed|broke off|connection closed",
        "closed the connection.",
        "Check that the server still runs, and try again.",
    ),
    (r"database is locked|SQLITE_BUSY", "is being written by another program.", "Wait until it has finished."),
    (r"RESPONSE_TOO_LARGE|too large", "has an answer larger than it may send.", "Narrow the filter."),
    (r"SQL_PARSE_ERROR|could not be parsed", "does not allow a statement that is needed.", "Use a newer server."),
)  # fmt: skip


def explain_libsql(place: LibsqlPlace, text: str) -> DatabaseError | None:
    """Return the error to show for what the driver said of ``place``; None for what SQLite itself may say as well."""
    subject = describe(place)
    if found := _ELSEWHERE.search(text):
        return DatabaseError(
            f"{subject} sends on to another address{f', {found[1]}' if found[1] else ''}; nothing of yours went there.",
            "Ask who runs the server; if that address is right, open the database by it.",
        )
    if re.search(_TOKEN, text) and not re.search(_NO_WRITING, text):
        if place.auth_token is None:
            return DatabaseError(
                f"{subject} wants a token.", "Give it as authToken, or in the environment variable TURSO_AUTH_TOKEN."
            )
        return DatabaseError(f"{subject} refused the token.", "Check authToken; it may have expired, or be another's.")
    for pattern, sentence, hint in _SENTENCES:
        if re.search(pattern, text):
            return DatabaseError(f"{subject} {sentence}", hint)
    return None

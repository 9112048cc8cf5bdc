"""What a driver's error means to a user: one sentence that names the place, and what to do; never a password."""

from __future__ import annotations

import re
import sqlite3

from sqlalchemy import exc

from agor_tui.config.command_lines import command_for
from agor_tui.config.places import LibsqlPlace, Place, PostgresPlace, describe
from agor_tui.db.libsql_failures import explain_libsql
from agor_tui.db.sqlite_failures import DAMAGED, explain_sqlite
from agor_tui.db.ssl_failures import explain_ssl
from agor_tui.errors import AbsentError, AgorError, Cancelled, DamagedError, DatabaseError
from agor_tui.redact import redact_text

_REFUSED = (
    (
        r'CHECK constraint failed: (?P<what>\S+)|violates check constraint "(?P<name>[^"]+)"',
        "a value that its rules allow",
    ),
    (r"FOREIGN KEY constraint failed|violates foreign key constraint", "a reference to a row that exists"),
    (r"UNIQUE constraint failed|duplicate key value", "a value that no other row has"),
    (r"NOT NULL constraint failed: (?P<what>\S+)|null value in column", "a value where one is missing"),
)

_NO_SUCH_DATABASE = "has no database of that name."
_MAY_NOT_READ = "does not allow this user to read it."
_CHANGE = re.compile(r"(?i)^\s*(INSERT|UPDATE|DELETE)\b|\bFOR UPDATE\s*$")

_IN_ENGLISH = {
    "22021": "invalid byte sequence for encoding",
    "22P05": "has no equivalent in encoding",
    "25006": "read-only transaction",
    "40001": "could not serialize access",
    "40P01": "deadlock detected",
    "42501": "permission denied",
    "53100": "No space left on device",
    "53300": "too many connections",
    "55P03": "lock timeout",
    "57014": "statement timeout",
    "57P01": "terminating connection",
    "57P03": "the database system is starting up",
    "23502": "null value in column",
    "23503": "violates foreign key constraint",
    "23505": "duplicate key value",
    "3D000": 'database "" does not exist',
}
"""What a server says that speaks another language, by its SQLSTATE (PostgreSQL's manual, appendix A)."""

_POSTGRESQL = (
    (
        r"password authentication failed|no password supplied|authentication failed",
        "refused the user or the password.",
        "Check user and password (passwordEnv, passwordCommand, .pgpass or the URL).",
    ),
    (
        r'database "(?P<name>[^"]*)" does not exist',
        _NO_SUCH_DATABASE,
        "Check the name, or create it with: ",
    ),
    (r'role "(?P<name>[^"]*)" does not exist', "knows no such user.", "Check the user."),
    (
        r"(?s)^(?!.*, SSL (encryption|on)).*no pg_hba.conf entry.*, (no encryption|SSL off)",
        "does not allow this connection without encryption.",
        "Set ssl: true (sslmode=require in a URL).",
    ),
    (
        r"no pg_hba.conf entry",
        "does not allow this connection.",
        "Ask for an entry in the server's pg_hba.conf.",
    ),
    (r"Connection refused", "refused the connection.", "Check that the server runs, and its host and port."),
    (
        r'definition of service "[^"]*" not found|service file "[^"]*" not found',
        "is in no service file that was found.",
        "Check its name, ~/.pg_service.conf and PGSERVICEFILE.",
    ),
    (
        r"could not translate host name|Name or service not known|failed to resolve|nodename nor servname",
        "has an unknown host name.",
        "Check the host.",
    ),
    (
        r"timeout expired|timed out|Connection timed out",
        "did not answer in time.",
        "Check host and port, the firewall, and that the server is not overloaded.",
    ),
    (
        r"No such file or directory",
        "has no server behind its socket.",
        "Check that the server runs, and the host.",
    ),
    (r"certificate", "showed a certificate that cannot be checked.", "Check ssl.ca and the host's name."),
    (
        r"invalid response to SSL negotiation|expected authentication request from server, but received",
        "does not answer as PostgreSQL does.",
        "Check host and port: another program may be behind them.",
    ),
    (
        r"server does not support SSL|SSL was required|SSL(?! connection has been closed)",
        "could not agree on SSL.",
        "Check the ssl settings.",
    ),
    (
        r"too many (clients|connections)|remaining connection slots",
        "has no connection left.",
        "Close other clients, or lower pool.max.",
    ),
    (
        r"the answer has no end|lost synchronization with server|cannot allocate memory for input buffer",
        "does not answer as PostgreSQL does.",
        "Check host and port: another program may be behind them.",
    ),
    (r"statement timeout", "needed more than 30 s for a query.", "Narrow the filter."),
    (
        r"permission denied.*session_replication_role",
        "has session_replication_role set for this user, so that foreign keys would not hold.",
        "Nothing was changed. Ask for: ALTER ROLE (or DATABASE) ... RESET session_replication_role",
    ),
    (
        r"violates row-level security policy",
        "has a row-level security policy that does not allow this change.",
        "Nothing was changed. Ask the owner of its tables.",
    ),
    (
        r"affected by row-level security policy",
        "hides rows from this user by row-level security, so a part would be taken for all.",
        "Use a role that may see all rows: the owner of the tables, or one with BYPASSRLS.",
    ),
    (
        r"permission denied(?: for (?P<what>\w+ \S+))?",
        _MAY_NOT_READ,
        "Ask for the right to SELECT.",
    ),
    (
        r"lock timeout|deadlock detected|could not serialize access",
        "is being changed by another program right now.",
        "Nothing was changed. Try again in a moment.",
    ),
    (
        r"has no equivalent in encoding",
        "has an encoding that cannot hold this text.",
        "So no row has it, and nothing was changed. A database in UTF8 holds all text.",
    ),
    (
        r"invalid byte sequence for encoding",
        "holds text that is not UTF-8.",
        "It is shown with � in it, and has to be mended in the database before it can be changed or copied.",
    ),
    (
        r"invalid page in block \d+|missing chunk number|unexpected chunk (number|size)|compressed.*is corrupt"
        r"|contains unexpected zero page|contains corrupted page"
        r"|could not read block|found toasted toast chunk|tuple .* is corrupt",
        "is damaged: the server cannot read a page of it.",
        "Take it from a backup; what the server says of it stands in its log.",
    ),
    (r"No space left on device", "has no room left on its disk.", "Nothing was changed. Make room on the server."),
    (r'schema "(?P<name>[^"]*)" does not exist', "has no such schema.", "Check schema in the config."),
    (
        r"read-write mode during recovery|during recovery$",
        "is a standby, on which nothing may be changed.",
        "Open the primary server for that.",
    ),
    (
        r"read-only transaction",
        "is open for reading only.",
        "Only databases made by agor-tui are written to.",
    ),
    (
        r"the database system is (starting up|shutting down|in recovery)",
        "is starting or stopping.",
        "Try again in a moment.",
    ),
    (
        r"server closed the connection|SSL connection has been closed"
        r"|terminating connection|connection (was |is )?(lost|closed)|consuming input"
        r" failed|Connection reset|Broken pipe|EOF detected",
        "closed the connection.",
        "Check that the server still runs, and try again.",
    ),
)


_NOT_OF_A_ROW = re.compile(
    "locked|interrupted|not a database|unable to open|disk|readonly|no such|too (complex|large)|malformed|syntax error"
)


def is_row_fault(error: exc.DBAPIError) -> bool:
    """Tell whether the values of one row may have made a query fail, so that without it others can be read."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:  # PostgreSQL: data exceptions, limits of the program, damaged rows and TOAST
        return str(state)[:2] in ("22", "54") or state in ("XX001", "XX002")
    if hasattr(error.orig, "pgconn") or error.connection_invalidated:
        return False
    text = str(error.orig)
    return "malformed JSON" in text or not _NOT_OF_A_ROW.search(text)


def said(error: exc.DBAPIError) -> str:
    """What the driver said, in one line fit to be shown."""
    lines = str(error.orig).strip().splitlines()
    return redact_text(lines[0] if lines else type(error.orig).__name__)[:200]


def explain(place: Place, error: exc.DBAPIError) -> AgorError:
    """Return the error to show for what the driver said of ``place``."""
    text = str(error.orig) if error.orig is not None else str(error)
    text += f"\n{_IN_ENGLISH.get(str(getattr(error.orig, 'sqlstate', '')), '')}"
    if re.search(r"interrupted|canceling statement due to user request|query_canceled", text):
        return Cancelled("The query was cancelled.")
    subject = describe(place)
    for pattern, wanted in _REFUSED:
        if found := re.search(pattern, text):
            what = next((each for each in found.groups() if each), "")
            return DatabaseError(
                f"{subject} refused the change: it wants {wanted}" + (f" ({what})." if what else "."),
                "Nothing was changed.",
            )
    if isinstance(place, LibsqlPlace) and (known := explain_libsql(place, f"{getattr(error.orig, 'code', '')} {text}")):
        return known
    if not isinstance(place, PostgresPlace):
        sqlite = "the server's SQLite" if isinstance(place, LibsqlPlace) else f"SQLite {sqlite3.sqlite_version}"
        if answer := explain_sqlite(text, sqlite):
            return (DamagedError if answer == DAMAGED else DatabaseError)(f"{subject} {answer[0]}", answer[1])
    else:
        if answer := explain_ssl(place, text):
            return DatabaseError(f"{subject} {answer[0]}", answer[1])
        for pattern, sentence, hint in _POSTGRESQL:
            if found := re.search(pattern, text):
                what = found.groupdict().get("what")
                if sentence == _MAY_NOT_READ and _CHANGE.search(error.statement or ""):
                    sentence, hint = "does not allow this user to change it.", "Ask for the right to change rows."
                kind = AbsentError if sentence == _NO_SUCH_DATABASE else DatabaseError
                if sentence == _NO_SUCH_DATABASE:
                    hint += command_for(place, "db init")
                return kind(f"{subject} {sentence}", f"{hint[:-1]} on {what}." if what else hint)
    first = redact_text(text.strip().splitlines()[0] if text.strip() else type(error).__name__)
    return DatabaseError(f"{subject} answered: {first[:300]}", "See whether its own program can open it.")

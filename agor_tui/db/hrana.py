"""A Python DB-API driver for libSQL servers: Hrana 3 over HTTP (github.com/tursodatabase/libsql, docs/HRANA_3_SPEC.md).

The wheels of libSQL's makers hold the interpreter's lock while they wait for the network, and wait for ever: one silent
server, and the whole app stands still. Here every wait has a limit, and another thread can end it.

A transaction is a stream, which the server knows by the baton that each answer brings. It ends with the transaction; a
BEGIN that promises nothing goes out with the statement after it.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from agor_tui.db.hrana_http import Address, Line, LineError

apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"
sqlite_version_info = (3, 43, 0)
"""What SQLAlchemy may count on: the oldest SQLite in a libSQL server that speaks Hrana 3."""
version = "3"

_MOST_STEPS = 256
_MOST_CHARACTERS = 1 << 20
_READS = frozenset({"SELECT", "WITH", "VALUES", "EXPLAIN", "PRAGMA", "BEGIN", "COMMIT", "ROLLBACK"})
_FIRST_WORD = re.compile("[A-Za-z]+")
_CLOSE = {"type": "close"}


class Error(Exception):
    """What went wrong; ``code`` is the server's word for it, empty where it did not come to that."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class DatabaseError(Error):
    """The parent of those below."""


class DataError(DatabaseError):
    """A value that SQLite cannot hold."""


class OperationalError(DatabaseError):
    """The server cannot be reached, or cannot do it."""


class IntegrityError(DatabaseError):
    """A constraint refused the change."""


class LostError(OperationalError):
    """The stream is gone, and what it had begun with it."""


class Connection:
    """One connection to the server at ``url``, as a ``LibsqlPlace`` has it; nothing is sent before the first statement.

    ``read_only`` refuses all but reading statements here: the server itself does so by the token's rights alone.
    """

    def __init__(self, url: str, token: str | None, *, read_only: bool) -> None:
        if token is not None and not re.fullmatch("[!-~]+", token):
            raise OperationalError("the token has characters that no token has", "AUTH_TOKEN")
        self._home = Address.of(url)
        self._token = token
        self._line = Line(self._home, token)
        self._read_only = read_only
        self._baton: str | None = None
        self._begin: str | None = None
        self.in_transaction = False
        self.changes: str | None = None
        """What the server last said of how often the database was changed, by whomever; None where it does not say."""

    def cursor(self) -> Cursor:
        """Return a new cursor."""
        return Cursor(self)

    def commit(self) -> None:
        """Commit what is open, if anything is."""
        if self.in_transaction:
            self.run([("COMMIT", ())])

    def rollback(self) -> None:
        """Undo what is open, and forget the stream's settings; nothing waits for that."""
        self._begin = None
        if self._baton is not None:
            self._line.send(self._body([_CLOSE]))
        self._forget()

    def close(self) -> None:
        """End the stream and the connection."""
        self.rollback()
        self._line.settle()
        self._line.close()

    def interrupt(self) -> None:
        """End the wait of another thread, whose statement raises ``interrupted``; the server may go on with it."""
        self._line.interrupt()

    def run(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[Mapping[str, Any]]:
        """Run statements one after the other, up to the first that fails; return the server's result of each."""
        sql = statements[0][0].strip()
        word = found[0].upper() if (found := _FIRST_WORD.match(sql)) else ""
        if self._read_only and (word not in _READS or (word == "PRAGMA" and "=" in sql)):
            raise OperationalError("attempt to write a readonly database", "READONLY")
        if word == "COMMIT":
            return self._commit()
        if sql.upper() == "ROLLBACK":
            self.rollback()
            return [_NOTHING]
        if sql.upper() == "BEGIN":
            self._begin = sql
            return [_NOTHING]
        opening, self._begin = ([_step(self._begin)] if self._begin else []), None
        steps = opening + [_step(each, values) for each, values in statements]
        for number, step in enumerate(steps[1:]):
            step["condition"] = {"type": "ok", "step": number}
        answer = self._ask([{"type": "batch", "batch": {"steps": steps}}])[0]["result"]
        for error in answer["step_errors"]:
            if error is not None:
                raise _of(error)
        if opening or word == "BEGIN":
            self.in_transaction = True
        results: list[Mapping[str, Any]] = answer["step_results"]
        self.changes = answer.get("replication_index") or results[-1].get("replication_index")
        return results[len(opening) :]

    def _commit(self) -> list[Mapping[str, Any]]:
        if self._begin is not None:
            self._begin = None
            return [_NOTHING]
        if not self.in_transaction:
            raise LostError("the transaction is not open any more", "TRANSACTION_TIMEOUT")
        try:
            result = self._ask([{"type": "execute", "stmt": {"sql": "COMMIT"}}, _CLOSE])[0]["result"]
        finally:
            self._forget()
        return [result]

    def _forget(self) -> None:
        """The stream has ended, or is lost."""
        self._baton, self.in_transaction = None, False
        self._move(self._home)

    def _move(self, address: Address) -> None:
        if address != self._line.address:
            self._line.close()
            self._line = Line(address, self._token)

    def _body(self, requests: Sequence[Any]) -> bytes:
        return orjson.dumps({"baton": self._baton, "requests": requests})

    def _ask(self, requests: Sequence[Any]) -> list[Any]:
        """Send requests in one round trip and return their responses; raise what the first that failed says."""
        status = 0
        try:
            status, content = self._line.post(self._body(requests), again=self._baton is None)
            answer = orjson.loads(content)
            if status != 200:
                raise _refusal(status, answer)
            results = list(answer["results"])
            self._baton = answer["baton"]
            if answer.get("base_url"):
                self._move(self._home.sibling(answer["base_url"]))
            if self._baton is None and requests[-1] != _CLOSE:
                raise LostError("the server has closed the stream", "STREAM_EXPIRED")
            return [_response(each) for each in results]
        except LostError:
            self._forget()
            raise
        except LineError as error:
            self._forget()
            raise LostError(str(error)) from None
        except (ValueError, LookupError, TypeError, AttributeError):
            self._forget()
            raise LostError(f"HTTP {status}, and no answer of libSQL") from None


class Cursor:
    """The rows of one statement, which are all here when it has run."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arraysize = 1
        self.description: tuple[tuple[Any, ...], ...] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: Iterator[tuple[Any, ...]] = iter(())

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Run one statement."""
        self._take(self.connection.run([(sql, parameters)])[0])
        return self

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> Cursor:
        """Run one statement for each of many rows, some hundred in one round trip."""
        changed = 0
        chunk: list[tuple[str, Sequence[Any]]] = []
        size = 0
        for row in rows:
            chunk.append((sql, row))
            size += len(sql) + sum(len(value) for value in row if isinstance(value, (str, bytes)))
            if len(chunk) == _MOST_STEPS or size > _MOST_CHARACTERS:
                changed += self._affected(chunk)
                chunk, size = [], 0
        if chunk:
            changed += self._affected(chunk)
        self.description, self.rowcount = None, changed
        return self

    def _affected(self, chunk: Sequence[tuple[str, Sequence[Any]]]) -> int:
        return sum(result["affected_row_count"] for result in self.connection.run(chunk))

    def _take(self, result: Mapping[str, Any]) -> None:
        columns = result["cols"]
        self.description = tuple((column["name"], *[None] * 6) for column in columns) or None
        self.rowcount = -1 if columns else result["affected_row_count"]
        row_id = result["last_insert_rowid"]
        self.lastrowid = None if row_id is None else int(row_id)
        self._rows = (tuple([_value(each) for each in row]) for row in result["rows"])

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, None at the end."""
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Return the next rows, so many at most."""
        return [row for _, row in zip(range(size or self.arraysize), self._rows, strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows that are left."""
        return list(self._rows)

    def close(self) -> None:
        """Let go of the rows."""
        self._rows = iter(())


_NOTHING: Mapping[str, Any] = {"cols": [], "rows": [], "affected_row_count": 0, "last_insert_rowid": None}


def connect(url: str, token: str | None, *, read_only: bool) -> Connection:
    """Return a ``Connection``."""
    return Connection(url, token, read_only=read_only)


def _step(sql: str, values: Sequence[Any] = ()) -> dict[str, Any]:
    return {"stmt": {"sql": sql, "args": [_argument(value) for value in values]}}


def _argument(value: Any) -> dict[str, Any]:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return {"type": "null"}
    if isinstance(value, str):
        if value.isascii():
            return {"type": "text", "value": value}
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DataError("a text that is not Unicode cannot be stored") from None
        return {"type": "text", "value": value}
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise DataError("a whole number that needs more than 64 bits cannot be stored")
        return {"type": "integer", "value": str(int(value))}
    if isinstance(value, float):
        if math.isinf(value):
            raise DataError("an infinite number cannot be sent")
        return {"type": "float", "value": value}
    return {"type": "blob", "base64": base64.b64encode(value).decode().rstrip("=")}


def _value(given: Mapping[str, Any]) -> Any:
    kind = given["type"]
    if kind == "text" or kind == "float":
        return given["value"]
    if kind == "integer":
        return int(given["value"])
    if kind == "blob":
        return base64.b64decode(given["base64"] + "==")
    return None


def _response(result: Mapping[str, Any]) -> Any:
    if result["type"] != "ok":
        raise _of(result["error"])
    return result["response"]


def _of(error: Mapping[str, Any]) -> DatabaseError:
    """The error that the server reports of a statement, or of the whole stream."""
    message, code = str(error.get("message", "")), str(error.get("code") or "")
    if "CONSTRAINT" in code:
        return IntegrityError(message, code)
    if code in ("TRANSACTION_TIMEOUT", "STREAM_EXPIRED") or code.startswith("AUTH"):
        return LostError(message, code)
    return OperationalError(message, code)


def _refusal(status: int, answer: Any) -> LostError:
    """The error of an answer that is not about a statement: ``HTTP 401`` and the like."""
    found = answer if isinstance(answer, dict) else {}
    return LostError(f"HTTP {status}: {found.get('message') or found.get('error') or ''}", str(found.get("code") or ""))

"""How a timestamp, a boolean, a text or a JSON value is stored: the only place that knows, for both dialects.

| Python              | SQLite             | PostgreSQL       |
| datetime, aware UTC | INTEGER, epoch ms  | TIMESTAMPTZ      |
| bool                | INTEGER 0/1        | BOOLEAN          |
| JSON text           | TEXT               | JSONB            |
| id                  | TEXT               | TEXT COLLATE "C" |

What PostgreSQL cannot hold (a NUL, a lone surrogate) is kept reversibly: as U+FDD0, a character that Unicode reserves
for such internal use, followed by the four hex digits of the code unit; a U+FDD0 of the text itself likewise. SQLite's
driver refuses lone surrogates in text values, so texts are kept that way there too; JSON has its own escapes.
What stands in SQLite in the place of JSON and JSONB refuses altogether (broken, nested too deeply, a number too large)
a copy keeps as a JSON string: U+FDD0, the word ``text:``, and the text itself as texts are kept.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, cast

import orjson
from sqlalchemy import ARRAY, BigInteger, Boolean, Float, Integer, any_, bindparam, case, func, literal_column, select
from sqlalchemy import Text as TextImpl
from sqlalchemy import cast as sql_cast
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

_MARK = "\ufdd0"
_HEX = _MARK * 2
_NO_JSON = f"{_MARK}text:"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff\ufdd0]")
_MARKED = re.compile(_MARK + "([0-9a-f]{4})")
_JSON_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one good character
    r"|\\u(?P<code>[0-9a-fA-F]{4})"
    r"|\\[^u]"
    "|(?P<raw>[\ud800-\udfff\ufdd0])"
)
_JSON_SUSPECT = re.compile("\\\\u(?:0000|[dD][89a-fA-F]|[fF][dD][dD]0)|[\ud800-\udfff\ufdd0]")


def keep_text(text: str) -> str:
    """Return ``text`` with what a database cannot hold marked (see the module's text)."""
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub(lambda found: f"{_MARK}{ord(found[0]):04x}", text)


def restore_text(text: str) -> str:
    """Undo ``keep_text``."""
    return _MARKED.sub(lambda found: chr(int(found[1], 16)), text) if _MARK in text else text


def keep_json(text: str) -> str:
    """Return JSON ``text`` with the escapes that JSONB refuses marked."""
    if not _JSON_SUSPECT.search(text):
        return text

    def replace(found: re.Match[str]) -> str:
        if raw := found["raw"]:
            return f"{_MARK}{ord(raw):04x}"
        if (code := found["code"]) is not None and _UNSTORABLE.match(chr(int(code, 16))):
            return _MARK + code.lower()
        return found[0]

    return _JSON_ESCAPE.sub(replace, text)


def keep_no_json(text: str) -> str:
    """Return ``text``, which JSONB refuses, as a JSON string that ``restore_json`` makes ``text`` of again."""
    return json.dumps(_NO_JSON + keep_text(text), ensure_ascii=False)


def restore_json(text: str) -> str:
    """Undo ``keep_json`` and ``keep_no_json``: marked code units come back as JSON escapes."""
    if _MARK not in text:
        return text
    if text.startswith(f'"{_NO_JSON}'):
        return restore_text(str(json.loads(text))[len(_NO_JSON) :])
    return _MARKED.sub(r"\\u\1", text)


def load_json(text: str | None) -> Any:
    """Decode JSON text, lone surrogates included; None for None.

    Raises:
        ValueError: the text is not JSON.
    """
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        pass
    try:
        return json.loads(text)  # orjson refuses lone surrogates, which are valid in JSON
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None


def dump_json(value: Any) -> str:
    """Encode a JSON value as text that both dialects take; lone surrogates become escapes."""
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def instant_of_ms(value: Any) -> datetime | None:
    """Return the UTC time of ``value`` epoch milliseconds; None where that is no time we can show."""
    if not isinstance(value, (int, float)):
        return instant_of_text(value) if isinstance(value, str) else None
    try:
        return EPOCH + timedelta(milliseconds=value)
    except (OverflowError, ValueError):
        return None


def instant_of_text(value: Any) -> datetime | None:
    """Return the UTC time of an ISO 8601 text (UTC where it names no zone); None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def _in_utc(value: Any) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else instant_of_ms(value)


def as_text(value: Any) -> str | None:
    """Return what a driver reads where a text should be as the text it means; None for None."""
    if type(value) is str:
        return value if _MARK not in value else restore_text(value)
    if value is None:
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _as_plain_text(value: Any) -> str | None:
    return value if value is None or type(value) is str else as_text(value)


def _as_sent_text(value: Any) -> str | None:
    if isinstance(value, str) and value.startswith(_HEX):
        return bytes.fromhex(value[len(_HEX) :]).decode("utf-8", "surrogatepass")
    return _as_plain_text(value)


def decode_stored(value: bytes) -> str:
    """Return a text of SQLite's; what is no UTF-8 in it becomes lone surrogates, of which ``stored_value`` makes the
    same bytes again."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("utf-8", "agor-tui-lenient")


def _lenient(error: UnicodeError) -> tuple[str, int]:
    # SQLite hands out a JSON escape of a lone surrogate as three bytes, which strict UTF-8 refuses.
    if not isinstance(error, UnicodeDecodeError):
        raise error
    piece = error.object[error.start : error.start + 3]
    with suppress(UnicodeDecodeError):
        if not _ESCAPED_BYTE.match(half := piece.decode("utf-8", "surrogatepass")):
            return half, error.start + 3
    return chr(0xDC00 + piece[0]), error.start + 1


codecs.register_error("agor-tui-lenient", _lenient)
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def stored_value(value: Any) -> Any:
    """Return a value as it was read (see ``decode_stored``) as a parameter; a text that is no UTF-8 as its bytes."""
    if not isinstance(value, str) or not is_broken(value):
        return value
    return b"".join(
        bytes([ord(each) - 0xDC00]) if _ESCAPED_BYTE.match(each) else each.encode("utf-8", "surrogatepass")
        for each in value
    )


def is_broken(value: Any) -> bool:
    """Tell whether ``value`` is a text that is no UTF-8, and goes as its bytes, to be cast to a text."""
    return isinstance(value, str) and not value.isascii() and _SURROGATE.search(value) is not None


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime of millisecond precision."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import TIMESTAMP  # takes long to import

            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Integer())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        ms = (value - EPOCH) // _MS
        return EPOCH + ms * _MS if dialect.name == "postgresql" else ms

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        return _in_utc if dialect.name == "postgresql" else instant_of_ms


class EpochMs(TypeDecorator[datetime]):
    """An aware UTC datetime that both dialects keep as epoch milliseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // _MS

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return instant_of_ms(value)


class Flag(TypeDecorator[bool]):
    """A boolean."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Boolean() if dialect.name == "postgresql" else Integer())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return bool(value) if dialect.name == "postgresql" else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else value not in (0, "0", "", "false")


class Whole(TypeDecorator[int]):
    """A whole number; what SQLite has in its place and is none reads as absent."""

    impl = BigInteger
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], int | None]:
        return _as_whole


class Real(TypeDecorator[float]):
    """A number that may be shown and added up: never infinite; what is no number reads as absent."""

    impl = Float
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Float(53))

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], float | None]:
        return _as_real


def _as_whole(value: Any) -> int | None:
    if type(value) is int:
        return value
    number = _as_real(value)
    return None if number is None else int(number)


def _as_real(value: Any) -> float | None:
    if type(value) is float and isfinite(value):
        return value
    if value is None or isinstance(value, bytes):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


class Text(TypeDecorator[str]):
    """Text that keeps NULs and lone surrogates on both dialects; a foreign store's number or blob reads as text."""

    impl = TextImpl
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keep_text(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None] | None:
        return as_text


class JsonString(Text):
    """A string that SQL took out of a JSON value: marked as JSON is, which SQLite's is not."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None] | None:
        if dialect.driver == "hrana":
            return _as_sent_text
        return as_text if dialect.name == "postgresql" else _as_plain_text


class _sendable(FunctionElement[str | None]):
    """A string out of the JSON of a column, as it can be sent.

    A libSQL server fails on a lone surrogate, which SQLite makes of its escape: where the JSON may have one, the string
    goes out as the digits of its bytes. A text filter does not find it then.
    """

    name = "sendable"
    inherit_cache = True
    type: TypeEngine[Any] = JsonString()


@compiles(_sendable)
def _compile_sendable(element: _sendable, compiler: Any, **options: Any) -> str:
    text, column = (compiler.process(each, **options) for each in element.clauses)
    if compiler.dialect.driver != "hrana":
        return str(text)
    harmless = f"instr(lower({column}), '\\ud') = 0"
    return f"CASE WHEN {harmless} THEN {text} ELSE '{_HEX}' || nullif(hex({text}), '') END"


class Id(Text):
    """The id of a row: compared by its bytes on both dialects, so that a prefix is a range of the index."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return TextImpl(collation="C")  # not as the dialect's own string type, which is written VARCHAR
        return TextImpl()


class Json(TypeDecorator[str]):
    """JSON as its text, undecoded; ``load_json`` decodes it where it is shown."""

    impl = TextImpl
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # The driver is given identity functions for JSON, so that JSONB passes as text both ways.
        if dialect.name != "postgresql":
            return dialect.type_descriptor(TextImpl())
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            return keep_json(value)
        return escape_surrogates(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        text = value if isinstance(value, str) else str(value)
        return restore_json(text) if dialect.name == "postgresql" else text


def escape_surrogates(text: str) -> str:
    """Return JSON ``text`` with lone surrogates as its escapes, which SQLite's driver can take."""
    return text if text.isascii() else re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def among(column: ColumnElement[Any], dialect: str, name: str, ids: Sequence[str] | None = None) -> ColumnElement[bool]:
    """Return the condition that ``column`` is one of ``ids``, or of those bound to ``name`` as ``id_list`` makes them.

    One parameter however many there are, so that the statement stays the same.
    """
    value = None if ids is None else id_list(ids, dialect)
    if dialect == "postgresql":
        return column == any_(bindparam(name, value, required=False, type_=ARRAY(TextImpl())))
    values = func.json_each(bindparam(name, value, required=False, type_=TextImpl())).table_valued("value")
    return column.in_(select(values.c.value))


def id_list(ids: Sequence[str], dialect: str) -> Any:
    """Return ``ids`` as the parameter that ``among`` takes."""
    kept = [keep_text(each) for each in ids]
    return kept if dialect == "postgresql" else dump_json(kept)


class JsonSql:
    """SQL that reads values out of JSON columns, for one dialect; broken JSON reads as NULL, never as an error."""

    def __init__(self, dialect: str) -> None:
        self._postgresql = dialect == "postgresql"

    def text(self, column: ColumnElement[Any], *path: str) -> ColumnElement[str | None]:
        """Return the string at ``path`` (numbers as their text, objects as their JSON).

        SQLite's functions end a string at a NUL.
        """
        if self._postgresql:
            return sql_cast(column.op("#>>")(_pg_path(path)), JsonString())
        found = func.json_extract(column, _sqlite_path(path))
        return _sendable(sql_cast(case((func.json_valid(column) == 1, found)), JsonString()), column)

    def number(self, column: ColumnElement[Any], *path: str) -> ColumnElement[float | None]:
        """Return the number at ``path``; NULL where there is something else."""
        if self._postgresql:
            kind = func.jsonb_typeof(column.op("#>")(_pg_path(path)))
            digits = column.op("#>>")(_pg_path(path))
            # jsonb holds numbers that are too large or too small for a float, all written out.
            return case(((kind == "number") & (func.length(digits) < 300), sql_cast(digits, Float(53))))
        kind = func.json_type(column, _sqlite_path(path))
        found = func.json_extract(column, _sqlite_path(path))
        return cast(
            "ColumnElement[float | None]",
            case((func.json_valid(column) == 1, case((kind.in_(("integer", "real")), found)))),
        )

    def integer(self, column: ColumnElement[Any], *path: str) -> ColumnElement[int | None]:
        """Return the number at ``path`` without its fraction; NULL where there is something else."""
        number = self.number(column, *path)
        limit: ColumnElement[float] = literal_column("9007199254740992")  # 2 ** 53: sums of these fit as well
        whole = func.trunc(number) if self._postgresql else number  # where a cast would round; SQLite's cuts
        return case((number.between(-limit, limit), sql_cast(whole, BigInteger())))


def _pg_path(path: tuple[str, ...]) -> ColumnElement[Any]:
    # A literal, not a parameter: the planner and the statement cache see the same text each time.
    parts = ",".join('"' + part.replace('"', '\\"') + '"' for part in path)
    return literal_column("'{" + parts.replace("'", "''") + "}'")


def _sqlite_path(path: tuple[str, ...]) -> ColumnElement[Any]:
    parts = "".join(f"[{part}]" if part.isdigit() else f'."{part}"' for part in path)
    return literal_column("'$" + parts.replace("'", "''") + "'")

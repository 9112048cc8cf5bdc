"""The file that ``db export`` writes and ``db import`` reads: lines of JSON in UTF-8, each ended by a line feed.

The first line is the header::

    {"format":"agor-tui","version":1,"revision":"0002","source":{"label":…,"kind":"native","dialect":"sqlite"},
     "exported_at":"2026-11-21T15:04:05.678Z","tool_version":"0.1.0","filter":"status:running","secrets":"left out",
     "tables":[{"name":"repos","columns":["repo_id",…]},…]}

Then comes a line for each row: its table, its columns in the header's order, JSON last. Tables come in the order of
their foreign keys, the rows of one in the order of their keys' bytes, so that no row can stand there twice unseen::

    {"table":"messages","message_id":"0199…","created_at":"2025-10-06T09:14:02.123Z",…,"data":{"content":"Hello"}}

An instant is ISO 8601 in UTC with milliseconds, or a whole number of epoch milliseconds where that has no year of four
digits. JSON stands there as it is stored, character by character. A value that cannot stand there as itself has a word
behind the name of its column:

- ``"data:text":"{\\"cut o"``: JSON that is broken, or has a line feed in it, as text; also JSON nested too deeply.
- ``"name:stored":"…"``: a text in the form in which it is stored (``db.types.keep_text``), where its true form does not
  lead back there.
- ``"name:bytes":"ff00"``, ``"index:float":"1.5"``, ``"index:other":"many"``: what an SQLite file may hold in the place
  of a text, a number, an instant or a flag: bytes in hex, a float as Python spells it, a text or a whole number.

The last line is the footer. Its last value is the SHA-256 of all bytes before that value's first digit, ``left_empty``
counts by column the references to rows that are not in the file, which are NULL in it, and ``checksum`` is that of
``db.row_checksum``::

    {"footer":{"messages":{"rows":500000,"checksum":"…"},…},"left_empty":{},"sha256":"…"}

With ``.gz`` or ``.zst`` at the end of its name it is compressed. The format ``json`` is the same in one document:
``{"header":`` and the header, ``,"rows":[`` and a line feed, the rows with a comma behind each but the last, and a last
line ``],"footer":{…},"left_empty":{…},"sha256":"…"}``.
"""

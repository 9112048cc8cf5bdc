"""A program that brings an embedded replica up to date: a JSON object on its standard input, another on its output.

A process of its own, since the wheel that does it holds the interpreter's lock while it waits, without limit, and
brings an SQLite of its own: two in one process undo each other's locks on a file.

Given are ``path``, ``url``, ``token``, ``limit_s`` and ``metadata`` (suffixes of what stands beside a copy); the answer
is ``{"error": null}``, or what went wrong. The token is not on the command line, where others could read it.
"""

import contextlib
import fcntl
import json
import os
import signal
import sys

import libsql_experimental as libsql


def main() -> None:
    """Do what the module's text says."""
    given = json.load(sys.stdin)
    signal.alarm(given["limit_s"] + 5)  # where the program that asked was killed, nobody else would end it
    os.umask(0o077)  # as every database of ours
    # Another program may do the same now; its end is waited for.
    lock = os.open(given["path"] + "-sync", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    if not os.fstat(lock).st_size and not any(os.path.exists(given["path"] + suffix) for suffix in given["metadata"]):
        for suffix in ("", "-wal", "-shm"):  # what a process of ours left that was killed when it had just begun
            with contextlib.suppress(OSError):
                os.unlink(given["path"] + suffix)
    try:
        connection = libsql.connect(given["path"], sync_url=given["url"], auth_token=given["token"])
        connection.sync()
        connection.close()
    except Exception as error:
        print(json.dumps({"error": str(error)}))
        return
    os.pwrite(lock, b"1", 0)  # the file's time says when it was last up to date, that it is not empty that it ever was
    print(json.dumps({"error": None}))


if __name__ == "__main__":
    main()

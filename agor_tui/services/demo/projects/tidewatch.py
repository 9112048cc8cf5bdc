"""A Python service that warns harbours of high water."""

from __future__ import annotations

from agor_tui.services.demo.topics import Checkout, Edit, Project, Topic

PROJECT = Project(
    slug="saltmarsh/tidewatch",
    name="Tidewatch",
    remote_url="https://github.com/saltmarsh-labs/tidewatch.git",
    default_branch="main",
    language="python",
    checkouts=(
        Checkout("main", "main", 0, notes="Shared checkout. **Do not** commit here directly."),
        Checkout("alert-retries", "fix/alert-retries", 1, issue=318, pull_request=322),
        Checkout("gauge-import", "feat/gauge-import", 0, issue=301),
        Checkout("py313", "chore/python-3.13", None, pull_request=330),
    ),
    topics=(
        Topic(
            titles=(
                "Alerts are sent twice after a worker restart",
                "Duplicate SMS when the queue is redelivered",
                "Make the alert worker idempotent",
                "Alert dedup key survives a deploy",
                "Postmortem notes: 212 double alerts on Tuesday",
            ),
            prompt="Last night every subscriber in zone 4 got the same high-water alert twice. The worker was "
            "restarted at 02:14. Find out why `dispatch()` does not notice that the alert was already sent, and fix "
            "it without losing alerts.",
            symbol="dispatch",
            files=("tidewatch/alerts/worker.py", "tidewatch/alerts/store.py", "tests/alerts/test_worker.py"),
            thinking=(
                "The message is acknowledged after the provider call, so a crash between the two redelivers it. The "
                "dedup key lives in process memory, which is empty after a restart.",
                "At-least-once delivery is fine as long as the send itself is guarded. The natural key is (alert_id, "
                "subscriber_id); an insert with ON CONFLICT DO NOTHING tells whether we are first.",
            ),
            plan=(
                "Reproduce: kill the worker between send and ack",
                "Move the dedup key from memory to `alert_deliveries`",
                "Claim before sending, release on provider errors",
                "Add a regression test for redelivery",
            ),
            edit=Edit(
                "tidewatch/alerts/worker.py",
                "    if (alert.id, subscriber.id) in self._seen:\n        return\n    await "
                "self.provider.send(alert, "
                "subscriber)\n    self._seen.add((alert.id, subscriber.id))\n",
                '    if not await self.store.claim(alert.id, subscriber.id):\n        log.info("already sent", '
                "alert=alert.id)\n        return\n    try:\n        await self.provider.send(alert, subscriber)\n"
                "    except ProviderError:\n        await self.store.release(alert.id, subscriber.id)\n        "
                "raise\n",
            ),
            run=(
                "pytest -q tests/alerts",
                "..................................                                       [100%]\n34 passed in 2.87s",
            ),
            answer="The dedup set was in memory, so a restart forgot it while the queue redelivered 212 messages.\n\n"
            "**What changed**\n\n"
            "1. `store.claim()` inserts into `alert_deliveries` and says whether this worker is first\n"
            "2. a provider error releases the claim, so a retry can still send\n"
            "3. `tests/alerts/test_worker.py` kills the worker between *send* and *ack*\n\n"
            "```sql\ninsert into alert_deliveries (alert_id, subscriber_id)\nvalues ($1, $2)\n"
            "on conflict do nothing\nreturning 1;\n```\n\n"
            "One thing left: a worker killed *after* the claim and *before* the send loses that alert. "
            "A claim older than 60 s could be taken over; say so and I add it.",
            follow=(
                (
                    "Yes, let a claim expire after 60 seconds. How much does the extra query cost?",
                    "Added `claimed_at` and a take-over after 60 s. Measured with 10,000 subscribers:\n\n"
                    "| | p50 | p99 |\n| --- | ---: | ---: |\n| before | 41 ms | 96 ms |\n| after | 42 ms | 99 ms "
                    "|\n\n"
                    "The insert is one round trip beside a provider call of 35 ms, so it does not show.",
                ),
                (
                    "Write the migration, and make it safe to run while the old version is still up.",
                    "`0031_alert_deliveries.py` only creates a table and an index, both `IF NOT EXISTS`; the old "
                    "version never reads it. Order of deployment does not matter.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Import gauge readings from the agency's CSV feed",
                "Gauge feed: handle the missing daylight-saving hour",
                "CSV importer reads 1.2 M rows without a memory spike",
                "潮位データの取り込み: CSV の文字コードを直す",
                "Backfill 2019–2024 gauge readings",
            ),
            prompt="Write an importer for the agency's CSV feed (samples in `samples/gauges/`). It has to stream, "
            "skip rows that we already have, and report what it could not parse with line numbers.",
            symbol="import_gauges",
            files=("tidewatch/gauges/importer.py", "samples/gauges/2024-10.csv", "tests/gauges/test_importer.py"),
            thinking=(
                "Two samples are Shift-JIS, one has a BOM. Sniffing per file is cheaper than asking the user, but it "
                "must never guess wrong silently.",
                "Local times without a zone: 02:00–03:00 on the last Sunday of October exists twice. The feed has a "
                "running number that decides which one it is.",
            ),
            plan=(
                "Look at all samples: encodings, separators, units",
                "Stream rows in batches of 5,000",
                "Resolve the doubled hour by the running number",
                "Report rejects as `file:line: reason`",
                "Benchmark with the 1.2 M row file",
            ),
            edit=Edit(
                "tidewatch/gauges/importer.py",
                "rows = list(csv.DictReader(open(path)))\nsave_all(rows)\n",
                'with open(path, encoding=detect(path), newline="") as handle:\n    for batch in batched('
                "csv.DictReader(handle), 5_000):\n        saved, rejected = save(parse(batch))\n        "
                "report.add(saved, rejected)\n",
            ),
            run=(
                "python -m tidewatch.gauges.importer samples/gauges --dry-run",
                "2024-09.csv   utf-8-sig   41,212 rows   0 rejected\n2024-10.csv   utf-8       43,900 rows   2 "
                "rejected\n"
                "  2024-10.csv:18211: level 'n/a' is not a number\n  2024-10.csv:18212: level 'n/a' is not a number\n"
                "kushiro.csv   shift_jis    8,760 rows   0 rejected\n",
            ),
            answer="The importer streams, and its memory stays at **38 MB** whatever the size of the file.\n\n"
            "- encodings: UTF-8 with and without BOM, Shift-JIS; anything else is refused with the file's name\n"
            "- the doubled hour in October is decided by the feed's running number\n"
            "- rows that exist are skipped by `(gauge_id, taken_at)`\n\n"
            "> Two rows of `2024-10.csv` say `n/a` for the level. They are reported, not imported.",
            follow=(
                (
                    "Show me the rejects as JSON so that the dashboard can read them.",
                    '`--rejects out.json` writes them:\n\n```json\n[\n  {"file": "2024-10.csv", "line": 18211, '
                    '"reason": "level \'n/a\' is not a number"}\n]\n```',
                ),
                (
                    "Why is the first batch so slow?",
                    "It was the first `INSERT` planning against an empty table: the statistics were stale. `ANALYZE "
                    "readings` after the first 50,000 rows brings batches from 410 ms to 60 ms.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Forecast endpoint times out for the outer islands",
                "N+1 query in /forecast",
                "Cache the harmonic constants per station",
                "Profile the forecast endpoint under load",
            ),
            prompt="`GET /forecast?station=…` takes 9 seconds for stations 80 to 96 and then the gateway gives up. "
            "Profile it before changing anything.",
            symbol="forecast_for",
            files=("tidewatch/api/forecast.py", "tidewatch/harmonics.py", "tests/api/test_forecast.py"),
            thinking=(
                "py-spy shows 8.1 s of 9.0 s in `load_constituents`, called 37 times for each of 24 hours. It is the "
                "same 37 rows every time.",
                "A cache by station would do, but the constants change when a station is re-levelled. The row has a "
                "`revision`, so that can be the key.",
            ),
            plan=(
                "Record a profile of one slow request",
                "Load the constituents once a request",
                "Cache by (station, revision)",
                "Add a test that counts queries",
            ),
            edit=Edit(
                "tidewatch/api/forecast.py",
                "for hour in hours:\n    constants = await load_constituents(station)\n    level = "
                "evaluate(constants, "
                "hour)\n",
                "constants = await constituents_of(station.id, station.revision)\nlevels = evaluate_many(constants, "
                "hours)\n",
            ),
            run=(
                "pytest -q tests/api/test_forecast.py && python bench/forecast.py --station 91",
                "........                                                                 [100%]\n8 passed in 0.94s\n"
                "station 91: median 38 ms, p95 61 ms over 200 requests\n",
            ),
            answer="The endpoint asked for the same 37 rows **888 times** a request.\n\n"
            "| station | before | after |\n| --- | ---: | ---: |\n| 80 | 9.1 s | 41 ms |\n| 91 | 8.7 s | 38 ms |\n"
            "| 4 | 0.9 s | 22 ms |\n\n`evaluate_many` does the hours in one NumPy call, and `test_forecast_queries` "
            "fails when a request needs more than three queries.",
            follow=(
                (
                    "Does the cache ever give stale constants?",
                    "No: the key has the station's `revision`, which the re-levelling job raises in the same "
                    "transaction. A worker that has the old one in memory misses and loads the new one.",
                ),
                (
                    "What about memory with 4,000 stations?",
                    "About 3 KB a station, so 12 MB for all of them. I set `maxsize=512`; only 140 are asked for "
                    "in a "
                    "day.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Move to Python 3.13",
                "Drop the asyncio shim, we are on 3.13 now",
                "CI matrix: 3.12 and 3.13",
                "DeprecationWarnings as errors",
            ),
            prompt="Bring the project to Python 3.13. Fix what breaks, list what only warns, and keep 3.12 in the "
            "matrix until the end of the quarter.",
            symbol="run_async",
            files=("pyproject.toml", "tidewatch/compat.py", ".github/workflows/test.yml"),
            thinking=(
                "`telnetlib` is gone in 3.13 and the buoy reader imports it. There is a pure Python replacement with "
                "the same read_until.",
                "The shim in compat.py only backported TaskGroup; nothing else imports it.",
            ),
            plan=(
                "Run the suite on 3.13 and collect failures",
                "Replace telnetlib in the buoy reader",
                "Delete compat.py",
                "Turn DeprecationWarning into errors in tests",
            ),
            edit=Edit(
                "pyproject.toml",
                'requires-python = ">=3.10"\n',
                'requires-python = ">=3.12"\n',
            ),
            run=(
                "nox -s tests-3.12 tests-3.13",
                "nox > Session tests-3.12 was successful.\nnox > Session tests-3.13 was successful.\n",
            ),
            answer="Both versions are green. What broke and what replaced it:\n\n"
            "- `telnetlib` (removed) → `tidewatch/buoys/line_protocol.py`, 60 lines, tested against a recording\n"
            "- `compat.run_async` → `asyncio.Runner`\n- `datetime.utcnow()` (11 places) → `datetime.now(UTC)`\n\n"
            "Still warns: `pkg_resources` in a dependency. Upstream has a release candidate.",
            follow=(
                (
                    "Is the free-threaded build worth trying?",
                    "Not yet. Two of our dependencies switch the lock back on at import, so we would measure nothing.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Subscribers can choose quiet hours",
                "Quiet hours in the subscriber's own time zone",
                "Severe alerts ignore quiet hours",
                "Explain quiet hours in the confirmation mail",
            ),
            prompt="Add quiet hours to subscriptions: no alerts below *severe* between two local times. Mind people "
            "who live across midnight and across a time zone change.",
            symbol="in_quiet_hours",
            files=("tidewatch/subscriptions/model.py", "tidewatch/subscriptions/quiet.py", "docs/api/subscriptions.md"),
            thinking=(
                "22:00–06:00 crosses midnight, so `start <= now < end` is wrong for it. When start > end the test is "
                "`now >= start or now < end`.",
                "Equal start and end could mean never or always. The form should refuse it instead of us guessing.",
            ),
            plan=(
                "Model: two times and a zone, both or none",
                "Pure function with a table of cases",
                "Hold back and send a summary at the end",
                "Document it",
            ),
            edit=Edit(
                "tidewatch/subscriptions/quiet.py",
                "def in_quiet_hours(now, start, end):\n    return start <= now < end\n",
                "def in_quiet_hours(now: time, start: time, end: time) -> bool:\n    if start <= end:\n        "
                "return "
                "start <= now < end\n    return now >= start or now < end\n",
            ),
            run=(
                "pytest -q tests/subscriptions -k quiet",
                "....................                                                     [100%]\n20 passed in 0.31s",
            ),
            answer="Quiet hours work across midnight and keep the subscriber's zone.\n\n"
            '```python\n@pytest.mark.parametrize(("now", "quiet"), [\n    (time(23, 0), True),\n    (time(5, 59), '
            "True),\n    (time(6, 0), False),\n])\ndef test_across_midnight(now, quiet):\n    assert "
            "in_quiet_hours(now, "
            "time(22), time(6)) is quiet\n```\n\nAlerts that were held back are summed up in one message when the "
            "quiet hours end; **severe** ones are never held back.",
            follow=(
                (
                    "And on the night when the clock changes?",
                    "The comparison is on wall-clock time, so the hour that does not exist is simply never asked "
                    "about, and the doubled one is quiet twice. Two cases in the table say so.",
                ),
                (
                    "Translate the confirmation mail to German and Portuguese.",
                    "Done, `mails/quiet.de.txt` and `mails/quiet.pt.txt`:\n\n> Zwischen 22:00 und 06:00 Uhr senden "
                    "wir "
                    "Ihnen nur Warnungen der Stufe **schwer**.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Flaky test: test_subscribes_after_reconnect",
                "The reconnect test fails one run in ten on CI",
                "Replace sleeps in tests by a fake clock",
                "Why does the suite take 4 minutes?",
            ),
            prompt="`test_subscribes_after_reconnect` fails about one run in ten, only on CI. Find the race; do not "
            "just raise the timeout.",
            symbol="ReconnectingClient",
            files=("tidewatch/stream/client.py", "tests/stream/test_client.py", "tests/conftest.py"),
            thinking=(
                "The test waits until `connected` is set and then publishes, but the subscription is sent after that "
                "flag. On a slow machine the message is published before anyone listens.",
            ),
            plan=(
                "Make it fail reliably with a delay in the right place",
                "Set `ready` only after the server has acknowledged the subscription",
                "Run it 500 times",
            ),
            edit=Edit(
                "tidewatch/stream/client.py",
                "self.connected.set()\nawait self._subscribe()\n",
                "await self._subscribe()\nself.ready.set()\n",
            ),
            run=(
                "pytest -q tests/stream/test_client.py --count 500 -x",
                "500 passed in 61.20s (0:01:01)",
            ),
            answer="It was a real bug, not only a flaky test: after a reconnect the client said *connected* before "
            "it "
            "was subscribed, and lost what came in between.\n\n`ready` is now set after the server's "
            "acknowledgement. "
            "**500 of 500** runs pass; with the old order and a delay of 20 ms it failed every time.",
            follow=(
                (
                    "Are there more of this kind?",
                    "Three tests sleep for a fixed time:\n\n1. `test_backoff_grows` → fake clock\n2. "
                    "`test_heartbeat` → fake clock\n3. `test_drains_on_close` → waits for an event now\n\nThe suite "
                    "went from 4:10 to 1:35.",
                ),
            ),
        ),
    ),
)

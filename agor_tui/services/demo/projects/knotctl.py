"""A Go command line tool for harbour masters."""

from __future__ import annotations

from agor_tui.services.demo.topics import Checkout, Edit, Project, Topic

PROJECT = Project(
    slug="saltmarsh/knotctl",
    name="knotctl",
    remote_url="https://github.com/saltmarsh-labs/knotctl.git",
    default_branch="main",
    language="go",
    checkouts=(
        Checkout("main", "main", 0),
        Checkout("json-output", "feat/json-output", 1, issue=77, pull_request=81),
        Checkout("windows", "fix/windows-paths", 1, issue=69),
    ),
    topics=(
        Topic(
            titles=(
                "Plan a --json flag for every command",
                "JSON output: stable field names",
                "--json for knotctl berth list",
                "Golden files for JSON output",
            ),
            prompt="Every command prints tables only. Plan a `--json` flag that scripts can rely on, then do `berth "
            "list` as the first one. What should happen with errors?",
            symbol="renderJSON",
            files=("cmd/berth_list.go", "internal/render/json.go", "internal/render/testdata/berths.golden.json"),
            thinking=(
                "If a script asks for JSON and gets an error as text on stdout, it breaks in a confusing way. "
                "stdout is "
                "for data only, errors go to stderr, and the exit code tells which kind.",
                "Struct tags would freeze the names of internal types. A separate view type keeps them apart.",
            ),
            plan=(
                "List all commands and what they print",
                "View types with explicit field names",
                "Errors on stderr, exit codes 1 to 4",
                "Golden files",
            ),
            edit=Edit(
                "cmd/berth_list.go",
                "\treturn render.Table(os.Stdout, berths)\n",
                "\tif opts.JSON {\n\t\treturn render.JSON(cmd.OutOrStdout(), view.Berths(berths))\n\t}\n\treturn "
                "render.Table(cmd.OutOrStdout(), berths)\n",
            ),
            run=(
                "go test ./...",
                "ok  \tknotctl/cmd\t0.214s\nok  \tknotctl/internal/render\t0.038s\nok  "
                "\tknotctl/internal/view\t0.011s\n",
            ),
            answer="`knotctl berth list --json` prints one array. The rules that I suggest for all commands:\n\n"
            "1. stdout has data or nothing\n2. lists are an array, also when there is one row or none\n3. times are "
            "ISO 8601 in UTC\n4. a field is never removed or renamed within a major version\n\n"
            "| exit | meaning |\n| ---: | --- |\n| 0 | done |\n| 1 | the server said no |\n| 2 | wrong usage |\n"
            '| 4 | no such berth |\n\n```go\ntype Berth struct {\n\tID     string    `json:"id"`\n\tPier   string    '
            '`json:"pier"`\n\tFreeAt time.Time `json:"free_at"`\n}\n```',
            follow=(
                (
                    "Do the remaining eleven commands.",
                    "Done, one commit each. `boat show` had a field that was sometimes a string and sometimes a "
                    "number; "
                    "it is always a string now, and the golden file says so.",
                ),
                (
                    "And JSON lines for `watch`?",
                    "`watch --json` prints one object a line and flushes after each, so `| jq` sees it at once.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Paths with backslashes break knotctl sync",
                "Windows: config in %APPDATA%",
                "Windows: colours in the old console",
            ),
            prompt="On Windows `knotctl sync C:\\logs\\2026` uploads everything as one file named "
            "`C:\\logs\\2026\\a.csv`. Fix it and add Windows to CI.",
            symbol="remoteName",
            files=("internal/sync/names.go", "internal/sync/names_test.go", ".github/workflows/ci.yml"),
            thinking=(
                "`path.Join` is used on local paths, which only knows slashes. Local paths need filepath, remote "
                "names "
                "need path; there is exactly one place to convert.",
            ),
            plan=("Table test with Windows paths", "filepath for local, path for remote", "windows-latest in CI"),
            edit=Edit(
                "internal/sync/names.go",
                "\treturn path.Join(prefix, strings.TrimPrefix(local, root))\n",
                '\trel, err := filepath.Rel(root, local)\n\tif err != nil {\n\t\treturn "", err\n\t}\n\treturn '
                "path.Join(prefix, filepath.ToSlash(rel)), nil\n",
            ),
            run=(
                "go test ./internal/sync/ -run Names -v",
                "=== RUN   TestNames\n=== RUN   TestNames/drive_letter\n"
                "=== RUN   TestNames/unc\n--- PASS: TestNames (0.00s)\nPASS\n",
            ),
            answer="Local paths and remote names were mixed. `remoteName` is the only place that turns one into the "
            "other, and it returns an error for a file outside of the root.\n\nCI runs on `windows-latest` as well; "
            "two unrelated tests failed there because of `\\r\\n` in golden files (fixed by `.gitattributes`).",
            follow=(
                (
                    "Someone has a share, \\\\nas\\logs. Does that work?",
                    "Yes, `filepath.Rel` handles UNC roots; there is a case for it now.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Retry with jitter when the API answers 503",
                "Thundering herd after an outage",
                "Respect Retry-After",
            ),
            prompt="After yesterday's outage 3,000 clients came back in the same second. Add retries with jitter "
            "to the "
            "API client and respect `Retry-After`.",
            symbol="Backoff",
            files=("internal/api/client.go", "internal/api/backoff.go", "internal/api/backoff_test.go"),
            thinking=(
                "Full jitter spreads best: sleep = rand(0, min(cap, base * 2^n)). Only idempotent requests may be "
                "repeated; POST /bookings is not, unless it has a key.",
            ),
            plan=(
                "Which requests are safe to repeat?",
                "Full jitter with a cap of 30 s",
                "Retry-After in seconds and as a date",
                "Stop when the context ends",
            ),
            edit=Edit(
                "internal/api/backoff.go",
                "\ttime.Sleep(time.Duration(attempt) * time.Second)\n",
                "\td := time.Duration(rand.Int64N(int64(min(b.Max, b.Base<<attempt))))\n\tselect {\n\tcase "
                "<-time.After(d):\n\t\treturn nil\n\tcase <-ctx.Done():\n\t\treturn ctx.Err()\n\t}\n",
            ),
            run=("go test ./internal/api/ -race -count=20", "ok  \tknotctl/internal/api\t3.412s\n"),
            answer="The client waits a random time between zero and a limit that doubles up to 30 s.\n\n"
            "- `Retry-After` wins where the server sends it, capped at two minutes\n"
            "- only `GET`, `PUT` and `DELETE` are repeated, and `POST` with an `Idempotency-Key`\n"
            "- Ctrl-C ends a wait at once\n\nA simulation of 3,000 clients: the peak falls from **3,000/s to "
            "140/s**.",
            follow=(
                (
                    "How did you simulate it?",
                    "`internal/api/herd_test.go`: virtual clock, 3,000 clients, one server that says 503 for ten "
                    "seconds. It is deterministic because the seed is fixed.",
                ),
                (
                    "Log every retry on stderr with --verbose.",
                    "```\nretry 2/6 in 1.4s: GET /v2/berths: 503 Service Unavailable\n```\n\nThe URL's query is cut, "
                    "since it may hold a token.",
                ),
            ),
        ),
        Topic(
            titles=(
                "knotctl watch leaks goroutines",
                "Goroutine leak in the event stream",
                "pprof: 41,000 goroutines after a weekend",
            ),
            prompt="`knotctl watch` was at 41,000 goroutines on Monday. The profile is in `pprof/monday.txt`.",
            symbol="watchLoop",
            files=("cmd/watch.go", "internal/events/stream.go", "pprof/monday.txt"),
            thinking=(
                "All of them hang in `stream.read` on a channel send. The reader returns on error without "
                "draining, so "
                "the goroutine that sends blocks for ever.",
            ),
            plan=("Read the profile", "Close the stream by context", "Test with goleak"),
            edit=Edit(
                "internal/events/stream.go",
                "\t\tout <- ev\n",
                "\t\tselect {\n\t\tcase out <- ev:\n\t\tcase <-ctx.Done():\n\t\t\treturn\n\t\t}\n",
            ),
            run=("go test ./internal/events/ -run Leak -count=50", "ok  \tknotctl/internal/events\t1.902s\n"),
            answer="Each reconnect left one goroutine behind that waited to send into a channel nobody read.\n\n"
            "`stream` takes a context now and every send selects on it. `goleak` runs in that package's "
            "`TestMain`, so "
            "the next leak fails a test instead of a weekend.",
            follow=(
                (
                    "Can you show the number in `knotctl debug`?",
                    "`knotctl debug` prints goroutines, open streams and the last five reconnects with their reasons.",
                ),
            ),
        ),
    ),
)

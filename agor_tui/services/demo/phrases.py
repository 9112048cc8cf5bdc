"""Words that fit any piece of work: short prompts with their answers, remarks between calls, errors, comments."""

from __future__ import annotations

#: Placeholders: {symbol}, {file}, {other}, {branch}, {repo}, {sha}, {command}, {n}.
SHORT_PROMPTS: tuple[tuple[str, str], ...] = (
    (
        "Run the tests again.",
        "Green: {n} passed.",
    ),
    (
        "Commit this, with a message that says why.",
        "Committed as `{sha}`:\n\n> {symbol}: {title}\n>\n> The old behaviour only showed after a restart, so the "
        "test starts from "
        "one.",
    ),
    (
        "Explain `{symbol}` to someone who joins the team tomorrow.",
        "`{symbol}` lives in `{file}`. It does one thing: it takes what comes in, decides whether it is new, and "
        "hands it on. "
        "Everything else around it is there because the outside world is not as tidy as that.\n\nRead it in this "
        "order:\n\n1. "
        "the test with the longest name\n2. `{file}`\n3. its callers, `{other}` first",
    ),
    (
        "What is left to do here?",
        "Three things, by size:\n\n- [ ] a test for the path through `{other}`\n- [ ] the docs still show the old "
        "behaviour\n- [ ] "
        "rename: `{symbol}` says less than it does",
    ),
    (
        "Summarise this for the stand-up, two sentences.",
        "`{symbol}` no longer trips over restarts, and there is a test that proves it. Next is `{other}`, which "
        "has the same "
        "pattern.",
    ),
    (
        "No, undo the last change and touch only {file}.",
        "Undone. The diff is down to `{file}`, +{n} −4.",
    ),
    (
        "Open a pull request against {branch}.",
        "Opened. Title: **{title}**. I listed what was measured and what was not, and asked for a second pair of "
        "eyes on "
        "`{symbol}`.",
    ),
    (
        "Is anything else calling {symbol}?",
        "Four places:\n\n| file | uses |\n| --- | ---: |\n| `{file}` | 2 |\n| `{other}` | 1 |\n| tests | 6 |\n| "
        "docs | 1 |\n\nOnly "
        "`{other}` depends on the old order.",
    ),
    (
        "Can this be simpler?",
        "Yes. The helper in `{other}` does the same with one branch less; using it removes {n} lines. Behaviour is "
        "unchanged, the "
        "tests did not need a touch.",
    ),
    (
        "Why did CI fail?",
        "Not because of us: the runner had no disk left (`No space left on device`). I restarted the job, it is green.",
    ),
    (
        "Rebase on {branch} and resolve the conflicts.",
        "Rebased. One conflict, in `{other}`: both sides added an import. Tests pass.",
    ),
    (
        "thanks, looks good 👍",
        "Glad it helps. I leave the branch as it is.",
    ),
)

REMARKS = (
    "Let me look at the code before I change anything.",
    "I'll start with a test that shows the fault.",
    "First, where is `{symbol}` used?",
    "The log points at `{file}`; reading it.",
    "That explains the timing. Now the fix.",
    "Small change, then the tests.",
    "I want to see it fail once before I touch it.",
)

FAILURES = (
    "Agent process exited with code 137 (killed, out of memory)",
    "API error 529: the service is overloaded, gave up after 6 attempts",
    "Rate limit reached; it resets at 17:00 UTC",
    "Prompt is too long: 204,311 tokens > 200,000 maximum",
    "git worktree is locked by another process (index.lock)",
    "Permission for Bash was denied",
)

PERMISSIONS = (
    ("Bash", {"command": "git push --force-with-lease origin HEAD", "description": "Push the rebased branch"}),
    ("Bash", {"command": "rm -rf build dist .cache", "description": "Clean build output"}),
    ("Bash", {"command": "docker compose down --volumes", "description": "Reset the test database"}),
    ("WebFetch", {"url": "https://www.postgresql.org/docs/18/release-18.html", "prompt": "What changed for us?"}),
)

QUESTIONS = (
    (
        "Should old clients keep working during the change?",
        (("Yes, for one release", "both formats are read"), ("No", "one deployment, simpler code")),
    ),
    (
        "Which one shall be the default?",
        (("The safe one", "slower by about 3 %"), ("The fast one", "as it is today")),
    ),
)

QUEUED = (
    "and then update the changelog",
    "after that, run the benchmarks on the tablet as well",
    "please also check the German texts",
    "when done: open the pull request and assign Noor",
)

#: Titles of sessions that another one spawned, with their prompt and report.
CHILDREN: tuple[tuple[str, str, str], ...] = (
    (
        "Review: {title}",
        "Review the diff of `{symbol}` as someone who has to maintain it. Look for missing tests first.",
        "**Verdict: merge after one change.**\n\n1. `{file}` — the error path is not tested\n2. `{other}` — the "
        "comment repeats the "
        "code\n3. naming is good, `{symbol}` reads well at the call site\n\nNothing about security or speed.",
    ),
    (
        "Tests for {symbol}",
        "Write the missing tests for `{symbol}`: errors, empty input, two at once.",
        "Nine tests in one table. Two of them failed at first:\n\n- empty input raised instead of returning "
        "nothing\n- two at once "
        "could both win; fixed with a claim\n\nCoverage of `{file}`: 71 % → 98 %.",
    ),
    (
        "Find all callers of {symbol}",
        "Find every caller of `{symbol}`, also through re-exports, and say which rely on the order.",
        "Eleven callers in five files. **Two rely on the order**: `{file}` and `{other}`. The rest only look at "
        "the first element.",
    ),
    (
        "Docs for {symbol}",
        "Update the docs for `{symbol}`. Short sentences, one example that can be copied.",
        "Updated one page and its example. The example is run by the tests now, so it cannot get old.",
    ),
    (
        "Benchmark {symbol}",
        "Measure `{symbol}` before and after, medians of 30 runs, on the slow machine.",
        "| | before | after |\n| --- | ---: | ---: |\n| median | 118 ms | 41 ms |\n| p95 | 240 ms | 66 ms |\n\nThe "
        "rest of the time is "
        "in the driver.",
    ),
)

FORKS = (
    "{title} — try without the cache",
    "{title} — smaller change",
    "{title} — second attempt",
    "{title} (with {other})",
)

SCHEDULED = "Nightly check: {repo}"

COMMENTS = (
    "Can someone look at the numbers? They seem too good.",
    "@noor this one is yours when you are back 🏖️",
    "Blocked by the provider until Thursday.",
    "Merged. Please keep the branch for a week.",
    "The screenshot in the pull request is from the old build.",
    "これ、来週まで待てますか。",
    "Agreed, let us do the smaller change first.",
    "Paused: the window for the upgrade moved to Sunday.",
)

"""Infrastructure: Terraform, SQL, shell and Kubernetes."""

from __future__ import annotations

from agor_tui.services.demo.topics import Checkout, Edit, Project, Topic

PROJECT = Project(
    slug="saltmarsh/harbour-infra",
    name="Harbour infrastructure",
    remote_url="git@github.com:saltmarsh-labs/harbour-infra.git",
    default_branch="main",
    language="hcl",
    checkouts=(
        Checkout("main", "main", 3),
        Checkout("pg18", "upgrade/postgres-18", 3, issue=402, pull_request=410, notes="Window: Sunday 04:00 UTC"),
        Checkout("cost-review", "chore/cost-review", 3),
        Checkout("old-cluster", "legacy/k8s-1.27", 3, archived=True),
    ),
    topics=(
        Topic(
            titles=(
                "List what breaks when we move to PostgreSQL 18",
                "Rehearse the PostgreSQL 18 upgrade",
                "pg_upgrade: collation version mismatch",
                "Rollback plan for the database upgrade",
                "Post-upgrade: ANALYZE in stages",
            ),
            prompt="We move from PostgreSQL 15 to 18 on Sunday. List what breaks for us, rehearse it on a copy and "
            "write a "
            "runbook with times. The window is 40 minutes.",
            symbol="pg_upgrade",
            files=("postgres/main.tf", "runbooks/pg18.md", "scripts/rehearse.sh"),
            thinking=(
                "glibc changes with the image, so text indexes under en_US may be wrong without an error. That is "
                "the "
                "thing to check first, not the removed settings.",
                "pg_upgrade with --link is fast but takes away the way back. A copy on the same volume by reflink "
                "gives "
                "both.",
            ),
            plan=(
                "Release notes 16, 17, 18 against our settings",
                "Copy of production, rehearsal with times",
                "Indexes under en_US: amcheck, then reindex",
                "Runbook with a point of no return",
            ),
            edit=Edit(
                "postgres/main.tf",
                '  engine_version = "15.8"\n',
                '  engine_version              = "18.1"\n  allow_major_version_upgrade = true\n',
            ),
            run=(
                "scripts/rehearse.sh --copy latest",
                "[00:00] restoring copy of 412 GB (reflink)\n[00:41] pg_upgrade --check: ok\n[01:10] pg_upgrade: "
                "done\n"
                "[01:12] amcheck: 3 of 214 indexes out of order\n[09:55] reindex concurrently: done\n[14:20] "
                "vacuumdb "
                "--analyze-in-stages: done\n",
            ),
            answer="Rehearsed on last night's copy: **15 minutes**, of which 9 are reindexing.\n\n"
            "| step | rehearsal | budget |\n| --- | ---: | ---: |\n| stop writers | 1 min | 3 min |\n| pg_upgrade "
            "| 1 min "
            "| 5 min |\n| amcheck + reindex | 9 min | 20 min |\n| analyse | 4 min | 10 min |\n\n"
            "Three indexes on text columns were out of order under the new glibc; **without the reindex lookups by "
            "e-mail "
            "would have missed rows**, silently.\n\n```bash\npg_amcheck --index='*_email_*' --heapallindexed "
            "harbour\n"
            "```\n\nThe point of no return is after step 2; before it, starting the old server again is enough.",
            follow=(
                (
                    "What if the reindex takes longer than the budget?",
                    "Then we open for reads at minute 30: the three indexes are only used by the back office, "
                    "which stays "
                    "closed until they are done.",
                ),
                (
                    "Which settings are gone?",
                    "1. `promote_trigger_file` (16)\n2. `old_snapshot_threshold` (17)\n3. `db_user_namespace` "
                    "(17)\n\nWe "
                    "set none of them. New and worth it: `io_method = worker`.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Cut the logging bill in half",
                "Where do 900 GB of logs a day come from?",
                "Sample health checks out of the access log",
                "Monthly cost review: November",
            ),
            prompt="Logging costs more than the databases. Find out who writes the 900 GB a day and what we can "
            "drop without "
            "blinding ourselves.",
            symbol="log_router",
            files=("logging/router.yaml", "logging/retention.tf", "reports/logs-by-service.sql"),
            thinking=(
                "71 % are health checks and one debug logger that was left on. Sampling errors would be wrong; "
                "sampling "
                "2xx of health checks is not.",
            ),
            plan=(
                "Bytes by service and level",
                "Drop health checks with 200",
                "Debug off in production",
                "Retention by level",
            ),
            edit=Edit(
                "logging/router.yaml",
                "  - match: '*'\n    to: hot\n",
                "  - match: 'path = \"/healthz\" and status = 200'\n    to: drop\n  - match: 'level = \"debug\"'\n "
                "   to: "
                "cold\n  - match: '*'\n    to: hot\n",
            ),
            run=(
                "psql -f reports/logs-by-service.sql",
                "   service    |  level  | gb_per_day | share\n--------------+---------+------------+-------\n "
                "gateway      "
                "| info    |      402.1 | 44.7%\n tidewatch    | debug   |      241.8 | 26.9%\n pierside-ssr | "
                "info    |      "
                " 88.0 |  9.8%\n booking      | info    |       61.3 |  6.8%\n(4 rows)\n",
            ),
            answer="From 900 to **205 GB a day**, nothing lost that anyone has read in the last 90 days.\n\n"
            "```sql\nselect service, level, sum(bytes) / 1e9 as gb\nfrom log_volume\nwhere day > current_date - "
            "7\ngroup by 1, "
            "2\norder by 3 desc;\n```\n\n- health checks that answer 200: dropped, counted as a metric instead\n- "
            "debug: cold "
            "storage, three days\n- errors: unchanged, 400 days",
            follow=(
                (
                    "Alert me when one service doubles in a week.",
                    "A recording rule and an alert, both tested with `promtool`:\n\n```yaml\n- alert: "
                    "LogVolumeDoubled\n  "
                    "expr: log_bytes:rate1d > 2 * log_bytes:rate1d offset 7d\n  for: 6h\n```",
                ),
            ),
        ),
        Topic(
            titles=(
                "Terraform wants to replace the load balancer",
                "terraform plan is never empty",
                "Import the hand-made DNS records",
            ),
            prompt="`terraform plan` wants to destroy and recreate the load balancer because of a tag. Under no "
            "circumstances "
            "may it do that. Find out why, and get to an empty plan.",
            symbol="aws_lb.public",
            files=("network/lb.tf", "network/dns.tf", "modules/tags/main.tf"),
            thinking=(
                "The name is built from a tag map whose order changed with the module's new version; a changed "
                "name forces "
                "replacement. A `moved` block does not help, pinning the name does.",
            ),
            plan=(
                "Find the attribute that forces replacement",
                "Pin the name",
                "prevent_destroy",
                "Import 14 DNS records",
            ),
            edit=Edit(
                "network/lb.tf",
                '  name = join("-", values(module.tags.all))\n',
                '  name = "public-prod"\n\n  lifecycle {\n    prevent_destroy = true\n  }\n',
            ),
            run=("terraform plan -detailed-exitcode", "No changes. Your infrastructure matches the configuration.\n"),
            answer="The plan is **empty**. The name came from `values()` of a map, and its order changed when the "
            "tag module "
            'got a new key.\n\n```hcl\nresource "aws_lb" "public" {\n  name = "public-prod"\n  lifecycle { '
            "prevent_destroy = true }\n}\n```\n\nAlso imported: 14 DNS records that someone had made by hand.",
            follow=(
                (
                    "Run the plan nightly and tell us about drift.",
                    "A workflow at 05:00 opens an issue with the plan when the exit code is 2, and closes it when "
                    "it is 0.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Pods are killed although memory looks fine",
                "OOMKilled at 60 % of the limit",
                "Right-size requests and limits",
            ),
            prompt="booking pods are OOMKilled about twice a day while the graph shows 60 % of the limit. Explain "
            "the graph "
            "first.",
            symbol="memory_working_set",
            files=("k8s/booking/deployment.yaml", "dashboards/memory.json"),
            thinking=(
                "The graph averages over 5 minutes and over pods. The spike lasts 8 seconds: the PDF export forks "
                "and copies "
                "the whole heap.",
            ),
            plan=("Raw samples around a kill", "Which request?", "Move the export to a job", "Fix the graph"),
            edit=Edit(
                "k8s/booking/deployment.yaml",
                "            memory: 512Mi\n",
                "            memory: 768Mi\n          env:\n            - name: MALLOC_ARENA_MAX\n              "
                'value: "2"\n',
            ),
            run=(
                "kubectl get events --field-selector reason=OOMKilling -A | tail -3",
                "booking   22m   Warning   OOMKilling   pod/booking-7c9f-x2vqk\nbooking   9h    Warning   "
                "OOMKilling   "
                "pod/booking-7c9f-lm8dd\nbooking   14h   Warning   OOMKilling   pod/booking-7c9f-9qhtz\n",
            ),
            answer="The graph is an average; the truth is a peak of **8 seconds**.\n\nEach PDF export forked the "
            "server and "
            "touched most of its heap. I moved exports to a job with its own limit, and the dashboard shows the "
            "maximum "
            "beside the average.\n\nNo kill in the 26 hours since.",
            follow=(
                (
                    "Can we lower the limit again then?",
                    "To 448 Mi by the new peak (391 Mi) plus 15 %. I would wait for a week of data.",
                ),
            ),
        ),
    ),
)

"""A Rust log store that ships keep on board."""

from __future__ import annotations

from agor_tui.services.demo.topics import Checkout, Edit, Project, Topic

PROJECT = Project(
    slug="saltmarsh/driftlog",
    name="Driftlog",
    remote_url="https://github.com/saltmarsh-labs/driftlog.git",
    default_branch="main",
    language="rust",
    checkouts=(
        Checkout("main", "main", 0),
        Checkout("compaction", "perf/compaction", 1, issue=142, pull_request=150),
        Checkout("crash-safety", "fix/torn-writes", 1, issue=139),
        Checkout("wasm-reader", "spike/wasm-reader", None, notes="Spike, may be thrown away"),
    ),
    topics=(
        Topic(
            titles=(
                "Torn write after power loss corrupts the last segment",
                "Recover the tail of a segment",
                "fsync the directory after a rename",
                "Crash test: kill -9 in a loop",
            ),
            prompt="A ship lost power and the last segment cannot be opened: `Error: bad frame at 8388352`. We must "
            "never refuse to open because of a torn tail. Find every place where we trust the file too much.",
            symbol="recover_tail",
            files=("src/segment/reader.rs", "src/segment/writer.rs", "tests/crash.rs"),
            thinking=(
                "The frame's length is written before its payload and there is no checksum on the header, so a torn "
                "header reads as a huge length. Truncating at the last frame whose checksum holds is safe: nothing "
                "after it was ever acknowledged.",
                "A rename without an fsync of the directory can vanish as well. That is the second bug here.",
            ),
            plan=(
                "Fault injection: cut the file at every byte",
                "Checksum over header and payload",
                "Truncate at the last good frame, log what was cut",
                "fsync the directory",
                "Run the kill loop for an hour",
            ),
            edit=Edit(
                "src/segment/reader.rs",
                "            let frame = self.next_frame()?;\n            offset = frame.end;\n",
                "            match self.next_frame() {\n                Ok(frame) => offset = frame.end,\n         "
                "       "
                'Err(FrameError::Torn) => {\n                    warn!(offset, "cutting a torn tail");\n           '
                "     "
                "    break self.truncate(offset)?;\n                }\n                Err(error) => return "
                "Err(error.into()),\n            }\n",
            ),
            run=(
                "cargo test --test crash -- --nocapture",
                "running 3 tests\ntest cut_at_every_byte ... ok (65,536 cuts)\ntest rename_is_durable ... ok\ntest "
                "kill_loop ... ok (412 kills, 0 lost acknowledged writes)\n\ntest result: ok. 3 passed; 0 failed\n",
            ),
            answer="A log that was cut **at any byte** opens again and keeps every acknowledged write.\n\n"
            "Three things were wrong:\n\n1. no checksum on the frame header\n2. a torn tail was an error instead "
            "of an "
            "end\n3. the directory was not synced after the rename\n\n"
            "```rust\n#[test]\nfn cut_at_every_byte() {\n    let log = sample_log();\n    for cut in 0..log.len() "
            "{\n        "
            "let opened = open(&log[..cut]).unwrap();\n        assert!(opened.len() >= "
            "acknowledged_before(cut));\n    }\n}\n"
            "```\n\nThe format's version goes to 3; version 2 still reads.",
            follow=(
                (
                    "What does the checksum cost?",
                    "CRC32C in hardware: 21 GB/s on this machine, writes are at 0.4 GB/s. It does not show.",
                ),
                (
                    "Can the operator see what was cut?",
                    "`driftlog check` lists it:\n\n```\nsegment 00000041  cut 1,204 bytes at 8388352  (frame never "
                    "acknowledged)\n```",
                ),
            ),
        ),
        Topic(
            titles=(
                "Compaction doubles the disk use for minutes",
                "Compaction: merge in place by level",
                "Throttle compaction while the engine room logs",
                "Tombstones are never dropped",
            ),
            prompt="Compaction of a 12 GB log needs 12 GB more until it is done, and the ships have 16. Find a "
            "scheme "
            "that needs at most 1 GB more.",
            symbol="compact_level",
            files=("src/compact/mod.rs", "src/compact/plan.rs", "benches/compact.rs", "docs/compaction.md"),
            thinking=(
                "Everything is merged into one new segment today. Merging four neighbours at a time bounds the extra "
                "space by the size of a level's slice.",
                "Tombstones can go once no older segment may hold the key: the plan knows the key ranges.",
            ),
            plan=(
                "Write down the present scheme and its worst case",
                "Levels of ×8, merge four neighbours",
                "Drop tombstones at the last level",
                "Throttle by a token bucket",
                "Measure space and write amplification",
            ),
            edit=Edit(
                "src/compact/plan.rs",
                "    let all = segments.iter().collect::<Vec<_>>();\n    Plan::merge(all)\n",
                "    let level = levels.iter().find(|l| l.is_overfull())?;\n    let window = "
                "level.cheapest_window(4);\n    "
                "Some(Plan::merge(window).into_level(level.index + 1))\n",
            ),
            run=(
                "cargo bench --bench compact",
                "compact/12GB   time: [318.2 s 321.9 s 326.0 s]\n               extra space: 612 MB\n               "
                "write amplification: 5.1\n",
            ),
            answer="Extra space falls from 12 GB to **612 MB**, for 5.1 × write amplification (was 2).\n\n"
            "| | one segment | levels |\n| --- | ---: | ---: |\n| extra space | 12 GB | 0.6 GB |\n| writes | 2.0 × "
            "| 5.1 × "
            "|\n| longest pause | 4.2 s | 90 ms |\n\nThe write amplification costs about 3 % of the disk's life in "
            "ten "
            "years, by the numbers in `docs/disks.md`.",
            follow=(
                (
                    "Is 5.1 the best we can do?",
                    "Levels of ×10 give 6.0 and 480 MB, ×6 give 4.4 and 900 MB. I would stay at ×8.",
                ),
                (
                    "Pause compaction when the write queue is longer than 1,000.",
                    "Done: it waits between windows, never in the middle of one, so it can always be stopped within "
                    "90 ms.",
                ),
            ),
        ),
        Topic(
            titles=(
                "Spike: read logs in the browser with WASM",
                "WASM reader: 2.1 MB is too much",
                "Shrink the WASM bundle 📦",
            ),
            prompt="Spike: can the reader run in the browser so that the crew needs no install? One day at most, "
            "and tell "
            "me the size of the bundle.",
            symbol="read_chunk",
            files=("wasm/src/lib.rs", "wasm/www/index.ts", "Cargo.toml"),
            thinking=(
                "The reader uses mmap. For the browser it needs a trait with `read_at`, which the tests would like "
                "as "
                "well.",
            ),
            plan=("Trait for the source", "wasm-bindgen wrapper", "A page that opens a file", "Measure size and speed"),
            edit=Edit(
                "Cargo.toml",
                "[profile.release]\n",
                '[profile.release]\nopt-level = "z"\nlto = true\ncodegen-units = 1\npanic = "abort"\n',
            ),
            run=(
                "wasm-pack build --release wasm && ls -l wasm/pkg/*.wasm",
                "[INFO]: Optimizing wasm binaries with `wasm-opt`...\n[INFO]: Done in 21.3s\n-rw-r--r-- 1 ada ada "
                "341907 "
                "driftlog_bg.wasm\n",
            ),
            answer="It works: **342 KB** (131 KB compressed), and a 1 GB log opens in 0.9 s because only the index "
            "is "
            'read.\n\n```toml\n[profile.release]\nopt-level = "z"\nlto = true\n```\n\nWhat is missing for a real '
            "version: search (single-threaded, 4 s/GB) and Safari, which copies the file before the first byte.",
            follow=(
                (
                    "What takes the space?",
                    "`twiggy top`:\n\n1. 22 % — zstd decoder\n2. 14 % — date formatting\n3. 9 % — panics with text "
                    '(gone with `panic = "abort"`)\n\nDates could be formatted by the browser instead.',
                ),
            ),
        ),
        Topic(
            titles=(
                "Decode frames with SIMD",
                "Varint decoding is 38 % of a scan",
                "Benchmark: scan 1 GB of engine logs",
            ),
            prompt="A full scan spends 38 % in `decode_varint`. Is there a faster way that stays safe Rust?",
            symbol="decode_varint",
            files=("src/codec/varint.rs", "benches/scan.rs"),
            thinking=(
                "Most values are one or two bytes. A branch on the first byte's high bit plus an unaligned u64 "
                "read with "
                "`from_le_bytes` on an 8 byte slice is safe and lets the compiler drop the bounds checks.",
            ),
            plan=("Histogram of lengths", "Fast path for 1–2 bytes", "Fuzz against the old one", "Measure"),
            edit=Edit(
                "src/codec/varint.rs",
                "    for (i, byte) in input.iter().enumerate() {\n        value |= u64::from(byte & 0x7f) << (7 * "
                "i);\n",
                "    let Some(chunk) = input.first_chunk::<8>() else {\n        return decode_slow(input);\n    "
                "};\n    let "
                "word = u64::from_le_bytes(*chunk);\n    let len = ((!word & STOP).trailing_zeros() / 8 + 1) as "
                "usize;\n",
            ),
            run=(
                "cargo bench --bench scan -- --baseline main",
                "scan/1GB   time: [611.4 ms 615.0 ms 619.2 ms]\n           change: [-34.1% -33.6% -33.0%] (p = 0.00)\n",
            ),
            answer="**34 % faster** on a full scan, without `unsafe`.\n\nThe histogram decided it: 81 % of the "
            "values are one "
            "byte, 17 % two. `cargo fuzz` compared the old and the new decoder on 400 million inputs without a "
            "difference.",
            follow=(
                (
                    "And on ARM?",
                    "On the tablet's CPU 21 %. There `trailing_zeros` needs two instructions, the rest is the same.",
                ),
            ),
        ),
    ),
)
